"""Weights out of a shipped ONNX file: what training starts from, and what evaluation runs beside."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from .paths import need


def shipped_state(path: Path, also: Collection[str] = ()) -> dict[str, Tensor]:
    """A model's weights by the names of its module, and what is named in `also`; those stored as float16 are widened."""
    graph = onnx.load(str(need(path, "the shipped model"))).graph
    found = {item.name.removesuffix(".f16"): numpy_helper.to_array(item).astype(np.float32) for item in graph.initializer}
    return {name: torch.from_numpy(value.copy()) for name, value in found.items() if name.endswith((".weight", ".bias")) or name in also}
