"""What is shipped becomes a run again, from which the same file is exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from degradation.grain_bank import GrainBank, make_stack
from degradation.stock import Stock
from emulsion_training.import_models import convert, previous
from emulsion_training.own_models import OWN
from workshop import degrain
from workshop.export import model_of, sections
from workshop.paths import MODELS, WorkshopError
from workshop.recipes import RECIPES
from workshop.recover import HEAD, recover
from workshop.shipped import start_of
from workshop.smoke import synthetic_entries
from workshop.trainer import TRAINED

SHIPPED = [model.id for model in OWN if model.id in previous(MODELS / "models.json")]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_recovered_run_exports_the_very_file(name: str, tmp_path: Path) -> None:
    recover(name, tmp_path / "run")
    assert {"best.pt", "run.json", "log.csv", "curve.png"} <= {path.name for path in (tmp_path / "run").iterdir()}
    convert(model_of(name), tmp_path / "run", tmp_path)
    # The metadata names PyTorch's release; weights and graph are what counts, and they are all of the file.
    assert (tmp_path / f"{name}.onnx").read_bytes() == (MODELS / f"{name}.onnx").read_bytes()


def test_the_card_goes_on_saying_how_the_net_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recover("dirt", tmp_path / "run")
    said = (tmp_path / "run" / TRAINED).read_text(encoding="utf-8")
    card = (MODELS / "cards" / "dirt.md").read_text(encoding="utf-8")
    assert said.startswith(HEAD) and said in card and "## Evaluated" not in said
    (tmp_path / "evaluation.json").write_text("{}", encoding="utf-8")
    monkeypatch.setitem(RECIPES, "dirt", replace(RECIPES["dirt"], sections=lambda *_: ("## Trained\n\nanew", "## Evaluated\n\nanew")))
    assert sections("dirt", tmp_path / "run", tmp_path) == (said, "## Evaluated\n\nanew")
    (tmp_path / "run" / TRAINED).unlink()
    assert sections("dirt", tmp_path / "run", tmp_path)[0] == "## Trained\n\nanew"


def test_degrain_trains_on_from_what_is_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(degrain, "bank", lambda *_: GrainBank([make_stack(Stock(radius=0.35, layers=5, cloud=0.5), 64, 1)]))
    start, cpu = start_of("degrain"), torch.device("cpu")
    job = degrain.degrain_job(synthetic_entries(24, 64, 2), seed=3, batch=2, crop=32, stocks=1, device=cpu, start=start, cache=tmp_path)
    recover("degrain", tmp_path / "run")
    shipped = torch.load(tmp_path / "run" / "best.pt", weights_only=True)
    assert all(torch.equal(value, shipped[name]) for name, value in job.net.state_dict().items())


def test_a_run_is_not_written_over_and_what_was_never_exported_is_not_recovered(tmp_path: Path) -> None:
    torch.save({}, tmp_path / "best.pt")
    with pytest.raises(WorkshopError, match="holds a run"):
        recover("dirt", tmp_path)
    with pytest.raises(WorkshopError, match="never exported"):
        recover("dirt", tmp_path / "other", tmp_path)
