"""`dirt`: the job of training the mask net."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .align import load_rife
from .degrain import bank
from .dirt_data import Batch, DirtBatches, Sources, samples
from .dirt_net import DirtNet, grown, healed_of
from .dirt_objects import FALSE_AREA, labelled, wanted
from .paths import WORK
from .trainer import Job

VALIDATION_BATCHES = 20
ALLOWED = (0.005, 0.01, 0.02, 0.05)
"""False objects a frame of `SIDE` pixels at which recall is told."""
GROW, NEAR = 1, 2
"""What is found is grown by so many pixels (as in `heal`); what is so near to dirt is not false."""
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


def _scores(net: DirtNet, batch: Batch, objects: list[list[Tensor]]) -> tuple[list[float], list[float]]:
    """How sure the net is of each wanted object (the logit that half of it reaches) and of each object where nothing is."""
    with torch.no_grad():
        logits = net.logits(*batch.inputs())[:, :1].float().cpu()
    asked, dirty = batch.asked.cpu(), batch.dirty.cpu()
    around = functional.max_pool2d(logits, 2 * GROW + 1, 1, GROW)
    near = functional.max_pool2d((asked * (1 - dirty) == 0).float(), 2 * NEAR + 1, 1, NEAR)
    false_logits = torch.where(near > 0, -math.inf, logits)
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


def recall_of(net: DirtNet, batches: list[Batch], objects: list[list[list[Tensor]]]) -> float:
    """Recall in percent where so few objects are false as `ALLOWED` says (the mean over its entries): what validation watches."""
    found: list[float] = []
    false: list[float] = []
    for batch, parts in zip(batches, objects, strict=True):
        one, other = _scores(net, batch, parts)
        found, false = found + one, false + other
    frames = sum(len(parts) for parts in objects)
    false = [*sorted(false, reverse=True), *[0.0] * frames]
    levels = [false[int(share * frames)] for share in ALLOWED]
    return 100 * sum(score > level for level in levels for score in found) / max(1, len(levels) * len(found))


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
) -> Job:
    """Everything `train dirt` needs. `start` are an earlier net's weights; `kept` are ready samples (for tests without downloads)."""
    shapes = None
    if kept is None:
        films = bank(stocks, seed, torch.device("cpu"), cache)
        sources = Sources.of(data, cache)
        kept, shapes = samples(sources, films, load_rife(), count, seed, cache), sources.shapes
    # A fifth faster on a CPU.
    net = DirtNet().to(memory_format=torch.channels_last)
    if start:
        net.load_state_dict(grown(start, net))
    made = kept
    total = made["planes"].shape[0]
    # Every 12th sample validates and is not trained on. (The evaluation set is another one, of other films.)
    training = [i for i in range(total) if i % 12 != 7]
    source = DirtBatches(made, training, batch, crop, seed, shapes)
    side = made["planes"].shape[-1]
    watched = DirtBatches(made, [i for i in range(total) if i % 12 == 7] or training, 8, side, VALIDATION_SEED, shapes)
    validation = [watched.batch_of(number) for number in range(VALIDATION_BATCHES)]
    objects = [wanted_of(batch) for batch in validation]

    def loss(net: nn.Module, number: int) -> Tensor:
        assert isinstance(net, DirtNet)
        return loss_of(net, source.batch_of(number))

    def validate(net: nn.Module) -> float:
        assert isinstance(net, DirtNet)
        return recall_of(net, validation, objects)

    return Job(net, loss, validate, "recall at few false objects, %")
