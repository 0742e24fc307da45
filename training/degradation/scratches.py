"""Line scratches as films have them: narrow, upright, of one profile along their length, nearly still on the screen from frame to frame.

The profile follows the literature (Kokaram 1998: a damped cosine across the line; Bruni and Vitulano 2004: partly transparent; Newson
et al. 2014: lines that lean, break off and fade). Clips are [N, 3, H, W] codes 0…1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .optics import smooth_field


@dataclass(frozen=True)
class Scratch:
    """One line: what it looks like across, and how it runs."""

    width: float = 2.0
    """Pixels at half of its depth."""
    depth: float = 0.7
    """Opacity in its middle, 0…1: what is below shows through the rest."""
    light: float = 1.0
    """Code value of the line itself: about 1 through the emulsion (clear film), about 0 on the base (it scatters)."""
    flat: float = 0.0
    """0: a Gaussian across; 1: even, with soft edges."""
    rims: float = 0.0
    """Opacity of rims of the opposite polarity on both sides, as a share of `depth` (pushed-up emulsion, light refracted)."""
    lean: float = 0.0
    """Pixels to the right from top to bottom."""
    tremble: float = 0.4
    """Standard deviation in pixels of its place along its length."""
    start: float = 0.0
    end: float = 1.0
    """Where it begins and ends, as shares of the height."""
    fade: float = 0.15
    """How much its depth varies along its length, 0…1."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        if self.width <= 0 or not 0 < self.depth <= 1 or not 0 <= self.start < self.end <= 1:
            raise ValueError(
                "scratch: width above 0 px, depth in 0…1, start before end in 0…1 "
                f"(got {self.width}, {self.depth}, {self.start}…{self.end})"
            )


def random_scratch(generator: torch.Generator, widest: float = 7.0, height: int = 480) -> Scratch:
    """A plausible line: thin ones are many, two thirds run through, faint and deep ones alike."""
    draw = torch.rand(10, generator=generator).tolist()
    through = draw[0] < 0.65
    length = 1.0 if through else 0.35 + 0.55 * draw[1]
    start = 0.0 if through else (1 - length) * draw[2]
    return Scratch(
        width=0.8 * (widest / 0.8) ** (draw[3] ** 1.5),
        depth=0.15 * (1 / 0.15) ** draw[4],
        light=0.85 + 0.15 * draw[5] if draw[6] < 0.5 else 0.15 * draw[5],
        flat=draw[7],
        rims=0.35 * draw[8] if draw[8] > 0.5 else 0.0,
        lean=(2 * draw[9] - 1) * 0.015 * height,
        tremble=0.6 * draw[1],
        start=start,
        end=min(1.0, start + length),
        fade=0.4 * draw[2],
    )


def sharp_scratch(generator: torch.Generator, widest: float = 7.0, height: int = 480) -> Scratch:
    """A line cut clean through, or printed in as black: hard-edged, straight, hardly anything shows through. No soft edge gives it away."""
    draw = torch.rand(6, generator=generator).tolist()
    return Scratch(
        width=(widest / 1.0) ** (draw[0] ** 1.5),
        depth=0.8 + 0.2 * draw[1],
        light=0.85 + 0.15 * draw[2] if draw[3] < 0.5 else 0.15 * draw[2],
        flat=1.0,
        lean=(2 * draw[4] - 1) * 0.005 * height,
        tremble=0.0 if draw[5] < 0.5 else 0.3 * draw[5],
        fade=0.0,
    )


