"""`dirt`: the job of training the mask net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .ahead import Ahead, moved
from .align import Views, load_rife
from .degrain import bank
from .dirt_data import Batch, DirtBatches, Sources, samples
from .dirt_net import LEAST, DirtNet, grown, healed_of
from .dirt_objects import FALSE_AREA, labelled, wanted
from .dirt_shapes import ShapeBank
from .heal import CAUTION, GROW, REACH, unrest_of, vouching
from .paths import WORK
from .trainer import Job

ALLOWED = (0.005, 0.01, 0.02, 0.05)
"""False objects a frame of `SIDE` pixels at which recall is told."""
NEAR = 2
"""What is so near to dirt is not false, in pixels."""
DOUBT = 2.5
"""So much less than a sure pixel's is a doubtful one's logit (`heal.thresholds`)."""
NEVER = -1e3
"""A logit of what is never taken."""
WATCHED_SAMPLES = 160
"""Samples of the watched clips and photographs (`dirt_data.WATCHED`), on which training is validated."""
VALIDATION_SEED = 77
SAMPLES = 1200
HARD = 4.0
"""Weight of the most confident wrong pixels of what is clean: a false removal costs more than a spot that stays."""


MISSED = 0.1
"""Weight of the mean cross entropy of dirt alone. At 2 (with entropy counted once) masks were fat and fired on grain: 55 false objects
on 24 validation samples."""


def mask_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross entropy, where sure errors on clean film count most, and Dice over the batch."""
    raw = functional.binary_cross_entropy_with_logits(logits, batch.dirty, reduction="none")
    chance = torch.sigmoid(logits)
    clean = 1 - batch.dirty
    weight = batch.asked * (1 + (HARD - 1) * (clean * chance).detach())
    entropy = (raw * weight).sum() / batch.asked.sum()
    missed = (raw * weight * batch.dirty).sum() / ((batch.dirty * batch.asked).sum() + 100)
    overlap = (chance * batch.dirty * batch.asked).sum()
    dice = 1 - (2 * overlap + 50) / ((chance * batch.asked).sum() + (batch.dirty * batch.asked).sum() + 50)
    return 10 * entropy + MISSED * missed + dice


def loss_of(net: DirtNet, batch: Batch) -> Tensor:
    """Mask and healing together."""
    logits = net.logits(*batch.inputs()).float()
    healed = healed_of(logits, batch.views.before, batch.views.after, batch.views.middle)
    error = ((healed - batch.truth) ** 2 + 1e-6).sqrt().mean(1, keepdim=True)
    # What lies under dirt matters, but all of the picture teaches which view is right.
    weight = 0.1 + batch.dirty
    return mask_loss(logits[:, :1], batch) + 10 * (error * weight).sum() / weight.sum()


def _sure(net: DirtNet, batch: Batch, caution: float) -> Tensor:
    """The height [B, 1, H, W] of `heal.thresholds` up to which a pixel is taken, at a caution of the stage's."""
    # The net runs where it lies; what is decided by its logits is the CPU's work.
    with torch.no_grad():
        logits = net.logits(*moved(batch, next(net.parameters()).device).inputs()).float().cpu()
        healed = healed_of(logits, batch.views.before, batch.views.after, batch.views.middle)
    vouched = logits[:, :1]
    if caution:
        sigmas = (1 / batch.scale.flatten() ** 2 - LEAST**2).clamp(min=0).sqrt().tolist()
        found = []
        for index, sigma in enumerate(sigmas):
            views = Views(**{name: plane[index] for name, plane in vars(batch.views).items()})
            # Of ones, `vouching` leaves those that may vouch.
            may = vouching(torch.ones_like(vouched[index]), batch.frame[index], healed[index], unrest_of(views, sigma), caution)
            found.append(torch.where(may > 0, vouched[index], NEVER))
        vouched = torch.stack(found)
    near = functional.max_pool2d(vouched, 2 * REACH + 1, 1, REACH)
    return torch.minimum(logits[:, :1] + DOUBT, near)


