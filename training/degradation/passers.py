"""Things that pass: hands, balls, lamps and ragged pieces that cross a clip fast, bend, turn about and blur while the shutter is open.

What a dirt healer must leave alone. A hand that swings back is in the middle frame and, displaced or not at all, in its neighbors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .optics import sample, smooth_field, to_codes, to_linear

SPEEDS = (2.0, 40.0)
"""Pixels a frame, evenly drawn on a log scale."""
STEPS = 7
"""Positions of which motion blur is made, at most."""


@dataclass(frozen=True)
class Passer:
    """One thing: capsules (fingers), or one blob; its path through three frames, -1, 0 and 1, is `place` + `speed`·t + `bend`·t²."""

    capsules: Tensor
    """[K, 4]: direction in radians, its change a frame, length and radius in pixels. Length 0 is a disk."""
    ragged: float
    place: tuple[float, float]
    speed: tuple[float, float]
    bend: tuple[float, float]
    turn: float
    shutter: float
    light: Tensor
    """Linear light [3, 1, 1], or a texture [3, h, w] that is carried along."""


def random_passer(height: int, width: int, texture: Tensor | None, generator: torch.Generator) -> Passer:
    """A thing of random kind, size, color, path and shutter; `texture` is a picture in codes that half of them wear."""
    draw = torch.rand(16, generator=generator).tolist()
    if draw[0] < 0.45:
        fingers = 1 + int(draw[1] * 5)
        spread = torch.linspace(-0.6, 0.6, fingers) if fingers > 1 else torch.zeros(1)
        radius = 2.5 * 4 ** draw[2]
        bends = 0.35 * torch.randn(fingers, generator=generator)
        lengths = radius * (3 + 4 * torch.rand(fingers, generator=generator))
        capsules = torch.stack([spread + 2 * math.pi * draw[3], bends, lengths, torch.full((fingers,), radius)], 1)
    else:
        capsules = torch.tensor([[2 * math.pi * draw[3], 0.2 * (draw[1] - 0.5), 12 * draw[2], 1.5 * 16 ** draw[4]]])
    pace = SPEEDS[0] * (SPEEDS[1] / SPEEDS[0]) ** draw[5]
    angle = 2 * math.pi * draw[6]
    speed = (pace * math.cos(angle), pace * math.sin(angle))
    # Some go evenly, some turn about: then both neighbors show them on the same side, or not at all.
    swing = (0.0, 0.4, 1.0)[int(draw[7] * 3)] * (2 * draw[8] - 1)
    if draw[9] < 0.5 and texture is not None:
        light = to_linear(texture.flip(-1))
    else:
        gray = 0.02 * 45 ** draw[10]
        tint = torch.tensor([1.0, 0.62, 0.45]) if draw[11] < 0.5 else 0.5 + torch.rand(3, generator=generator)
        light = (gray * tint).clamp(0, 1).view(3, 1, 1)
    place = (width * (0.1 + 0.8 * draw[12]), height * (0.1 + 0.8 * draw[13]))
    turned = (swing * speed[0], swing * speed[1])
    return Passer(capsules, 3 * draw[14] * (draw[0] >= 0.7), place, speed, turned, 0.3 * (2 * draw[15] - 1), 0.7 * draw[4], light)


def _opacity(passer: Passer, ragged: Tensor, t: float, height: int, width: int) -> tuple[Tensor, float, float]:
    """[1, H, W] at time t, and how far the thing lies from its place in the middle frame."""
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij")
    dx, dy = (v * t + b * t * t for v, b in zip(passer.speed, passer.bend, strict=True))
    u, v = x - passer.place[0] - dx, y - passer.place[1] - dy
    distance = torch.full_like(x, math.inf)
    for direction, change, length, radius in passer.capsules.tolist():
        angle = direction + (change + passer.turn) * t
        c, s = math.cos(angle), math.sin(angle)
        along = (u * c + v * s).clamp(0, length)
        distance = torch.minimum(distance, ((u - along * c) ** 2 + (v - along * s) ** 2).sqrt() - radius)
    if passer.ragged:
        distance = distance + passer.ragged * sample(ragged, x - dx, y - dy)[0]
    return (0.5 - distance).clamp(0, 1)[None], dx, dy


def let_pass(clip: Tensor, passers: list[Passer], seed: int) -> Tensor:
    """Three frames [3, 3, H, W] of codes with the things in front, each later one before the earlier."""
    height, width = clip.shape[-2:]
    ragged = smooth_field(height, width, 9, torch.Generator().manual_seed(seed))[None]
    y, x = torch.meshgrid(torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32), indexing="ij")
    frames = []
    for index, frame in enumerate(clip):
        light = to_linear(frame)
        for passer in passers:
            blur = math.hypot(*passer.speed) * passer.shutter
            steps = max(1, min(STEPS, round(blur / 1.5)))
            cover, shown = torch.zeros(1, height, width), torch.zeros(3, height, width)
            for step in range(steps):
                t = index - 1 + passer.shutter * ((step + 0.5) / steps - 0.5)
                opacity, dx, dy = _opacity(passer, ragged, t, height, width)
                own = passer.light if passer.light.shape[-1] == 1 else sample(passer.light, x - dx, y - dy)
                cover, shown = cover + opacity / steps, shown + opacity * own / steps
            light = light * (1 - cover) + shown
        frames.append(to_codes(light).clamp(0, 1))
    return torch.stack(frames)
