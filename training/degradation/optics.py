"""Linear light, sampling and filters that the degradations share. Pictures are [..., 3, H, W] codes (sRGB) of 0…1."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def to_linear(codes: Tensor) -> Tensor:
    """sRGB codes to linear light; continued as a power beyond 1, odd below 0."""
    magnitude = codes.abs()
    light = torch.where(magnitude <= 0.04045, magnitude / 12.92, ((magnitude + 0.055) / 1.055).clamp(min=1e-6) ** 2.4)
    return torch.sign(codes) * light


def to_codes(light: Tensor) -> Tensor:
    """Linear light to sRGB codes, the inverse of `to_linear`."""
    magnitude = light.abs()
    codes = torch.where(magnitude <= 0.0031308, 12.92 * magnitude, 1.055 * magnitude.clamp(min=1e-9) ** (1 / 2.4) - 0.055)
    return torch.sign(light) * codes


def gaussian_taps(sigma: float, device: torch.device | None = None) -> Tensor:
    """A Gaussian of sum 1, cut at 4 σ."""
    reach = max(1, math.ceil(4 * sigma))
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=device, dtype=torch.float32) / max(sigma, 1e-3)) ** 2)
    return taps / taps.sum()


def blur(picture: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of σ pixels, edges repeated; [..., H, W]."""
    if sigma <= 0:
        return picture
    taps = gaussian_taps(sigma, picture.device)
    reach = len(taps) // 2
    planes = picture.reshape(-1, 1, *picture.shape[-2:])
    planes = functional.pad(planes, (reach, reach, reach, reach), mode="replicate")
    planes = functional.conv2d(functional.conv2d(planes, taps.view(1, 1, -1, 1)), taps.view(1, 1, 1, -1))
    return planes.view(picture.shape)


def convolve(picture: Tensor, kernel: Tensor) -> Tensor:
    """[..., H, W] with an odd kernel [k, k] of sum 1, edges repeated."""
    reach = kernel.shape[-1] // 2
    planes = picture.reshape(-1, 1, *picture.shape[-2:])
    planes = functional.pad(planes, (reach, reach, reach, reach), mode="replicate")
    return functional.conv2d(planes, kernel.flip(0, 1)[None, None].to(planes)).view(picture.shape)


def sample(picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Bicubic samples of [C, H, W] at pixel positions [h, w] (a pixel's center is at its integer), edges repeated."""
    height, width = picture.shape[-2:]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)[None].to(picture)
    return functional.grid_sample(picture[None], grid, mode="bicubic", padding_mode="border", align_corners=False)[0]


def smooth_field(height: int, width: int, cell: int, generator: torch.Generator) -> Tensor:
    """A smooth random field [H, W] of mean 0 and standard deviation about 1, of structures about `cell` pixels wide."""
    rows, columns = math.ceil(height / cell) + 3, math.ceil(width / cell) + 3
    coarse = torch.randn(1, 1, rows, columns, generator=generator)
    fine = functional.interpolate(coarse, scale_factor=cell, mode="bicubic", align_corners=False)[0, 0]
    fine = fine[cell : cell + height, cell : cell + width]
    # Interpolation averages: without this the field's strength would depend on the cell.
    return fine / 0.76
