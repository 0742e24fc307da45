"""Samples for `scratch`: crops of pictures with grain, lines of the film on some, upright things of the picture on others.

Drawing takes longer than a step of training, so samples are drawn once and kept; batches crop, mirror and invert them. Sample `n`
depends on the seed and on `n` alone, and so does batch `n`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from degradation.grain_bank import GrainBank
from degradation.scratches import draw, pole, random_scratch, sharp_scratch

from .dirt_net import LUMA, scale_of
from .paths import WorkshopError
from .scratch_net import ROWS

FAINT, SURE = 1 / 255, 3 / 255
"""A change by a line below the first does not count as one, above the second it does; between them nothing is asked."""
SHARP = 0.35
"""Share of the lines that are hard-edged and opaque: trained on soft ones alone, beside hard-edged poles, the net took every hard edge for
a pole's."""
TALL = 2
"""Crops are so many times as high as they are wide."""
SIDE = 112
"""Width of a sample; batches crop a little less."""


@dataclass(frozen=True)
class Batch:
    """Frames with their scale; `lines` [B, 2, H/8, W] 0 or 1: on a bright, on a dark line, `asked` each cell's weight."""

    frame: Tensor
    scale: Tensor
    lines: Tensor
    asked: Tensor


def _crop(shown: Sequence[Tensor], generator: torch.Generator) -> Tensor:
    """A clean crop, at times turned (what is level becomes upright), enlarged or gray."""
    high, wide = TALL * SIDE, SIDE
    draw_ = torch.rand(6, generator=generator).tolist()
    picture = shown[int(draw_[0] * len(shown))].float() / 255
    if draw_[1] < 0.3:
        picture = picture.transpose(1, 2)
    if draw_[2] < 0.5:
        picture = picture.flip(2)
    # Films are scanned larger than photographs of the web: their edges are softer.
    scale = max(high / picture.shape[1], wide / picture.shape[2], 1.0 if draw_[3] < 0.6 else 2 ** (2 * draw_[3] - 1.2))
    if scale > 1:
        size = (max(high, round(picture.shape[1] * scale)), max(wide, round(picture.shape[2] * scale)))
        picture = functional.interpolate(picture[None], size=size, mode="bilinear", align_corners=False)[0]
    top, left = int(draw_[4] * (picture.shape[1] - high + 1)), int(draw_[5] * (picture.shape[2] - wide + 1))
    return picture[:, top : top + high, left : left + wide].contiguous()


