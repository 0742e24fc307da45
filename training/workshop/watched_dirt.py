"""What the settings of `dirt` are chosen on: clips and photographs that are not trained on and not evaluated on.

Two parts. *Dirty*: samples as in training (`dirt_data`), of the watched clips and photographs. *Clean*: runs of the watched clips,
every frame, every second and every third of it (film of 16 frames a second moves twice as far from frame to frame), where it moves
most; whatever is found there is false.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .align import Views, load_rife
from .degrain import bank
from .dirt_data import PLANES, WATCHED, Sources, samples
from .dirt_views import Aligner
from .estimate import grain
from .networks import pretrained_degrain
from .paths import WORK, split
from .pictures import read_frames

SEED = 77
DIRTY = 100
STEPS = (1, 2, 3)
RUN = 9
"""Frames of a clean run."""
WINDOW = (320, 384)
"""Height and width of what is looked at."""


@dataclass(frozen=True)
class Watched:
    """A frame [3, H, W] with its views and grain of σ; `change` [1, H, W], by dirt, and `truth` [3, H, W], none of clean ones."""

    name: str
    step: int
    frame: Tensor
    views: Views
    sigma: float
    change: Tensor | None
    truth: Tensor | None


def dirty(data: Path, stocks: int, count: int = DIRTY) -> Iterator[Watched]:
    """Samples of the watched clips and photographs; made where they are missing."""
    made = samples(Sources.of(data, WORK, watched=True), bank(stocks, 1, torch.device("cpu"), WORK), load_rife(), count, SEED, WORK)
    for number in range(count):
        parts = dict(zip(PLANES, torch.split(made["planes"][number].float() / 255, list(PLANES.values())), strict=True))
        views = Views(**{name: parts[name] for name in ("before", "after", "middle", "early", "late", "trust", "haste")})
        yield Watched(f"sample {number}", 0, parts["frame"], views, float(made["sigma"][number]), parts["change"] / 4, parts["truth"])


def clean(data: Path) -> Iterator[Watched]:
    """Two runs of each watched clip at each step."""
    aligner = Aligner(load_rife(), pretrained_degrain().eval(), WORK / "views")
    for name, first, last in split()["video"]["train"]:
        if Path(name).stem not in WATCHED:
            continue
        raw = read_frames(data / name, first, last - first + 1)
        for step in STEPS:
            room = len(raw) - step * (RUN - 1)
            for start in (room // 4, 3 * room // 4):
                codes = raw[start : start + step * RUN : step]
                codes = _liveliest(codes)
                sigma = float(grain(codes)["sigma"]) / 255
                frames = torch.from_numpy(codes.copy()).permute(0, 3, 1, 2).float() / 255
                for middle in range(1, len(frames) - 1):
                    three = frames[middle - 1 : middle + 2]
                    yield Watched(Path(name).stem, step, frames[middle], aligner.views(three, sigma), sigma, None, None)


def _liveliest(codes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The window of a run [N, H, W, 3] in which most changes from frame to frame."""
    moved = np.abs(np.diff(codes.astype(np.int16), axis=0)).mean((0, 3))
    total = np.pad(moved.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    height, width = (min(a, b) for a, b in zip(WINDOW, moved.shape, strict=True))
    sums = total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return codes[:, top : top + height, left : left + width]
