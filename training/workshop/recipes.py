"""The workshop's models by name: how each is trained and evaluated, and what its card says. A model more is an entry more."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from .plates import Moving
from .trainer import Job

Rows = list[dict[str, Any]]
"""Of an evaluation."""
Shown = list[tuple[str, Moving]]
"""What plates show, by the file's stem."""


@dataclass(frozen=True)
class Recipe:
    """One model."""

    rate: float
    """Learning rate at the start."""
    job: Callable[[argparse.Namespace, torch.device], Job]
    """What `train` runs, from its options."""
    evaluate: Callable[[Path, int | None, Path, Path, tuple[int, int]], str]
    """Data, limit, weights, output, this process's part: measures, writes `evaluation.json`, `table.md` and crops, returns the table."""
    sections: Callable[[dict[str, Any], dict[str, Any], list[str]], tuple[str, ...]]
    """What the card says beyond an imported model's, from `run.json`, `evaluation.json` and the run's notes."""
    moving: Callable[[Path, Rows, Path, Path], Shown] | None = None
    """Data, an evaluation's rows, weights, its folder: the clips of the card's difference plates; adds to the folder what else the card
    shows of films without a truth."""


def _card(kind: str) -> Callable[[dict[str, Any], dict[str, Any], list[str]], tuple[str, ...]]:
    """`card_KIND.sections`, read when it is asked for: a machine that trains need not have what evaluation takes."""

    def sections(made: dict[str, Any], result: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
        told: tuple[str, ...] = import_module(f".card_{kind}", __package__).sections(made, result, notes)
        return told

    return sections


def _degrain(options: argparse.Namespace, device: torch.device) -> Job:
    from .degrain import degrain_job
    from .degrain_data import Aim
    from .pictures import film_of, unpack
    from .shipped import start_of

    return degrain_job(
        unpack(options.pictures),
        seed=options.seed,
        batch=options.batch,
        crop=options.crop,
        stocks=options.stocks,
        device=device,
        fresh=options.fresh,
        start=None if options.fresh else start_of("degrain"),
        aim=Aim.like(film_of(options.pictures)),
    )


def _evaluate_degrain(data: Path, limit: int | None, weights: Path, output: Path, part: tuple[int, int]) -> str:
    from .eval_set import eval_clips
    from .evaluate_degrain import FRAMES, evaluate, table
    from .film_crops import film_shots

    films = film_shots(data, FRAMES) if part == (0, 1) else ()
    return table(evaluate(eval_clips(data, limit, FRAMES), weights, output, part=part, films=films))


def _moving_degrain(data: Path, rows: Rows, weights: Path, output: Path) -> Shown:
    from .moving_cases import degrain_plates

    return degrain_plates(data, rows, weights)


def _dirt(options: argparse.Namespace, device: torch.device) -> Job:
    from .dirt import SAMPLES, dirt_job
    from .shipped import start_of

    start = None if options.fresh else start_of("dirt")
    named = {name: getattr(options, name) for name in ("seed", "batch", "crop", "stocks", "workers")}
    return dirt_job(options.data, **named, count=options.samples or SAMPLES, start=start, device=device)


def _evaluate_dirt(data: Path, limit: int | None, weights: Path, output: Path, part: tuple[int, int]) -> str:
    from .evaluate_dirt import evaluate, load, scenes, table

    return table(evaluate(scenes(data, limit), load(weights), output, part=part))


def _moving_dirt(data: Path, rows: Rows, weights: Path, output: Path) -> Shown:
    from .evaluate_dirt import load, published
    from .moving_cases import dirt_plates

    return dirt_plates(data, rows, load(weights), published())


def _deblur(name: str) -> Callable[[argparse.Namespace, torch.device], Job]:
    def job(options: argparse.Namespace, device: torch.device) -> Job:
        from .deblur import SAMPLES, deblur_job
        from .pictures import unpack
        from .shipped import start_of

        # The full net starts as the small one where it has no weights of its own.
        start = None if options.fresh else start_of(name, "deblur-small")
        named = {key: getattr(options, key) for key in ("seed", "batch", "crop", "stocks")}
        named |= {"count": options.samples or SAMPLES, "video": not options.without_video_codecs}
        return deblur_job(name, unpack(options.pictures), **named, start=start, device=device)

    return job


def _evaluate_deblur(name: str) -> Callable[[Path, int | None, Path, Path, tuple[int, int]], str]:
    def evaluation(data: Path, limit: int | None, weights: Path, output: Path, part: tuple[int, int]) -> str:
        from .eval_set import eval_clips
        from .evaluate_deblur_film import evaluate, load, table
        from .paths import WorkshopError

        if part != (0, 1):
            raise WorkshopError(f"the evaluation of {name} is not shared by processes: leave out --part")
        return table(evaluate(eval_clips(data, limit), load(name, weights), output)["rows"])

    return evaluation


def _moving_deblur(name: str) -> Callable[[Path, Rows, Path, Path], Shown]:
    def moving(data: Path, rows: Rows, weights: Path, output: Path) -> Shown:
        from .deblur_on_film import on_film
        from .evaluate_deblur_film import load
        from .moving_cases import deblur_plates

        net = load(name, weights)
        on_film(data, net, output)
        return deblur_plates(data, rows, name, net)

    return moving


def _cause(options: argparse.Namespace, device: torch.device) -> Job:
    from .cause import SCALING, cause_job, measured
    from .paths import MODELS, WORK, WorkshopError
    from .shipped import shipped_state

    if device.type != "cpu":
        raise WorkshopError("blur-cause is trained on the CPU: its shots are measured there, and the net is small (--device cpu)")
    path = MODELS / "blur-cause.onnx"
    start = None if options.fresh or not path.exists() else shipped_state(path, SCALING)
    return cause_job(measured(WORK / "cause"), seed=options.seed, batch=options.batch, start=start)


def _evaluate_cause(data: Path, limit: int | None, weights: Path, output: Path, part: tuple[int, int]) -> str:
    from .evaluate_cause import evaluate, table
    from .paths import WorkshopError

    if part != (0, 1):
        raise WorkshopError("the evaluation of blur-cause is not shared by processes: leave out --part")

    return table(evaluate(data, limit, weights, output))


def _scratch(options: argparse.Namespace, device: torch.device) -> Job:
    from .paths import MODELS, WorkshopError
    from .scratch import SAMPLES, scratch_job
    from .shipped import shipped_state

    if device.type != "cpu":
        raise WorkshopError("scratch is trained on the CPU: its samples are drawn there, and the net is small (--device cpu)")
    path = MODELS / "scratch.onnx"
    start = None if options.fresh or not path.exists() else shipped_state(path)
    named = {name: getattr(options, name) for name in ("seed", "batch", "crop", "stocks")}
    return scratch_job(options.pictures, **named, count=options.samples or SAMPLES, start=start)


def _evaluate_scratch(data: Path, limit: int | None, weights: Path, output: Path, part: tuple[int, int]) -> str:
    from .evaluate_scratch import evaluate, load, scenes, table
    from .paths import WorkshopError

    if part != (0, 1):
        raise WorkshopError(f"scratch is evaluated in one process: leave --part away (got {part[0]}/{part[1]})")
    return table(evaluate(scenes(data, limit), load(weights), output))


def _moving_scratch(data: Path, rows: Rows, weights: Path, output: Path) -> Shown:
    from .evaluate_scratch import load
    from .moving_cases import scratch_plates

    return scratch_plates(data, rows, load(weights))


RECIPES: dict[str, Recipe] = {
    "degrain": Recipe(1.5e-4, _degrain, _evaluate_degrain, _card("degrain"), _moving_degrain),
    "deblur-small": Recipe(
        6e-4, _deblur("deblur-small"), _evaluate_deblur("deblur-small"), _card("deblur"), _moving_deblur("deblur-small")
    ),
    "deblur-full": Recipe(4e-4, _deblur("deblur-full"), _evaluate_deblur("deblur-full"), _card("deblur"), _moving_deblur("deblur-full")),
    "dirt": Recipe(1e-3, _dirt, _evaluate_dirt, _card("dirt"), _moving_dirt),
    "blur-cause": Recipe(2e-3, _cause, _evaluate_cause, _card("cause")),
    "scratch": Recipe(2e-3, _scratch, _evaluate_scratch, _card("scratch"), _moving_scratch),
}
