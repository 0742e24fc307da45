"""Shots for `blur-cause`: three frames of a moving photograph through a film's whole life, with how much detail each cause took.

**Strength** of a cause is the detail that it takes by itself, so that causes can be compared: the clean clip goes through its softening
part alone (`chain.alone`), its levels are fitted back (they are the grade's work), and in each of four octave bands of luma the
amplitude of what is missing or wrong is put against that of the clean picture's own. The mean over the bands, 0 to 1, is the strength:
0.2 is a loss one sees when the pictures are side by side, 0.5 is plainly soft. The **leading** cause is the strongest one.

Photographs are reduced first, so that little of their own compression is left; clips of video are not used, as they are compressed.
Shot `n` depends on the seed and on `n` alone; shots are made once and kept.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from degradation.chain import CAUSES, Plan, age, alone
from degradation.damage import cut_outs
from degradation.grain_bank import GrainBank
from degradation.motion import moving_clip, random_camera
from degradation.optics import blur

from .paths import need, split
from .pictures import Entry

SIDE = 160
"""Of a shot's frames in pixels."""
FRAMES = 3
SHARD = 40
"""Shots in a file."""
OCTAVES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""σ in pixels of the Gaussians between which a band of detail lies (about: the coarser ones are made on reduced grids)."""
COUNTS = (0.16, 0.28, 0.2, 0.16, 0.12, 0.08)
"""Chances of 0, 1, … 5 causes."""
LUMA = (0.2126, 0.7152, 0.0722)


def luma(frame: Tensor) -> Tensor:
    """[H, W] of codes [3, H, W]."""
    return (frame * torch.tensor(LUMA).view(3, 1, 1)).sum(0)


def bands(plane: Tensor) -> list[Tensor]:
    """Octave bands of detail of [H, W], finest first, and what is left; the coarser ones on a grid of half the pixels each."""
    finest = blur(plane, OCTAVES[0])
    found, here = [], finest
    for index in range(1, len(OCTAVES)):
        # On the reduced grid σ is 1 of its pixels wide where the band begins; pooling itself blurs a little, of both alike.
        softer = blur(here, 0.87 if index == 1 else 1.73)
        found.append(here - softer)
        here = functional.avg_pool2d(softer[None, None], 2)[0, 0] if index > 1 else softer
    return [*found, here]


def lost(own: list[Tensor], soft: Tensor) -> float:
    """Share of detail, 0…1, that luma `soft` [H, W] lacks against the clean picture's `bands`."""
    theirs = bands(soft)
    # Contrast is told by what even a soft picture keeps.
    coarse_a, coarse_b = own[-1] - own[-1].mean(), theirs[-1] - theirs[-1].mean()
    gain = float((coarse_a * coarse_b).sum() / (coarse_b**2).sum().clamp(min=1e-9))
    shares = []
    for a, b in zip(own[:-1], theirs[:-1], strict=True):
        shares.append(min(1.0, float(((a - gain * b) ** 2).mean() / (a**2).mean().clamp(min=1e-9)) ** 0.5))
    return float(np.mean(shares))


def taken(clean: Tensor, details: dict[str, object]) -> NDArray[np.float32]:
    """What each cause in `details` takes by itself from the middle frame of `clean` [3, 3, H, W]; 0 where it did not happen."""
    middle = clean.shape[0] // 2
    own = bands(luma(clean[middle]))
    found = np.zeros(len(CAUSES), np.float32)
    for i, cause in enumerate(CAUSES):
        drawn = details.get(cause)
        if isinstance(drawn, dict):
            # Buckling draws frame after frame, and a video codec needs what is before and after.
            part = (
                clean if "mpeg2" in drawn or "h264" in drawn else clean[: middle + 1] if cause == "storage" else clean[middle : middle + 1]
            )
            soft = alone(part, cause, details)[min(middle, part.shape[0] - 1)]
            found[i] = lost(own, luma(soft))
    return found


