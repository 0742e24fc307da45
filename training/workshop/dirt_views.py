"""Aligned views of the frames that `dirt` is evaluated on: the same for every net, so they are made once and kept.

What is kept is named by the frames and by the code that aligns: other frames or other code make others.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import align
from .align import Views, pair_flows, views_of
from .networks import run_any_size

LEAST_SIGMA = 1.5 / 255
"""Grain below this is not taken off the guides."""


class Aligner:
    """RIFE and a denoiser for its guides, with a memory of the last frames, and with a folder if there is one."""

    def __init__(self, rife: nn.Module, denoiser: nn.Module, kept: Path | None = None) -> None:
        self.rife, self.denoiser, self.kept = rife, denoiser, kept
        self._guides: dict[str, Tensor] = {}
        self._pairs: dict[str, tuple[Tensor, Tensor]] = {}

    def views(self, frames: Tensor, sigma: float) -> Views:
        """The views of the middle of three frames [3, 3, H, W] with grain of σ."""
        names = [_name(frame) for frame in frames]
        own = hashlib.sha256("".join([*names, f"{sigma:.6f}", CODE]).encode()).hexdigest()[:24]
        path = self.kept / f"{own}.pt" if self.kept else None
        if path and path.exists():
            return Views(**torch.load(path, weights_only=True))
        guides = torch.stack([self._guide(name, frame, sigma) for name, frame in zip(names, frames, strict=True)])
        pairs = {k: self._pair(names[k] + names[k + 1], guides[k], guides[k + 1]) for k in range(2)}
        views = views_of(self.rife, frames, guides, pairs)
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(vars(views), path.with_suffix(".new"))
            os.replace(path.with_suffix(".new"), path)
        return views

    def _guide(self, name: str, frame: Tensor, sigma: float) -> Tensor:
        if sigma < LEAST_SIGMA:
            return frame
        if name not in self._guides:
            _forget(self._guides)
            self._guides[name] = run_any_size(self.denoiser, frame[None], sigma)[0]
        return self._guides[name]

    def _pair(self, name: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        if name not in self._pairs:
            _forget(self._pairs)
            self._pairs[name] = pair_flows(self.rife, a, b)
        return self._pairs[name]


def _name(frame: Tensor) -> str:
    return hashlib.sha256(frame.contiguous().numpy().tobytes()).hexdigest()


def _forget(memory: dict[str, Any]) -> None:
    """Leaves room for one more of the four that three consecutive frames need."""
    while len(memory) >= 4:
        del memory[next(iter(memory))]


CODE = hashlib.sha256(Path(align.__file__).read_bytes()).hexdigest()
"""Of the code that aligns."""
