"""Model cards and the NOTICE with the license texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .export import Port
from .models import MODELS, Model
from .own_models import OWN

LICENSES = Path(__file__).with_name("licenses")
EVALUATION = Path(__file__).resolve().parents[1] / "evaluation.json"
SMALL_SET = EVALUATION.with_name("small_set.json")
SMALL_SET_TITLE = "## On the small evaluation set"
NOTICE_PARTS = (
    (("rife",), "RIFE.txt"),
    (("ffdnet", "degrain"), "FFDNet.txt"),
    (("spanx2", "spanx4"), "SPAN.txt"),
    (("realesrgan-x4fast",), "Real-ESRGAN.txt"),
    (("dirt", "deblur-small", "deblur-full", "blur-cause", "scratch"), "Emulsion.txt"),
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
        *small_set(model.id),
    ]
    (folder / f"{model.id}.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def small_set(model: str) -> list[str]:
    """The card's last section: what `workshop.small_set` recorded; none where it recorded nothing."""
    recorded = json.loads(SMALL_SET.read_text(encoding="utf-8")) if SMALL_SET.exists() else {}
    figures = recorded.get(model)
    if not figures:
        return []
    kind = "log odds, 10·log₁₀" if model == "blur-cause" else "PSNR"
    head = f"Compared with the shipped file in every full test run (`python -m workshop.small_set`); {kind}:"
    return [f"{SMALL_SET_TITLE}\n\n{head}\n\n" + "\n".join(f"- {name}: {value:.2f} dB" for name, value in figures.items())]


def replace_small_set(models: Path, model: str, dry: bool = False) -> bool:
    """Puts that section into a card that is there; `dry` only says whether it is what it must be. Returns whether it was."""
    path = models / "cards" / f"{model}.md"
    before = path.read_text(encoding="utf-8")
    rest = before.split(f"\n\n{SMALL_SET_TITLE}")[0].rstrip("\n")
    after = "\n\n".join([rest, *small_set(model)]) + "\n"
    if not dry:
        path.write_text(after, encoding="utf-8")
    return before == after


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
