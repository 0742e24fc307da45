"""Clips with lines whose places are known, drawn in three ways: what `evaluate scratch` scores and `tune_scratch` measures rules on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from degradation.damage import scratches
from degradation.scratches import lines_on, random_scratch, sharp_scratch
from degradation.stocks import STOCKS

from .evaluate_degrain import grainy, toned

LINES = 3
EDGE = 8
"""Lines nearer to the picture's edge are not asked for, in pixels."""
SEEN = 0.04
"""Nor are those that change a row by less on the mean, of the range."""


@dataclass(frozen=True)
class Scene:
    """A clip [N, 3, H, W]: of `evaluate` its kind is `scratched`, `clean` or `film`; of `tune_scratch` how it moves."""

    kind: str
    name: str
    frames: Tensor


@dataclass(frozen=True)
class Case:
    """A clip [N, 3, H, W] with lines on it; `change` [1, H, W] is what they do to its middle frame.

    `true` holds polarity (0 bright, 1 dark) and column of every line on the middle frame, `asked` those that can be asked for.
    """

    frames: Tensor
    change: Tensor
    true: list[tuple[int, float]]
    asked: list[tuple[int, float]]


def grained(scene: Scene, index: int, turn: int, banks: dict[str, Any], seed: int = 8000) -> tuple[Tensor, float, str]:
    """A scene's frames with grain of a stock (gray where the stock is), σ of 0…1, and the stock's name."""
    name = list(STOCKS)[(index + turn * 3) % len(STOCKS)]
    # Grain lies below the lines.
    whole, sigma = grainy(toned(scene.frames, banks[name]), banks[name], seed + index * 10 + turn)
    return whole, sigma, name


def lined(whole: Tensor, way: str, seed: int) -> Case:
    """Frames with lines on them: `new` soft ones as for training, `sharp` hard-edged opaque ones likewise, `old` ones by
    `damage.scratches`, which training never saw; or `none`."""
    middle = len(whole) // 2
    frames = whole
    true: list[tuple[int, float]] = []
    if way in ("new", "sharp"):
        generator = torch.Generator().manual_seed(seed)
        kind = random_scratch if way == "new" else sharp_scratch
        drawn = [kind(generator, height=whole.shape[-2]) for _ in range(LINES)]
        frames, path = lines_on(whole, drawn, seed)
        true = [(0 if one.light > 0.5 else 1, float(path[middle, k])) for k, one in enumerate(drawn)]
    elif way == "old":
        # The places of these are known from their masks alone, one line a call.
        for k in range(LINES):
            before = frames
            frames, masks = scratches(before, 1, seed + 100 * k, width=1.5 + k)
            column = masks[middle, 0].sum(0)
            if float(column.sum()) > 0:
                bright = float((frames[middle] - before[middle]).sum()) > 0
                true.append((0 if bright else 1, float((column * torch.arange(len(column))).sum() / column.sum())))
    elif way != "none":
        raise ValueError(f"lined: a way is new, old, sharp or none (got {way})")
    frames = (frames.clamp(0, 1) * 255).round() / 255
    change = (frames[middle] - whole[middle]).abs().amax(0, keepdim=True)

    def seen(x: float) -> bool:
        around = change[0, :, max(0, int(x) - 3) : int(x) + 4]
        return EDGE <= x < whole.shape[-1] - EDGE and around.numel() > 0 and float(around.amax(1).mean()) >= SEEN

    return Case(frames, change, true, [(polarity, x) for polarity, x in true if seen(x)])
