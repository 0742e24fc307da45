"""Samples for `dirt`: three frames that move, with grain, flicker and real cut-outs of dirt; the neighbors already aligned.

Aligning takes a second a sample, so samples are made once and kept; batches crop, turn, retouch and exchange them. Sample `n`
depends on the seed and on `n` alone. Motion is read from guides that stand for what FFDNet leaves: the frames with their dirt
and a sixth of their grain.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from degradation.damage import cut_outs, dirt
from degradation.grain_bank import GrainBank
from degradation.motion import moving_clip, random_camera

from .align import Views, views_of
from .dirt_net import scale_of
from .paths import WorkshopError, need, split
from .pictures import read_frames, read_picture

SIDE = 192
"""Of a sample in pixels: RIFE finds motion from 192 on."""
CLIPS = 0.6
"""Share of samples from real clips; the others are photographs that a camera moves over."""
FAINT, SURE = 1 / 255, 4 / 255
"""A change by dirt below the first does not count as dirt, above the second it does; between them nothing is asked."""
PLANES = {"frame": 3, "before": 3, "after": 3, "middle": 3, "truth": 3, "trust": 2, "change": 1}
"""What is kept of a sample, in planes of bytes."""


@dataclass(frozen=True)
class Sources:
    """What samples are made of."""

    photos: Sequence[Path]
    clips: Sequence[tuple[Path, int, int]]
    shapes: Sequence[Tensor]

    @staticmethod
    def of(data: Path) -> Sources:
        """Everything the split lets us train on."""
        need(data, "clips, photographs and damage are read from ../shared/data or from the folder EMULSION_DATA")
        parts = split()
        photos = [path for pattern in parts["photos"]["train"] for path in sorted(data.glob(pattern))]
        clips = [(data / name, first, last) for name, first, last in parts["video"]["train"]]
        if not photos or not clips:
            raise WorkshopError(f"{data}: no photographs or no clips of training/split.json")
        return Sources(photos, clips, cut_outs(data / "damage", evaluate=False, every=parts["damage"]["evaluateEvery"]))


def triple(sources: Sources, generator: torch.Generator) -> Tensor:
    """Three clean frames [3, 3, SIDE, SIDE]: of a real clip where it moves most, or of a photograph."""
    draw = torch.rand(8, generator=generator).tolist()
    if sources.photos and (draw[0] >= CLIPS or not sources.clips):
        return _photo_triple(sources.photos[int(draw[1] * len(sources.photos))], generator)
    path, first, last = sources.clips[int(draw[1] * len(sources.clips))]
    # Every third sample skips a frame, so that there is fast motion enough.
    step = 2 if draw[2] < 0.33 else 1
    start = first + int(draw[3] * (last - first - 2 * step))
    frames = torch.from_numpy(read_frames(path, start, 2 * step + 1)[::step].copy()).permute(0, 3, 1, 2).float() / 255
    if min(frames.shape[-2:]) < SIDE:
        frames = functional.interpolate(frames, scale_factor=SIDE / min(frames.shape[-2:]) + 1e-3, mode="bilinear")
    elif frames.shape[-1] > 1000:
        frames = functional.avg_pool2d(frames, 2)
    places = []
    for k in range(3):
        top, left = int(draw[4 + k] * (frames.shape[-2] - SIDE)), int(draw[(6 + k) % 8] * (frames.shape[-1] - SIDE))
        part = frames[..., top : top + SIDE, left : left + SIDE]
        places.append((float((part[0] - part[2]).abs().mean()), part))
    return max(places, key=lambda place: place[0])[1]


def _photo_triple(path: Path, generator: torch.Generator) -> Tensor:
    photo = torch.from_numpy(read_picture(path).copy()).permute(2, 0, 1).float() / 255
    if min(photo.shape[-2:]) < SIDE:
        photo = functional.interpolate(photo[None], scale_factor=SIDE / min(photo.shape[-2:]) + 1e-3, mode="bicubic")[0].clamp(0, 1)
    seed = int(torch.randint(0, 2**31 - 1, (1,), generator=generator))
    return moving_clip(photo, random_camera(generator, 8.0), 3, (SIDE, SIDE), seed)


def make_sample(sources: Sources, bank: GrainBank, rife: nn.Module, seed: int, number: int) -> tuple[dict[str, Tensor], float]:
    """One sample: planes as codes 0…1 by the names of `PLANES`, and the grain's σ."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    clean = triple(sources, generator)
    draw = torch.rand(8, generator=generator).tolist()
    if draw[0] < 0.35:
        clean = (clean * torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)).sum(1, keepdim=True).expand_as(clean)
    if draw[1] < 0.4:
        clean = (clean * (1 + 0.025 * torch.randn(3, 1, 1, 1, generator=generator))).clamp(0, 1)
    count = 0.0 if draw[2] < 0.25 else 1.5 * 14 ** draw[3]
    dirty, _ = dirt(clean, sources.shapes, count, 0.4, int(torch.randint(0, 2**31 - 1, (1,), generator=generator)))
    sigma = 0.0 if draw[4] < 0.2 else float(1.2 * 15 ** draw[5] / 255)
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
        "truth": clean[1],
        "trust": views.trust,
        # Bytes hold changes up to a quarter of the range: what counts lies at a few codes.
        "change": (change * 4).clamp(0, 1),
    }, sigma


