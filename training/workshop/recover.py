"""`recover`: a run's folder out of what is shipped, so that a model can be evaluated and exported again on any machine.

Trainings leave their folders on the machine that trained; what `evaluate` and `export` need of one is in the shipped file and beside
its card: the weights (as stored, half precision), `run.json`, the log and its curve. Exported again, file and canary are the same
bytes (`tests/test_recover.py`); what changes is the card, but for what it says of the training.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from torch import Tensor

from emulsion_training.ffdnet import published
from emulsion_training.own_models import net_for

from .paths import MODELS, WorkshopError, need
from .shipped import shipped_state
from .trainer import TRAINED

TOLD = ("run.json", "log.csv", "curve.png")
"""What `export` puts beside a card."""
HEAD = "## Trained\n"


def trained_state(name: str, path: Path) -> dict[str, Tensor]:
    """The weights of a shipped file as training keeps them."""
    if name == "degrain":
        return published(shipped_state(path))
    own: dict[str, Tensor] = net_for(name, shipped_state(path)).state_dict()
    # Waves and rings among them: another machine's cosines differ in the last bit.
    state = shipped_state(path, own)
    if name == "blur-cause":
        state["scales"] = _scales(path)
    # What the exporter folds away is as it is made; what it adds (a padding, a constant) is not the net's.
    return own | {key: value for key, value in state.items() if key in own}


def _scales(path: Path) -> Tensor:
    """The two scales of `blur-cause`'s votes [1, 2, 1, 1], which the exporter takes apart into numbers without a name."""
    import onnx
    from onnx import numpy_helper

    found = [item for item in onnx.load(str(path)).graph.initializer if item.name.startswith("onnx::Mul")]
    if [list(item.dims) for item in found] != [[1, 1, 1, 1]] * 2:
        raise WorkshopError(f"{path}: its two scales are not where the exporter puts them; train it anew")
    return torch.cat([torch.from_numpy(numpy_helper.to_array(item).copy()) for item in found], 1)


def recover(name: str, folder: Path, models: Path = MODELS) -> None:
    """Writes `best.pt` and what is told beside the card into `folder`, which must not hold a run."""
    if (folder / "best.pt").exists() or (folder / "last.pt").exists():
        raise WorkshopError(f"{folder} holds a run: name another folder with --run, or remove it")
    cards = models / "cards" / name
    need(cards / "run.json", f"{name} was never exported")
    state = trained_state(name, need(models / f"{name}.onnx", "the shipped model"))
    said = [part for part in (models / "cards" / f"{name}.md").read_text(encoding="utf-8").split("\n\n## ") if part.startswith(HEAD[3:])]
    if len(said) != 1:
        raise WorkshopError(f"{name}.md does not say how it was trained")
    folder.mkdir(parents=True, exist_ok=True)
    for told in TOLD:
        shutil.copyfile(cards / told, folder / told)
    (folder / TRAINED).write_text(f"## {said[0].strip()}", encoding="utf-8")
    torch.save(state, folder / "best.pt")
