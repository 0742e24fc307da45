"""Samples for `scratch`: crops of pictures with grain, lines of the film on some, upright things of the picture on others.

Everything is drawn as it is asked for: batch `n` depends on the seed and on `n` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from degradation.grain_bank import GrainBank
from degradation.scratches import draw, pole, random_scratch

from .dirt_net import LUMA, scale_of
from .paths import WorkshopError, need, split
from .pictures import read_frames, read_picture
from .scratch_net import ROWS

FAINT, SURE = 1 / 255, 3 / 255
"""A change by a line below the first does not count as one, above the second it does; between them nothing is asked."""
TALL = 2
"""Crops are so many times as high as they are wide."""
WHOLE_FRAMES = 4
"""Frames read of each clip."""


def pictures(data: Path) -> list[Tensor]:
    """Pictures [3, H, W] of bytes, from everything the split lets us train on."""
    need(data, "photographs and clips are read from ../shared/data or from the folder EMULSION_DATA")
    parts = split()
    found = []
    for pattern in parts["photos"]["train"]:
        found += [torch.from_numpy(read_picture(path).copy()).permute(2, 0, 1) for path in sorted(data.glob(pattern))]
    for name, first, last in parts["video"]["train"]:
        for k in range(WHOLE_FRAMES):
            frame = torch.from_numpy(read_frames(data / name, first + (last - first) * k // WHOLE_FRAMES, 1)[0].copy()).permute(2, 0, 1)
            found.append(functional.avg_pool2d(frame.float(), 2).to(torch.uint8) if frame.shape[-1] > 1000 else frame)
    if not found:
        raise WorkshopError(f"{data}: no pictures of training/split.json")
    return found


@dataclass(frozen=True)
class Batch:
    """Frames with their scale; `lines` [B, 2, H/8, W] the share of rows on a bright and on a dark line, `asked` each cell's weight."""

    frame: Tensor
    scale: Tensor
    lines: Tensor
    asked: Tensor


class ScratchBatches:
    """An endless, seeded source of batches; `crop` is the width, the height is twice that."""

    def __init__(self, shown: Sequence[Tensor], bank: GrainBank, batch: int, crop: int, seed: int) -> None:
        if crop % ROWS:
            raise WorkshopError(f"--crop must be a multiple of {ROWS} (got {crop})")
        self.shown, self.bank, self.batch, self.crop, self.seed = shown, bank, batch, crop, seed

    def _crop(self, generator: torch.Generator) -> Tensor:
        """A clean crop, at times turned (what is level becomes upright), enlarged or gray."""
        high, wide = TALL * self.crop, self.crop
        draw_ = torch.rand(6, generator=generator).tolist()
        picture = self.shown[int(draw_[0] * len(self.shown))].float() / 255
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

    def sample_of(self, generator: torch.Generator) -> tuple[Tensor, float, Tensor, Tensor]:
        """Frame, σ, lines and weights of one sample."""
        frame = self._crop(generator)
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
            which = torch.tensor([int(draw_[6] * len(self.bank.stocks))])
            gain = sigma / float(self.bank.middle[which[0]])
            share = torch.tensor([1.0 if gray else 0.5 * draw_[7]])
            frame = frame + gain * self.bank.grain(frame[None], which, share, generator)[0]
        bright, dark = torch.zeros(high, wide), torch.zeros(high, wide)
        count = 0 if draw_[2] < 0.3 else 1 + int(draw_[3] * 3)
        for _ in range(count):
            # The line may be longer than the crop is high.
            line = random_scratch(generator, height=high)
            after = draw(frame, line, float(torch.rand(1, generator=generator)) * (wide - 1), generator)
            change = after - frame
            most = change.abs().amax(0)
            own = torch.where((change.mean(0) > 0) == (line.light > 0.5), most, 0.0)
            layer = bright if line.light > 0.5 else dark
            torch.maximum(layer, own, out=layer)
            frame = after
        frame = (frame.clamp(0, 1) * 255).round() / 255
        changes = torch.stack([bright, dark])
        lines = functional.avg_pool2d((changes >= SURE).float()[None], (ROWS, 1))[0]
        change = functional.avg_pool2d(changes[None], (ROWS, 1))[0]
        # What grain hides even over many rows can be asked for, not demanded; what is neither is not asked.
        visible = (change * scale_of(sigma)).clamp(0.1, 1)
        between = (change >= FAINT) & (lines < 0.25)
        asked = torch.where(lines >= 0.25, visible, torch.where(between, 0.0, 1.0))
        return frame, sigma, lines, asked

    def batch_of(self, number: int) -> Batch:
        """One batch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        made = [self.sample_of(generator) for _ in range(self.batch)]
        # The measured strength is never quite right.
        misread = torch.exp(0.15 * torch.randn(self.batch, generator=generator)).tolist()
        scale = torch.tensor([scale_of(one[1] * m) for one, m in zip(made, misread, strict=True)]).view(-1, 1, 1, 1)
        return Batch(torch.stack([m[0] for m in made]), scale, torch.stack([m[2] for m in made]), torch.stack([m[3] for m in made]))
