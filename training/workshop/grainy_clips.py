"""Grainy clips whose strength is known, for what measures it: `python -m workshop.grainy_clips FOLDER [--training]`.

Writes `index.json` (a line each: clip, stock, frames, height, width, and σ of the grain in codes as it is in the clip, black and
white having cut some of it off) and R′G′B′ planes of bytes, `0.raw` and so on. The clips are those of `evaluate degrain` with its
grain; with `--training`, as many of the training part, for choosing what must not be chosen on the evaluation set.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import torch

from degradation.motion import moving_clip, random_camera
from degradation.stocks import STOCKS

from . import metrics
from .eval_set import HEIGHT, WIDTH, EvalClip, eval_clips
from .evaluate_degrain import STOCKS_EACH, grainy, kept_grain
from .paths import DATA, WORK, need, split
from .pictures import read_frames, read_picture

FRAMES = 5
PHOTOS = 12
SEED = 77_000


def training_clips(data: Path) -> Iterator[EvalClip]:
    """As many clips as `eval_clips` gives, of the training part and made in the same way."""
    need(data, "the pictures are read from ../shared/data or from the folder EMULSION_DATA")
    parts = split()
    photos = [path for pattern in parts["photos"]["train"] for path in sorted(data.glob(pattern))]
    for index in range(PHOTOS):
        photo = torch.from_numpy(read_picture(photos[len(photos) * index // PHOTOS], 10**6).copy()).permute(2, 0, 1).float() / 255
        if min(photo.shape[1] - HEIGHT, photo.shape[2] - WIDTH) < 40:
            continue
        camera = random_camera(torch.Generator().manual_seed(SEED + index))
        yield EvalClip(f"photograph {index}", moving_clip(photo, camera, FRAMES, (HEIGHT, WIDTH), SEED + index))
    for name, first, last in parts["video"]["train"]:
        shown = torch.from_numpy(read_frames(data / name, (first + last) // 2, FRAMES).copy()).permute(0, 3, 1, 2).float() / 255
        yield EvalClip(Path(name).stem, shown[..., :HEIGHT, :WIDTH].contiguous())


def write(data: Path, folder: Path, training: bool) -> int:
    """Writes them; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    banks = {name: kept_grain(name, 4000 + index, WORK / "grain") for index, name in enumerate(STOCKS)}
    lines: list[dict[str, object]] = []
    for index, clip in enumerate(training_clips(data) if training else eval_clips(data, None, FRAMES)):
        for turn in range(STOCKS_EACH):
            name = list(STOCKS)[(index + turn * (len(STOCKS) // STOCKS_EACH)) % len(STOCKS)]
            frames = clip.frames
            if banks[name].stocks[0].correlation == 1:
                frames = torch.stack([metrics.luma(frame).expand(3, -1, -1) for frame in frames])
            noisy, _ = grainy(frames, banks[name], (SEED if training else 0) + index * 10 + turn)
            (noisy * 255).round().to(torch.uint8).contiguous().numpy().tofile(folder / f"{len(lines)}.raw")
            sigma = float((noisy - frames).pow(2).mean().sqrt())
            count, _, height, width = noisy.shape
            lines.append({"clip": clip.name, "stock": name, "sigma": sigma * 255, "frames": count, "height": height, "width": width})
    (folder / "index.json").write_text(json.dumps(lines, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    return len(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--training", action="store_true")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{write(options.data, options.folder, options.training)} clips")


if __name__ == "__main__":
    main()
