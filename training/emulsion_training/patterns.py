"""Pictures made of integers only, so that any language makes the same bits: canary inputs and comparison pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


def hash32(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A 32-bit integer hash (xor-shift and multiply, wrapping)."""
    h = value.astype(np.uint32)
    h = h ^ (h >> np.uint32(16))
    h = h * np.uint32(0x7FEB352D)
    h = h ^ (h >> np.uint32(15))
    h = h * np.uint32(0x846CA68B)
    return h ^ (h >> np.uint32(16))


def picture(height: int, width: int, shift: int = 0) -> Float:
    """A colored ripple with light noise, [1, 3, height, width], 20/255…225/255.

    With `shift`, the same picture seen `shift` pixels further right (its content moves left). For pixel (x, y), x
    counted after the shift, and channel c: p = (6x + 4y + 50c) mod 256; wave = 2p for p < 128, else 510 − 2p;
    noise = hash32(x + 4096y + 2^24·c) mod 16; value = (20 + floor(3·wave / 4) + noise) / 255, rounded to float32.
    """
    c, y, x = np.meshgrid(np.arange(3), np.arange(height), np.arange(width) + shift, indexing="ij")
    p = (6 * x + 4 * y + 50 * c) % 256
    wave = np.where(p < 128, 2 * p, 510 - 2 * p)
    noise = hash32((x + 4096 * y + (c << 24)).astype(np.uint32)) % np.uint32(16)
    return ((20 + 3 * wave // 4 + noise.astype(np.int64)) / 255).astype(np.float32)[None]


def noise_map(height: int, width: int) -> Float:
    """A noise level that varies over the picture, [1, 1, height, width]: (10 + x + y) / 255."""
    y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return ((10 + x + y) / 255).astype(np.float32)[None, None]
