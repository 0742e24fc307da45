"""The frame between two frames as the original RIFE computes it: a stored reference for the app's tests.

Pictures are raw planar RGB of 8 bit. Called by scripts/reference/rife.ts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .originals import OriginalRife
from .sources import fetch

HERE = Path(__file__).resolve().parent.parent


def read(path: Path, width: int, height: int) -> Tensor:
    """A picture as [1, 3, H, W] in 0…1."""
    codes = np.fromfile(path, np.uint8).reshape(1, 3, height, width)
    return torch.from_numpy(codes.astype(np.float32) / 255)


def main(arguments: list[str] | None = None) -> int:
    """Reads two pictures, writes the one between them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--size", required=True, help="WIDTHxHEIGHT, multiples of 64")
    parser.add_argument("--t", type=float, default=0.5)
    parser.add_argument("--cache", type=Path, default=HERE / ".cache")
    options = parser.parse_args(arguments)
    width, height = (int(side) for side in options.size.split("x"))
    fetch(options.cache)
    unused = torch.zeros(1)
    with torch.inference_mode():
        middle, _, _ = OriginalRife(options.cache)(
            read(options.first, width, height),
            read(options.second, width, height),
            torch.full((1, 1, 1, 1), options.t),
            unused,
            unused,
        )
    codes = np.round(middle.clamp(0, 1).numpy() * 255).astype(np.uint8)
    options.output.write_bytes(codes.tobytes())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
