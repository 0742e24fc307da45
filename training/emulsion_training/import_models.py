"""The one command: fetch, check, convert, compare, and write `public/models`.

    python -m emulsion_training.import_models [--cache DIR] [--output DIR] [--only ID …]

Run twice, it writes the same bytes. Fails, and says where, when a sum differs, when an exported file would not run
wholly on WebGPU, or when it is further than 50 dB from the original network in PyTorch.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from .cards import write_card, write_notice
from .compare import Difference, Float, difference, open_session, receptive_radius, run_onnx, run_original, tile_error
from .export import ExportRequest, check_for_webgpu, export, gflop
from .manifest import entry, write_canary, write_json, write_manifest
from .models import MODELS, Model, example
from .own_models import OWN
from .patterns import picture
from .sources import fetch

ROOT = Path(__file__).resolve().parents[2]
MEASUREMENTS = ROOT / "training" / "measurements.json"
LEAST_PSNR = 50.0
TILE_TOLERANCE = 1e-3


class ImportFailure(RuntimeError):
    """A model that must not be shipped."""


def convert(model: Model, cache: Path, output: Path) -> None:
    """Writes the ONNX file, or raises with everything that keeps it off the GPU."""
    height, width = model.compare_size
    request = ExportRequest(
        model.build(cache),
        example(model, height, width),
        list(model.inputs),
        list(model.outputs),
        {"id": model.id, "license": model.license, "source": model.source},
    )
    exported = export(request)
    problems = check_for_webgpu(exported)
    if problems:
        raise ImportFailure(f"{model.id}: " + "; ".join(problems))
    (output / model.file).write_bytes(exported.SerializeToString(deterministic=True))


def compare(model: Model, cache: Path, output: Path) -> dict[str, Difference]:
    """The shipped file on onnxruntime against the original in PyTorch, by output; raises below 50 dB."""
    inputs = model.sample(*model.compare_size)
    names = [port.name for port in model.outputs]
    expected = run_original(model.original(cache).eval(), inputs, names)
    actual = run_onnx(open_session(output / model.file), inputs)
    result = {name: difference(actual[name], expected[name]) for name in names}
    for port in model.outputs:
        # A flow is in pixels, not in 0…1; it is recorded, and the picture made with it is what has to agree.
        if not port.range.startswith("pixels") and result[port.name].psnr < LEAST_PSNR:
            raise ImportFailure(f"{model.id}: output {port.name} is only {result[port.name].psnr:.1f} dB from the original")
    return result


def measure_halo(model: Model, output: Path) -> tuple[int | None, dict[str, float]]:
    """The receptive radius in input pixels, and the tile errors with that halo and with smaller ones."""
    if not model.bounded:
        return None, {}
    session = open_session(output / model.file)

    def run(image: Float) -> Float:
        inputs = model.feeds(image) if model.feeds else {"image": image}
        if "sigma" in {port.name for port in model.inputs}:
            inputs["sigma"] = np.full((1, 1, image.shape[2] // 2, image.shape[3] // 2), 25 / 255, np.float32)
        return next(iter(run_onnx(session, inputs).values()))

    halo = receptive_radius(run, 2 * model.reach + 16, model.align, model.scale, model.reach)
    errors = {
        str(size): tile_error(run, picture(96, 128), 32, size, model.scale)
        for size in sorted({0, 8, 16, halo // 2 // model.align * model.align, halo})
    }
    if errors[str(halo)] > TILE_TOLERANCE:
        raise ImportFailure(f"{model.id}: tiles with halo {halo} differ by {errors[str(halo)]}")
    return halo, errors


def cost(model: Model, output: Path) -> float:
    """GFLOP a megapixel of input, convolutions only."""
    side = 256
    sizes = {name: value.shape for name, value in model.sample(side, side).items()}
    return gflop(onnx.load(str(output / model.file)), sizes) * 1e6 / side**2


def import_model(model: Model, cache: Path, output: Path, more: tuple[str, ...] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything for one model; returns its manifest line and its measurements. `more` are sections for its card."""
    convert(model, cache, output)
    differences = compare(model, cache, output)
    halo, tiles = measure_halo(model, output)
    gflops = cost(model, output)
    line = entry(model, output, halo, gflops, write_canary(model, output))
    measured = {
        "comparedAt": {"height": model.compare_size[0], "width": model.compare_size[1]},
        "against PyTorch": {
            name: {"psnrDb": round(value.psnr, 2), "largest": _digits(value.largest), "mean": _digits(value.mean)}
            for name, value in differences.items()
        },
        "tiled against whole, by halo": {size: _digits(error) for size, error in tiles.items()},
    }
    write_card(model, line, measured, output, more)
    return line, measured


def _digits(value: float) -> float:
    return float(f"{value:.3g}")


def main(arguments: list[str] | None = None) -> int:
    """Entry of the command line; 0 when every model was written."""
    parser = argparse.ArgumentParser(prog="emulsion_training.import_models", description="Make public/models.")
    parser.add_argument("--cache", type=Path, default=ROOT / "training" / ".cache", help="where downloads are kept")
    parser.add_argument("--output", type=Path, default=ROOT / "public" / "models", help="where the models go")
    parser.add_argument("--only", nargs="+", choices=[model.id for model in MODELS], help="convert these alone")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    fetch(options.cache)
    lines = previous(options.output / "models.json")
    measurements = json.loads(MEASUREMENTS.read_text(encoding="utf-8")) if MEASUREMENTS.exists() else {}
    for model in MODELS:
        if options.only and model.id not in options.only:
            continue
        lines[model.id], measurements[model.id] = import_model(model, options.cache, options.output)
        worst = min(value["psnrDb"] for value in measurements[model.id]["against PyTorch"].values())
        print(f"{model.id}: {lines[model.id]['bytes']} bytes, {worst} dB, halo {lines[model.id]['halo']}")
    write_all(options.output, lines, measurements)
    return 0


def write_all(output: Path, lines: dict[str, dict[str, Any]], measurements: dict[str, Any], measured: Path = MEASUREMENTS) -> None:
    """Writes manifest, measurements and NOTICE of all models with a line, imported and own, in their fixed order."""
    order = [model.id for model in (*MODELS, *OWN) if model.id in lines]
    write_manifest(output, [lines[name] for name in order])
    write_json(measured, {name: measurements[name] for name in order})
    write_notice(output, order)


def previous(path: Path) -> dict[str, dict[str, Any]]:
    """The manifest's lines by id, of the models that exist."""
    if not path.exists():
        return {}
    known = {model.id for model in (*MODELS, *OWN)}
    entries = json.loads(path.read_text(encoding="utf-8"))["models"]
    return {line["id"]: line for line in entries if line["id"] in known}


if __name__ == "__main__":
    sys.exit(main())
