"""The evaluation set: moving clips of Kodak 01–12 and the evaluation parts of the clean clips. Never trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from degradation.motion import moving_clip, random_camera

from .paths import need, split
from .pictures import read_frames, read_picture

WIDTH, HEIGHT = 256, 192
FRAMES = 3


@dataclass(frozen=True)
class EvalClip:
    """A clean clip [frames, 3, H, W] in codes 0…1; the middle frame is scored."""

    name: str
    frames: Tensor


def eval_clips(data: Path, limit: int | None = None, frames: int = FRAMES, only: str | None = None) -> Iterator[EvalClip]:
    """All clips, or about `limit` of photographs and of videos each, or the one of the name `only`.

    An odd number of `frames` leaves the middle one what it is.
    """
    need(data, "the evaluation set is read from ../shared/data or from the folder EMULSION_DATA")
    parts = split()
    photos = [path for pattern in parts["photos"]["evaluate"] for path in sorted(data.glob(pattern))]
    for index, path in enumerate(photos[:limit]):
        if only not in (None, path.stem):
            continue
        photo = torch.from_numpy(read_picture(path, 10**6).copy()).permute(2, 0, 1).float() / 255
        camera = random_camera(torch.Generator().manual_seed(900 + index))
        yield EvalClip(path.stem, moving_clip(photo, camera, frames, (HEIGHT, WIDTH), 900 + index))
    for name, first, last in parts["video"]["evaluate"][:limit]:
        start = first + (last - first) // 3
        if only not in (None, f"{Path(name).stem}#{start}"):
            continue
        crop = f"crop={WIDTH}:{HEIGHT}" if not name.endswith("tree.avi") else "crop=320:240"
        shown = torch.from_numpy(read_frames(data / name, start - (frames - FRAMES) // 2, frames, crop).copy())
        yield EvalClip(f"{Path(name).stem}#{start}", shown.permute(0, 3, 1, 2).float() / 255)