@dataclass(frozen=True)
class Shot:
    """Codes [9, H, W] (three frames' red, green, blue), and by cause what it took alone and how strong the chain drew it; 0 where it
    did not happen."""

    codes: NDArray[np.uint8]
    strength: NDArray[np.float32]
    drawn: NDArray[np.float32]
    details: dict[str, object]


def chances(film: dict[str, Any] | None) -> dict[str, float] | None:
    """How likely each cause is where training is for films like one that `estimate` reported; None without such a report."""
    found = (film or {}).get("blur", {}).get("causes")
    if not found:
        return None
    most = max(found["strength"].values())
    # No diagnosis is so sure that the other causes may be forgotten.
    return {cause: 0.1 + 0.85 * found["strength"][cause] / max(most, 1e-6) for cause in CAUSES}


def planned(generator: torch.Generator, count: int | None = None, likely: dict[str, float] | None = None) -> Plan:
    """Which causes happen: each by its own chance where `likely` says them, else `count` of them, or a number drawn by `COUNTS`."""
    draw = float(torch.rand(1, generator=generator))
    if likely is not None:
        happens = torch.rand(len(CAUSES), generator=generator).tolist()
        sharp = draw < COUNTS[0]
        return Plan({c: float(not sharp and h < likely[c]) for c, h in zip(CAUSES, happens, strict=True)}, grain=0.8, dirt=0.15)
    number = count if count is not None else int(np.searchsorted(np.cumsum(COUNTS)[:-1], draw, side="right"))
    order = torch.randperm(len(CAUSES), generator=generator).tolist()
    return Plan({cause: 1.0 if order.index(i) < number else 0.0 for i, cause in enumerate(CAUSES)}, grain=0.8, dirt=0.15)


def shot_of(clean: Tensor, plan: Plan, bank: GrainBank, shapes: Sequence[Tensor], seed: int) -> Shot:
    """A clean clip [3, 3, H, W] through a life by a plan."""
    aged = age(clean, plan, bank, shapes, seed)
    codes = (aged.clip * 255).round().to(torch.uint8)
    return Shot(
        codes.reshape(-1, *codes.shape[-2:]).numpy(),
        taken(clean, aged.details),
        np.array([aged.strength[cause] for cause in CAUSES], np.float32),
        aged.details,
    )


