"""`dirt`: the job of training the mask net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .ahead import Ahead, moved
from .align import load_rife
from .degrain import bank
from .dirt_data import Batch, DirtBatches, Sources, samples
from .dirt_net import DirtNet, healed_of
from .paths import WORK
from .trainer import Job

VALIDATION_BATCHES = 10
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


def overlap_of(net: DirtNet, batches: list[Batch]) -> float:
    """Dice of the masks at one half over batches, in percent: what validation watches."""
    both, either = 0.0, 0.0
    with torch.no_grad():
        for batch in batches:
            found = (net(*batch.inputs())[0] > 0.5).float() * (batch.asked > 0)
            visible = batch.dirty * (batch.asked >= 0.5)
            both += 2 * float((found * visible).sum())
            # Dirt hidden by grain may be found or not.
            either += float((found * (1 - batch.dirty)).sum() + (found * visible).sum() + visible.sum())
    return 100 * both / max(either, 1)


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
    if kept is None:
        films = bank(stocks, seed, torch.device("cpu"), cache)
        kept = samples(Sources.of(data, cache), films, load_rife(), count, seed, cache)
    net = DirtNet()
    if start:
        net.load_state_dict(start)
    made = kept
    total = made["planes"].shape[0]
    # Every 12th sample validates and is not trained on. (The evaluation set is another one, of other films.)
    training = [i for i in range(total) if i % 12 != 7]
    source = DirtBatches(made, training, batch, crop, seed)
    watched = DirtBatches(made, [i for i in range(total) if i % 12 == 7] or training, 8, crop, VALIDATION_SEED)
    where = device or torch.device("cpu")
    validation = [moved(watched.batch_of(number), where) for number in range(VALIDATION_BATCHES)]
    coming = Ahead(source, where, workers)

    def loss(net: nn.Module, number: int) -> Tensor:
        assert isinstance(net, DirtNet)
        return loss_of(net, coming.batch_of(number))

    def validate(net: nn.Module) -> float:
        assert isinstance(net, DirtNet)
        return overlap_of(net, validation)

    return Job(net, loss, validate, "Dice of validation masks, %")
