"""Cases of an evaluation, kept in a folder: a run that was stopped goes on, and processes share the work."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

Case = tuple[dict[str, Any], list[Tensor]]
"""A row of figures, and the pictures of which crops are shown."""


@dataclass(frozen=True)
class Kept:
    """Cases are named by the weights, the frames and the code that makes them: others make others."""

    folder: Path
    weights: bytes
    modules: Sequence[ModuleType]

    def case(self, number: int, frames: Tensor, make: Callable[[], Case]) -> Case:
        """Case `number` of these frames, made if it is not there."""
        sources = [Path(module.__file__ or "").read_bytes() for module in self.modules]
        told = hashlib.sha256(b"".join([*sources, self.weights, frames.contiguous().numpy().tobytes()])).hexdigest()[:20]
        path = self.folder / f"{number}-{told}.pt"
        if path.exists():
            row, shown = torch.load(path, weights_only=True)
            return row, list(shown)
        made = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        own = path.with_suffix(f".{os.getpid()}")
        torch.save(made, own)
        os.replace(own, path)
        return made
