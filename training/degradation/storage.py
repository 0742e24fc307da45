"""What decades in the can do: dyes fade, the base fogs, the film shrinks, buckles and moulds. Clips are [N, 3, H, W] codes 0…1."""

from __future__ import annotations

import torch
from torch import Tensor

from .optics import blur, sample, smooth_field, to_codes, to_linear

CROSSTALK = ((1.0, 0.12, 0.04), (0.18, 1.0, 0.08), (0.06, 0.2, 1.0))
"""Density in red, green, blue (rows) that one unit of cyan, magenta, yellow dye (columns) makes: no dye absorbs one third alone."""
FLOOR = 1e-3
DEPTHS = 5
"""Blurs between which a spatially varying one is interpolated."""


def densities(clip: Tensor) -> Tensor:
    """Densities of a positive in red, green, blue."""
    return -torch.log10(to_linear(clip).clamp(FLOOR, 1))


def fade(clip: Tensor, loss: tuple[float, float, float], fog: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Tensor:
    """A color print whose cyan, magenta and yellow lost shares of themselves, on a base that gained densities (R, G, B)."""
    if any(not 0 <= share <= 1 for share in loss) or any(value < 0 for value in fog):
        raise ValueError(f"fade: losses must be in 0…1 and fog at least 0 (got {loss}, {fog})")
    matrix = torch.tensor(CROSSTALK)
    keep = 1 - torch.tensor(loss, dtype=torch.float32)
    # Layers hold dye; what we see is their mixture. Unmix, fade each dye, mix again.
    whole = matrix @ torch.diag(keep) @ torch.linalg.inv(matrix)
    faded = torch.einsum("ij,njhw->nihw", whole, densities(clip)).clamp(min=0) + torch.tensor(fog, dtype=torch.float32).view(1, 3, 1, 1)
    return to_codes(10.0**-faded).clamp(0, 1)


def shrink(clip: Tensor, amount: float, warp: float, seed: int) -> Tensor:
    """The frame drawn together by a share `amount`, unevenly, and warped by about `warp` pixels; steady through the clip."""
    if not 0 <= amount < 0.1 or warp < 0:
        raise ValueError(f"shrink: amount must be in 0…0.1 and warp at least 0 px (got {amount}, {warp})")
    height, width = clip.shape[-2:]
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij")
    cell = max(16, min(height, width) // 3)
    dx, dy = (warp * smooth_field(height, width, cell, generator) for _ in range(2))
    px, py = (x - width / 2) / (1 - amount) + width / 2 + dx, (y - height / 2) / (1 - amount) + height / 2 + dy
    return to_codes(torch.stack([sample(to_linear(frame), px, py) for frame in clip])).clamp(0, 1)


def varying_blur(frame: Tensor, sigma: Tensor) -> Tensor:
    """[3, H, W] blurred by a σ of its own at every pixel [H, W], in linear light."""
    light = to_linear(frame)
    most = float(sigma.max())
    if most < 0.05:
        return frame
    stack = torch.stack([blur(light, most * i / (DEPTHS - 1)) for i in range(DEPTHS)])
    place = (sigma / most * (DEPTHS - 1)).clamp(0, DEPTHS - 1)
    low = place.floor().long().clamp(max=DEPTHS - 2)
    share = (place - low)[None]
    near = torch.gather(stack, 0, low[None, None].expand(1, 3, -1, -1))[0]
    far = torch.gather(stack, 0, low[None, None].expand(1, 3, -1, -1) + 1)[0]
    return to_codes(torch.lerp(near, far, share))


def buckle(clip: Tensor, sigma: float, breath: float, seed: int) -> tuple[Tensor, Tensor]:
    """Film that does not lie flat: focus varies over the frame, up to `sigma` pixels, and breathes by a share from frame to frame.

    Returns the clip and the blur's σ [N, H, W].
    """
    if sigma < 0 or not 0 <= breath <= 1:
        raise ValueError(f"buckle: sigma must be at least 0 px and breath in 0…1 (got {sigma}, {breath})")
    height, width = clip.shape[-2:]
    generator = torch.Generator().manual_seed(seed)
    cell = max(16, min(height, width) // 2)
    steady = smooth_field(height, width, cell, generator)
    frames, maps = [], []
    for frame in clip:
        field = steady + breath * smooth_field(height, width, cell, generator)
        here = sigma * (field.abs() / 2).clamp(0, 1)
        frames.append(varying_blur(frame, here))
        maps.append(here)
    return torch.stack(frames).clamp(0, 1), torch.stack(maps)


def mould(clip: Tensor, cover: float, seed: int) -> tuple[Tensor, Tensor]:
    """Colonies that ate `cover` of the emulsion: pale, mottled, ragged at the rim; steady through the clip. With its mask [H, W]."""
    if not 0 <= cover <= 0.5:
        raise ValueError(f"mould: cover must be in 0…0.5 (got {cover})")
    height, width = clip.shape[-2:]
    generator = torch.Generator().manual_seed(seed)
    sizes = [max(4, min(height, width) // part) for part in (4, 10, 24)]
    field = sum((weight * smooth_field(height, width, cell, generator) for weight, cell in zip((1, 0.5, 0.35), sizes, strict=True)))
    assert isinstance(field, Tensor)
    limit = torch.quantile(field, 1 - cover) if cover > 0 else field.max() + 1
    mask = torch.sigmoid((field - limit) * 12) if cover > 0 else torch.zeros(height, width)
    mottle = 0.6 + 0.25 * smooth_field(height, width, max(3, sizes[2] // 2), generator)
    eaten = densities(clip) * (1 - mask * mottle.clamp(0, 1))
    return to_codes(10.0**-eaten).clamp(0, 1), (mask > 0.1).float()
