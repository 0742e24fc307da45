"""The importer and the workshop write one manifest without destroying each other's lines."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from emulsion_training.cards import write_notice
from emulsion_training.import_models import previous, write_all
from emulsion_training.models import MODELS
from emulsion_training.own_models import OWN
from workshop import kit
from workshop.export import export, model_of
from workshop.kit import make_kit, middle
from workshop.paths import WorkshopError
from workshop.pictures import pack
from workshop.smoke import synthetic_entries


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


def test_a_kit_fits_and_takes_fewer_pictures_where_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As many bytes as the published weights, as hard to compress: they themselves are not needed to see what fits.
    monkeypatch.setattr(kit, "CACHE", tmp_path)
    monkeypatch.setattr(kit, "check", lambda path: None)
    (tmp_path / kit.WARM_START).write_bytes(random.Random(1).randbytes(3_411_551))
    pack(synthetic_entries(60, 400, 1), tmp_path / "pictures.bin")
    whole = make_kit(tmp_path / "pictures.bin", tmp_path / "kit.tar.gz")
    assert whole["pictures"] == 60
    assert whole["bytes"] <= 20 * 2**20
    data = whole["bytes"] - make_kit(tmp_path / "pictures.bin", tmp_path / "kit.tar.gz", whole["bytes"] - 200_000)["bytes"]
    assert data >= 200_000
    with pytest.raises(WorkshopError, match="no useful number"):
        make_kit(tmp_path / "pictures.bin", tmp_path / "kit.tar.gz", 1_000_000)
    assert middle(synthetic_entries(1, 400, 1)[0]).frames.shape == (1, 320, 320, 3)
