"""`models.json` and the canary's files: what the app reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compare import open_session, run_onnx
from .export import OPSET, Port
from .models import Model
from .sources import sha256

Float = NDArray[np.float32]
TOLERANCE_WASM = 1e-4
TOLERANCE_WEBGPU = 1e-3


def write_canary(model: Model, directory: Path) -> dict[str, Any]:
    """Writes the canary's inputs and the shipped file's outputs as raw little-endian float32; returns its entry."""
    folder = directory / "canary"
    folder.mkdir(exist_ok=True)
    side = model.smallest
    inputs = model.sample(side, side)
    outputs = run_onnx(open_session(directory / model.file), inputs)

    def store(kind: str, values: dict[str, Float]) -> dict[str, str]:
        files = {}
        for name, value in values.items():
            files[name] = f"canary/{model.id}.{kind}.{name}.f32"
            (directory / files[name]).write_bytes(np.ascontiguousarray(value, dtype="<f4").tobytes())
        return files

    return {
        "width": side,
        "height": side,
        "inputs": store("in", inputs),
        "outputs": store("out", outputs),
        "toleranceWasm": TOLERANCE_WASM,
        "toleranceWebgpu": TOLERANCE_WEBGPU,
    }


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "shape": port.shape, "range": port.range, "meaning": port.meaning}


def entry(model: Model, directory: Path, halo: int | None, cost: float, canary: dict[str, Any]) -> dict[str, Any]:
    """A model's line of the manifest."""
    path = directory / model.file
    return {
        "id": model.id,
        "role": model.role,
        "file": model.file,
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "license": model.license,
        "source": model.source,
        "opset": OPSET,
        "precision": "fp16-stored",
        "inputs": [_port(port) for port in model.inputs],
        "outputs": [_port(port) for port in model.outputs],
        "align": model.align,
        "scale": model.scale,
        "tile": model.tile,
        "halo": halo,
        "boundedReceptiveField": model.bounded,
        "channelPadding": model.padding,
        "costGflopPerMegapixel": round(cost, 1),
        "canary": canary,
    }


def write_manifest(directory: Path, entries: list[dict[str, Any]]) -> None:
    """Writes `models.json`, version 1."""
    write_json(directory / "models.json", {"version": 1, "models": entries})


def write_json(path: Path, value: object) -> None:
    """Writes JSON with tabs and a final newline, as the project's formatter would keep it."""
    path.write_text(json.dumps(value, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
