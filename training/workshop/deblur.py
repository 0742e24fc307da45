"""`deblur-small` and `deblur-full`: the job of training a feed-forward net of `deblur`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from .deblur_data import WHOLE, DeblurBatches, Making, pool
from .deblur_net import NETS, FullDeblurNet
from .degrain import bank, held_back, psnr_each
from .paths import WORK, WorkshopError
from .pictures import Entry
from .trainer import Job

SAMPLES = 5120
WATCHED = 256
"""Samples of the validation pool, of pictures that are not trained on."""
VALIDATION_BATCHES = 12
"""Of 16 crops."""
VALIDATION_SEED = 77
EDGE = 8
"""Pixels at a crop's edges that no error is taken of."""
DEAD = 1e-3
"""Liveliness of a second body below which nothing will come of it. (Of one that had died: 0.)"""
NOISE = 1 / 255
"""Errors below it are not worth learning."""


def pools(
    entries: list[Entry],
    *,
    seed: int,
    stocks: int,
    count: int = SAMPLES,
    watched: int = WATCHED,
    cache: Path = WORK,
    making: Making = WHOLE,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What is trained on and, made before it, what validates: pools of other pictures."""
    training, validation = held_back(entries)
    films = bank(stocks, seed, torch.device("cpu"), cache)
    kept = pool(validation, films, watched, VALIDATION_SEED, cache, "watch", replace(making, until=None))
    return pool(training, films, count, seed, cache, "train", making), kept


def deblur_job(
    name: str,
    entries: list[Entry],
    *,
    seed: int,
    batch: int,
    crop: int,
    stocks: int,
    count: int = SAMPLES,
    watched: int = WATCHED,
    cache: Path = WORK,
    start: dict[str, Tensor] | None = None,
    device: torch.device | None = None,
    video: bool = True,
) -> Job:
    """Everything `train` of a net of `NETS` needs. `start` are the weights of a shipped net, perhaps of the small one for the full.

    Samples that are missing are made first; without `video` their codecs are JPEG alone. They lie on the device.
    """
    made, kept = pools(entries, seed=seed, stocks=stocks, count=count, watched=watched, cache=cache, making=Making(video=video))
    source = DeblurBatches(made, range(len(made["planes"])), batch, crop, seed, device)
    soft = [i for i in range(len(kept["planes"])) if bool(kept["strengths"][i].sum() > 0)]
    batches = DeblurBatches(kept, soft, 16, crop, VALIDATION_SEED, device)
    fixed = [batches.batch_of(number) for number in range(VALIDATION_BATCHES)]

    def loss(net: nn.Module, number: int) -> Tensor:
        one = source.batch_of(number)
        return relative_error(inside(net(one.soft, one.told)), inside(one.soft), inside(one.truth))

    def validate(net: nn.Module) -> float:
        # Before training its last layer is 0.
        if isinstance(net, FullDeblurNet) and bool(net.wide_last.weight.any()):
            lively = net.liveliness(fixed[0].soft)
            print(f"the second body's share: {lively:.4f}", flush=True)
            if lively < DEAD:
                raise WorkshopError("the second body of deblur-full has died, and the first alone is trained: lower --rate, and begin anew")
        with torch.no_grad():
            gains = [
                psnr_each(inside(net(one.soft, one.told).clamp(0, 1)), inside(one.truth)) - psnr_each(inside(one.soft), inside(one.truth))
                for one in fixed
            ]
        return float(torch.cat(gains).mean())

    net = NETS[name]()
    if start is not None:
        # What is fixed is not stored, and the full net's second body may be missing.
        net.load_state_dict(net.state_dict() | start)
    return Job(net, loss, validate, "mean gain of validation crops, dB")


def inside(crop: Tensor) -> Tensor:
    """Without the rim that saw zeros where the picture went on."""
    return crop[..., EDGE:-EDGE, EDGE:-EDGE]


def relative_error(output: Tensor, soft: Tensor, truth: Tensor) -> Tensor:
    """Mean over samples of the error left, as a share of the input's (root mean squares, both with `NOISE`).

    Of all samples alike something is to be learned, the little softened ones too. (A logarithm would teach to do nothing.)
    """
    left, before = (((picture - truth) ** 2).mean((1, 2, 3)) + NOISE**2 for picture in (output, soft))
    return (left / before).sqrt().mean()
