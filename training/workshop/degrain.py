"""`degrain`: FFDNet, trained on from its published weights with film grain in place of white noise."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import Tensor, nn

from degradation.grain_bank import GrainBank
from emulsion_training.ffdnet import TrainableFfdnet, published

from .degrain_data import Aim, DegrainBatches
from .networks import pretrained_degrain
from .paths import WORK
from .pictures import Entry
from .trainer import Job, charbonnier

FIELD = 160
"""Side of the grain fields in pixels."""
EVEN = 5 / 255
"""Strength of grain from which on errors are weighed by its inverse."""
VALIDATION_BATCHES = 6
VALIDATION_SEED = 77


def held_back(entries: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Every 20th entry validates and is not trained on. (The evaluation set is another one, of other pictures.)"""
    return [e for i, e in enumerate(entries) if i % 20 != 7], [e for i, e in enumerate(entries) if i % 20 == 7]


def bank(count: int, seed: int, device: torch.device, cache: Path = WORK) -> GrainBank:
    """The stocks to train with, kept on disk because drawing them takes minutes on a CPU."""
    path = cache / f"grain-{count}-{FIELD}-{seed}.pt"
    if path.exists():
        return GrainBank.load(torch.load(path, weights_only=True), device)
    begun = time.monotonic()
    made = GrainBank.random(count, FIELD, seed, device)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(made.save(), path)
    print(f"drew the grain of {count} stocks in {time.monotonic() - begun:.0f} s", flush=True)
    return made


def degrain_job(
    entries: list[Entry],
    *,
    seed: int,
    batch: int,
    crop: int,
    stocks: int,
    device: torch.device,
    fresh: bool = False,
    start: dict[str, Tensor] | None = None,
    cache: Path = WORK,
    aim: Aim | None = None,
) -> Job:
    """Everything `train` needs. `start` are the shipped net's weights; without them FFDNet's published ones are where it starts.

    `fresh` starts from random weights (for tests without downloads).
    """
    training, validation = held_back(entries)
    films = bank(stocks, seed, device, cache)
    source = DegrainBatches(training, films, batch, crop, seed, device, aim)
    watched = DegrainBatches(validation, films, 8, crop, VALIDATION_SEED, device, aim)
    kept = [watched.batch_of(number) for number in range(VALIDATION_BATCHES)]

    def loss(net: nn.Module, number: int) -> Tensor:
        noisy, clean, level = source.batch_of(number)
        # Errors count relative to the grain: else strong grain alone would be learned, and fine grain's pictures would suffer.
        weight = 2 * EVEN / (level.mean((1, 2, 3), keepdim=True) + EVEN)
        return charbonnier(net(noisy, level), clean, weight)

    def validate(net: nn.Module) -> float:
        with torch.no_grad():
            return float(torch.stack([psnr_each(net(noisy, level), clean) for noisy, clean, level in kept]).mean())

    net = TrainableFfdnet() if fresh or start else pretrained_degrain()
    if start:
        net.load_state_dict(published(start))
    return Job(net, loss, validate, "PSNR of validation crops, dB")


def psnr_each(a: Tensor, b: Tensor) -> Tensor:
    """PSNR of each picture of a batch, in dB."""
    error = (a.clamp(0, 1).float() - b.float()).pow(2).mean((1, 2, 3)).clamp(min=1e-10)
    return -10 * torch.log10(error)
