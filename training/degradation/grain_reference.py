"""The Boolean film by Newson et al., by Monte Carlo with explicit grains: slow, and what the fast one is tested against.

The grain-wise algorithm (A. Newson, N. Faraj, J. Delon, B. Galerne, "Realistic film grain rendering", IPOL 2017): the grains of
every pixel are drawn from a Poisson number at the pixel's own intensity; the aperture is a list of random displacements of the
whole picture; for each displacement every grain marks the pixels whose displaced centers it covers. Unlike in `grain.py` there
is no grid of points, no common map for several exposures, and the intensity acts where the grain lies, not where the point lies.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .grain import log_normal
from .stock import Stock


def monte_carlo(channel: Tensor, stock: Stock, samples: int, seed: int) -> Tensor:
    """A channel [H, W] of codes on film and scanned, with `samples` displacements (hundreds)."""
    generator = torch.Generator().manual_seed(seed)
    films = [_grains(channel, stock, generator) for _ in range(stock.layers)]
    total = torch.zeros_like(channel)
    for dy, dx in (displacements(samples, generator) * stock.aperture).tolist():
        # All layers see the same displacement: light goes straight through.
        light = torch.ones_like(channel)
        for place, radii in films:
            light = light * (1 - stock.opacity * _covered(channel.shape, place[0] - dy, place[1] - dx, radii))
        total += light
    return stock.scan(total / samples)


def displacements(count: int, generator: torch.Generator) -> Tensor:
    """Normal displacements [count, 2] that cover the plane evenly (the R2 sequence, shifted by chance).

    Independent ones, as in the paper, would add their own scatter to the grain's, of the size of what is to be measured.
    """
    steps = torch.arange(1, count + 1, dtype=torch.float64)[:, None] * torch.tensor([0.7548776662466927, 0.5698402909980532])
    uniform = (steps + torch.rand(1, 2, generator=generator, dtype=torch.float64)) % 1
    normal: Tensor = torch.special.ndtri(uniform.clamp(1e-4, 1 - 1e-4))
    return normal.float()


def _grains(channel: Tensor, stock: Stock, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Centers [2, N] in pixels and radii [N]; the picture continues beyond its edges by repeating them."""
    height, width = channel.shape
    border = math.ceil(4 * stock.aperture + 4 * stock.radius * (1 + 2 * stock.spread))
    rows, columns = (torch.arange(-border, length + border) for length in (height, width))
    depth = stock.depth(channel)[rows.clamp(0, height - 1)][:, columns.clamp(0, width - 1)]
    number = torch.poisson(depth / stock.area, generator=generator).long().flatten()
    pixel = torch.repeat_interleave(torch.arange(number.numel()), number)
    corner = torch.stack([pixel // len(columns), pixel % len(columns)]) - border
    place = corner + torch.rand(corner.shape, generator=generator)
    return place, log_normal(place.shape[1], stock.radius, stock.spread, generator, channel.device)


def _covered(shape: torch.Size, y: Tensor, x: Tensor, radii: Tensor) -> Tensor:
    """1 where a pixel's center lies in a grain."""
    height, width = shape
    hit = torch.zeros(height * width)
    row, column = y.floor().long(), x.floor().long()
    order = torch.argsort(radii)
    for part in torch.chunk(order, 4):
        reach = math.ceil(float(radii[part].max()))
        for dy in range(-reach, reach + 1):
            for dx in range(-reach, reach + 1):
                i, j = row[part] + dy, column[part] + dx
                near = (i + 0.5 - y[part]) ** 2 + (j + 0.5 - x[part]) ** 2 <= radii[part] ** 2
                near &= (i >= 0) & (i < height) & (j >= 0) & (j < width)
                hit[(i * width + j)[near]] = 1
    return hit.view(height, width)
