"""Model cards and the NOTICE with the license texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .export import Port
from .models import MODELS, OWN, Model

LICENSES = Path(__file__).with_name("licenses")
EVALUATION = Path(__file__).resolve().parents[1] / "evaluation.json"
NOTICE_PARTS = (
    (("rife",), "RIFE.txt"),
    (("ffdnet", "degrain"), "FFDNet.txt"),
    (("spanx2", "spanx4"), "SPAN.txt"),
    (("realesrgan-x4fast",), "Real-ESRGAN.txt"),
)
"""Which license file covers which models."""


def write_card(model: Model, line: dict[str, Any], measured: dict[str, Any], output: Path, more: tuple[str, ...] = ()) -> None:
    """Writes `cards/<id>.md`; `more` are sections to add."""
    folder = output / "cards"
    folder.mkdir(exist_ok=True)
    halo = "unbounded" if line["halo"] is None else f"{line['halo']} px"
    sections = [
        f"# {model.title} (`{model.id}`)",
        model.summary,
        "| | |\n|---|---|\n"
        + "\n".join(
            f"| {name} | {value} |"
            for name, value in {
                "Role": model.role,
                "License": model.license,
                "Source": model.source,
                "File": f"`{model.file}`, {line['bytes']} bytes, opset {line['opset']}, weights stored as float16",
                "SHA-256": f"`{line['sha256']}`",
                "Size of pictures": f"multiples of {model.align}" if model.align > 1 else "any",
                "Output side ÷ input side": model.scale,
                "Receptive radius (halo)": halo,
                "Cost": f"{line['costGflopPerMegapixel']} GFLOP a megapixel of input",
                "Channel padding": model.padding,
            }.items()
        ),
        "## Inputs\n\n" + _ports(model.inputs),
        "## Outputs\n\n" + _ports(model.outputs),
        "## Notes\n\n" + "\n".join(f"- {note}" for note in model.notes),
        "## Measured\n\n" + _measurements(model, measured),
        *more,
    ]
    (folder / f"{model.id}.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _ports(ports: tuple[Port, ...]) -> str:
    return "\n".join(f"- `{port.name}` [{', '.join(str(size) for size in port.shape)}], {port.range}: {port.meaning}." for port in ports)


def _measurements(model: Model, measured: dict[str, Any]) -> str:
    size = measured["comparedAt"]
    rows = [
        f"| {name} | {value['psnrDb']} dB | {value['largest']} | {value['mean']} |" for name, value in measured["against PyTorch"].items()
    ]
    text = (
        f"Against the original network in PyTorch, on a {size['width']}×{size['height']} synthetic picture "
        "(`training/emulsion_training/patterns.py`), by onnxruntime on the CPU:\n\n"
        "| output | PSNR | largest error | mean error |\n|---|---|---|---|\n" + "\n".join(rows)
    )
    tiles = measured["tiled against whole, by halo"]
    if tiles:
        text += "\n\nLargest difference between tiled (32 px) and whole, by halo: "
        text += ", ".join(f"{halo} px {error}" for halo, error in tiles.items()) + "."
    if EVALUATION.exists():
        findings = json.loads(EVALUATION.read_text(encoding="utf-8")).get(model.id, [])
        if findings:
            text += "\n\nOn pictures:\n\n" + "\n".join(f"- {finding}" for finding in findings)
    return text


def write_notice(output: Path, shipped: list[str]) -> None:
    """Writes `NOTICE`: every shipped file with its origin and the text of its license."""
    by_id = {model.id: model for model in (*MODELS, *OWN)}
    parts = ["Pretrained models shipped with Emulsion, converted to ONNX (float16-stored weights) by training/."]
    for ids, name in NOTICE_PARTS:
        heads = [f"{by_id[i].file}: {by_id[i].title}\nLicense: {by_id[i].license}\nSource: {by_id[i].source}" for i in ids if i in shipped]
        if heads:
            parts.append("\n\n".join(["=" * 78, *heads, (LICENSES / name).read_text(encoding="utf-8").strip()]))
    (output / "NOTICE").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
