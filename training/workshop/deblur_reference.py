"""Plug-and-play deconvolution, the reference of the `deblur` stage: half-quadratic splitting in linear light with FFDNet as the prior.

After Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior" (2021): the data step has a closed form in the Fourier
domain. What lies beyond the frame is unknown data: the canvas is larger than the frame, and the data term, split off by ADMM
(Almeida and Figueiredo 2013), is weighed 0 there. Pictures are [3, H, W] codes (sRGB) of 0…1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from degradation.capture import through_kernel
from degradation.optics import to_codes, to_linear

from .networks import run_any_size

LEAST_SIGMA = 0.5 / 255
"""Noise that is always assumed, in codes: what 8 bits leave."""
LEAST_BLIND = 1.5 / 255
"""And with an estimated kernel, which is never quite right: on training pictures with kernels off by 5 to 8 % .5 loses 1 to 1.6 dB."""


@dataclass(frozen=True)
class Settings:
    """How the splitting runs."""

    steps: int = 8
    """Denoisings."""
    inner: int = 6
    """ADMM steps of the data term for each denoising."""
    first: float = 49 / 255
    """The prior's σ at the start."""
    last: float = 2.0
    """The prior's σ at the end, in units of the noise's."""
    weight: float = 0.23
    """λ: how much the prior counts."""
    least: float = LEAST_SIGMA
    penalty: float = 0.3
    """ADMM's ρ in units of the mean weight of the data; with 1 level and upright lines do not settle in 8 steps without grain."""
    gamma_prior: bool = False
    """The denoiser sees codes; else light."""
    uneven: bool = True
    """The data term knows that noise of one strength in codes is weaker in dark light."""


@dataclass(frozen=True)
class Deblurred:
    """Both answers: with the input's grain as it was, and without."""

    kept: Tensor
    removed: Tensor


def slope(codes: Tensor) -> Tensor:
    """Derivative of light by codes."""
    c = codes.clamp(0, 1)
    return torch.where(c <= 0.04045, torch.full_like(c, 1 / 12.92), 2.4 / 1.055 * ((c + 0.055) / 1.055) ** 1.4)


def response(kernel: Tensor, height: int, width: int) -> Tensor:
    """A kernel's transfer function on a canvas, its middle at the origin."""
    reach = kernel.shape[-1] // 2
    canvas = torch.zeros(height, width, dtype=torch.float32)
    canvas[: kernel.shape[0], : kernel.shape[1]] = kernel
    spectrum: Tensor = torch.fft.rfft2(torch.roll(canvas, (-reach, -reach), (0, 1)))
    return spectrum


def good_size(least: int) -> int:
    """The next even length without large prime factors."""
    size = least + least % 2
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 2


def deconvolve(blurred: Tensor, kernel: Tensor, sigma: float, net: nn.Module, settings: Settings | None = None) -> Deblurred:
    """Inverts a known kernel; `sigma` is the grain's standard deviation in codes ÷ 255."""
    s = settings or Settings()
    height, width = blurred.shape[-2:]
    reach = kernel.shape[-1] // 2
    margin = 2 * reach + 4
    tall, wide = good_size(height + 2 * margin), good_size(width + 2 * margin)
    top, left = (tall - height) // 2, (wide - width) // 2
    edges = (left, wide - width - left, top, tall - height - top)
    codes = functional.pad(blurred[None], edges, mode="replicate")[0]
    light = to_linear(codes)
    inside = functional.pad(torch.ones(1, height, width), edges)
    noise = max(sigma, s.least)
    steepness = slope(codes) if s.uneven else torch.full_like(codes, 1.0)
    weights = inside / (noise * steepness.clamp(min=0.15)) ** 2
    rho = s.penalty / (noise**2 * float(steepness.pow(2).mean()))
    mean_slope = float(slope(codes).pow(2).mean()) if s.gamma_prior else 1.0
    k = response(kernel, tall, wide)
    power = k.abs() ** 2

    def forward(f: Tensor) -> Tensor:
        plane: Tensor = torch.fft.irfft2(f * k, s=(tall, wide))
        return plane

    x, prior = light, light
    u, dual = forward(torch.fft.rfft2(light)), torch.zeros_like(light)
    u = torch.where(inside > 0, light, u)
    levels = [s.first * (s.last * noise / s.first) ** (i / max(1, s.steps - 1)) for i in range(s.steps)]
    if noise * s.last >= s.first:
        levels = [noise * s.last] * s.steps
    for level in levels:
        mu = s.weight / (level**2 * mean_slope)
        wanted = mu * torch.fft.rfft2(prior)
        for _ in range(s.inner):
            f = (rho * k.conj() * torch.fft.rfft2(u - dual) + wanted) / (rho * power + mu)
            kx = forward(f)
            u = (weights * light + rho * (kx + dual)) / (weights + rho)
            dual = dual + kx - u
        x = torch.fft.irfft2(f, s=(tall, wide))
        if s.gamma_prior:
            prior = to_linear(run_any_size(net, to_codes(x)[None], level)[0])
        else:
            prior = run_any_size(net, x[None], level)[0]
    window = (..., slice(top, top + height), slice(left, left + width))
    removed = to_codes(prior)[window]
    kept = blurred + removed - to_codes(forward(torch.fft.rfft2(prior)))[window]
    return Deblurred(kept, removed)


def noisy_codes(sharp: Tensor, kernel: Tensor, sigma: float, margin: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Blurs in light, cuts `margin` away (so that the border is really unknown), lays grain on codes, rounds to 8 bits.

    Returns the input, the sharp truth with the same grain, and without.
    """
    cut = (..., slice(margin, -margin), slice(margin, -margin))
    clean, blurred = sharp[cut], through_kernel(sharp, kernel)[cut]
    grain = sigma * torch.randn(clean.shape[-3:], generator=generator)
    return ((blurred + grain).clamp(0, 1) * 255).round() / 255, clean + grain, clean
