"""Weights out of a shipped ONNX file: what training starts from, and what evaluation runs beside."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .paths import MODELS, TRAINING, WorkshopError, need

CARRIED = TRAINING / ".start"
"""A GPU kit's weights to start from, so that no ONNX need be read there."""


def shipped_state(path: Path, also: Collection[str] = ()) -> dict[str, Tensor]:
    """A model's weights by the names of its module, and what is named in `also`; those stored as float16 are widened."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(need(path, "the shipped model"))).graph
    found = {item.name.removesuffix(".f16"): numpy_helper.to_array(item).astype(np.float32) for item in graph.initializer}
    return {name: torch.from_numpy(value.copy()) for name, value in found.items() if name.endswith((".weight", ".bias")) or name in also}


def start_of(*names: str, also: Collection[str] = ()) -> dict[str, Tensor] | None:
    """What training starts from: the weights of the first of these models that is shipped (or carried, in a kit), or None."""
    for name in names:
        if (CARRIED / f"{name}.pt").exists():
            return {key: value.float() for key, value in torch.load(CARRIED / f"{name}.pt", weights_only=True).items()}
        if (MODELS / f"{name}.onnx").exists():
            return shipped_state(MODELS / f"{name}.onnx", also)
    return None


def carry_start(folder: Path, *names: str) -> None:
    """Writes the weights of the first of these models that is shipped, in half precision as they are stored: for the GPU kit."""
    for name in names:
        if (state := start_of(name)) is not None:
            torch.save({key: value.half() if value.numel() >= 1024 else value for key, value in state.items()}, folder / f"{name}.pt")
            return
    raise WorkshopError(f"none of {', '.join(names)} is shipped: the kit would start from nothing")
