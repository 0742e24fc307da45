"""Copies of copies: each generation loses sharpness, builds up contrast, prints the dirt in and lays its own grain on top."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .grain_bank import GrainBank
from .optics import blur, to_codes, to_linear


@dataclass(frozen=True)
class Generation:
    """One printing: σ of its blur in pixels, its contrast (1 keeps it), which stock of the bank, and its grain's strength at the
    middle codes (0…1)."""

    sigma: float = 0.6
    contrast: float = 1.12
    stock: int = 0
    grain: float = 4 / 255

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        if self.sigma < 0 or self.contrast <= 0 or self.grain < 0:
            raise ValueError(f"generation: sigma and grain must be at least 0, contrast above 0 (got {self})")


def tone(clip: Tensor, contrast: float) -> Tensor:
    """Contrast about middle gray, rolled off at both ends as a print's curve does."""
    middle = 0.46
    x = (clip - middle) * contrast
    room = torch.where(x > 0, 1 - middle, middle)
    # Linear in the middle; approaches the end without reaching beyond.
    return middle + torch.where(x.abs() < 0.7 * room, x, torch.sign(x) * room * (1 - 0.3 * torch.exp(-(x.abs() / room - 0.7) / 0.3)))


def duplicate(clip: Tensor, generations: list[Generation], bank: GrainBank, seed: int) -> Tensor:
    """The clip after so many printings; what was on the film before (dirt, grain) is printed in, softer each time."""
    generator = torch.Generator().manual_seed(seed)
    for generation in generations:
        clip = to_codes(blur(to_linear(clip.clamp(0, 1)), generation.sigma))
        clip = tone(clip, generation.contrast).clamp(0, 1)
        which = torch.full((clip.shape[0],), generation.stock)
        share = torch.full((clip.shape[0],), bank.stocks[generation.stock].correlation)
        gain = generation.grain / float(bank.middle[generation.stock])
        clip = clip + gain * bank.grain(clip, which, share, generator)
    return clip.clamp(0, 1)
