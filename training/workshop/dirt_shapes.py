"""Dirt that is cheap to draw: real cut-outs, turned and reduced once, laid where and how dense chance will.

Reducing a scanned cut-out to the few pixels it has on film takes 18 ms, more than all else that a sample needs; of the same
distribution (`degradation.damage.dirt`), some thousand are made ahead, and mirrored and turned by right angles when they are laid.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from degradation.damage import LARGEST, covered, put, turned
from degradation.optics import blur

COUNT = 3000
"""Shapes of a bank."""
LEAST = 3.0
"""Least size of an object in pixels."""
NEGATIVE = 0.4
"""Share of objects that lay on the negative, and print white."""
FAINT, FAINTEST = 0.25, 0.12
"""Share of objects less dense than the dirt of `degradation.damage` is (0.4 or more), and their least opacity."""
SEED = 8


@dataclass(frozen=True)
class ShapeBank:
    """Opacities [1, s, s] in order of `sizes`, the longer side of each in pixels."""

    shapes: Sequence[Tensor]
    sizes: Tensor

    @staticmethod
    def of(cut_outs: Sequence[Tensor], kept: Path | None = None, count: int = COUNT) -> ShapeBank:
        """`count` shapes made of cut-outs, read from the file `kept` if it is there (and written there if not)."""
        if kept and kept.exists():
            loaded = torch.load(kept, weights_only=True)
            return ShapeBank([shape.float() / 255 for shape in loaded["shapes"]], loaded["sizes"])
        if not cut_outs:
            raise ValueError("a bank of shapes needs cut-outs (got none)")
        generator = torch.Generator().manual_seed(SEED)
        draw = torch.rand(count, 4, generator=generator)
        sizes = (LEAST * (LARGEST / LEAST) ** (draw[:, 0] ** 1.7)).sort().values
        shapes = [
            (turned(cut_outs[int(which * len(cut_outs))], size, angle * 2 * math.pi, 0.7 + 0.7 * stretch) * 255).round().to(torch.uint8)
            for size, (_, which, angle, stretch) in zip(sizes.tolist(), draw.tolist(), strict=True)
        ]
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            own = kept.with_suffix(f".{os.getpid()}")
            torch.save({"shapes": shapes, "sizes": sizes}, own)
            os.replace(own, kept)
        return ShapeBank([shape.float() / 255 for shape in shapes], sizes)

    def lay(self, frame: Tensor, count: float, generator: torch.Generator, least: float = LEAST, most: float = LARGEST) -> Tensor:
        """The frame [3, H, W] of codes under about `count` objects of `least` to `most` pixels. Not more than half the frame's side."""
        height, width = frame.shape[-2:]
        number = int(torch.poisson(torch.tensor(float(count)), generator=generator))
        if not number:
            return frame
        bounds = torch.tensor([least, min(most, max(least, min(height, width) / 2))])
        low, high = torch.searchsorted(self.sizes, bounds).tolist()
        layers = {True: torch.zeros(1, height, width), False: torch.zeros(1, height, width)}
        for _ in range(number):
            which, turns, mirrored, light, faint, dense, row, column = torch.rand(8, generator=generator).tolist()
            shape = torch.rot90(self.shapes[min(low + int(which * max(1, high - low)), len(self.shapes) - 1)], int(turns * 4), (1, 2))
            opacity = FAINTEST + (0.4 - FAINTEST) * dense if faint < FAINT else 0.4 + 0.6 * dense
            own = shape.flip(2) if mirrored < 0.5 else shape
            put(layers[light < NEGATIVE], own * opacity, int(row * height), int(column * width))
        # Printed in, it is softer.
        return covered(frame, layers[False], blur(layers[True], 0.7)).clamp(0, 1)
