"""`film-range`: whether the degradation model's defaults hold what real film shows.

Clips of the training part go through `chain.age` with its default plan, and the same blind measures as of a film (`estimate`)
are taken of them: how sharp the sharpest edges are, how much dirt there is and how large, flicker and weave. Of each the range from
the 5th to the 95th percentile is written, and the films' own figures beside it. Grain is left out: the films reach us compressed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from degradation.chain import Plan, age
from degradation.damage import cut_outs
from degradation.grain_bank import GrainBank
from degradation.motion import moving_clip, random_camera

from .estimate import RUN, dirt, edge_sigma, flicker, grain, luma, probe, weave
from .paths import TRAINING, WorkshopError, need, split
from .pictures import read_frames, read_picture

RANGES = TRAINING / "film_range.json"
SIZE = (288, 384)
LOW, HIGH = 0.05, 0.95
CLIPS = 64
RUNS = 4
SEED = 51_000
MEASURES = ("edge σ, px", "dirt, objects a frame and megapixel", "dirt, median area, px", "flicker, σ of log light", "weave, px")


def measures(runs: Sequence[NDArray[np.uint8]]) -> dict[str, float | None]:
    """Of runs of consecutive frames [N, H, W, 3]; a median area is None where no dirt is seen."""
    lumas = [luma(run) for run in runs]
    sigma = float(np.median([grain(run)["sigma"] for run in runs])) / 255
    spots = [areas for planes in lumas for areas in dirt(planes, sigma)]
    every = [area for areas in spots for area in areas]
    area = runs[0].shape[1] * runs[0].shape[2] / 1e6
    found = (
        float(np.nanmedian([edge_sigma(planes[0]) for planes in lumas])),
        len(every) / len(spots) / area,
        float(np.median(every)) if every else None,
        flicker(lumas),
        float(weave(lumas).max()),
    )
    return dict(zip(MEASURES, found, strict=True))


def film_measures(film: Path, runs: int = RUNS) -> dict[str, float | None]:
    """Of a film: runs spread over it."""
    count = probe(film)["frames"]
    return measures([read_frames(film, (count - RUN) * i // max(1, runs - 1), RUN) for i in range(runs)])


def aged_clips(data: Path, bank: GrainBank, count: int) -> Iterator[NDArray[np.uint8]]:
    """Moving photographs of the training part after a life by the default plan, [RUN, H, W, 3]."""
    parts = split()
    photos = [path for pattern in parts["photos"]["train"] for path in sorted(data.glob(pattern))]
    shapes = cut_outs(data / "damage", evaluate=False, every=parts["damage"]["evaluateEvery"])[::8]
    for index in range(count):
        photo = torch.from_numpy(read_picture(photos[len(photos) * index // count], 10**6).copy()).permute(2, 0, 1).float() / 255
        if min(photo.shape[1] - SIZE[0], photo.shape[2] - SIZE[1]) < 40:
            continue
        camera = random_camera(torch.Generator().manual_seed(SEED + index))
        clean = moving_clip(photo, camera, RUN, SIZE, SEED + index)
        yield codes(age(clean, Plan(), bank, shapes, SEED + index).clip)


def codes(clip: Tensor) -> NDArray[np.uint8]:
    """[N, 3, H, W] of 0…1 as bytes [N, H, W, 3]."""
    return (clip.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def ranges_of(rows: Sequence[dict[str, float | None]]) -> dict[str, dict[str, float]]:
    """5th percentile, median and 95th of each measure over clips."""
    found = {}
    for name in MEASURES:
        values = [value for row in rows if (value := row[name]) is not None and math.isfinite(value)]
        low, middle, high = (float(np.quantile(values, q)) for q in (LOW, 0.5, HIGH))
        found[name] = {"low": round(low, 4), "middle": round(middle, 4), "high": round(high, 4)}
    return found


def outside(film: dict[str, float | None], ranges: dict[str, dict[str, float]]) -> list[str]:
    """Names of a film's measures that the model's ranges do not hold. What a film does not show is inside."""
    return [name for name, value in film.items() if value is not None and not ranges[name]["low"] <= value <= ranges[name]["high"]]


def check(data: Path, kept: Path = RANGES, log: Callable[[str], None] = print) -> None:
    """Holds every film against the ranges of a file, and the file against what is measured today. Raises where either does not hold."""
    told = json.loads(need(kept, "make it with `film-range`").read_text(encoding="utf-8"))
    for path in sorted(need(data / "film", "the films are read from ../shared/data or from the folder EMULSION_DATA").glob("*.mp4")):
        found, written = film_measures(path), told["films"].get(path.name, {})
        left = outside(found, told["model"])
        stale = [name for name, value in found.items() if not _near(value, written.get(name))]
        if left or stale:
            raise WorkshopError(
                f"{path.name}: outside the model's range: {left or 'none'}; no longer as {kept.name} says: {stale or 'none'}"
            )
        log(f"{path.name}: inside in all {len(found)} measures")


def _near(value: float | None, told: float | None) -> bool:
    return value == told if value is None or told is None else math.isclose(value, told, rel_tol=0.02)


def film_range(data: Path, bank: GrainBank, output: Path, count: int = CLIPS, log: Callable[[str], None] = print) -> dict[str, Any]:
    """Measures films and model, and writes both."""
    need(data, "the film is read from ../shared/data or from the folder EMULSION_DATA")
    rows = [measures([clip]) for clip in aged_clips(data, bank, count)]
    ranges = ranges_of(rows)
    films = {path.name: film_measures(path) for path in sorted((data / "film").glob("*.mp4"))}
    result = {"clips": len(rows), "model": ranges, "films": films}
    output.write_text(json.dumps(result, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    for name, film in films.items():
        left = outside(film, ranges)
        for measure, value in film.items():
            told = ranges[measure]
            shown = "none" if value is None else f"{value:.4g}"
            where = "outside" if measure in left else "inside"
            log(f"{name}: {measure} {shown}, {where} {told['low']:.4g} … {told['high']:.4g} (median {told['middle']:.4g})")
    return result
