"""Comparisons: an ONNX file against its original, tiled against untiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Difference:
    """How far two arrays are apart. PSNR is relative to a range of 1."""

    psnr: float
    largest: float
    mean: float


def difference(a: Float, b: Float) -> Difference:
    """The difference of two arrays of one shape, computed in double precision."""
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {a.shape} and {b.shape}")
    error = np.abs(a.astype(np.float64) - b.astype(np.float64))
    square = float((error**2).mean())
    psnr = float("inf") if square == 0 else -10 * float(np.log10(square))
    return Difference(psnr, float(error.max()), float(error.mean()))


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """A session on onnxruntime's CPU provider, one thread: the arithmetic then does not depend on the machine's cores."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run_onnx(session: onnxruntime.InferenceSession, inputs: dict[str, Float]) -> dict[str, Float]:
    """All outputs by name."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def run_original(module: nn.Module, inputs: dict[str, Float], outputs: list[str]) -> dict[str, Float]:
    """The same for a PyTorch module whose arguments are the inputs in order."""
    with torch.no_grad():
        result = module(*[torch.from_numpy(value) for value in inputs.values()])
    values = result if isinstance(result, tuple) else (result,)
    return dict(zip(outputs, [value.numpy() for value in values], strict=True))


def warp(image: Float, flow: Float) -> Float:
    """Bilinear samples of image [1,C,H,W] at p + flow [1,2,H,W], edges repeated."""
    height, width = image.shape[2:]
    y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    px, py = np.clip(x + flow[0, 0], 0, width - 1), np.clip(y + flow[0, 1], 0, height - 1)
    x0, y0 = np.floor(px).astype(int), np.floor(py).astype(int)
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    fx, fy = px - x0, py - y0
    plane = image[0]
    top = plane[:, y0, x0] * (1 - fx) + plane[:, y0, x1] * fx
    bottom = plane[:, y1, x0] * (1 - fx) + plane[:, y1, x1] * fx
    return np.asarray(top * (1 - fy) + bottom * fy, np.float32)[None]


def tile_error(run: Callable[[Float], Float], image: Float, tile: int, halo: int, scale: int) -> float:
    """The largest difference between `image` processed whole and in tiles with `halo` pixels of surroundings."""
    whole = run(image)
    height, width = image.shape[2:]
    worst = 0.0
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(top + tile, height), min(left + tile, width)
            y0, x0, y1, x1 = max(top - halo, 0), max(left - halo, 0), min(bottom + halo, height), min(right + halo, width)
            part = run(np.ascontiguousarray(image[:, :, y0:y1, x0:x1]))
            inner = part[:, :, (top - y0) * scale : (bottom - y0) * scale, (left - x0) * scale : (right - x0) * scale]
            expected = whole[:, :, top * scale : bottom * scale, left * scale : right * scale]
            worst = max(worst, float(np.abs(inner - expected).max()))
    return worst


def receptive_radius(run: Callable[[Float], Float], size: int, align: int, scale: int, limit: int) -> int:
    """The farthest that a change of one input pixel reaches, in input pixels, rounded up to `align`.

    Found by changing single pixels (every phase of the alignment) of a flat gray picture and looking at what moves at
    all. Rectifiers may hide a path in one picture; a random texture of small amplitude keeps both sides of them alive.
    """
    generator = np.random.default_rng(1)
    base = (0.5 + 0.05 * generator.standard_normal((1, 3, size, size))).astype(np.float32)
    before = run(base)
    reach = 0
    for phase in range(align):
        center = size // 2 + phase
        probe = base.copy()
        probe[:, :, center, center] = 1.0
        changed = np.argwhere(np.abs(run(probe) - before).max(axis=(0, 1)) > 0)
        first, last = changed.min(axis=0).min() // scale, changed.max(axis=0).max() // scale
        reach = max(reach, center - int(first), int(last) - center)
    if reach >= limit:
        raise ValueError(f"receptive field reaches {reach} px, further than the {limit} px looked at")
    return (reach + align - 1) // align * align
