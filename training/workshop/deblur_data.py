"""Batches for `deblur-small`: pairs made once and kept, since codecs are programs that take longer than a step of training.

Sample `n` of a pool depends on its seed and on `n`'s group alone, so that making a pool goes on where it stopped. Sixteen samples
that share a video codec go through it side by side, on its grid of blocks: starting an encoder costs more than coding.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from degradation.grain_bank import GrainBank

from .deblur_net import BLIND, CAUSES, UNKNOWN
from .deblur_pairs import Codec, Grain, Pair, coded, film
from .degrain_data import LUMA
from .pictures import Entry

SIDE = 128
"""Of a sample. Crops keep `RIM` away from its border, where filters saw no more picture."""
RIM = 8
GROUP = 16
MIXTURES = 0.25
"""Share of samples that more than one cause acted on."""
SHARP = 0.06
"""Share of samples that nothing acted on, whatever is told."""
GRAINLESS = 0.3
WEAKEST, STRONGEST = 1 / 255, 14 / 255
"""Of the negative's grain at the middle codes."""
GIVEN, UNTOLD = 0.55, 0.2
"""Shares of samples whose strengths are told, and of which nothing is; of the others the causes are told and no strength."""
MISREAD = 0.06


@dataclass(frozen=True)
class Batch:
    """Soft pictures and their truths [B, 3, N, N], and what is told [B, 4, 1, 1]."""

    soft: Tensor
    truth: Tensor
    told: Tensor


def draw_causes(generator: torch.Generator) -> dict[str, float]:
    """Which causes act, how strongly: one, or in a mixture two to four; none for some."""
    draw = torch.rand(3 + 2 * len(CAUSES), generator=generator).tolist()
    if draw[0] < SHARP:
        return {}
    strengths = [max(0.02, value) for value in draw[3 : 3 + len(CAUSES)]]
    order = sorted(range(len(CAUSES)), key=lambda i: draw[3 + len(CAUSES) + i])
    count = 1 if draw[1] >= MIXTURES else 2 + int(draw[2] ** 2 * 2.999)
    return {CAUSES[i]: strengths[i] for i in sorted(order[:count])}


def draw_grain(bank: GrainBank, monochrome: bool, generator: torch.Generator) -> Grain:
    """A film's grain; the channels of a black-and-white film share it."""
    draw = torch.rand(6, generator=generator).tolist()
    stock = int(draw[0] * len(bank.stocks))
    negative = 0.0 if draw[1] < GRAINLESS else math.exp(math.log(WEAKEST) + (math.log(STRONGEST) - math.log(WEAKEST)) * draw[2])
    copy = 0.0 if draw[3] < GRAINLESS else (1 + 5 * draw[4]) / 255
    return Grain(bank, stock, 1.0 if monochrome else bank.stocks[stock].correlation, negative, copy, 4 / 255 * draw[5])


def clip_of(entry: Entry, generator: torch.Generator, side: int = SIDE, frames: int = 3) -> Tensor:
    """A clean clip [frames, 3, side, side]: of a clip's own frames, or a photograph that moves by whole pixels, each at any exposure."""
    draw = torch.rand(6, generator=generator).tolist()
    pictures = torch.from_numpy(entry.frames.copy())
    height, width = pictures.shape[1:3]
    reach = 8 if pictures.shape[0] < frames and min(height, width) >= side + 8 * (frames - 1) else 0
    dy, dx = (round((2 * value - 1) * reach) for value in draw[:2])
    top = int(draw[2] * (height - side - abs(dy) * (frames - 1) + 1)) + max(0, -dy) * (frames - 1)
    left = int(draw[3] * (width - side - abs(dx) * (frames - 1) + 1)) + max(0, -dx) * (frames - 1)
    parts = [
        pictures[min(i, len(pictures) - 1), top + dy * i : top + dy * i + side, left + dx * i : left + dx * i + side] for i in range(frames)
    ]
    clip = torch.stack(parts).permute(0, 3, 1, 2).float() / 255
    return clip ** math.exp((draw[4] - 0.5) * 0.5)


def gray(clip: Tensor) -> Tensor:
    """Black and white."""
    return (clip * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True).expand_as(clip).contiguous()


