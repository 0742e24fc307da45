"""Grainy clips whose strength is known, for what measures it: `python -m workshop.grainy_clips FOLDER`.

Writes `index.json` (a line each: clip, stock, frames, height, width, and σ of the grain in codes as it is in the clip, black and
white having cut some of it off) and R′G′B′ planes of bytes, `0.raw` and so on. The clips are those of `evaluate degrain` with its
grain.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from degradation.stocks import STOCKS

from .eval_set import eval_clips
from .evaluate_degrain import STOCKS_EACH, grainy, kept_grain, toned
from .paths import DATA, WORK

FRAMES = 5


def write(data: Path, folder: Path) -> int:
    """Writes them; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    banks = {name: kept_grain(name, 4000 + index, WORK / "grain") for index, name in enumerate(STOCKS)}
    lines: list[dict[str, object]] = []
    for index, clip in enumerate(eval_clips(data, None, FRAMES)):
        for turn in range(STOCKS_EACH):
            name = list(STOCKS)[(index + turn * (len(STOCKS) // STOCKS_EACH)) % len(STOCKS)]
            frames = toned(clip.frames, banks[name])
            noisy, _ = grainy(frames, banks[name], index * 10 + turn)
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
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{write(options.data, options.folder)} clips")


if __name__ == "__main__":
    main()
