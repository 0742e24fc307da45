"""What a model does to real film, for its card. There is no truth, so there are no figures: crops at 100 %, chosen by a rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from . import metrics
from .baselines import to_bytes
from .crops import fullest
from .estimate import grain
from .paths import need
from .pictures import read_frames

FILM = "street-1900s"
FILM_FRAMES = (20, 90, 170)
SIDE = 160
ROOM = 32
"""Pixels around what is shown that a model may look at: whole frames take minutes."""


@dataclass(frozen=True)
class FilmShot:
    """Frames [N, 3, H, W] of a real film, codes 0…1, the middle one to be shown; `sigma` as measured in them, 0…1."""

    name: str
    frames: Tensor
    sigma: float


def film_shots(data: Path, frames: int) -> Iterator[FilmShot]:
    """An odd number of frames around each of the shown ones."""
    need(data, "the evaluation set is read from ../shared/data or from the folder EMULSION_DATA")
    for middle in FILM_FRAMES:
        codes = read_frames(data / "film" / f"{FILM}.mp4", middle - frames // 2, frames)
        shown = torch.from_numpy(codes.copy()).permute(0, 3, 1, 2).float() / 255
        yield FilmShot(f"{FILM}#{middle}", shown, float(grain(codes)["sigma"]) / 255)


def removes(options: Iterable[tuple[Tensor, str]], frame: Tensor, sigma: float) -> tuple[Tensor, str]:
    """Of a denoiser's settings the one that takes as much away as was measured: without a truth there is no better one."""
    return min(options, key=lambda option: abs(float((frame - option[0]).pow(2).mean()) ** 0.5 - sigma))


def around(clip: Tensor, corner: tuple[int, int]) -> tuple[Tensor, tuple[int, int]]:
    """Frames [N, 3, H, W] cut to a square of `SIDE` at a corner (top, left) and `ROOM` around it, at even places; the corner in the cut."""
    top, left = (max(0, at - ROOM) // 2 * 2 for at in corner)
    part = clip[..., top : corner[0] + SIDE + ROOM, left : corner[1] + SIDE + ROOM]
    return part, (corner[0] - top, corner[1] - left)


def save_crop(parts: Sequence[Tensor], path: Path) -> None:
    """Pictures [3, H, W] side by side, where the first has most detail."""
    top, left = fullest(metrics.detail(parts[0]).abs(), SIDE)
    cut = [part[:, top : top + SIDE, left : left + SIDE].clamp(0, 1) for part in parts]
    Image.fromarray(to_bytes(torch.cat(cut, 2)).numpy()).save(path, optimize=True)