def opacity(line: Scratch, place: float, height: int, columns: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Opacity of the line and of its rims, [H, W] each, where it stands at column `place` at half height."""
    x = torch.arange(columns, dtype=torch.float32)
    at = (torch.arange(height, dtype=torch.float32) + 0.5) / height
    wave = smooth_field(height, 8, 32, generator)[:, 4] * line.tremble
    depth = (1 - line.fade * (0.5 + 0.5 * smooth_field(height, 8, 24, generator)[:, 4]).clamp(0, 1)) * line.depth
    soft = 6 / height
    ends = torch.sigmoid((at - line.start) / soft * 4 + (9 if line.start <= 0 else 0))
    ends = ends * torch.sigmoid((line.end - at) / soft * 4 + (9 if line.end >= 1 else 0))
    across = (x[None] - place - line.lean * (at[:, None] - 0.5) - wave[:, None]).abs()
    half = line.width / 2
    gauss = torch.exp(-math.log(2) * (across / half) ** 2)
    # A pixel averages over its width: edges are never steeper than that.
    even = (half + 0.5 - across).clamp(0, 1)
    core = torch.lerp(gauss, even, line.flat)
    beside = torch.exp(-(((across - line.width - 0.5) / (0.5 * line.width + 0.4)) ** 2))
    along = (depth * ends)[:, None]
    return core * along, beside * (1 - core) * line.rims * along


def draw(frame: Tensor, line: Scratch, place: float, generator: torch.Generator) -> Tensor:
    """A frame [3, H, W] with the line on it."""
    core, rims = opacity(line, place, frame.shape[-2], frame.shape[-1], generator)
    beside = 1.0 if line.light < 0.5 else 0.0
    frame = frame + (beside - frame) * rims
    return frame + (line.light - frame) * core


def lines_on(clip: Tensor, lines: Sequence[Scratch], seed: int, wander: float = 0.5) -> tuple[Tensor, Tensor]:
    """A clip with lines that stay for all of it and wander by σ `wander` pixels a frame; and their columns at half height [N, lines]."""
    if wander < 0:
        raise ValueError(f"lines_on: wander must be at least 0 px (got {wander})")
    generator = torch.Generator().manual_seed(seed)
    columns = clip.shape[-1]
    # Apart from each other and from the edges, so that each can be found and counted.
    slots = torch.randperm(max(1, len(lines)), generator=generator).tolist()
    room = columns / max(1, len(lines))
    places = [room * (slot + 0.25 + 0.5 * float(torch.rand(1, generator=generator))) for slot in slots[: len(lines)]]
    frames, path = [], torch.zeros(clip.shape[0], len(lines))
    for index, frame in enumerate(clip):
        for k, line in enumerate(lines):
            if index:
                # It tends back to where it was: guides hold the film.
                home = float(path[0, k])
                places[k] += 0.05 * (home - places[k]) + float(torch.randn(1, generator=generator)) * wander
            path[index, k] = places[k]
            frame = draw(frame, line, places[k], generator)
        frames.append(frame)
    return torch.stack(frames).clamp(0, 1), path


def pole(frame: Tensor, generator: torch.Generator) -> Tensor:
    """A frame with an upright thing that belongs to the picture: it tapers, leans, is shaded on one side and has a surface; a lens saw it,
    so most are softer than a pixel."""
    height, columns = frame.shape[-2:]
    draw_ = torch.rand(10, generator=generator).tolist()
    at = torch.arange(height, dtype=torch.float32) / height
    x = torch.arange(columns, dtype=torch.float32)
    wide = 1.2 * (14 / 1.2) ** draw_[0]
    width = wide * (1 + (draw_[1] - 0.5) * 0.8 * (at - 0.5))
    middle = draw_[2] * columns + (draw_[3] - 0.5) * 0.3 * height * (at - 0.5) * (1.0 if draw_[4] < 0.7 else 0.1)
    across = (x[None] - middle[:, None]) / width[:, None]
    steepness = 1 / (1 + 2.5 * max(0.0, draw_[9] - 0.25))
    inside = ((0.5 - across.abs()) * width[:, None] * steepness + 0.5).clamp(0, 1)
    shade = (draw_[5] - 0.5) * 1.2 * across + draw_[6]
    surface = smooth_field(height, columns, 6, generator) * 0.04 + smooth_field(height, columns, 24, generator) * 0.06
    start, end = (0.0, 1.0) if draw_[7] < 0.4 else sorted(torch.rand(2, generator=generator).tolist())
    alive = ((at >= start) & (at <= end)).float()[:, None]
    tint = frame.mean((1, 2), keepdim=True) / frame.mean().clamp(min=0.02)
    color = ((shade + surface)[None] * torch.lerp(torch.ones_like(tint), tint, draw_[8])).clamp(0, 1)
    put: Tensor = frame + (color - frame) * (inside * alive)[None]
    return put
