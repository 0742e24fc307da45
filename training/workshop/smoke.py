"""The whole path on tiny data in under two minutes: what continuous integration runs. It proves that nothing is broken, not that
anything is good."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from emulsion_training.ffdnet import TrainableFfdnet

from .degrain import degrain_job
from .eval_set import EvalClip
from .evaluate_degrain import evaluate
from .export import export
from .paths import WorkshopError
from .pictures import Entry, pack, unpack
from .trainer import Limits, Settings, train


def synthetic_entries(count: int, side: int, seed: int) -> list[Entry]:
    """Pictures of blobs and edges, for machines without the training data."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side]
    entries = []
    for index in range(count):
        picture = np.full((side, side, 3), 96.0) + generator.uniform(-40, 40, 3)
        for _ in range(24):
            cx, cy, radius = generator.uniform(0, side, 2).tolist() + [generator.uniform(4, side / 4)]
            inside = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
            picture[inside] += generator.uniform(-60, 60, 3)
        entries.append(Entry(f"synthetic-{index}", np.clip(picture, 0, 255).astype(np.uint8)[None]))
    return entries


def smoke(folder: Path | None = None) -> dict[str, float]:
    """Data, training, resuming, evaluation, export. Raises where a step does not do what it must; returns seconds by step."""
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return smoke(Path(temporary))
    torch.manual_seed(1)
    times: dict[str, float] = {}
    begun = time.monotonic()

    def step(name: str) -> None:
        times[name] = round(time.monotonic() - begun - sum(times.values()), 1)
        print(f"{name}: {times[name]} s", flush=True)

    pack(synthetic_entries(24, 128, 1), folder / "pictures.bin")
    entries = unpack(folder / "pictures.bin")
    step("make-data")
    cpu = torch.device("cpu")
    settings = Settings("degrain", seed=1, batch=2, crop=32, rate=1e-3, bf16=False)

    def run(steps: int) -> dict[str, object]:
        job = degrain_job(entries, seed=1, batch=2, crop=32, stocks=2, device=cpu, fresh=True, cache=folder)
        return train(job, settings, Limits(1e6, steps), folder / "run", cpu)

    first, second = run(20), run(40)
    if (first["steps"], second["steps"]) != (20, 40):
        raise WorkshopError(f"a resumed run did not go on: {first['steps']}, then {second['steps']} steps")
    if not float(str(second["best"])) > float(str(second["start"])) + 0.3:
        raise WorkshopError(f"40 steps from random weights did not help: {second['start']} dB before, {second['best']} dB after")
    step("train")
    clips = [EvalClip(e.name, torch.from_numpy(e.frames.copy()).permute(0, 3, 1, 2).float() / 255) for e in entries[:2]]
    result = evaluate(clips, folder / "run" / "best.pt", folder / "evaluation", TrainableFfdnet().eval(), field=128)
    written = json.loads((folder / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    if {row["shown as"] for row in written["rows"] if "shown as" in row} != {"worst", "median", "best"}:
        raise WorkshopError("the evaluation does not say which cases its crops show")
    if len(result["rows"]) != 4:
        raise WorkshopError(f"4 rows were to be evaluated, not {len(result['rows'])}")
    step("evaluate")
    line = export("degrain", folder / "run", folder / "evaluation", folder / "models", folder / "measurements.json")
    manifest = json.loads((folder / "models" / "models.json").read_text(encoding="utf-8"))
    if [entry["sha256"] for entry in manifest["models"]] != [line["sha256"]]:
        raise WorkshopError("the manifest does not list the exported model")
    step("export")
    return times
