"""From lines to a healed frame: the same steps as the stage `scratch` makes on the GPU, at its defaults.

A scratch is seldom opaque. Where it lets light through, what is below it is the film's own, with its grain: its opacity is fitted along the
line against what the sides suggest, and taken back (after the model of Bruni and Vitulano 2004). Where it is opaque, the sides heal.
An opacity is worth no more than it stands above its own error (the garrote of Breiman 1995): beside the line nothing is taken back.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

ALONG = 16
"""Rows to each side over which evidence is averaged."""
FITTED = 8
"""Rows to each side over which opacity is fitted."""
DOUBT = 12.0
"""An opacity loses this many of its variances, over itself: √12 = 3.5 standard errors are none."""
TAKEN, NAMED = 0.35, 0.15
"""Evidence above which a pixel of a line's corridor belongs to it: of a line that was found, of one that was named by hand."""
GROW = 1
CORRIDOR = 4
"""Pixels to each side that a line may have wandered from where it was looked for."""
WIDEST = 16
"""Pixels across a line, rims included."""
REACH = 32
"""Pixels to each side in which sound film is looked for."""
BRIGHT, DARK = 0.95, 0.05
"""Code values of a scratch itself."""
OPAQUE, SPAN = 0.85, 0.2
"""Opacity from which the sides alone heal, and over how much below it they fade in."""


def along(planes: Tensor, rows: int = ALONG) -> Tensor:
    """Means over so many rows above and below, [C, H, W]; edges repeated."""
    padded = functional.pad(planes[None], (0, 0, rows, rows), mode="replicate")
    return functional.avg_pool2d(padded, (2 * rows + 1, 1), 1)[0]


def decide(
    lines: Tensor, where: Sequence[tuple[int, float, float]], widest: float = WIDEST, grow: int = GROW, least: float = TAKEN
) -> Tensor:
    """1 on a bright line, −1 on a dark one, else 0; [1, H, W]. `lines` [2, H, W]; `where` holds polarity, column, lean."""
    height, width = lines.shape[-2:]
    smooth = along(lines)
    spread = functional.max_pool2d(smooth[None], (1, 2 * grow + 1), 1, (0, grow))[0] if grow else smooth
    x, y = torch.arange(width), (torch.arange(height) + 0.5) / height - 0.5
    best, sign = torch.full((height, width), least), torch.zeros(height, width)
    for polarity, column, lean in where:
        near = (x[None] - column - lean * y[:, None]).abs() <= CORRIDOR + widest / 2
        own = near & (spread[polarity] > best)
        best = torch.where(own, spread[polarity], best)
        sign = torch.where(own, 1.0 - 2 * polarity, sign)
    return sign[None]


def from_sides(frame: Tensor, sign: Tensor) -> Tensor:
    """The frame with its lines bridged from the nearest sound pixels of the row, [3, H, W]."""
    height, width = frame.shape[-2:]
    at = torch.arange(width).expand(height, width)
    masked = sign[0] != 0
    left = torch.where(masked, -1, at).cummax(1).values
    right = torch.where(masked, width, at).flip(1).cummin(1).values.flip(1)
    has_left, has_right = (left >= 0) & (at - left <= REACH), (right < width) & (right - at <= REACH)
    a, b = frame.gather(2, left.clamp(0).expand(3, -1, -1)), frame.gather(2, right.clamp(max=width - 1).expand(3, -1, -1))
    share = (at - left).float() / (right - left).clamp(min=1)
    share = torch.where(has_left & has_right, share, torch.where(has_left, 0.0, 1.0))
    bridged = a + (b - a) * share
    return torch.where(masked & (has_left | has_right), bridged, frame)


def opacity(frame: Tensor, bridged: Tensor, sign: Tensor) -> Tensor:
    """How much a line hides, 0…1, fitted along it by least squares, less what may be chance; [1, H, W]."""
    target = torch.where(sign > 0, BRIGHT, DARK)
    inside = (sign != 0).float()
    away, full = (frame - bridged) * inside, (target - bridged) * inside
    parts = [(away * full).sum(0, keepdim=True), (full**2).sum(0, keepdim=True), (away**2).sum(0, keepdim=True), inside]
    sums = along(torch.cat(parts), FITTED)
    hidden, could, differs, own = sums[:1], sums[1:2], sums[2:3], sums[3:]
    fitted = hidden / (could + 1e-4)
    # Three channels are one witness: they err together.
    witnesses = (own * (2 * FITTED + 1)).clamp(min=1)
    variance = (differs - fitted * hidden).clamp(min=0) / (could + 1e-4) / witnesses
    sure = (1 - DOUBT * variance / (fitted**2 + 1e-9)).clamp(min=0)
    return (fitted * sure).clamp(0, 1) * inside


def heal(frame: Tensor, sign: Tensor) -> tuple[Tensor, Tensor]:
    """The healed frame [3, H, W]; and the share of the sides in it, [1, H, W]. Off the lines every value stays."""
    bridged = from_sides(frame, sign)
    hides = opacity(frame, bridged, sign)
    target = torch.where(sign > 0, BRIGHT, DARK)
    below = (frame - hides * target) / (1 - hides).clamp(min=0.1)
    # Film is no darker than black and no brighter than white, unless the frame was.
    below = torch.where(sign > 0, torch.maximum(below, frame.clamp(max=0)), torch.minimum(below, frame.clamp(min=1)))
    own = ((OPAQUE - hides) / SPAN).clamp(0, 1)
    mended = own * below + (1 - own) * bridged
    return torch.where(sign != 0, mended, frame), (1 - own) * (sign != 0)
