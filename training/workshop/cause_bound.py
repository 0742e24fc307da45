"""What a shot can tell of its causes at most: `python -m workshop.cause_bound --shots 760`.

To what `cause_measures` see of a shot the truth is added: how the picture's spectrum went through the whole life, and how that of grain
laid after the lens went through the rest of it, without grain, noise or dirt in the way. A perceptron learns strengths from either. What it
cannot tell even so is not in a shot's spectra: what came later has covered it.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from degradation.chain import CAUSES, alone

from .cause import N, loss_of, measured, scores
from .cause_data import clean_of, held_back, luma, photographs
from .cause_measures import Measures
from .paths import WORK
from .pictures import Entry, unpack

STEPS, BATCH, RATE = 350, 64, 2e-3
GRAY, GRAIN = 0.46, 0.06
"""Code and σ of the grain that is sent after the picture."""
FIGURES = ("leading of mixtures, %", "single causes, %", "sharp from soft, %")


def through(clip: Tensor, causes: Sequence[str], details: dict[str, object]) -> Tensor:
    """Luma [H, W] of the middle frame of a clip [3, 3, H, W] through the softening parts of causes, in their order."""
    for cause in causes:
        clip = alone(clip, cause, details).clamp(0, 1)
    return luma(clip[1])


def spectrum(net: Measures, plane: Tensor) -> Tensor:
    """Mean logarithm of power in bands."""
    return torch.log(net.spectrum(plane[None, None]) + 1e-7).mean((2, 3)).flatten()


def transfers(net: Measures, clean: Tensor, grain: Tensor, details: dict[str, object]) -> tuple[Tensor, Tensor]:
    """What became of the picture's spectrum, and of the grain's."""
    happened = [cause for cause in CAUSES if isinstance(details.get(cause), dict)]
    late = [cause for cause in happened if cause not in ("capture", "compression")]
    picture = spectrum(net, through(clean, happened, details)) - spectrum(net, luma(clean[1]))
    return picture, spectrum(net, through(grain, late, details))


def learned(x: Tensor, strength: Tensor, held: Tensor, drawn: Tensor) -> dict[str, object]:
    """Figures on shots held back of a perceptron trained on the others."""
    torch.manual_seed(0)
    x = (x - x[~held].mean(0)) / x[~held].std(0).clamp(min=1e-3)
    x = 4 * torch.sigmoid(x) - 2
    net = nn.Sequential(
        nn.Linear(x.shape[1], 160), nn.ReLU(), nn.Dropout(0.25), nn.Linear(160, 96), nn.ReLU(), nn.Dropout(0.25), nn.Linear(96, 2 * N + 1)
    )
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-2)
    kept = torch.nonzero(~held)[:, 0]
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * max(0.02, 0.5 + 0.5 * math.cos(math.pi * step / STEPS))
        which = kept[torch.randint(0, len(kept), (BATCH,))]
        loss = loss_of(net(x[which] + 0.1 * torch.randn(BATCH, x.shape[1]))[:, :, None, None], strength[which])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    net.eval()
    with torch.no_grad():
        return scores(net(x[held]), strength[held], drawn[held])


def bound(photos: Sequence[Entry], count: int) -> dict[str, dict[str, object]]:
    """Figures by what is known, of the first `count` shots of `shots`."""
    shots, net = measured(WORK / "cause"), Measures().eval()
    kept = [entry for i, entry in enumerate(photos) if not held_back(i)]
    watched = [entry for i, entry in enumerate(photos) if held_back(i)]
    grain = (GRAY + GRAIN * torch.randn(3, 1, 160, 160, generator=torch.Generator().manual_seed(3))).expand(3, 3, -1, -1)
    rows: list[tuple[Tensor, Tensor]] = []
    with torch.no_grad():
        for path in sorted((WORK / "cause").glob("shots-*.npz")):
            details, (seed, shard) = np.load(path)["details"], (int(part) for part in path.stem.split("-")[1:])
            for i in range(min(len(details), count - len(rows))):
                clean, _ = clean_of(watched if held_back(shard) else kept, seed, shard * len(details) + i)
                rows.append(transfers(net, clean, grain, json.loads(str(details[i]))))
    picture, told = (torch.stack([row[k] for row in rows]) for k in (0, 1))
    seen = shots.measures[: len(rows), 0]
    truth = (shots.strength[: len(rows)], shots.held[: len(rows)], shots.drawn[: len(rows)])
    return {
        "what is measured": learned(seen, *truth),
        "and the picture's transfer": learned(torch.cat([seen, picture], 1), *truth),
        "and the grain's": learned(torch.cat([seen, picture, told], 1), *truth),
    }


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=int, default=760)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name, found in bound(photographs(unpack(WORK / "pictures.bin")), options.shots).items():
        print(f"{name}: rank correlation {found['rank correlation']}, " + ", ".join(f"{key} {found[key]}" for key in FIGURES))


if __name__ == "__main__":
    main()
