"""What lies in public/models is whole, fit for WebGPU, and does what its manifest says. Needs no network."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from emulsion_training.compare import open_session, run_onnx, tile_error, warp
from emulsion_training.export import check_for_webgpu, opset
from emulsion_training.models import MODELS, Model
from emulsion_training.own_models import OWN
from emulsion_training.patterns import picture

Float = NDArray[np.float32]
ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "public" / "models"
MANIFEST: dict[str, Any] = json.loads((SHIPPED / "models.json").read_text(encoding="utf-8"))
LINES: dict[str, dict[str, Any]] = {line["id"]: line for line in MANIFEST["models"]}
MEASURED: dict[str, Any] = json.loads((ROOT / "training" / "measurements.json").read_text(encoding="utf-8"))
SHIPPED_MODELS = [model for model in (*MODELS, *OWN) if model in MODELS or model.id in LINES]
"""Everything that is imported, and what the workshop has exported so far."""
IDS = [model.id for model in SHIPPED_MODELS]


def resolve(shape: list[int | str], height: int, width: int) -> list[int]:
    """A manifest shape for a picture size: entries are numbers, H, W, H/2, W*4 and the like."""
    sizes = {"H": height, "W": width}
    result = []
    for part in shape:
        if isinstance(part, int):
            result.append(part)
        elif "/" in part:
            result.append(sizes[part[0]] // int(part[2:]))
        elif "*" in part:
            result.append(sizes[part[0]] * int(part[2:]))
        else:
            result.append(sizes[part])
    return result


def canary(line: dict[str, Any], kind: str) -> dict[str, Float]:
    """The stored inputs or outputs of a model's canary."""
    side = line["canary"]
    return {
        port["name"]: np.frombuffer((SHIPPED / side[kind][port["name"]]).read_bytes(), "<f4").reshape(
            resolve(port["shape"], side["height"], side["width"])
        )
        for port in line[kind]
    }


def test_the_manifest_lists_exactly_the_models() -> None:
    assert MANIFEST["version"] == 1
    assert list(LINES) == IDS
    files = {path.name for path in SHIPPED.glob("*.onnx")}
    assert files == {line["file"] for line in LINES.values()}
    total = sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file())
    # What a browser fetches once, cards and all; tracked files are to stay under 40 MiB.
    assert total < 32_000_000


@pytest.mark.parametrize("model", SHIPPED_MODELS, ids=IDS)
def test_a_file_is_the_manifests(model: Model) -> None:
    line = LINES[model.id]
    data = (SHIPPED / line["file"]).read_bytes()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (line["sha256"], line["bytes"])
    loaded = onnx.load_model_from_string(data)
    onnx.checker.check_model(loaded)
    assert opset(loaded) == line["opset"]
    assert check_for_webgpu(loaded) == []
    for kind, infos in (("inputs", loaded.graph.input), ("outputs", loaded.graph.output)):
        ports = {info.name: [dim.dim_param or dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in infos}
        assert ports == {port["name"]: port["shape"] for port in line[kind]}
    halves = [tensor for tensor in loaded.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT16]
    # Of a small file the graph itself, and what is too small to be halved, is the larger part of the rest.
    assert sum(int(np.prod(tensor.dims)) * 2 for tensor in halves) > min(0.85 * len(data), len(data) - 16384)


@pytest.mark.parametrize("model", SHIPPED_MODELS, ids=IDS)
def test_the_canary_reproduces(model: Model) -> None:
    line = LINES[model.id]
    inputs = canary(line, "inputs")
    made = model.sample(line["canary"]["height"], line["canary"]["width"])
    for name, value in inputs.items():
        assert np.allclose(value, made[name], atol=1e-6), name
    actual = run_onnx(open_session(SHIPPED / line["file"]), inputs)
    for name, expected in canary(line, "outputs").items():
        assert np.abs(actual[name] - expected).max() <= line["canary"]["toleranceWasm"], name
        assert expected.std() > 1e-3, f"{name} says nothing"


@pytest.mark.parametrize("model", [model for model in SHIPPED_MODELS if model.bounded], ids=lambda model: model.id)
def test_tiles_with_the_halo_equal_the_whole(model: Model) -> None:
    line = LINES[model.id]
    session = open_session(SHIPPED / line["file"])

    def run(image: Float) -> Float:
        inputs = model.feeds(image) if model.feeds else {"image": image}
        if "sigma" in {port.name for port in model.inputs}:
            inputs["sigma"] = np.full((1, 1, image.shape[2] // 2, image.shape[3] // 2), 0.1, np.float32)
        return next(iter(run_onnx(session, inputs).values()))

    assert tile_error(run, picture(64, 96), 48, line["halo"], line["scale"]) <= 1e-3
    assert tile_error(run, picture(64, 96), 48, 0, line["scale"]) > 1e-3


@pytest.mark.parametrize("model", SHIPPED_MODELS, ids=IDS)
def test_the_comparison_with_the_original_is_recorded(model: Model) -> None:
    recorded = MEASURED[model.id]["against PyTorch"]
    assert set(recorded) == {port.name for port in model.outputs}
    assert all(value["psnrDb"] >= 50 for value in recorded.values())


@pytest.mark.parametrize("model", SHIPPED_MODELS, ids=IDS)
def test_license_and_card_are_there(model: Model) -> None:
    assert LINES[model.id]["sha256"] in (SHIPPED / "cards" / f"{model.id}.md").read_text(encoding="utf-8")
    assert f"{model.file}: {model.title}" in (SHIPPED / "NOTICE").read_text(encoding="utf-8")


def test_rife_outputs_mean_what_the_manifest_says() -> None:
    inputs, outputs = canary(LINES["rife"], "inputs"), canary(LINES["rife"], "outputs")
    near, far = warp(inputs["a"], outputs["flow"][:, :2]), warp(inputs["b"], outputs["flow"][:, 2:])
    mask = outputs["mask"]
    assert np.abs(mask * near + (1 - mask) * far - outputs["mid"]).max() < 1e-4


def test_rife_flow_points_the_documented_way() -> None:
    # Content moves 4 px to the left from a to b; at t = 0.25 it lay 1 px further right in a and lies 3 px further left in b.
    session = open_session(SHIPPED / "rife.onnx")
    inputs = {**_rife(192), "t": np.full((1, 1, 1, 1), 0.25, np.float32)}
    flow = run_onnx(session, inputs)["flow"][0, :, 32:-32, 32:-32]
    assert [float(np.median(channel)) for channel in flow] == pytest.approx([1, 0, -3, 0], abs=0.5)


def _rife(side: int) -> dict[str, Float]:
    rife = next(model for model in MODELS if model.id == "rife")
    # Blobs instead of the ripple: a ripple repeats and has no motion of its own to find.
    y, x = np.meshgrid(np.arange(side), np.arange(side + 4), indexing="ij")
    generator = np.random.default_rng(5)
    scene = np.full((3, side, side + 4), 0.5)
    for _ in range(900):
        cx, cy, radius = generator.uniform(0, side + 4), generator.uniform(0, side), generator.uniform(2, 5)
        color = generator.uniform(-0.3, 0.3, (3, 1, 1))
        scene += color * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * radius**2))
    scene = np.clip(scene, 0, 1).astype(np.float32)[None]
    return {**rife.sample(side, side), "a": scene[..., :side].copy(), "b": scene[..., 4:].copy()}
