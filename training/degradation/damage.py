"""Damage, each with its mask: dirt from real cut-outs, scratches that wander, tears, splices, flicker, weave, lost frames.

Clips are [N, 3, H, W] codes 0…1; masks are [N, 1, H, W], 1 where the picture is not the film's image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from .optics import blur, sample, smooth_field, to_codes, to_linear

KINDS = ("dirt", "dots", "hair", "hair-short", "lint", "smut", "spots", "sprinkles", "stain")
"""Folders of cut-outs that lie on the film at random; scratches are drawn."""
LARGEST = 96
"""Longest side of a cut-out on the film, in pixels."""


def cut_outs(folder: Path, evaluate: bool, every: int = 5, limit: int | None = None) -> list[Tensor]:
    """Opacities [1, h, w] of the real damage, trimmed to what is not empty. Each kind's every `every`-th is for evaluation alone."""
    found = []
    for kind in KINDS:
        paths = sorted((folder / kind).glob("*.png"))
        if not paths:
            raise FileNotFoundError(f"{folder / kind}: no cut-outs (*.png); the folder is that of the damage data")
        chosen = [path for index, path in enumerate(paths) if (index % every == 0) == evaluate]
        for path in chosen[:limit]:
            alpha = np.asarray(Image.open(path).convert("RGBA"))[..., 3]
            rows, columns = np.nonzero(alpha > 16)
            if len(rows):
                part = alpha[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
                found.append(torch.from_numpy(part.astype(np.float32) / 255)[None])
    return found


def turned(alpha: Tensor, size: float, angle: float, stretch: float) -> Tensor:
    """A cut-out turned, stretched and brought to `size` pixels on its longer side."""
    height, width = alpha.shape[-2:]
    scale = size / max(height, width)
    side = max(3, math.ceil(size * 1.5))
    at = torch.arange(side, dtype=torch.float32) - (side - 1) / 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    c, s = math.cos(angle), math.sin(angle)
    # Reduced before it is sampled, or thin hairs would break.
    soft = blur(alpha, 0.4 / scale) if scale < 1 else alpha
    padded = functional.pad(soft, (2, 2, 2, 2))
    px, py = (c * x + s * y) / scale / stretch + (width + 3) / 2, (-s * x + c * y) / scale * stretch + (height + 3) / 2
    return sample(padded, px, py).clamp(0, 1)


def dirt(clip: Tensor, shapes: Sequence[Tensor], count: float, negative: float, seed: int) -> tuple[Tensor, Tensor]:
    """About `count` objects a frame, new in every frame; a share `negative` lay on the negative and prints white."""
    if not shapes or count < 0 or not 0 <= negative <= 1:
        raise ValueError(f"dirt: needs cut-outs, count at least 0 and negative in 0…1 (got {len(shapes)}, {count}, {negative})")
    generator = torch.Generator().manual_seed(seed)
    frames, masks = [], []
    height, width = clip.shape[-2:]
    for frame in clip:
        dark, light = torch.zeros(1, height, width), torch.zeros(1, height, width)
        for _ in range(int(torch.poisson(torch.tensor(float(count)), generator=generator))):
            draw = torch.rand(8, generator=generator).tolist()
            # Small objects are many: sizes by a power law between 3 px and LARGEST.
            size = 3 * (min(LARGEST, min(height, width) / 2) / 3) ** (draw[0] ** 1.7)
            shape = turned(shapes[int(draw[1] * len(shapes))], size, draw[2] * 2 * math.pi, 0.7 + 0.7 * draw[3])
            layer = light if draw[4] < negative else dark
            put(layer, shape * (0.4 + 0.6 * draw[5]), int(draw[6] * height), int(draw[7] * width))
        # Printed in, it is softer.
        light = blur(light, 0.7)
        frames.append(covered(frame, dark, light))
        masks.append(torch.maximum(dark, light))
    return torch.stack(frames).clamp(0, 1), torch.stack(masks)


def covered(frame: Tensor, dark: Tensor, light: Tensor) -> Tensor:
    """Codes [3, H, W] under dirt of opacities [1, H, W]: on the film it stops light, on the negative it kept the print from darkening."""
    linear = to_linear(frame) * (1 - dark)
    return to_codes(linear + (0.9 - linear).clamp(min=0) * light)


def put(layer: Tensor, shape: Tensor, row: int, column: int) -> None:
    """Lays a shape [1, h, w] with its middle at a pixel of a layer [1, H, W], in place; the larger opacity counts."""
    height, width = layer.shape[-2:]
    h, w = shape.shape[-2:]
    top, left = row - h // 2, column - w // 2
    y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + h, height), min(left + w, width)
    if y0 < y1 and x0 < x1:
        part = layer[:, y0:y1, x0:x1]
        torch.maximum(part, shape[:, y0 - top : y1 - top, x0 - left : x1 - left], out=part)


