"""The importer and the workshop write one manifest without destroying each other's lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulsion_training.cards import write_notice
from emulsion_training.import_models import previous, write_all
from emulsion_training.models import MODELS
from emulsion_training.own_models import OWN
from workshop.export import export, model_of
from workshop.paths import WorkshopError


def test_ids_are_unique_and_own_models_have_their_license_text(tmp_path: Path) -> None:
    ids = [model.id for model in (*MODELS, *OWN)]
    assert len(set(ids)) == len(ids)
    write_notice(tmp_path, ids)
    notice = (tmp_path / "NOTICE").read_text(encoding="utf-8")
    assert all(f"{model.file}: {model.title}\nLicense: {model.license}\nSource: {model.source}" in notice for model in OWN)
    write_notice(tmp_path, ["rife"])
    assert "ffdnet.onnx" not in (tmp_path / "NOTICE").read_text(encoding="utf-8")


def test_lines_of_both_kinds_stay_in_their_order(tmp_path: Path) -> None:
    lines = {name: {"id": name} for name in ("degrain", "rife")}
    write_all(tmp_path, lines, {"degrain": 1, "rife": 2, "gone": 3}, tmp_path / "measurements.json")
    manifest = tmp_path / "models.json"
    assert [line["id"] for line in json.loads(manifest.read_text(encoding="utf-8"))["models"]] == ["rife", "degrain"]
    assert list(json.loads((tmp_path / "measurements.json").read_text(encoding="utf-8"))) == ["rife", "degrain"]
    assert set(previous(manifest)) == {"rife", "degrain"}
    manifest.write_text('{"version": 1, "models": [{"id": "unknown"}]}', encoding="utf-8")
    assert previous(manifest) == {}


def test_an_unknown_or_unfinished_model_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="unknown; the workshop exports degrain, dirt"):
        model_of("moths")
    (tmp_path / "best.pt").write_bytes(b"")
    with pytest.raises(WorkshopError, match="not finished"):
        export("degrain", tmp_path, tmp_path, tmp_path / "models", tmp_path / "measurements.json")