def clean_clip(photo: Tensor, generator: torch.Generator) -> Tensor:
    """Three frames [3, 3, SIDE, SIDE] of a photograph [3, h, w]: reduced, then a camera that moves in whole pixels or freely."""
    draw = torch.rand(6, generator=generator).tolist()
    least = (SIDE + 24) / min(photo.shape[-2:])
    share = max(least, 0.55 + 0.3 * draw[0])
    if share < 1:
        photo = functional.interpolate(photo[None], scale_factor=share, mode="bicubic", antialias=True)[0].clamp(0, 1)
    elif share > 1:
        photo = functional.interpolate(photo[None], scale_factor=share, mode="bicubic")[0].clamp(0, 1)
    height, width = photo.shape[-2:]
    if draw[1] < 0.2:
        photo = luma(photo)[None].expand_as(photo)
    if draw[2] < 0.5:
        top, left = int(draw[3] * (height - SIDE)), int(draw[4] * (width - SIDE))
        window = photo[:, top : top + SIDE, left : left + SIDE]
        seed = int(torch.randint(0, 2**31 - 1, (1,), generator=generator))
        around = photo[:, max(0, top - 30) : top + SIDE + 30, max(0, left - 30) : left + SIDE + 30]
        # An odd remainder would put the middle frame between pixels.
        around = around[:, : around.shape[1] // 2 * 2, : around.shape[2] // 2 * 2]
        return moving_clip(around if draw[5] < 0.9 else window, random_camera(generator), FRAMES, (SIDE, SIDE), seed)
    still = draw[5] < 0.25
    dy, dx = (0, 0) if still else ((torch.rand(2, generator=generator) * 2 - 1) * 6).round().int().tolist()
    places = []
    for t in (-1, 0, 1):
        top = min(max(0, int(draw[3] * (height - SIDE)) + t * dy), height - SIDE)
        left = min(max(0, int(draw[4] * (width - SIDE)) + t * dx), width - SIDE)
        places.append(photo[:, top : top + SIDE, left : left + SIDE])
    return torch.stack(places)


def clean_of(photos: Sequence[Entry], seed: int, number: int) -> tuple[Tensor, torch.Generator]:
    """The clean clip of shot `number`, and the dice that go on to what happens to it."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    entry = photos[int(torch.randint(0, len(photos), (1,), generator=generator))]
    photo = torch.from_numpy(entry.frames[0].copy()).permute(2, 0, 1).float() / 255
    return clean_clip(photo, generator), generator


def training_shot(
    photos: Sequence[Entry],
    bank: GrainBank,
    shapes: Sequence[Tensor],
    seed: int,
    number: int,
    likely: dict[str, float] | None = None,
) -> Shot:
    """Shot `number`. Copies are on another stock in each shot: `age` lays them on the bank's first, and grain that is always the same
    would be learned as the mark of copying."""
    clean, generator = clean_of(photos, seed, number)
    return shot_of(
        clean, planned(generator, likely=likely), bank.turned(number), shapes, int(torch.randint(0, 2**31 - 1, (1,), generator=generator))
    )


def photographs(entries: Sequence[Entry]) -> list[Entry]:
    """The entries of a data set that are photographs."""
    return [entry for entry in entries if entry.frames.shape[0] == 1]


def held_back(number: int) -> bool:
    """Whether shots of photograph `number` validate and calibrate, and are not trained on."""
    return number % 10 == 7


def pool(
    photos: Sequence[Entry],
    bank: GrainBank,
    data: Path,
    count: int,
    seed: int,
    folder: Path,
    part: tuple[int, int] = (0, 1),
    likely: dict[str, float] | None = None,
) -> None:
    """Makes `count` shots in files of `SHARD`; files that are there are left. Process `part[0]` of `part[1]` makes its share of them.

    Every tenth file is of photographs held back, on stocks held back (every fifth): what a net says of stocks that it knows is too sure
    of those that it does not. `likely` are the causes' `chances` for films like one.
    """
    need(data, "the cut-outs of dirt are read from ../shared/data or from the folder EMULSION_DATA")
    shapes = cut_outs(data / "damage", evaluate=False, every=split()["damage"]["evaluateEvery"])[::8]
    kept = [entry for i, entry in enumerate(photos) if not held_back(i)]
    watched = [entry for i, entry in enumerate(photos) if held_back(i)]
    films = {back: bank.of([i for i in range(len(bank.stocks)) if (i % 5 == 4) == back] or [0]) for back in (False, True)}
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    for shard in range(part[0], (count + SHARD - 1) // SHARD, part[1]):
        path = folder / f"shots-{seed}-{shard:04}.npz"
        if path.exists():
            continue
        back = held_back(shard)
        own = watched if back else kept
        shots = [training_shot(own, films[back], shapes, seed, shard * SHARD + i, likely) for i in range(SHARD)]
        fresh = path.with_suffix(f".{os.getpid()}.tmp")
        with fresh.open("wb") as file:
            np.savez(
                file,
                codes=np.stack([shot.codes for shot in shots]),
                strength=np.stack([shot.strength for shot in shots]),
                drawn=np.stack([shot.drawn for shot in shots]),
                details=np.array([json.dumps(shot.details) for shot in shots]),
            )
        # A process that is stopped leaves no half of a file.
        os.replace(fresh, path)
        print(f"{path.name} ({time.monotonic() - begun:.0f} s)", flush=True)
