"""What a restorer would run on scratches instead, for `evaluate_scratch`: a detector without training, and ffmpeg's delogo."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from . import metrics
from .baselines import ffmpeg_filter


def classical(frame: Tensor) -> tuple[Tensor, list[tuple[int, float]]]:
    """The detector that needs no training, frame by frame: sign [1, H, W] and the columns found.

    The median along each column of how far a pixel stands out from its row's closing or opening (a window of 13 px) is a line where it is
    above the frame's other columns by 8 of their deviations (by the median absolute one), 3 codes at least; bridged from the sides.
    """
    y = metrics.luma(frame).view(1, 1, *frame.shape[-2:])

    def largest(plane: Tensor) -> Tensor:
        return functional.max_pool2d(plane, (1, 13), 1, (0, 6))

    opened, closed = largest(-largest(-y)), -largest(-largest(y))
    sign = torch.zeros(1, *frame.shape[-2:])
    found = []
    for polarity, away in ((0, y - opened), (1, closed - y)):
        column = away[0, 0].median(0).values
        usual = column.median()
        taken = column > max(3 / 255, float(usual + 8 * 1.4826 * (column - usual).abs().median()))
        peak = taken & (column >= functional.max_pool1d(column[None], 13, 1, 6)[0])
        found += [(polarity, float(x)) for x in peak.nonzero().flatten()]
        wide = functional.max_pool1d(taken[None].float(), 3, 1, 1)[0]
        sign = torch.where(wide.view(1, 1, -1) > 0, 1.0 - 2 * polarity, sign)
    return sign, found


def told_delogo(frames: Tensor, columns: Sequence[tuple[float, float]]) -> tuple[Tensor, Tensor]:
    """ffmpeg's delogo on the middle of three frames, told where the lines are (column and half width): picture and mask."""
    height, width = frames.shape[-2:]
    mask = torch.zeros(1, height, width)
    parts = []
    for column, half in columns:
        left, right = max(1, round(column - half)), min(width - 2, round(column + half))
        if right >= left:
            parts.append(f"delogo=x={left}:y=1:w={right - left + 1}:h={height - 2}")
            mask[..., left : right + 1] = 1
    return (ffmpeg_filter(frames, ",".join(parts), "gbrp")[1] if parts else frames[1]), mask
