"""Where things lie. Nothing made here is committed but what `export` writes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

TRAINING = Path(__file__).resolve().parents[1]
ROOT = TRAINING.parent
CACHE = TRAINING / ".cache"
"""The importer's downloads: the original weights."""
WORK = Path(os.environ.get("EMULSION_WORKSHOP", TRAINING / ".work"))
"""Data sets, runs, evaluations."""
DATA = Path(os.environ.get("EMULSION_DATA", ROOT / "shared" / "data"))
if not DATA.exists():
    DATA = ROOT.parent / "shared" / "data"
MODELS = ROOT / "public" / "models"


def split() -> dict[str, Any]:
    """The committed division into what is trained on and what is kept for evaluation."""
    loaded: dict[str, Any] = json.loads((TRAINING / "split.json").read_text(encoding="utf-8"))
    return loaded


class WorkshopError(RuntimeError):
    """Something the user can put right; the text says what and how."""


def need(path: Path, remedy: str) -> Path:
    """The path, or an error that says how to come by it."""
    if not path.exists():
        raise WorkshopError(f"{path} is not there: {remedy}")
    return path
