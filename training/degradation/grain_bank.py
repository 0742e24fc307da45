"""Grain for training: the films of many stocks drawn once, scanned at a row of gray levels, and looked up pixel by pixel.

A stack holds a stock's deviations from the mean at `LEVELS` gray levels, all of the same grains; a pixel's grain is
interpolated between the two levels at its value. Means are calibrated (a picture keeps its brightness whatever the model's
curves do), and the strength at each level is known exactly: it is the true noise map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .grain import aperture_filter, layers, supersampling, transmitted
from .stock import Stock

LEVELS = 17
"""Gray levels of a stack."""
MIDDLE = (0.25, 0.75)
"""Codes over which a stock's nominal strength is taken."""


@dataclass
class GrainStack:
    """One stock's grain, before its gain.

    `deviation` [L, T, T] in codes, of mean 0 at every level, periodic; `mean` [L] the codes at which the levels stand, rising;
    `rms` [L] their strength; `cross` [L−1] the mean product of neighboring levels.
    """

    stock: Stock
    deviation: Tensor
    mean: Tensor
    rms: Tensor
    cross: Tensor

    def middle(self) -> float:
        """Root mean square strength over the middle codes: what `gain` is set by."""
        codes = torch.linspace(*MIDDLE, 17)
        return float(np.sqrt(np.mean(np.interp(codes.numpy(), self.mean.cpu().numpy(), self.rms.cpu().numpy()) ** 2)))


def make_stack(stock: Stock, size: int, seed: int, device: torch.device | None = None) -> GrainStack:
    """Draws a stock's film once, a periodic field of size² pixels, and scans it at every level."""
    where = device or torch.device("cpu")
    generator = torch.Generator(where).manual_seed(seed)
    marks, scale = layers(stock, size, generator, where), supersampling(stock)
    fields, means = [], []
    for depth in stock.depth(torch.linspace(0, 1, LEVELS, device=where)):
        light = aperture_filter(transmitted(stock, marks, depth)[None], scale, stock.aperture)[0]
        field = stock.scan(light)
        means.append(field.mean())
        fields.append(field - field.mean())
    deviation, mean = torch.stack(fields), torch.stack(means)
    # Codes rise with the level; where the scan saturates they may not, and looking up needs them to.
    mean = torch.cummax(mean, 0).values + torch.arange(LEVELS, device=where) * 1e-6
    cross = (deviation[1:] * deviation[:-1]).mean((1, 2))
    return GrainStack(stock, deviation.half(), mean, deviation.pow(2).mean((1, 2)).sqrt(), cross)


def random_stock(generator: np.random.Generator) -> Stock:
    """A stock from the range that training covers: 16 mm to 70 mm scans at one to four thousand pixels, silver and dye."""
    least = float(generator.uniform(0.08, 0.3))
    most = least + float(generator.uniform(0.9, 1.7))
    dye = bool(generator.random() < 0.6)
    sheets = int(generator.integers(4, 8)) if dye else 1
    # Opaque silver that is coarse against the scan's pixel would leave no picture; dye clouds are many and thin.
    smallest, largest = (0.2, 1.2) if dye else (0.12, 0.3)
    return Stock(
        radius=float(np.exp(generator.uniform(math.log(smallest), math.log(largest)))),
        spread=float(generator.uniform(0, 0.4)),
        aperture=float(generator.uniform(0.35, 1.0)),
        least=least,
        most=most,
        curve=0.0 if generator.random() < 0.5 else float(generator.uniform(0.5, 5)),
        negative=bool(generator.random() < 0.7),
        layers=sheets,
        cloud=1.4 * most / sheets if dye else math.inf,
    )


def plausible(stack: GrainStack) -> bool:
    """Whether a stock can be looked at: the picture still stands in its grain, from its shadows to its highlights."""
    return 0.004 < stack.middle() < 0.18 and float(stack.rms.max()) < 3.5 * stack.middle() and 0.9 < float(stack.mean[-1]) < 1.4


