"""The whole path on tiny data in under two minutes: what continuous integration runs. It proves that nothing is broken, not that
anything is good."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from degradation.stocks import STOCKS
from emulsion_training.ffdnet import TrainableFfdnet

from . import evaluate_dirt as dirt_evaluation
from . import evaluate_scratch as scratch_evaluation
from .degrain import degrain_job
from .dirt import dirt_job
from .dirt_data import PLANES
from .eval_set import EvalClip
from .evaluate_degrain import FRAMES, Nets, evaluate, grain_of
from .export import export
from .paths import WorkshopError
from .pictures import Entry, pack, unpack
from .plates import Moving, add
from .scratch import scratch_job
from .scratch_cases import Scene
from .scratch_data import SIDE, TALL
from .scratch_net import ROWS
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


class StillRife(nn.Module):
    """Stands for RIFE where nothing moves, for machines without its weights."""

    def forward(self, a: Tensor, b: Tensor, t: Tensor, grid: Tensor, norm: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """mid, flow, mask of the shapes of the real one."""
        zero = torch.zeros_like(a[:, :1])
        return (a + b) / 2, zero.expand(-1, 4, -1, -1), zero + 0.5


def still_samples(count: int, side: int = 64) -> dict[str, Any]:
    """Samples for `dirt` of pictures that stand still: squares that one frame alone has, and light noise."""
    generator = torch.Generator().manual_seed(4)
    planes = torch.zeros(count, sum(PLANES.values()), side, side, dtype=torch.uint8)
    for index, entry in enumerate(synthetic_entries(count, side, 6)):
        clean = torch.from_numpy(entry.frames[0].copy()).permute(2, 0, 1).float() / 255
        change = torch.zeros(1, side, side)
        for k in range(6):
            top, left = (int(v) for v in torch.randint(0, side - 8, (2,), generator=generator))
            change[:, top : top + 3 + k, left : left + 3 + k] = 0.24
        frame = clean + torch.where(clean > 0.5, -change, change)
        views = [clean + 0.01 * torch.randn(clean.shape, generator=generator) for _ in range(5)]
        still = torch.zeros(1, side, side)
        together = torch.cat([frame, *views, clean, torch.ones(2, side, side), still, change * 4, clean])
        planes[index] = (together.clamp(0, 1) * 255).round().to(torch.uint8)
    return {"planes": planes, "sigma": torch.full((count,), 0.01)}


def smoke_dirt(folder: Path) -> None:
    """The path of `dirt`: training from random weights, evaluation, export."""
    kept = still_samples(12)
    job = dirt_job(folder, seed=1, batch=4, crop=32, stocks=1, kept=kept)
    made = train(job, Settings("dirt", 1, 4, 32, 3e-3, False), Limits(1e6, 120), folder / "dirt-run", torch.device("cpu"))
    if not float(made["best"]) > 60:
        raise WorkshopError(f"120 steps on squares that stand out did not teach the net to find them: {made['best']} %")
    frames = torch.from_numpy(synthetic_entries(1, 64, 7)[0].frames.copy()).permute(0, 3, 1, 2).float().expand(3, -1, -1, -1) / 255
    banks = {name: grain_of(name, 1, 96) for name in list(STOCKS)[:1] + list(STOCKS)[3:4]}
    denoiser = TrainableFfdnet().eval()
    tools = {"rife": StillRife(), "degrain": denoiser, "grain": denoiser, "banks": banks}
    scenes = [dirt_evaluation.Scene("damaged", "still", frames, [torch.ones(1, 30, 30)])]
    dirt_evaluation.evaluate(scenes, dirt_evaluation.load(folder / "dirt-run" / "best.pt"), folder / "dirt-evaluation", tools)
    line = export("dirt", folder / "dirt-run", folder / "dirt-evaluation", folder / "models", folder / "measurements.json")
    manifest = json.loads((folder / "models" / "models.json").read_text(encoding="utf-8"))
    if line not in manifest["models"] or len(manifest["models"]) != 2:
        raise WorkshopError("the manifest does not list both exported models")


def lined_samples(count: int) -> dict[str, Any]:
    """Samples for `scratch` of even gray, with a bright or a dark line each."""
    frame = torch.full((count, 3, TALL * SIDE, SIDE), 110, dtype=torch.uint8)
    change = torch.zeros(count, 2, TALL * SIDE // ROWS, SIDE, dtype=torch.uint8)
    for index in range(count):
        column, dark = 10 + 11 * (index % 8), index % 2
        frame[index, :, :, column : column + 3] = 40 if dark else 200
        change[index, dark, :, column : column + 3] = 255
    return {"frame": frame, "change": change, "sigma": torch.full((count,), 0.01)}


def smoke_scratch(folder: Path) -> None:
    """The path of `scratch`: training from random weights, evaluation, export."""
    job = scratch_job(folder, seed=1, batch=4, crop=48, stocks=1, kept=lined_samples(8))
    made = train(job, Settings("scratch", 1, 4, 48, 5e-3, False), Limits(1e6, 40), folder / "scratch-run", torch.device("cpu"))
    if not float(made["best"]) > 30:
        raise WorkshopError(f"40 steps on lines that stand out did not teach the net to find them: {made['best']} %")
    frames = torch.from_numpy(synthetic_entries(1, 96, 7)[0].frames.copy()).permute(0, 3, 1, 2).float().expand(4, -1, -1, -1) / 255
    banks = dict.fromkeys(STOCKS, grain_of(next(iter(STOCKS)), 1, 96))
    scenes = [Scene(kind, "still", frames) for kind in ("scratched", "clean")]
    net = scratch_evaluation.load(folder / "scratch-run" / "best.pt")
    scratch_evaluation.evaluate(scenes, net, folder / "scratch-evaluation", {"banks": banks})
    line = export("scratch", folder / "scratch-run", folder / "scratch-evaluation", folder / "models", folder / "measurements.json")
    if line not in json.loads((folder / "models" / "models.json").read_text(encoding="utf-8"))["models"]:
        raise WorkshopError("the manifest does not list the exported net of lines")


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
    stills = [torch.from_numpy(e.frames.copy()).permute(0, 3, 1, 2).float() / 255 for e in entries[:2]]
    clips = [EvalClip(e.name, still.expand(FRAMES, -1, -1, -1)) for e, still in zip(entries, stills, strict=False)]
    result = evaluate(clips, folder / "run" / "best.pt", folder / "evaluation", Nets(TrainableFfdnet().eval(), StillRife()), 128)
    written = json.loads((folder / "evaluation" / "evaluation.json").read_text(encoding="utf-8"))
    if {row["shown as"] for row in written["rows"] if "shown as" in row} != {"worst", "median", "best"}:
        raise WorkshopError("the evaluation does not say which cases its crops show")
    if len(result["rows"]) != 4:
        raise WorkshopError(f"4 rows were to be evaluated, not {len(result['rows'])}")
    step("evaluate")
    moving = Moving(clips[0].frames, clips[0].frames * 0.9, (0, 0), "A clip.")
    add(folder / "evaluation", lambda _: [("degrain-motion", moving)])
    line = export("degrain", folder / "run", folder / "evaluation", folder / "models", folder / "measurements.json")
    manifest = json.loads((folder / "models" / "models.json").read_text(encoding="utf-8"))
    if [entry["sha256"] for entry in manifest["models"]] != [line["sha256"]]:
        raise WorkshopError("the manifest does not list the exported model")
    card = folder / "models" / "cards" / "degrain.md"
    if (
        "degrain/degrain-motion.png" not in card.read_text(encoding="utf-8")
        or not (card.parent / "degrain" / "degrain-motion.png").exists()
    ):
        raise WorkshopError("the card does not show the difference plates")
    step("export")
    smoke_dirt(folder)
    step("dirt")
    smoke_scratch(folder)
    step("scratch")
    return times
