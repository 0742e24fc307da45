"""The training loop: seeded, within a time budget, resumed from its last checkpoint by the same command.

A run's folder holds `last.pt` (everything to go on), `best.pt` (the averaged weights that did best in validation), `log.csv`,
`curve.png` and `run.json` (what was asked, on which machine, how far it came).
"""

from __future__ import annotations

import csv
import json
import math
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from .paths import WorkshopError

AVERAGE = 0.999
"""Decay of the running mean of the weights."""
CLIP = 1.0
LARGEST = 15 * 2**20
"""Bytes of the best weights from which on they are kept in half precision."""
LOOK = 50
"""Steps between looks at the loss on a GPU."""
TRAINED = "trained.md"
"""In a folder made by `recover`: the card's words on the training, whose data and validation may have changed since."""
WARM_UP = 100
"""Steps in which the rate rises: Adam knows nothing of the gradients at first, and would undo a warm start."""


@dataclass(frozen=True)
class Settings:
    """What decides a run's result; a checkpoint of other settings is not resumed."""

    model: str
    seed: int
    batch: int
    crop: int
    rate: float
    bf16: bool


@dataclass(frozen=True)
class Limits:
    """When a run ends: seconds of training in all, steps in all. Whichever comes first; the rate falls towards it."""

    seconds: float
    steps: int
    every: float = 120.0
    """Seconds between checkpoints."""


@dataclass(frozen=True)
class Job:
    """A model's parts: a batch by its number, the loss of a batch, the figure (higher is better) of a network."""

    net: nn.Module
    loss: Callable[[nn.Module, int], Tensor]
    validate: Callable[[nn.Module], float]
    figure: str


def charbonnier(a: Tensor, b: Tensor, weight: Tensor | float = 1.0, epsilon: float = 1e-3) -> Tensor:
    """Mean of weight · sqrt(d² + ε²): an absolute error that is smooth at 0."""
    return (weight * ((a.float() - b.float()) ** 2 + epsilon**2).sqrt()).mean()


