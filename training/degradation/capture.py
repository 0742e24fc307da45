"""What the camera does: defocus, motion, halation. All in linear light, before any grain; clips are [N, 3, H, W] codes 0…1."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .optics import blur, convolve, to_codes, to_linear

OVERSAMPLE = 5
"""Points a pixel and side with which kernels are drawn."""
HALATION_TINT = (1.0, 0.35, 0.12)
"""Light that came back from the film's base passes the red layer last: halos are reddish on color film."""


def _binned(points: Tensor, reach: int) -> Tensor:
    """A kernel of (2·reach+1)² pixels from one drawn with OVERSAMPLE points a pixel; sum 1."""
    side = 2 * reach + 1
    kernel = points.view(side, OVERSAMPLE, side, OVERSAMPLE).sum((1, 3))
    return kernel / kernel.sum()


def disk_kernel(radius: float, edge: float = 0.0) -> Tensor:
    """The blur disk of a lens out of focus; `edge` −0.9…0.9 makes its rim darker or brighter than its middle (spherical error)."""
    if radius <= 0 or not -0.9 <= edge <= 0.9:
        raise ValueError(f"disk: radius must be above 0 px and edge in −0.9…0.9 (got {radius}, {edge})")
    reach = math.ceil(radius)
    side = (2 * reach + 1) * OVERSAMPLE
    at = (torch.arange(side) - (side - 1) / 2) / OVERSAMPLE
    distance = (at[:, None] ** 2 + at[None] ** 2).sqrt() / radius
    # A soft rim of one sample keeps small disks from jumping in area.
    inside = ((1 - distance) * radius * OVERSAMPLE + 0.5).clamp(0, 1)
    return _binned(inside * (1 + edge * (2 * distance.clamp(max=1) ** 2 - 1)), reach)


def path_kernel(length: float, angle: float, bend: float = 0.0) -> Tensor:
    """The path of a point while the shutter is open: `length` pixels, direction in degrees, `bend` degrees of turning on the way."""
    if length < 0:
        raise ValueError(f"path: length must not be negative (got {length} px)")
    steps = max(2, math.ceil(length * OVERSAMPLE * 2))
    heading = torch.deg2rad(angle + bend * (torch.linspace(0, 1, steps) - 0.5))
    x, y = torch.cumsum(torch.cos(heading), 0) * length / steps, torch.cumsum(torch.sin(heading), 0) * length / steps
    x, y = x - x.mean(), y - y.mean()
    reach = max(1, math.ceil(float(torch.maximum(x.abs(), y.abs()).max()) + 0.5))
    side = 2 * reach + 1
    kernel = torch.zeros(side, side)
    # Each point's light goes to the four pixels around it.
    for dy in (0, 1):
        for dx in (0, 1):
            i, j = y.floor() + dy, x.floor() + dx
            weight = (1 - (y - i).abs()) * (1 - (x - j).abs())
            kernel.index_put_(((i + reach).long(), (j + reach).long()), weight, accumulate=True)
    return kernel / kernel.sum()


def through_kernel(clip: Tensor, kernel: Tensor) -> Tensor:
    """A clip blurred by a kernel in linear light."""
    return to_codes(convolve(to_linear(clip), kernel))


def halation(clip: Tensor, strength: float, radius: float, monochrome: bool = False, threshold: float = 0.5) -> Tensor:
    """Light above `threshold` (linear) scatters back from the base: `strength` of it, within about `radius` pixels."""
    if strength < 0 or radius <= 0:
        raise ValueError(f"halation: strength must be at least 0 and radius above 0 px (got {strength}, {radius})")
    light = to_linear(clip)
    source = (light - threshold).clamp(min=0)
    # A ring (total reflection starts at an angle) and what scatters within it.
    glow = 0.6 * blur(source, radius) + 0.4 * (blur(source, 1.5 * radius) * 2 - blur(source, 0.75 * radius)).clamp(min=0)
    tint = torch.ones(3) if monochrome else torch.tensor(HALATION_TINT)
    return to_codes(light + strength * glow * tint.view(3, 1, 1).to(clip)).clamp(0, 1)
