"""Batches for `degrain`: clean crops, the same with film grain of the physical model, and the true noise level.

The noise level of a pixel is the root mean square, over red, green and blue, of the grain's standard deviation at that pixel,
of all its frequencies: what the app measures in a shot by matched differences (`src/analysis/noise`), not the white part that
patches see. Half of the maps are local, half hold one number for the picture, as the app's do: the root mean square over it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from degradation.grain_bank import GrainBank

from .pictures import Entry

WHITE = 0.2
"""Share of samples with plain Gaussian noise, so that sensors' noise and every older use stay served."""
LUMA = (0.2126, 0.7152, 0.0722)
WEAKEST, STRONGEST = 2 / 255, 45 / 255
STRONGEST_WHITE = 60 / 255
MISREAD = 0.07
"""Deviation of the logarithm of the told strength: the app's estimate is not perfect either."""


@dataclass(frozen=True)
class Aim:
    """Which films a model is for: the range of the grain's strength (codes 0…1), and the share of black and white."""

    weakest: float = WEAKEST
    strongest: float = STRONGEST
    monochrome: float = 0.4

    @staticmethod
    def like(report: dict[str, Any] | None) -> Aim:
        """From a report of `estimate`: half to twice the measured strength (and what a codec may have taken), and its colors."""
        if report is None:
            return Aim()
        sigma = max(float(report["grain"]["sigma"]), 1.0) / 255
        strongest = sigma * (2 if report["grain"]["trustworthy"] else 6)
        return Aim(max(WEAKEST / 2, sigma / 2), min(STRONGEST, max(strongest, 4 / 255)), 1.0 if report["monochrome"] else 0.0)


class DegrainBatches:
    """An endless, seeded source of batches; batch `n` depends on seed and `n` alone, so that a resumed run goes on."""

    def __init__(
        self, entries: list[Entry], bank: GrainBank, batch: int, crop: int, seed: int, device: torch.device, aim: Aim | None = None
    ) -> None:
        self.aim = aim or Aim()
        self.frames = [torch.from_numpy(frame.copy()).to(device) for entry in entries for frame in entry.frames[:1]]
        self.frames = [frame for frame in self.frames if min(frame.shape[:2]) >= crop]
        if not self.frames:
            raise ValueError(f"no picture of the data set is {crop} px or larger on both sides")
        self.bank, self.batch, self.crop, self.seed, self.device = bank, batch, crop, seed, device

    def batch_of(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Noisy and clean [B, 3, N, N], and the noise map [B, 1, N/2, N/2], all in codes 0…1."""
        chance = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        clean = torch.stack([self._crop(chance) for _ in range(self.batch)])
        # On the device, too, the noise comes from the batch's own number.
        noise = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + number)
        monochrome = self._draw(chance) < self.aim.monochrome
        clean = self._tone(clean, monochrome, chance)
        noisy, level = self._degrade(clean, monochrome, chance, noise)
        rounded = torch.round(noisy.clamp(0, 1) * 255) / 255
        noisy = torch.where((self._draw(chance) < 0.7).view(-1, 1, 1, 1), rounded, noisy)
        return noisy, clean, level

    def _draw(self, chance: torch.Generator) -> Tensor:
        return torch.rand(self.batch, generator=chance).to(self.device)

    def _crop(self, chance: torch.Generator) -> Tensor:
        draw = torch.randint(0, 2**31 - 1, (4,), generator=chance).tolist()
        frame = self.frames[draw[0] % len(self.frames)]
        top, left = draw[1] % (frame.shape[0] - self.crop + 1), draw[2] % (frame.shape[1] - self.crop + 1)
        part = frame[top : top + self.crop, left : left + self.crop].permute(2, 0, 1).float() / 255
        part = torch.rot90(part, draw[3] % 4, (1, 2))
        return part.flip(2) if draw[3] & 4 else part

    def _tone(self, clean: Tensor, monochrome: Tensor, chance: torch.Generator) -> Tensor:
        """Other exposures, and black and white (sometimes toned) for some."""
        gamma = torch.exp((self._draw(chance) - 0.5) * 0.7).view(-1, 1, 1, 1)
        clean = clean.clamp(0, 1) ** gamma
        weights = torch.tensor(LUMA, device=self.device).view(1, 3, 1, 1)
        gray = (clean * weights).sum(1, keepdim=True).expand_as(clean)
        tone = torch.where((self._draw(chance) < 0.3).view(-1, 1, 1, 1), 1.0, 0.0)
        tint = 1 + tone * 0.12 * (2 * torch.rand(self.batch, 3, 1, 1, generator=chance).to(self.device) - 1)
        return torch.where(monochrome.view(-1, 1, 1, 1), (gray * tint).clamp(0, 1), clean)

    def _degrade(self, clean: Tensor, monochrome: Tensor, chance: torch.Generator, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        which = torch.randint(0, len(self.bank.stocks), (self.batch,), generator=chance)
        low, high = math.log(self.aim.weakest), math.log(self.aim.strongest)
        wanted = torch.exp(low + (high - low) * self._draw(chance).cpu())
        gain = (wanted / self.bank.middle[which]).to(self.device).view(-1, 1, 1, 1)
        which = which.to(self.device)
        correlation = torch.where(monochrome, 1.0, 0.6 * self._draw(chance) * (self._draw(chance) < 0.7))
        grain = gain * self.bank.grain(clean, which, correlation, noise)
        level = gain * self.bank.strength(clean, which)
        white = (self._draw(chance) < WHITE).view(-1, 1, 1, 1)
        sigma = (self._draw(chance) * STRONGEST_WHITE).view(-1, 1, 1, 1)
        gaussian = sigma * torch.randn(clean.shape, generator=noise, device=self.device)
        grain, level = torch.where(white, gaussian, grain), torch.where(white, sigma.expand_as(level), level)
        squares = torch.nn.functional.avg_pool2d(level.pow(2).mean(1, keepdim=True), 2)
        uniform = squares.mean((2, 3), keepdim=True).expand_as(squares)
        local = (self._draw(chance) < 0.5).view(-1, 1, 1, 1)
        told = torch.where(local, squares, uniform).sqrt()
        misread = torch.exp(MISREAD * torch.randn(self.batch, 1, 1, 1, generator=chance)).to(self.device)
        return clean + grain, told * misread
