"""`export`: a trained model as ONNX under `public/models`, by the importer's rules, with its line, its canary and its card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from emulsion_training.import_models import MEASUREMENTS, import_model, previous, write_all
from emulsion_training.models import Model
from emulsion_training.own_models import OWN

from .paths import MODELS, WorkshopError, need
from .recipes import RECIPES
from .recover import HEAD, TOLD
from .trainer import TRAINED


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
    for picture in sorted(evaluation.glob("*.png")):
        shutil.copyfile(picture, folder / picture.name)
    for told in TOLD:
        shutil.copyfile(run / told, folder / told)
    return lines[name]


def sections(name: str, run: Path, evaluation: Path) -> tuple[str, ...]:
    """What a trained model's card says beyond an imported one's."""
    made = json.loads((run / "run.json").read_text(encoding="utf-8"))
    result = json.loads((evaluation / "evaluation.json").read_text(encoding="utf-8"))
    # What happened to this run and no setting says, a line each.
    notes = run / "notes.txt"
    own = RECIPES[name].sections(made, result, notes.read_text(encoding="utf-8").splitlines() if notes.exists() else [])
    if not (run / TRAINED).exists():
        return own
    said = (run / TRAINED).read_text(encoding="utf-8")
    return tuple(said if part.startswith(HEAD) else part for part in own)