def train(
    job: Job, settings: Settings, limits: Limits, folder: Path, device: torch.device, also: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Runs until a limit is reached; returns what `run.json` says, `also` among it."""
    folder.mkdir(parents=True, exist_ok=True)
    if device.type == "cuda":
        # Crops are of one size. What the nets keep out of bfloat16 is kept out of TF32, too.
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = False
    # Convolutions in bfloat16 are faster where a pixel's channels lie together: 20 s instead of 29 on a CPU with AMX for
    # `train deblur-small --steps 200 --bf16 --batch 4 --threads 1 --samples 8192`.
    net = job.net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(net.parameters(), settings.rate)
    average = {name: value.detach().clone() for name, value in net.state_dict().items()}
    state = _resume(folder, settings, net, optimizer, average, device)
    if state["step"] == 0:
        (folder / TRAINED).unlink(missing_ok=True)
        state["start"] = state["best"] = job.validate(net)
        _write(folder / "log.csv", ["step", "seconds", "rate", "loss", job.figure], [0, 0, 0, "", f"{state['start']:.4f}"], new=True)
        save_best(net, average, folder / "best.pt")
        print(f"before training: {job.figure} {state['start']:.3f}", flush=True)
    begun = saved = time.monotonic()
    before = float(state["seconds"])
    losses: list[Tensor] = []
    # Reading a loss makes a GPU wait: there it is looked at now and then.
    often = 1 if device.type == "cpu" else LOOK
    names, values = list(average), net.state_dict()
    if _progress(state, limits) >= 1:
        return _summary(settings, limits, state, folder, device, also)
    while True:
        state["seconds"] = before + time.monotonic() - begun
        progress = _progress(state, limits)
        if progress >= 1 or time.monotonic() - saved >= limits.every:
            look_at(losses, state["step"])
            _checkpoint(job, settings, net, optimizer, average, state, losses, folder, device)
            saved, losses = time.monotonic(), []
            if progress >= 1:
                break
        rate = settings.rate * max(0.02, 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress))) * min(1.0, (state["step"] + 1) / WARM_UP)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(device.type, torch.bfloat16, enabled=settings.bf16):
            loss = job.loss(net, state["step"])
        losses.append(loss.detach())
        if state["step"] % often == 0:
            look_at(losses[-often:], state["step"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        state["step"], state["rate"] = state["step"] + 1, rate
        decay = min(AVERAGE, state["step"] / (state["step"] + 10))
        with torch.no_grad():
            torch._foreach_lerp_([average[name] for name in names], [values[name] for name in names], 1 - decay)
    return _summary(settings, limits, state, folder, device, also)


def look_at(losses: list[Tensor], step: int) -> None:
    """Refuses to go on where a loss up to a step was no number."""
    if losses and not bool(torch.isfinite(torch.stack(losses)).all()):
        raise WorkshopError(f"the loss is not finite at step {step}: lower --rate, or look at the data")


def save_best(net: nn.Module, values: Mapping[str, Tensor], path: Path) -> None:
    """Writes a net's values; where they would take more than `LARGEST` bytes, large weights in half precision, as they are shipped."""
    trained = {name for name, weight in net.named_parameters() if weight.requires_grad and weight.numel() >= 1024}
    if sum(value.numel() * value.element_size() for value in values.values()) > LARGEST:
        values = {name: value.half() if name in trained else value for name, value in values.items()}
    torch.save({name: value.cpu() for name, value in values.items()}, path)


def _progress(state: dict[str, Any], limits: Limits) -> float:
    return max(float(state["seconds"]) / limits.seconds, int(state["step"]) / limits.steps)


def _resume(
    folder: Path, settings: Settings, net: nn.Module, optimizer: torch.optim.Optimizer, average: dict[str, Tensor], device: torch.device
) -> dict[str, Any]:
    path = folder / "last.pt"
    if not path.exists():
        return {"step": 0, "seconds": 0.0, "best": -math.inf, "rate": 0.0}
    saved = torch.load(path, map_location=device, weights_only=True)
    if saved["settings"] != asdict(settings):
        raise WorkshopError(f"{path} was made with {saved['settings']}, not {asdict(settings)}: name another --run, or remove it")
    net.load_state_dict(saved["net"])
    optimizer.load_state_dict(saved["optimizer"])
    average.update(saved["average"])
    print(f"goes on from step {saved['state']['step']}", flush=True)
    return dict(saved["state"])


def _checkpoint(
    job: Job,
    settings: Settings,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
    state: dict[str, Any],
    losses: list[Tensor],
    folder: Path,
    device: torch.device,
) -> None:
    own = {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(average)
    figure = job.validate(net)
    if figure > state["best"]:
        state["best"] = figure
        # Of the network, not of the mean: validating may have settled a calibration.
        save_best(net, net.state_dict(), folder / "best.pt")
    net.load_state_dict(own)
    everything = {
        "settings": asdict(settings),
        "net": own,
        "optimizer": optimizer.state_dict(),
        "average": average,
        "state": state,
    }
    # A run that is killed while it writes keeps its last whole checkpoint.
    torch.save(everything, folder / "last.pt.new")
    os.replace(folder / "last.pt.new", folder / "last.pt")
    mean = float(torch.stack(losses).mean()) if losses else float("nan")
    row = [state["step"], round(state["seconds"]), f"{state['rate']:.3g}", f"{mean:.6f}", f"{figure:.4f}"]
    _write(folder / "log.csv", ["step", "seconds", "rate", "loss", job.figure], row)
    draw_curve(folder / "log.csv", folder / "curve.png")
    print(f"step {state['step']}, {state['seconds'] / 60:.1f} min: loss {mean:.5f}, {job.figure} {figure:.3f}", flush=True)


def _write(path: Path, head: list[str], row: list[Any], new: bool = False) -> None:
    fresh = new or not path.exists()
    with path.open("w" if fresh else "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(head)
        writer.writerow(row)


def _summary(
    settings: Settings, limits: Limits, state: dict[str, Any], folder: Path, device: torch.device, also: dict[str, Any] | None
) -> dict[str, Any]:
    machine = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
    )
    summary = {
        "settings": asdict(settings),
        "limits": asdict(limits),
        "steps": state["step"],
        "hours": round(state["seconds"] / 3600, 3),
        "start": state["start"],
        "best": state["best"],
        "machine": machine,
        "torch": torch.__version__,
        **(also or {}),
    }
    (folder / "run.json").write_text(json.dumps(summary, indent="\t") + "\n", encoding="utf-8")
    return summary


def draw_curve(log: Path, picture: Path) -> None:
    """The validation figure over steps, as a small picture."""
    with log.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    points = [(int(row[0]), float(row[4])) for row in rows[1:] if row[4]]
    width, height, edge = 640, 320, 48
    canvas = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(canvas)
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    span, last = max(high - low, 1e-6), max(points[-1][0], 1)

    def at(point: tuple[int, float]) -> tuple[float, float]:
        return edge + (width - 2 * edge) * point[0] / last, height - edge - (height - 2 * edge) * (point[1] - low) / span

    pen.rectangle((edge, edge, width - edge, height - edge), outline="gray")
    pen.line([at(point) for point in points], fill="navy", width=2)
    pen.text((edge, 16), f"{rows[0][4]}: {points[0][1]:.3f} to {points[-1][1]:.3f} (best {high:.3f}) over {last} steps", fill="black")
    pen.text((4, edge), f"{high:.2f}", fill="black")
    pen.text((4, height - edge - 10), f"{low:.2f}", fill="black")
    canvas.save(picture)
