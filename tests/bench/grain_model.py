"""Child process of the `grain` bench: the physical model of film grain, as the workshop has it, on flat pictures of mid gray.

Each model runs on a small square and on a larger one; the difference tells what a pixel costs without what the start costs. The Monte Carlo
draws grains beyond the picture's edge, too: these pixels are counted as the picture's, as a whole frame has few of them.
One thread; processor seconds. Writes one line of JSON. Exits 1 with the reason on standard error where PyTorch is missing.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

SMALL, LARGE = 24, 48
SAMPLES = 240
"""Displacements of the Monte Carlo: as many as the workshop's tests take for a reference of its amplitude within 5 %."""


def pixel_cost(run: Callable[[int], Any], border: int) -> float:
    """Processor seconds a pixel, of what is run on squares of a given side, a border of so many pixels around them."""
    spent = []
    for side in (SMALL, SMALL, LARGE):
        started = time.process_time()
        run(side)
        spent.append(time.process_time() - started)
    # The first run warms up.
    return (spent[2] - spent[1]) / ((LARGE + 2 * border) ** 2 - (SMALL + 2 * border) ** 2)


def main() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        import torch
        from degradation.grain import expose
        from degradation.grain_reference import monte_carlo
        from degradation.stocks import STOCKS
    except ImportError as error:
        print(f"{error}: run training/workshop.sh once, which sets up Python", file=sys.stderr)
        raise SystemExit(1) from error
    torch.set_num_threads(1)
    found = []
    for name, (stock, _) in STOCKS.items():
        # A silver image is one; the dyes of a color film are three.
        channels = 1 if stock.correlation == 1 else 3
        border = math.ceil(4 * stock.aperture + 4 * stock.radius * (1 + 2 * stock.spread))
        reference = pixel_cost(lambda side, s=stock: monte_carlo(torch.full((side, side), 0.5), s, SAMPLES, 1), border)  # type: ignore[misc]
        drawing = pixel_cost(
            lambda side, s=stock, c=channels: expose(torch.full((c, side, side), 0.5), s, torch.Generator().manual_seed(1)),  # type: ignore[misc]
            0,
        )
        found.append({"stock": name, "channels": channels, "reference": channels * reference, "drawing": drawing})
        print(f"{name}: {found[-1]}", file=sys.stderr, flush=True)
    print(json.dumps({"where": f"PyTorch {torch.__version__}, 1 thread", "samples": SAMPLES, "stocks": found}))


main()
