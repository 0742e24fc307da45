"""`scratch`: the job of training the net of lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from .degrain import bank
from .paths import WORK
from .pictures import some
from .scratch_data import Batch, ScratchBatches, samples
from .scratch_net import ScratchNet
from .trainer import Job

VALIDATION_BATCHES = 12
VALIDATION_SAMPLES = 120
VALIDATION_SEED = 77
SAMPLES = 6000
GRAINS = 1
"""Seed of the grains, whatever the run's: drawing them takes longer than drawing samples."""
EVERY = 2
"""Of the data set's pictures every second one: samples are small parts of them."""
HARD = 4.0
"""Weight of the most confident wrong cells off all lines: a pole that is taken costs more than a scratch that stays."""


def loss_of(net: ScratchNet, batch: Batch) -> Tensor:
    """Cross entropy, where sure errors off lines count most, and Dice over the batch."""
    logits = net.logits(batch.frame, batch.scale).float()
    raw = functional.binary_cross_entropy_with_logits(logits, batch.lines, reduction="none")
    chance = torch.sigmoid(logits)
    weight = batch.asked * (1 + (HARD - 1) * ((1 - batch.lines) * chance).detach())
    entropy = (raw * weight).sum() / batch.asked.sum()
    overlap = (chance * batch.lines * batch.asked).sum()
    dice = 1 - (2 * overlap + 20) / ((chance * batch.asked).sum() + (batch.lines * batch.asked).sum() + 20)
    return 10 * entropy + dice


def overlap_of(net: ScratchNet, batches: Sequence[Batch]) -> float:
    """Dice of the lines at one half over batches, in percent: what validation watches."""
    both, either = 0.0, 0.0
    with torch.no_grad():
        for batch in batches:
            found = ((net.logits(batch.frame, batch.scale) > 0) & (batch.asked > 0)).float()
            wanted = ((batch.lines >= 0.5) & (batch.asked >= 0.5)).float()
            free = (batch.lines < 0.25).float()
            both += 2 * float((found * wanted).sum())
            either += float((found * free).sum() + (found * wanted).sum() + wanted.sum())
    return 100 * both / max(either, 1)


def scratch_job(
    pictures: Path,
    *,
    seed: int,
    batch: int,
    crop: int,
    stocks: int,
    count: int = SAMPLES,
    cache: Path = WORK,
    kept: object = None,
    start: dict[str, Tensor] | None = None,
) -> Job:
    """Everything `train scratch` needs. `kept` are ready samples (for tests without data); `start` are the weights of a shipped net."""
    if kept is None:
        films = bank(stocks, GRAINS, torch.device("cpu"), cache)
        shown = [torch.from_numpy(frame.copy()).permute(2, 0, 1) for frame in some(pictures, EVERY)]
        # Samples of the last pictures validate; those pictures are not trained on. (The evaluation set is another one, of other films.)
        held = [picture for i, picture in enumerate(shown) if i % 12 == 7]
        training = samples([picture for i, picture in enumerate(shown) if i % 12 != 7], films, count, seed, cache)
        watched = samples(held, films, VALIDATION_SAMPLES, VALIDATION_SEED, cache)
    else:
        assert isinstance(kept, dict)
        training = watched = kept
    source = ScratchBatches(training, range(len(training["sigma"])), batch, crop, seed)
    validation_source = ScratchBatches(watched, range(len(watched["sigma"])), 8, crop, VALIDATION_SEED)
    validation = [validation_source.batch_of(number) for number in range(VALIDATION_BATCHES)]

    def loss(net: nn.Module, number: int) -> Tensor:
        assert isinstance(net, ScratchNet)
        return loss_of(net, source.batch_of(number))

    def validate(net: nn.Module) -> float:
        assert isinstance(net, ScratchNet)
        return overlap_of(net, validation)

    net = ScratchNet()
    if start is not None:
        # What is fixed is not stored.
        net.load_state_dict(start, strict=False)
    return Job(net, loss, validate, "Dice of validation lines, %")