def scratches(clip: Tensor, count: int, seed: int, width: float = 1.2, wander: float = 0.6) -> tuple[Tensor, Tensor]:
    """Vertical lines that stay for the clip, wander by σ `wander` pixels a frame, and tremble along their length."""
    if count < 0 or width <= 0 or wander < 0:
        raise ValueError(f"scratches: count and wander at least 0, width above 0 px (got {count}, {width}, {wander})")
    generator = torch.Generator().manual_seed(seed)
    height, columns = clip.shape[-2:]
    x = torch.arange(columns, dtype=torch.float32)
    frames = [frame.clone() for frame in clip]
    masks = [torch.zeros(1, height, columns) for _ in frames]
    for _ in range(count):
        draw = torch.rand(5, generator=generator).tolist()
        place, bright, depth = draw[0] * columns, draw[1] < 0.5, 0.35 + 0.6 * draw[2]
        thick = width * (0.5 + draw[3])
        start, end = (0.0, 1.0) if draw[4] < 0.7 else sorted(torch.rand(2, generator=generator).tolist())
        for index, frame in enumerate(frames):
            place += float(torch.randn(1, generator=generator)) * wander
            tremble = smooth_field(height, 8, 32, generator)[:, 4] * 0.5
            rows = torch.arange(height) / height
            alive = ((rows >= start) & (rows <= end)).float() * (0.8 + 0.2 * smooth_field(height, 8, 16, generator)[:, 4]).clamp(0, 1)
            line = torch.exp(-0.5 * ((x[None] - place - tremble[:, None]) / (thick / 2)) ** 2) * alive[:, None] * depth
            # Through the emulsion a scratch is clear, so bright on a positive; on the base it only scatters, and is dark.
            target = 1.0 if bright else 0.05
            frames[index] = frame + (target - frame) * line
            masks[index] = torch.maximum(masks[index], line[None])
    return torch.stack(frames).clamp(0, 1), torch.stack(masks)


def tear(clip: Tensor, frame: int, gap: float, seed: int) -> tuple[Tensor, Tensor]:
    """One frame torn across: a ragged gap of about `gap` pixels, and the part below it displaced."""
    _check_frame(clip, frame, "tear")
    generator = torch.Generator().manual_seed(seed)
    height, width = clip.shape[-2:]
    draw = torch.rand(3, generator=generator).tolist()
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij")
    ragged = smooth_field(8, width, 12, generator)[4] * 4 + smooth_field(8, width, 48, generator)[4] * 8
    line = height * (0.3 + 0.4 * draw[0]) + (draw[1] - 0.5) * 0.4 * (x - width / 2) + ragged[None]
    shift = (draw[2] - 0.5) * 2 * gap
    below = (y > line).float()
    moved = sample(clip[frame], x - shift * below, y - gap * below * 0.5)
    mask = torch.exp(-0.5 * ((y - line) / max(gap / 2, 0.5)) ** 2)
    result, masks = clip.clone(), torch.zeros(clip.shape[0], 1, height, width)
    result[frame] = (moved * (1 - mask) + 0.97 * mask).clamp(0, 1)
    masks[frame, 0] = mask
    return result, masks


def splice(clip: Tensor, frame: int, height_px: float) -> tuple[Tensor, Tensor]:
    """A cement splice before `frame`: a bright bar at its top edge, a dark one at the bottom of the frame before."""
    _check_frame(clip, frame, "splice")
    height, width = clip.shape[-2:]
    y = torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)
    result, masks = clip.clone(), torch.zeros(clip.shape[0], 1, height, width)
    bar = torch.sigmoid(height_px - y)
    result[frame] = result[frame] * (1 - bar) + 0.95 * bar
    masks[frame, 0] = bar
    if frame > 0:
        bar = torch.sigmoid(y - (height - 1 - height_px))
        result[frame - 1] = result[frame - 1] * (1 - 0.8 * bar)
        masks[frame - 1, 0] = bar
    return result.clamp(0, 1), masks


def flicker(clip: Tensor, strength: float, local: float, seed: int) -> tuple[Tensor, Tensor]:
    """Exposure that varies from frame to frame, by σ `strength` (natural log of light) over all and `local` from place to place.

    Returns the clip and the factor of light [N, 1, H, W].
    """
    if strength < 0 or local < 0:
        raise ValueError(f"flicker: strengths must be at least 0 (got {strength}, {local})")
    generator = torch.Generator().manual_seed(seed)
    height, width = clip.shape[-2:]
    cell = max(16, min(height, width) // 2)
    factors = []
    for _ in clip:
        whole = float(torch.randn(1, generator=generator)) * strength
        factors.append(torch.exp(whole + local * smooth_field(height, width, cell, generator))[None])
    gain = torch.stack(factors)
    return to_codes(to_linear(clip) * gain).clamp(0, 1), gain


def weave(clip: Tensor, sigma: float, seed: int) -> tuple[Tensor, Tensor]:
    """The frame jumps in the gate, σ pixels sideways and half of it up and down. Returns the clip and the path [N, 2] (x, y)."""
    if sigma < 0:
        raise ValueError(f"weave: sigma must be at least 0 px (got {sigma})")
    generator = torch.Generator().manual_seed(seed)
    height, width = clip.shape[-2:]
    path = torch.randn(clip.shape[0], 2, generator=generator) * torch.tensor([sigma, sigma / 2])
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij")
    frames = [sample(frame, x - dx, y - dy) for frame, (dx, dy) in zip(clip, path.tolist(), strict=True)]
    return torch.stack(frames).clamp(0, 1), path


def lose_frames(clip: Tensor, missing: Sequence[int] = (), repeated: Sequence[int] = ()) -> tuple[Tensor, list[int]]:
    """Frames cut out, and frames printed twice. Returns the clip and, for each of its frames, the original's index."""
    for frame in (*missing, *repeated):
        _check_frame(clip, frame, "lost frames")
    kept = [i for i in range(clip.shape[0]) if i not in missing]
    if not kept:
        raise ValueError("lost frames: at least one frame must stay")
    order = [i for frame in kept for i in ([frame, frame] if frame in repeated else [frame])]
    return clip[order], order


def _check_frame(clip: Tensor, frame: int, what: str) -> None:
    if not 0 <= frame < clip.shape[0]:
        raise ValueError(f"{what}: frame must be in 0…{clip.shape[0] - 1} (got {frame})")
