"""Connected parts of a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def parts_of(mask: NDArray[np.bool_]) -> NDArray[Any]:
    """For each pixel of the mask [H, W], in row order, which part it belongs to, counted from 0: 8 neighbors are connected.

    Parts are in the order of their last pixels. Labels spread along the edges between pixels and, by pointer jumping, from label to
    label, so that a part of N pixels takes about log N rounds.
    """
    height, width = mask.shape
    where = np.full((height + 1, width + 2), -1, np.int64)
    inner = where[:height, 1:-1]
    count = int(mask.sum())
    inner[mask] = np.arange(count)
    ends = []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = where[down : down + height, 1 + right : 1 + right + width]
        both = mask & (other >= 0)
        ends.append((inner[both], other[both]))
    a, b = (np.concatenate(side) for side in zip(*ends, strict=True))
    label = np.arange(count)
    while True:
        highest = np.maximum(label[a], label[b])
        if np.array_equal(label[a], label[b]):
            break
        # What the two ends were called is called as the higher of both from now on.
        np.maximum.at(label, label[a], highest)
        np.maximum.at(label, label[b], highest)
        while not np.array_equal(label, label[label]):
            label = label[label]
    return np.unique(label, return_inverse=True)[1]
