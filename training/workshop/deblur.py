"""`deblur-small`: the job of training the feed-forward net of `deblur`."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from .deblur_data import DeblurBatches, pool
from .deblur_net import DeblurNet, warm
from .degrain import bank, held_back, psnr_each
from .networks import pretrained_degrain
from .paths import WORK
from .pictures import Entry
from .trainer import Job, charbonnier

SAMPLES = 1920
WATCHED = 128
"""Samples of the validation pool, of pictures that are not trained on."""
VALIDATION_BATCHES = 4
"""Of 16 crops: looking costs as much as eight steps of training each."""
VALIDATION_SEED = 77


def deblur_job(
    entries: list[Entry],
    *,
    seed: int,
    batch: int,
    crop: int,
    stocks: int,
    count: int = SAMPLES,
    watched: int = WATCHED,
    fresh: bool = False,
    cache: Path = WORK,
) -> Job:
    """Everything `train deblur-small` needs. `fresh` starts from random weights (for tests without downloads)."""
    training, validation = held_back(entries)
    films = bank(stocks, seed, torch.device("cpu"), cache)
    made = pool(training, films, count, seed, cache, "train")
    kept = pool(validation, films, watched, VALIDATION_SEED, cache, "watch")
    source = DeblurBatches(made, range(len(made["planes"])), batch, crop, seed)
    soft = [i for i in range(len(kept["planes"])) if bool(kept["strengths"][i].sum() > 0)]
    batches = DeblurBatches(kept, soft, 16, crop, VALIDATION_SEED)
    fixed = [batches.batch_of(number) for number in range(VALIDATION_BATCHES)]

    def loss(net: nn.Module, number: int) -> Tensor:
        one = source.batch_of(number)
        # Errors count relative to the softness: else only the softest would be learned from. (A logarithm would teach to do nothing.)
        return charbonnier(net(one.soft, one.told), one.truth, one.weight)

    def validate(net: nn.Module) -> float:
        with torch.no_grad():
            gains = [psnr_each(net(one.soft, one.told), one.truth) - psnr_each(one.soft, one.truth) for one in fixed]
        return float(torch.cat(gains).mean())

    net = DeblurNet()
    return Job(net if fresh else warm(net, pretrained_degrain().state_dict()), loss, validate, "mean gain of validation crops, dB")
