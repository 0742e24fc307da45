"""`export`: a trained model as ONNX under `public/models`, by the importer's rules, with its line, its canary and its card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from emulsion_training.import_models import MEASUREMENTS, import_model, previous, write_all
from emulsion_training.models import OWN, Model

from .evaluate_degrain import table
from .paths import MODELS, WorkshopError, need

FAILURES = {
    "degrain": (
        "Grain and texture of the same size and strength cannot be told apart in one frame: gravel, foliage and hair lose detail "
        "under coarse grain (the worst case below shows how much).",
        "Not yet trained long enough: on fine silver grain, and on white noise (0.7 to 2 dB), FFDNet is still better. Grain that is "
        "coarser than a pixel is what this model is for.",
        "The told strength decides: too low leaves grain, too high smears.",
        "Dirt, scratches and compression were not in the training data and are left alone or smeared.",
    )
}
"""Known failures, by model."""


def model_of(name: str) -> Model:
    """One of the workshop's own models."""
    for model in OWN:
        if model.id == name:
            return model
    raise WorkshopError(f"{name}: unknown; the workshop exports {', '.join(model.id for model in OWN)}")


def export(name: str, run: Path, evaluation: Path, output: Path = MODELS, measured: Path = MEASUREMENTS) -> dict[str, Any]:
    """Writes file, canary, card, manifest and NOTICE; other models' files and lines stay. Returns the model's line."""
    model = model_of(name)
    need(run / "best.pt", f"train it first: `train {name}`")
    need(run / "run.json", "the run was not finished; give `train` the same command again, or a smaller --budget")
    need(evaluation / "evaluation.json", f"evaluate it first: `evaluate {name}`")
    output.mkdir(parents=True, exist_ok=True)
    lines = previous(output / "models.json")
    measurements = json.loads(measured.read_text(encoding="utf-8")) if measured.exists() else {}
    lines[name], measurements[name] = import_model(model, run, output, sections(name, run, evaluation))
    write_all(output, lines, measurements, measured)
    folder = output / "cards" / name
    folder.mkdir(parents=True, exist_ok=True)
    for picture in [*sorted(evaluation.glob("*.png")), run / "curve.png"]:
        shutil.copyfile(picture, folder / picture.name)
    shutil.copyfile(run / "log.csv", folder / "log.csv")
    return lines[name]


def sections(name: str, run: Path, evaluation: Path) -> tuple[str, ...]:
    """What a trained model's card says beyond an imported one's."""
    made = json.loads((run / "run.json").read_text(encoding="utf-8"))
    result = json.loads((evaluation / "evaluation.json").read_text(encoding="utf-8"))
    settings = made["settings"]
    # What happened to this run and no setting says, a line each.
    notes = run / "notes.txt"
    trained = "\n".join(
        [
            f"- Steps: {made['steps']}, batches of {settings['batch']} crops of {settings['crop']} px, seed {settings['seed']}, "
            f"Adam from {settings['rate']:g}, Charbonnier loss, weights averaged.",
            f"- Machine: {made['machine']}, {made['hours']} h of wall time (shared with other work), PyTorch {made['torch']}"
            + (", bfloat16 arithmetic." if settings["bf16"] else "."),
            "- Data: clean photographs, portraits and clips of `training/split.json`'s training part (BSDS500, ImageNet samples, "
            "synthetic portraits, clean videos); grain drawn by the physical model while training.",
            f"- Validation crops, held back from training: {made['start']:.3f} dB before, {made['best']:.3f} dB after "
            f"([curve]({name}/curve.png), [log]({name}/log.csv)).",
            *(f"- {line}" for line in (notes.read_text(encoding="utf-8").splitlines() if notes.exists() else [])),
        ]
    )
    shown = [row for row in result["rows"] if "shown as" in row]
    words = "\n\n".join(
        f"{row['shown as'].capitalize()} (by gain over the better baseline): {row['clip']}, {row['stock']}, σ {row['sigma']:.1f}. "
        f"FFDNet {row['FFDNet']['psnr']:.2f} dB ({row['FFDNet']['setting']}), nlmeans {row['nlmeans']['psnr']:.2f} dB "
        f"({row['nlmeans']['setting']}), this model {row['ours']['psnr']:.2f} dB.\n\n"
        f"![{row['shown as']}]({name}/degrain-{row['shown as']}.png)"
        for row in shown
    )
    gain = result["mean"]["ours"]["psnr"] - max(result["mean"][m]["psnr"] for m in ("FFDNet", "nlmeans"))
    return (
        f"## Trained\n\n{trained}",
        f"## Evaluated\n\n`python -m workshop evaluate {name}`: {len(result['rows'])} grainy clips of Kodak 01–12 and of the clean clips' "
        "evaluation parts, never trained on. FFDNet and nlmeans each at the setting that is best for the very clip, this model "
        f"told the true strength once. Over the better baseline: {gain:+.2f} dB.\n\n" + table(result).strip(),
        "## Crops at 100 %\n\nTruth, grainy, FFDNet, nlmeans, this model, and what this model removed, 8-fold.\n\n" + words,
        "## Known failures\n\n" + "\n".join(f"- {text}" for text in FAILURES[name]),
    )