def _scores(net: DirtNet, batch: Batch, objects: list[list[Tensor]], caution: float) -> tuple[list[float], list[float]]:
    """Up to which height each wanted object is found by half, and each object where nothing is."""
    logits = _sure(net, batch, caution)
    asked, dirty = batch.asked, batch.dirty
    around = functional.max_pool2d(logits, 2 * GROW + 1, 1, GROW)
    near = functional.max_pool2d((asked * (1 - dirty) == 0).float(), 2 * NEAR + 1, 1, NEAR)
    false_logits = torch.where(near > 0, NEVER, logits)
    found, false = [], []
    for index, parts in enumerate(objects):
        found += [float(around[index, 0][part].median()) for part in parts]
        wrong = false_logits[index, 0]
        for part in labelled(wrong > 0):
            values = wrong[part]
            if len(values) >= FALSE_AREA:
                false.append(float(values.topk(FALSE_AREA).values[-1]))
    return found, false


def wanted_of(batch: Batch) -> list[list[Tensor]]:
    """The objects [H, W] that have to be found, frame by frame: those that `evaluate dirt` counts."""
    return [wanted(plane) for plane in batch.change[:, 0].cpu()]


def recall_of(net: DirtNet, batches: list[Batch], objects: list[list[list[Tensor]]], caution: float = CAUTION) -> float:
    """Recall in percent where so few objects are false as `ALLOWED` says (the mean over its entries): what validation watches."""
    found: list[float] = []
    false: list[float] = []
    for batch, parts in zip(batches, objects, strict=True):
        one, other = _scores(net, batch, parts, caution)
        found, false = found + one, false + other
    frames = sum(len(parts) for parts in objects)
    false = [*sorted(false, reverse=True), *[0.0] * frames]
    levels = [false[int(share * frames)] for share in ALLOWED]
    return 100 * sum(score > level for level in levels for score in found) / max(1, len(levels) * len(found))


def pools(
    data: Path,
    *,
    seed: int,
    stocks: int,
    count: int = SAMPLES,
    watched: int = WATCHED_SAMPLES,
    cache: Path = WORK,
    part: tuple[int, int] = (0, 1),
    until: float | None = None,
    device: torch.device | None = None,
) -> tuple[dict[str, Any], dict[str, Any], ShapeBank]:
    """What is trained on; what validates, made before it and to the end; and the shapes of dirt. Motion is found on the device."""
    films, rife = bank(stocks, seed, torch.device("cpu"), cache), load_rife().to(device or "cpu")
    sources, own = Sources.of(data, cache), Sources.of(data, cache, watched=True)
    kept = samples(own, films, rife, watched, VALIDATION_SEED, cache, part)
    return samples(sources, films, rife, count, seed, cache, part, until), kept, sources.shapes


def dirt_job(
    data: Path,
    *,
    seed: int,
    batch: int,
    crop: int,
    stocks: int,
    count: int = SAMPLES,
    cache: Path = WORK,
    kept: dict[str, Any] | None = None,
    start: dict[str, Tensor] | None = None,
    device: torch.device | None = None,
    workers: int = 0,
) -> Job:
    """Everything `train dirt` needs. `start` are an earlier net's weights; `kept` are ready samples (for tests without downloads).

    Batches come onto the device; `workers` processes make them ahead.
    """
    shapes, watched_kept = None, kept
    if kept is None:
        kept, watched_kept, shapes = pools(data, seed=seed, stocks=stocks, count=count, cache=cache)
    net = DirtNet()
    if start:
        net.load_state_dict(grown(start, net))
    assert watched_kept
    # (The evaluation set is another one, of other films.)
    source = DirtBatches(kept, range(len(kept["sigma"])), batch, crop, seed, shapes)
    total, side = len(watched_kept["sigma"]), watched_kept["planes"].shape[-1]
    watched = DirtBatches(watched_kept, range(total), 8, side, VALIDATION_SEED, shapes)
    validation = [watched.batch_of(number) for number in range(max(1, total // 8))]
    coming = Ahead(source, device or torch.device("cpu"), workers)
    objects = [wanted_of(batch) for batch in validation]

    def loss(net: nn.Module, number: int) -> Tensor:
        assert isinstance(net, DirtNet)
        return loss_of(net, coming.batch_of(number))

    def validate(net: nn.Module) -> float:
        assert isinstance(net, DirtNet)
        return recall_of(net, validation, objects)

    return Job(net, loss, validate, "recall at few false objects, %")
