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

import numpy as np
import torch
from torch import Tensor

from degradation import compression
from degradation.grain_bank import GrainBank

from .deblur_net import BLIND, CAUSES, UNKNOWN
from .deblur_pairs import Codec, Grain, Pair, coded, film
from .degrain_data import LUMA
from .mapped import mapped
from .paths import WorkshopError
from .pictures import Entry

SIDE = 128
"""Of a sample. Crops keep `RIM` away from its border, where filters saw no more picture."""
RIM = 8
GROUP = 16
CAPACITY = 65536
"""Samples that a pool's files have room for; they are sparse."""
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
class Making:
    """How the samples of a pool are made."""

    part: tuple[int, int] = (0, 1)
    """Of the groups this process makes the `part[0]`-th of every `part[1]`."""
    until: float | None = None
    """When it stops, by `time.monotonic`."""
    video: bool = True
    """Whether video codecs are among the codecs; without, such samples are JPEG, and a pool of its own."""


WHOLE = Making()
"""By one process, to the end."""


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


def make_group(entries: Sequence[Entry], bank: GrainBank, seed: int, group: int, video: bool = True) -> tuple[Tensor, Tensor]:
    """`GROUP` samples: planes [GROUP, 6, SIDE, SIDE] (soft, truth) of bytes, strengths [GROUP, 4]; without `video` all codecs are JPEG."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + group)
    kind = int(torch.randint(0, 3, (1,), generator=generator)) if video else 0
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


def pool(
    entries: Sequence[Entry],
    bank: GrainBank,
    count: int,
    seed: int,
    folder: Path,
    name: str,
    making: Making = WHOLE,
) -> dict[str, Tensor]:
    """The first `count` samples (rounded up to whole groups): `planes` [N, 6, SIDE, SIDE] of bytes, `strengths` [N, 4].

    Kept in files of `folder`: groups that are missing are made, of them this process's part. Where other parts, or time, leave some
    unmade, what is returned ends before the first of them.
    """
    groups = -(-count // GROUP)
    if groups * GROUP > CAPACITY:
        raise WorkshopError(f"at most {CAPACITY} samples (got {count})")
    usable = [entry for entry in entries if min(entry.frames.shape[1:3]) >= SIDE]
    if not usable:
        raise ValueError(f"no picture of the data set is {SIDE} px or larger on both sides")
    stem = f"deblur-{name}-{seed}{'' if making.video else '-jpeg'}"
    planes = mapped(folder / f"{stem}-planes.npy", (CAPACITY, 6, SIDE, SIDE), "uint8")
    strengths = mapped(folder / f"{stem}-strengths.npy", (CAPACITY, len(CAUSES)), "float32")
    done = mapped(folder / f"{stem}-done.npy", (CAPACITY // GROUP,), "uint8")
    missing = [group for group in range(making.part[0], groups, making.part[1]) if not done[group]]
    if missing and making.video and (gone := compression.unavailable()):
        raise WorkshopError(
            f"{'; '.join(gone)}. Soft pictures of video codecs need ffmpeg with both: put it on the PATH, "
            "or say --without-video-codecs to train on JPEG alone"
        )
    begun = told = time.monotonic()
    for number, group in enumerate(missing):
        if making.until is not None and time.monotonic() >= making.until:
            break
        at = slice(group * GROUP, (group + 1) * GROUP)
        made, causes = make_group(usable, bank, seed, group, making.video)
        planes[at], strengths[at], done[group] = made.numpy(), causes.numpy(), 1
        if time.monotonic() - told > 60 or number == len(missing) - 1:
            told = time.monotonic()
            print(f"{name}: {number + 1} of {len(missing)} groups of {GROUP} samples, {told - begun:.0f} s", flush=True)
    ready = int(np.argmin(done[:groups])) if not done[:groups].all() else groups
    return {"planes": torch.from_numpy(planes)[: ready * GROUP], "strengths": torch.from_numpy(np.array(strengths[: ready * GROUP]))}


class DeblurBatches:
    """An endless, seeded source of batches of a pool; batch `n` depends on seed and `n` alone. The pool lies on the device as bytes."""

    def __init__(
        self, made: dict[str, Tensor], indices: Sequence[int], batch: int, crop: int, seed: int, device: torch.device | None = None
    ) -> None:
        if crop % 2 or crop > SIDE - 2 * RIM:
            raise ValueError(f"crops of the deblur nets are even and at most {SIDE - 2 * RIM} px (got {crop})")
        self.device = device or made["planes"].device
        self.planes, self.strengths = made["planes"].to(self.device), made["strengths"]
        self.indices, self.batch, self.crop, self.seed = list(indices), batch, crop, seed
        # Where each of the eight positions (quarter turns, mirrored or not) takes a crop's pixels from, counted along the sample's rows.
        places = torch.arange(SIDE * SIDE).view(SIDE, SIDE)[:crop, :crop]
        turned = [torch.rot90(places, turns) for turns in range(4)]
        self.places = torch.stack([*turned, *(place.flip(1) for place in turned)]).flatten(1).to(self.device)

    def batch_of(self, number: int) -> Batch:
        """Batch `number`."""
        chance = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        draw = torch.stack([torch.randint(0, 2**31 - 1, (4,), generator=chance) for _ in range(self.batch)])
        index = torch.tensor(self.indices)[draw[:, 0] % len(self.indices)]
        room = SIDE - 2 * RIM - self.crop + 1
        first = (RIM + draw[:, 1] % room) * SIDE + RIM + draw[:, 2] % room
        position = draw[:, 3] % 8
        where = self.places[position.to(self.device)] + first.to(self.device)[:, None]
        samples = self.planes[index.to(self.device)].flatten(2)
        both = samples.gather(2, where[:, None].expand(-1, samples.shape[1], -1))
        both = both.view(self.batch, -1, self.crop, self.crop).float() / 255
        told = self._told(self.strengths[index], chance).view(self.batch, -1, 1, 1)
        return Batch(both[:, :3], both[:, 3:], told.to(self.device))

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