class GrainBank:
    """Stacks of one size, looked up for whole batches on any device."""

    def __init__(self, stacks: list[GrainStack]) -> None:
        self.stocks = [stack.stock for stack in stacks]
        self.middle = torch.tensor([stack.middle() for stack in stacks])
        self.deviation = torch.stack([stack.deviation for stack in stacks])
        self.mean = torch.stack([stack.mean for stack in stacks])
        self.rms = torch.stack([stack.rms for stack in stacks])
        self.cross = torch.stack([stack.cross for stack in stacks])

    @staticmethod
    def random(count: int, size: int, seed: int, device: torch.device | None = None) -> GrainBank:
        """So many plausible stocks, drawn by the seed."""
        generator = np.random.default_rng(seed)
        stacks: list[GrainStack] = []
        while len(stacks) < count:
            stack = make_stack(random_stock(generator), size, int(generator.integers(2**31)), device)
            if plausible(stack):
                stacks.append(stack)
        return GrainBank(stacks)

    def save(self) -> dict[str, object]:
        """Everything as plain values for `torch.save`."""
        names = ("middle", "deviation", "mean", "rms", "cross")
        return {"stocks": [vars(stock) for stock in self.stocks], **{name: getattr(self, name).cpu() for name in names}}

    @staticmethod
    def load(state: dict[str, object], device: torch.device | None = None) -> GrainBank:
        """The inverse of `save`."""
        bank = GrainBank.__new__(GrainBank)
        bank.stocks = [Stock(**values) for values in state["stocks"]]  # type: ignore[attr-defined]
        for name in ("middle", "deviation", "mean", "rms", "cross"):
            value = state[name]
            assert isinstance(value, Tensor)
            setattr(bank, name, value.to(device) if name != "middle" else value)
        return bank

    def turned(self, by: int) -> GrainBank:
        """The same stocks in another order: number `by` comes first."""
        return self.of([(by + i) % len(self.stocks) for i in range(len(self.stocks))])

    def of(self, order: list[int]) -> GrainBank:
        """The stocks of these numbers, in this order."""
        bank = GrainBank.__new__(GrainBank)
        bank.stocks = [self.stocks[i] for i in order]
        for name in ("middle", "deviation", "mean", "rms", "cross"):
            setattr(bank, name, getattr(self, name)[order])
        return bank

    def _levels(self, pictures: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        flat = pictures.reshape(pictures.shape[0], -1).contiguous()
        means = self.mean[which]
        low = torch.searchsorted(means, flat, right=True).clamp(1, LEVELS - 1) - 1
        near, far = means.gather(1, low), means.gather(1, low + 1)
        share = ((flat - near) / (far - near)).clamp(0, 1)
        return low.view(pictures.shape), share.view(pictures.shape)

    def strength(self, pictures: Tensor, which: Tensor) -> Tensor:
        """Standard deviation of the grain (gain 1) of stock `which` [B] at each value of pictures [B, C, H, W]."""
        low, share = self._levels(pictures, which)
        stock = which.view(-1, 1, 1, 1)
        return torch.lerp(self.rms[stock, low], self.rms[stock, low + 1], share)

    def grain(self, pictures: Tensor, which: Tensor, correlation: Tensor, generator: torch.Generator) -> Tensor:
        """Deviations (gain 1) for pictures [B, C, H, W]; `correlation` [B] is the share of grain common to the channels.

        Every call draws other grain: another place and one of the square's eight symmetries for each channel, since the
        model has no direction.
        """
        low, share = self._levels(pictures, which)
        size, channels = pictures.shape[0], pictures.shape[1]
        own = self._fields(pictures, which, low, share, self._places(size, channels, generator, pictures.device))
        if bool((correlation > 0).any()):
            one = self._places(size, 1, generator, pictures.device).expand(size, channels, 3)
            common = self._fields(pictures, which, low, share, one)
            weight = correlation.view(-1, 1, 1, 1)
            own = (1 - weight).sqrt() * own + weight.sqrt() * common
        return own

    def _places(self, size: int, channels: int, generator: torch.Generator, device: torch.device) -> Tensor:
        return torch.randint(0, 8 * self.deviation.shape[-1], (size, channels, 3), generator=generator, device=generator.device).to(device)

    def _fields(self, pictures: Tensor, which: Tensor, low: Tensor, share: Tensor, places: Tensor) -> Tensor:
        height, width, side = pictures.shape[2], pictures.shape[3], self.deviation.shape[-1]
        top, left, turn = (places[..., index, None, None] for index in range(3))
        rows = (torch.arange(height, device=pictures.device).view(1, 1, -1, 1) + top) % side
        columns = (torch.arange(width, device=pictures.device).view(1, 1, 1, -1) + left) % side
        y = torch.where(turn & 1 > 0, columns, rows)
        x = torch.where(turn & 1 > 0, rows, columns)
        y = torch.where(turn & 2 > 0, side - 1 - y, y)
        x = torch.where(turn & 4 > 0, side - 1 - x, x)
        stock = which.view(-1, 1, 1, 1)
        near, far = self.deviation[stock, low, y, x].float(), self.deviation[stock, low + 1, y, x].float()
        a, b, cross = self.rms[stock, low], self.rms[stock, low + 1], self.cross[stock, low]
        got = ((1 - share) ** 2 * a**2 + share**2 * b**2 + 2 * share * (1 - share) * cross).clamp(min=1e-12).sqrt()
        # Between two levels the fields differ a little and their mean is too weak: the levels' strength is restored.
        return torch.lerp(near, far, share) * (torch.lerp(a, b, share) / got).clamp(max=2)
