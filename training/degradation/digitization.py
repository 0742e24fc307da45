"""What the scanner does: its lens and sensor, resampling both ways, sharpening, aliasing, noise, Newton's rings."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from .optics import blur, to_codes, to_linear


def scanner(clip: Tensor, sigma: float, noise: float, seed: int) -> Tensor:
    """The scanner's own blur (σ pixels, linear light) and its sensor's noise: at mid-gray σ `noise` codes of 0…1, as √light."""
    if sigma < 0 or noise < 0:
        raise ValueError(f"scanner: sigma and noise must be at least 0 (got {sigma}, {noise})")
    light = blur(to_linear(clip), sigma)
    generator = torch.Generator().manual_seed(seed)
    # Photon noise: variance rises with light; brought to codes at mid-gray (linear 0.18) where the slope of the curve is about 1.2.
    shot = noise / 1.2 * (light.clamp(min=1e-3) / 0.18).sqrt() * torch.randn(light.shape, generator=generator)
    return to_codes(light + shot).clamp(0, 1)


def resampled(clip: Tensor, share: float, antialias: bool = True) -> Tensor:
    """To `share` of the size and back, in codes as editors do; without `antialias` the reduction aliases."""
    if not 0.1 <= share <= 1:
        raise ValueError(f"resampled: share must be in 0.1…1 (got {share})")
    height, width = clip.shape[-2:]
    small = (max(2, round(height * share)), max(2, round(width * share)))
    mode = "bicubic" if antialias else "nearest-exact"
    reduced = functional.interpolate(clip, small, mode=mode, antialias=antialias)
    return functional.interpolate(reduced, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def sharpened(clip: Tensor, amount: float, radius: float) -> Tensor:
    """Unsharp masking: halos of `radius` pixels, `amount` 1 doubles an edge."""
    if amount < 0 or radius <= 0:
        raise ValueError(f"sharpened: amount must be at least 0 and radius above 0 px (got {amount}, {radius})")
    return (clip + amount * (clip - blur(clip, radius))).clamp(0, 1)


def newton_rings(clip: Tensor, strength: float, seed: int) -> Tensor:
    """Interference between film and glass: faint colored rings about a spot, shares of the light."""
    if not 0 <= strength <= 0.5:
        raise ValueError(f"newton rings: strength must be in 0…0.5 (got {strength})")
    height, width = clip.shape[-2:]
    generator = torch.Generator().manual_seed(seed)
    cx, cy = (torch.rand(2, generator=generator) * torch.tensor([width, height], dtype=torch.float32)).tolist()
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij")
    square = ((x - cx) ** 2 + (y - cy) ** 2) / (0.35 * min(height, width)) ** 2
    # The gap grows with the square of the distance; red, green, blue have their own wavelengths.
    rings = torch.stack([torch.cos(2 * math.pi * square * 6 * 550 / wave) for wave in (620, 545, 460)])
    return to_codes(to_linear(clip) * (1 + strength * rings * torch.exp(-square))).clamp(0, 1)