def make_sample(shown: Sequence[Tensor], bank: GrainBank, seed: int, number: int) -> tuple[Tensor, float, Tensor]:
    """Frame [3, H, W], σ, and how much bright and dark lines changed it [2, H/8, W], as means over eights of rows; codes 0…1."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
    frame = _crop(shown, generator)
    high, wide = frame.shape[-2:]
    draw_ = torch.rand(8, generator=generator).tolist()
    gray = draw_[0] < 0.5
    if gray:
        frame = (frame * torch.tensor(LUMA).view(3, 1, 1)).sum(0, keepdim=True).expand(3, -1, -1).contiguous()
    if draw_[1] < 0.4:
        for _ in range(1 + int(draw_[1] * 5)):
            frame = pole(frame, generator)
    # The line lies on the film: grain is below it, and dims with the picture.
    sigma = 0.0 if draw_[4] < 0.2 else float(1.2 * 15 ** draw_[5] / 255)
    if sigma:
        which = torch.tensor([int(draw_[6] * len(bank.stocks))])
        gain = sigma / float(bank.middle[which[0]])
        share = torch.tensor([1.0 if gray else 0.5 * draw_[7]])
        frame = frame + gain * bank.grain(frame[None], which, share, generator)[0]
    bright, dark = torch.zeros(high, wide), torch.zeros(high, wide)
    count = 0 if draw_[2] < 0.3 else 1 + int(draw_[3] * 3)
    for _ in range(count):
        # The line may be longer than the crop is high.
        kind = sharp_scratch if float(torch.rand(1, generator=generator)) < SHARP else random_scratch
        line = kind(generator, height=high)
        after = draw(frame, line, float(torch.rand(1, generator=generator)) * (wide - 1), generator)
        change = after - frame
        most = change.abs().amax(0)
        own = torch.where((change.mean(0) > 0) == (line.light > 0.5), most, 0.0)
        layer = bright if line.light > 0.5 else dark
        torch.maximum(layer, own, out=layer)
        frame = after
    frame = (frame.clamp(0, 1) * 255).round() / 255
    return frame, sigma, functional.avg_pool2d(torch.stack([bright, dark])[None], (ROWS, 1))[0]


def samples(shown: Sequence[Tensor], bank: GrainBank, count: int, seed: int, cache: Path | None) -> dict[str, Any]:
    """`count` samples as bytes: `frame` [N, 3, H, W], `change` [N, 2, H/8, W] (four times as large), and `sigma` [N]; kept in `cache`."""
    path = cache / f"scratch-lines-{count}-{seed}.pt" if cache else None
    if path and path.exists():
        kept: dict[str, Any] = torch.load(path, weights_only=True)
        return kept
    kept = {
        "frame": torch.zeros(count, 3, TALL * SIDE, SIDE, dtype=torch.uint8),
        "change": torch.zeros(count, 2, TALL * SIDE // ROWS, SIDE, dtype=torch.uint8),
        "sigma": torch.zeros(count),
    }
    begun = time.monotonic()
    for number in range(count):
        frame, sigma, change = make_sample(shown, bank, seed, number)
        kept["frame"][number] = (frame * 255).round().to(torch.uint8)
        # Bytes hold changes up to a quarter of the range: what counts lies at a few codes.
        kept["change"][number] = (change * 4 * 255).clamp(0, 255).round().to(torch.uint8)
        kept["sigma"][number] = sigma
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(kept, path)
        print(f"drew {count} samples in {time.monotonic() - begun:.0f} s", flush=True)
    return kept


class ScratchBatches:
    """An endless, seeded source of batches from samples `which`; `crop` is the width, the height is twice that."""

    def __init__(self, kept: dict[str, Any], which: Sequence[int], batch: int, crop: int, seed: int) -> None:
        if crop % ROWS or crop > SIDE:
            raise WorkshopError(f"--crop must be a multiple of {ROWS} and at most {SIDE} (got {crop})")
        self.kept, self.which, self.batch, self.crop, self.seed = kept, list(which), batch, crop, seed

    def batch_of(self, number: int) -> Batch:
        """One batch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        frames, changes, sigmas = [], [], []
        for _ in range(self.batch):
            draw_ = torch.randint(0, 2**31 - 1, (4,), generator=generator).tolist()
            index = self.which[draw_[0] % len(self.which)]
            rows = TALL * (SIDE - self.crop) // ROWS + 1
            top, left = draw_[1] % rows, draw_[2] % (SIDE - self.crop + 1)
            frame = self.kept["frame"][index, :, top * ROWS : top * ROWS + TALL * self.crop, left : left + self.crop].float() / 255
            high = TALL * self.crop // ROWS
            change = self.kept["change"][index, :, top : top + high, left : left + self.crop].float() / 4 / 255
            if draw_[3] & 1:
                frame, change = frame.flip(2), change.flip(2)
            if draw_[3] & 2:
                frame, change = frame.flip(1), change.flip(1)
            if draw_[3] & 4:
                # A negative: bright lines are dark ones there.
                frame, change = 1 - frame, change.flip(0)
            frames.append(frame)
            changes.append(change)
            sigmas.append(float(self.kept["sigma"][index]))
        # The measured strength is never quite right.
        misread = torch.exp(0.15 * torch.randn(self.batch, generator=generator)).tolist()
        scale = torch.tensor([scale_of(s * m) for s, m in zip(sigmas, misread, strict=True)]).view(-1, 1, 1, 1)
        change = torch.stack(changes)
        lines = (change >= SURE).float()
        # What grain hides even over many rows can be asked for, not demanded; what is neither is not asked.
        visible = (change * scale).clamp(0.1, 1)
        asked = torch.where(lines > 0, visible, (change < FAINT).float())
        return Batch(torch.stack(frames), scale, lines, asked)
