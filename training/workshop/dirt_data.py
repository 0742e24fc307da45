"""Samples for `dirt`: three frames that move, with grain, flicker and real cut-outs of dirt; the neighbors already aligned.

Aligning takes a quarter of a second a sample, so samples are made once and kept; batches crop, turn and exchange them, and lay more
dirt on them (`redrawn`). Sample `n` depends on the seed and on `n` alone. Motion is read from guides that stand for what FFDNet
leaves: the frames with their dirt and a sixth of their grain.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from degradation.damage import cut_outs
from degradation.grain_bank import GrainBank
from degradation.motion import moving_clip, random_camera
from degradation.passers import let_pass, random_passer

from .align import Views, views_of
from .dirt_net import ALIGN, scale_of
from .dirt_objects import SURE
from .dirt_shapes import ShapeBank
from .mapped import mapped
from .paths import WorkshopError, need, split
from .pictures import read_frames, read_picture

SIDE = 192
"""Of a sample in pixels: RIFE finds motion from 192 on."""
CLIPS = 0.65
"""Share of samples from real clips; the others are photographs that a camera moves over."""
GESTURES = 0.7
"""Of samples from clips, the share of signing hands and faces: motion that is fast and not rigid."""
PASSED = 0.4
"""Share of samples that fast things cross (`degradation.passers`)."""
SPOTLESS = 0.33
"""Share of samples without any dirt: what is found there is false."""
WATCHED = ("student", "please", "vtest")
"""Clips of the training part that no sample is made of: settings are chosen on them (`calibrate`)."""
WATCHED_PHOTOS = 12
"""Every so many photographs likewise."""
LONGEST_CLIP = 180
"""Frames of a clip that are used; of longer ones evenly spread runs are not worth their decoding."""
FAINT = 1 / 255
"""A change by dirt below this does not count as dirt, from `SURE` on it does; between them nothing is asked."""
PLANES = {
    "frame": 3,
    "before": 3,
    "after": 3,
    "middle": 3,
    "early": 3,
    "late": 3,
    "truth": 3,
    "trust": 2,
    "haste": 1,
    "change": 1,
    "bare": 3,
}
"""What is kept of a sample, in planes of bytes; `bare` is the frame with its grain and without its own dirt."""
PLAIN, PLAIN_WEIGHT = 0.1, 0.5
"""A change of a tenth of the range has to be found: grain or not, it counts at least so much."""
VERSION = 2
"""Of what a sample is and how it is drawn: samples of another version are not read."""
GRAINLESS = 0.2
"""Share of samples without grain."""
SIGMAS = (1.2, 30.0)
"""Of the others' grain, in codes, evenly drawn on a log scale: from fine 35 mm stock to 8 mm."""
LARGE, LARGE_COUNT, LARGE_SIZE = 0.3, 1.5, 20.0
"""Of samples with dirt, the share that has large objects besides, how many a frame, and their least size in pixels."""
BARED, REDRAWN = 0.25, 0.6
"""Share of crops that lose their frame's own dirt, and of those that get more."""
REDRAWN_COUNTS = (1.5, 21.0)
"""How much more, in objects a sample: the bounds of what a sample has of its own."""
SMALL = 24.0
"""Size in pixels of the largest object that may come after aligning."""
OFFSETS, OFFSET = 0.3, 0.03
"""Share of crops whose frame is exposed otherwise than its views, and the factor's standard deviation: flicker."""
CAPACITY = 8192
"""Rows of the file of samples; it is sparse: only what was made takes room."""


@dataclass(frozen=True)
class Sources:
    """What samples are made of."""

    photos: Sequence[Path]
    clips: Sequence[tuple[Path, int, int]]
    shapes: ShapeBank
    decoded: Path | None = None
    """Where decoded clips are kept; none are kept without it."""

    @staticmethod
    def of(data: Path, cache: Path | None = None, watched: bool = False) -> Sources:
        """Everything the split lets us train on, but for what is watched; or what is watched alone."""
        need(data, "clips, photographs and damage are read from ../shared/data or from the folder EMULSION_DATA")
        parts = split()
        every = [path for pattern in parts["photos"]["train"] for path in sorted(data.glob(pattern))]
        photos = [path for index, path in enumerate(every) if (index % WATCHED_PHOTOS == 0) == watched]
        clips = [(data / name, first, last) for name, first, last in parts["video"]["train"] if (Path(name).stem in WATCHED) == watched]
        if not photos or not clips:
            raise WorkshopError(f"{data}: no photographs or no clips of training/split.json")
        shapes = cut_outs(data / "damage", evaluate=False, every=parts["damage"]["evaluateEvery"])
        bank = ShapeBank.of(shapes, cache / f"dirt{VERSION}-shapes.pt" if cache else None)
        return Sources(photos, clips, bank, cache / "clips" if cache else None)