def make_group(entries: Sequence[Entry], bank: GrainBank, seed: int, group: int) -> tuple[Tensor, Tensor]:
    """`GROUP` samples: planes [GROUP, 6, SIDE, SIDE] (soft, truth) of bytes, strengths [GROUP, 4]."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + group)
    kind = int(torch.randint(0, 3, (1,), generator=generator))
    shared = max(0.02, float(torch.rand(1, generator=generator)))
    pairs: list[Pair] = []
    strengths = torch.zeros(GROUP, len(CAUSES))
    for index in range(GROUP):
        causes = draw_causes(generator)
        if kind and "compression" in causes:
            causes["compression"] = shared
        entry = entries[int(torch.randint(0, len(entries), (1,), generator=generator))]
        clip = clip_of(entry, generator, frames=3 if kind and "compression" in causes else 1)
        monochrome = float(torch.rand(1, generator=generator)) < 0.4
        grain = draw_grain(bank, monochrome, generator)
        seeded = int(torch.randint(0, 2**31 - 1, (1,), generator=generator))
        pairs.append(film(gray(clip) if monochrome else clip, causes, grain, seeded))
        strengths[index] = torch.tensor([causes.get(cause, 0.0) for cause in CAUSES])
    packed = [i for i in range(GROUP) if strengths[i, -1] > 0]
    if kind and packed:
        frames = Codec.of(shared, kind).through(torch.cat([pairs[i].soft for i in packed], 3))
        for i, part in zip(packed, frames.chunk(len(packed), 3), strict=True):
            pairs[i] = Pair(part, pairs[i].kept, pairs[i].clean)
    elif packed:
        for i in packed:
            pairs[i] = coded(pairs[i], Codec.of(float(strengths[i, -1]), 0))
    planes = []
    for pair in pairs:
        frame = int(torch.randint(0, pair.soft.shape[0], (1,), generator=generator))
        planes.append(torch.cat([pair.soft[frame], pair.kept[frame]]))
    return (torch.stack(planes).clamp(0, 1) * 255).round().to(torch.uint8), strengths


def pool(entries: Sequence[Entry], bank: GrainBank, count: int, seed: int, folder: Path, name: str) -> dict[str, Any]:
    """`count` samples (rounded up to whole groups), kept in `folder` and gone on with where making them stopped."""
    groups = -(-count // GROUP)
    path = folder / f"deblur-{name}-{count}-{seed}.pt"
    made: dict[str, Any] = (
        torch.load(path, weights_only=True)
        if path.exists()
        else {
            "planes": torch.zeros(groups * GROUP, 6, SIDE, SIDE, dtype=torch.uint8),
            "strengths": torch.zeros(groups * GROUP, len(CAUSES)),
            "done": 0,
        }
    )
    usable = [entry for entry in entries if min(entry.frames.shape[1:3]) >= SIDE]
    if not usable:
        raise ValueError(f"no picture of the data set is {SIDE} px or larger on both sides")
    begun = saved = time.monotonic()
    first = int(made["done"])
    for group in range(first, groups):
        at = slice(group * GROUP, (group + 1) * GROUP)
        made["planes"][at], made["strengths"][at] = make_group(usable, bank, seed, group)
        made["done"] = group + 1
        if made["done"] == groups or time.monotonic() - saved > 60:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(made, path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)
            saved = time.monotonic()
            print(f"{made['done'] * GROUP} of {groups * GROUP} samples, {saved - begun:.0f} s", flush=True)
    return made


class DeblurBatches:
    """An endless, seeded source of batches of a pool; batch `n` depends on seed and `n` alone."""

    def __init__(self, made: dict[str, Any], indices: Sequence[int], batch: int, crop: int, seed: int) -> None:
        if crop % 2 or crop > SIDE - 2 * RIM:
            raise ValueError(f"crops of deblur-small are even and at most {SIDE - 2 * RIM} px (got {crop})")
        self.planes, self.strengths, self.indices = made["planes"], made["strengths"], list(indices)
        self.batch, self.crop, self.seed = batch, crop, seed

    def batch_of(self, number: int) -> Batch:
        """Batch `number`."""
        chance = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        parts, strengths = [], []
        for _ in range(self.batch):
            draw = torch.randint(0, 2**31 - 1, (4,), generator=chance).tolist()
            index = self.indices[draw[0] % len(self.indices)]
            room = SIDE - 2 * RIM - self.crop + 1
            top, left = RIM + draw[1] % room, RIM + draw[2] % room
            part = torch.rot90(self.planes[index, :, top : top + self.crop, left : left + self.crop], draw[3] % 4, (1, 2))
            parts.append(part.flip(2) if draw[3] & 4 else part)
            strengths.append(self.strengths[index])
        both = torch.stack(parts).float() / 255
        soft, truth = both[:, :3], both[:, 3:]
        told = self._told(torch.stack(strengths), chance).view(self.batch, -1, 1, 1)
        return Batch(soft, truth, told)

    def _told(self, strengths: Tensor, chance: torch.Generator) -> Tensor:
        """What is told: strengths misread a little, or causes alone, or nothing."""
        size = strengths.shape[0]
        misread = (strengths + MISREAD * torch.randn(strengths.shape, generator=chance)).clamp(0.02, 1)
        # Where nothing acted, a cause is named all the same: the net has to look for itself.
        named = torch.nn.functional.one_hot(torch.randint(0, len(CAUSES), (size,), generator=chance), len(CAUSES)).float()
        sharp = (strengths.sum(1, keepdim=True) == 0).float()
        acted = torch.maximum((strengths > 0).float(), sharp * named)
        draw = torch.rand(size, 1, generator=chance)
        known = torch.where(draw < GIVEN, acted * misread, acted * UNKNOWN)
        return torch.where(draw > 1 - UNTOLD, torch.full_like(known, BLIND), known)