def samples(sources: Sources, bank: GrainBank, rife: nn.Module, count: int, seed: int, cache: Path) -> dict[str, Any]:
    """`count` samples as bytes, `planes` [N, 18, SIDE, SIDE] and `sigma` [N]; kept in a file, and gone on with where a run stopped."""
    path = cache / f"dirt-{count}-{seed}.pt"
    kept: dict[str, Any] = torch.load(path, weights_only=True) if path.exists() else {"done": 0}
    if kept["done"] == 0:
        kept = {"planes": torch.zeros(count, sum(PLANES.values()), SIDE, SIDE, dtype=torch.uint8), "sigma": torch.zeros(count), "done": 0}
    begun = time.monotonic()
    for number in range(kept["done"], count):
        made, sigma = make_sample(sources, bank, rife, seed, number)
        together = torch.cat([made[name] for name in PLANES])
        kept["planes"][number] = (together.clamp(0, 1) * 255).round().to(torch.uint8)
        kept["sigma"][number] = sigma
        kept["done"] = number + 1
        if kept["done"] == count or kept["done"] % 40 == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(kept, path)
            print(f"{kept['done']} of {count} samples ({time.monotonic() - begun:.0f} s)", flush=True)
    return kept


@dataclass(frozen=True)
class Batch:
    """Frames with their views, and what is true: `dirty` [B, 1, H, W] 0 or 1, `asked` the weight of each pixel, `truth`."""

    frame: Tensor
    views: Views
    scale: Tensor
    dirty: Tensor
    asked: Tensor
    truth: Tensor

    def inputs(self) -> tuple[Tensor, ...]:
        """The net's inputs in order."""
        v = self.views
        return self.frame, v.before, v.after, v.middle, v.trust, self.scale


class DirtBatches:
    """An endless, seeded source of batches from samples `which`; batch `n` depends on the seed and on `n` alone."""

    def __init__(self, kept: dict[str, Any], which: Sequence[int], batch: int, crop: int, seed: int) -> None:
        if crop % 4 or crop > kept["planes"].shape[-1]:
            raise WorkshopError(f"--crop must be a multiple of 4 and at most {kept['planes'].shape[-1]} (got {crop})")
        self.kept, self.which, self.batch, self.crop, self.seed = kept, list(which), batch, crop, seed

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
            picked.append(part.flip(2) if draw[3] & 4 else part)
            sigmas.append(float(self.kept["sigma"][index]))
        parts: tuple[Tensor, ...] = torch.split(torch.stack(picked), list(PLANES.values()), 1)
        planes = dict(zip(PLANES, parts, strict=True))
        # The measured strength is never quite right.
        misread = torch.exp(0.15 * torch.randn(self.batch, generator=generator))
        scale = torch.tensor([scale_of(s * float(m)) for s, m in zip(sigmas, misread, strict=True)]).view(-1, 1, 1, 1)
        swap = (torch.rand(self.batch, generator=generator) < 0.5).view(-1, 1, 1, 1)
        before, after = planes["before"], planes["after"]
        trust = torch.where(swap, planes["trust"].flip(1), planes["trust"])
        views = Views(torch.where(swap, after, before), torch.where(swap, before, after), planes["middle"], trust)
        change = planes["change"] / 4
        dirty = (change >= SURE).float()
        # Dirt that grain hides can be asked for, not demanded.
        visible = (change * scale / 3).clamp(0.15, 1)
        asked = torch.where(dirty > 0, visible, (change < FAINT).float())
        return Batch(planes["frame"], views, scale, dirty, asked, planes["truth"])