def decoded(sources: Sources, index: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A clip's frames [N, H, W, 3], at most `LONGEST_CLIP`, of wide ones half the size; kept on disk and mapped."""
    path, first, last = sources.clips[index]
    count = min(last - first + 1, LONGEST_CLIP)
    kept = sources.decoded / f"{path.stem}-{first}-{count}.npy" if sources.decoded else None
    if kept and kept.exists():
        mapped: np.ndarray[Any, np.dtype[np.uint8]] = np.load(kept, mmap_mode="r")
        return mapped
    frames = read_frames(path, first, count)
    if frames.shape[2] > 1000:
        half = functional.avg_pool2d(torch.from_numpy(frames.copy()).permute(0, 3, 1, 2).float(), 2)
        frames = half.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may make it at once: each writes a file of its own.
        own = kept.with_suffix(f".{os.getpid()}.npy")
        np.save(own, frames)
        os.replace(own, kept)
    return frames


def triple(sources: Sources, generator: torch.Generator) -> Tensor:
    """Three clean frames [3, 3, SIDE, SIDE]: of a real clip mostly where it moves most, or of a photograph; some with fast things."""
    draw = torch.rand(6, generator=generator).tolist()
    if sources.photos and (draw[0] >= CLIPS or not sources.clips):
        frames = _photo_triple(sources.photos[int(draw[1] * len(sources.photos))], generator)
    else:
        frames = _clip_triple(sources, draw[1:4], generator)
    if draw[4] >= PASSED:
        return frames
    photo = _photo(sources.photos[int(draw[5] * len(sources.photos))])[:, :SIDE, :SIDE] if sources.photos else None
    count = 1 + int(torch.randint(0, 4, (1,), generator=generator))
    passers = [random_passer(SIDE, SIDE, photo, generator) for _ in range(count)]
    return let_pass(frames, passers, int(torch.randint(0, 2**31 - 1, (1,), generator=generator)))


def _clip_triple(sources: Sources, draw: list[float], generator: torch.Generator) -> Tensor:
    hands = [i for i, (path, _, _) in enumerate(sources.clips) if path.parent.name == "gestures"]
    others = [i for i in range(len(sources.clips)) if i not in hands]
    group = hands if hands and (draw[0] < GESTURES or not others) else others
    frames = decoded(sources, group[int(draw[1] * len(group))])
    # Frames up to three apart, so that there is fast motion enough.
    step = 1 + int(draw[2] * 3)
    scale = max(1.0, SIDE / min(frames.shape[1:3]) + 1e-3)
    places = []
    for place in torch.rand(6, 3, generator=generator).tolist():
        start = int(place[0] * (len(frames) - 2 * step))
        three = torch.from_numpy(frames[start : start + 2 * step + 1 : step].copy()).permute(0, 3, 1, 2).float() / 255
        if scale > 1:
            three = functional.interpolate(three, scale_factor=scale, mode="bilinear")
        top, left = int(place[1] * (three.shape[-2] - SIDE)), int(place[2] * (three.shape[-1] - SIDE))
        part = three[..., top : top + SIDE, left : left + SIDE]
        places.append((float((part[0] - part[2]).abs().mean()), part))
    # One in four lies anywhere: most of a film stands still.
    return places[0][1] if float(torch.rand(1, generator=generator)) < 0.25 else max(places, key=lambda place: place[0])[1]


def _photo(path: Path) -> Tensor:
    photo = torch.from_numpy(read_picture(path).copy()).permute(2, 0, 1).float() / 255
    if min(photo.shape[-2:]) < SIDE:
        photo = functional.interpolate(photo[None], scale_factor=SIDE / min(photo.shape[-2:]) + 1e-3, mode="bicubic")[0].clamp(0, 1)
    return photo


def _photo_triple(path: Path, generator: torch.Generator) -> Tensor:
    seed = int(torch.randint(0, 2**31 - 1, (1,), generator=generator))
    return moving_clip(_photo(path), random_camera(generator, 8.0), 3, (SIDE, SIDE), seed)


def make_sample(sources: Sources, bank: GrainBank, rife: nn.Module, seed: int, number: int) -> tuple[dict[str, Tensor], float]:
    """One sample: planes as codes 0…1 by the names of `PLANES`, and the grain's σ."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    clean = triple(sources, generator)
    draw = torch.rand(9, generator=generator).tolist()
    if draw[0] < 0.35:
        clean = (clean * torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)).sum(1, keepdim=True).expand_as(clean)
    if draw[1] < 0.4:
        clean = (clean * (1 + 0.025 * torch.randn(3, 1, 1, 1, generator=generator))).clamp(0, 1)
    count = 0.0 if draw[2] < SPOTLESS else 1.5 * 14 ** draw[3]
    large = LARGE_COUNT if count and draw[8] < LARGE else 0.0
    dirty = torch.stack([sources.shapes.lay(sources.shapes.lay(frame, count, generator), large, generator, LARGE_SIZE) for frame in clean])
    sigma = 0.0 if draw[4] < GRAINLESS else float(SIGMAS[0] * (SIGMAS[1] / SIGMAS[0]) ** draw[5] / 255)
    which = torch.full((3,), int(draw[6] * len(bank.stocks)))
    grain = torch.zeros_like(clean)
    if sigma:
        gain = sigma / float(bank.middle[which[0]])
        grain = gain * bank.grain(clean, which, torch.full((3,), 1.0 if draw[0] < 0.35 else 0.5 * draw[7]), generator)
    frames = ((dirty + grain).clamp(0, 1) * 255).round() / 255
    views = views_of(rife, frames, (dirty + grain / 6).clamp(0, 1))
    change = (dirty[1] - clean[1]).abs().amax(0, keepdim=True)
    return {
        "frame": frames[1],
        "before": views.before,
        "after": views.after,
        "middle": views.middle,
        "early": views.early,
        "late": views.late,
        "truth": clean[1],
        "trust": views.trust,
        "haste": views.haste,
        # Bytes hold changes up to a quarter of the range: what counts lies at a few codes.
        "change": (change * 4).clamp(0, 1),
        "bare": (clean[1] + grain[1]).clamp(0, 1),
    }, sigma


def samples(
    sources: Sources,
    bank: GrainBank,
    rife: nn.Module,
    count: int,
    seed: int,
    cache: Path,
    part: tuple[int, int] = (0, 1),
    until: float | None = None,
) -> dict[str, Any]:
    """The first `count` samples as bytes, `planes` [N, 28, SIDE, SIDE], and `sigma` [N].

    Kept in a file: those that are missing are made, of them the `part[0]`-th of every `part[1]`, so that processes can share the
    work; until a time of `time.monotonic`. Rows may be missing then (σ is NaN there).
    """
    cache.mkdir(parents=True, exist_ok=True)
    if count > CAPACITY:
        raise WorkshopError(f"at most {CAPACITY} samples (got {count})")
    planes = mapped(cache / f"dirt{VERSION}-{seed}-planes.npy", (CAPACITY, sum(PLANES.values()), SIDE, SIDE), "uint8")
    sigmas = mapped(cache / f"dirt{VERSION}-{seed}-sigma.npy", (CAPACITY,), "float32")
    begun = time.monotonic()
    made = 0
    # Zero stands for a row that was never made; a sample without grain has σ 0, and is kept as -1.
    for number in range(part[0], count, part[1]):
        if sigmas[number] != 0:
            continue
        if until is not None and time.monotonic() >= until:
            break
        parts, sigma = make_sample(sources, bank, rife, seed, number)
        together = torch.cat([parts[name] for name in PLANES])
        planes[number] = (together.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        sigmas[number] = sigma or -1
        made += 1
        if made % 40 == 0:
            print(f"{number + 1} of {count} samples ({time.monotonic() - begun:.0f} s)", flush=True)
    told = torch.from_numpy(np.array(sigmas[:count]))
    return {"planes": torch.from_numpy(planes)[:count], "sigma": torch.where(told == 0, torch.nan, told.clamp(min=0))}


@dataclass(frozen=True)
class Batch:
    """Frames with their views, and what is true: `dirty` [B, 1, H, W] 0 or 1, `asked` the weight of each pixel, `truth`.

    `change` [B, 1, H, W] is how much dirt changed there, up to a quarter of the range.
    """

    frame: Tensor
    views: Views
    scale: Tensor
    dirty: Tensor
    asked: Tensor
    truth: Tensor
    change: Tensor

    def inputs(self) -> tuple[Tensor, ...]:
        """The net's inputs in order."""
        v = self.views
        return self.frame, v.before, v.after, v.middle, v.trust, self.scale


def redrawn(planes: dict[str, Tensor], shapes: ShapeBank, generator: torch.Generator) -> dict[str, Tensor]:
    """A sample's planes with other dirt on its frame: without its own, or with more, or as it was.

    The views stay: they have been aligned with the dirt that was there. What is new is small, and misleads no flow.
    """
    bare, more, density, offset = torch.rand(4, generator=generator).tolist()
    frame, change = planes["frame"], planes["change"]
    if bare < BARED:
        frame, change = planes["bare"], torch.zeros_like(change)
    if more < REDRAWN:
        # What the dirt left of the picture, without its grain.
        under = (planes["truth"] + frame - planes["bare"]).clamp(0, 1)
        side = frame.shape[-1] / SIDE
        laid = shapes.lay(
            under, side * side * REDRAWN_COUNTS[0] * (REDRAWN_COUNTS[1] / REDRAWN_COUNTS[0]) ** density, generator, most=SMALL
        )
        frame = frame + laid - under
        change = torch.maximum(change, 4 * (laid - under).abs().amax(0, keepdim=True))
    if offset < OFFSETS:
        frame = frame * (1 + OFFSET * float(torch.randn(1, generator=generator)))
    return {**planes, "frame": (frame.clamp(0, 1) * 255).round() / 255, "change": change.clamp(0, 1)}


class DirtBatches:
    """An endless, seeded source of batches from samples `which`; batch `n` depends on the seed and on `n` alone.

    With `shapes` their dirt is drawn anew.
    """

    def __init__(
        self, kept: dict[str, Any], which: Sequence[int], batch: int, crop: int, seed: int, shapes: ShapeBank | None = None
    ) -> None:
        if crop % ALIGN or crop > kept["planes"].shape[-1]:
            raise WorkshopError(f"--crop must be a multiple of {ALIGN} and at most {kept['planes'].shape[-1]} (got {crop})")
        self.kept, self.which, self.batch, self.crop, self.seed, self.shapes = kept, list(which), batch, crop, seed, shapes

    def batch_of(self, number: int) -> Batch:
        """One batch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        picked = []
        sigmas = []
        for _ in range(self.batch):
            draw = torch.randint(0, 2**31 - 1, (5,), generator=generator).tolist()
            index = self.which[draw[0] % len(self.which)]
            room = self.kept["planes"].shape[-1] - self.crop + 1
            top, left = draw[1] % room, draw[2] % room
            part = self.kept["planes"][index, :, top : top + self.crop, left : left + self.crop].float() / 255
            part = torch.rot90(part, draw[3] % 4, (1, 2))
            part = part.flip(2) if draw[3] & 4 else part
            if self.shapes:
                own = torch.Generator().manual_seed(draw[4])
                named = dict(zip(PLANES, torch.split(part, list(PLANES.values())), strict=True))
                part = torch.cat(list(redrawn(named, self.shapes, own).values()))
            picked.append(part)
            sigmas.append(float(self.kept["sigma"][index]))
        parts: tuple[Tensor, ...] = torch.split(torch.stack(picked), list(PLANES.values()), 1)
        planes = dict(zip(PLANES, parts, strict=True))
        # The measured strength is never quite right.
        misread = torch.exp(0.15 * torch.randn(self.batch, generator=generator))
        scale = torch.tensor([scale_of(s * float(m)) for s, m in zip(sigmas, misread, strict=True)]).view(-1, 1, 1, 1)
        swap = (torch.rand(self.batch, generator=generator) < 0.5).view(-1, 1, 1, 1)
        before, after = planes["before"], planes["after"]
        trust = torch.where(swap, planes["trust"].flip(1), planes["trust"])
        halves = (torch.where(swap, planes["late"], planes["early"]), torch.where(swap, planes["early"], planes["late"]))
        sides = (torch.where(swap, after, before), torch.where(swap, before, after))
        views = Views(*sides, planes["middle"], *halves, trust, planes["haste"])
        change = planes["change"] / 4
        dirty = (change >= SURE).float()
        # Dirt that grain hides can be asked for, not demanded.
        visible = (change * scale / 3).clamp(0.15, 1).maximum(PLAIN_WEIGHT * (change >= PLAIN).float())
        asked = torch.where(dirty > 0, visible, (change < FAINT).float())
        return Batch(planes["frame"], views, scale, dirty, asked, planes["truth"], change)
