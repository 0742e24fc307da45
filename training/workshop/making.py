"""What `train` needs before its first step: samples, made by many processes side by side, and how long that took.

A run keeps this in `prepared.json`, so that going on makes nothing anew and trains on the same samples.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from .paths import TRAINING, WORK, WorkshopError

MADE_AHEAD = ("dirt", "deblur-small", "deblur-full")
"""Models whose samples are made before training and can be shared by processes."""
NAME = "prepared.json"


@dataclass(frozen=True)
class Prepared:
    """Samples that are ready (None where a model has none), and seconds that making them took."""

    samples: int | None
    seconds: float


def default_samples(model: str) -> int:
    """How many samples a model is trained on if not said otherwise."""
    from . import deblur, dirt

    return dirt.SAMPLES if model == "dirt" else deblur.SAMPLES


def make(model: str, options: argparse.Namespace, until: float | None = None) -> int:
    """Makes this process's part of a model's samples; returns how many of the first are ready, all parts together."""
    count = options.samples or default_samples(model)
    if model == "dirt":
        from . import dirt

        # All else is small work for a CPU; only motion is found on the device.
        where = torch.device(options.device or "cpu")
        named = {name: getattr(options, name) for name in ("seed", "stocks", "part")}
        made, _, _ = dirt.pools(options.data, **named, count=count, cache=WORK, until=until, device=where)
        missing = torch.isnan(made["sigma"]).nonzero()
        return int(missing[0]) if len(missing) else count
    from .deblur import pools
    from .deblur_data import Making
    from .pictures import unpack

    making = Making(options.part, until, not options.without_video_codecs)
    made, _ = pools(unpack(options.pictures), seed=options.seed, stocks=options.stocks, count=count, cache=WORK, making=making)
    return min(count, len(made["planes"]))


def prepared(model: str, options: argparse.Namespace, folder: Path, device: torch.device, begun: float) -> Prepared:
    """Makes samples with `options.workers` processes, for at most `options.within` seconds; `begun` is when the command was."""
    path = folder / NAME
    if path.exists():
        known = Prepared(**json.loads(path.read_text(encoding="utf-8")))
        if known.samples is not None:
            # Where they are gone they are made again, be it with more time: they are what the run is of.
            options.samples = known.samples
            if _ready(model, options) < known.samples:
                _by_all(model, options, device, None)
        return known
    samples = None
    if options.workers:
        if model not in MADE_AHEAD:
            raise WorkshopError(f"{model}: its samples are not made ahead; leave out --workers ({', '.join(MADE_AHEAD)} take it)")
        from .degrain import bank
        from .dirt_data import Sources

        # Before the others start: each would make them.
        bank(options.stocks, options.seed, device, WORK)
        if model == "dirt":
            Sources.of(options.data, WORK)
        options.samples = options.samples or default_samples(model)
        _by_all(model, options, device, options.within)
        samples = _ready(model, options)
        if samples < options.batch:
            raise WorkshopError(f"{samples} samples of {model} were ready in time: give it more (--within)")
        options.samples = samples
        print(f"{samples} samples are ready after {time.monotonic() - begun:.0f} s", flush=True)
    return Prepared(samples, round(time.monotonic() - begun, 1))


def keep(what: Prepared, folder: Path) -> None:
    """Writes it down for a run that goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text(json.dumps(asdict(what)) + "\n", encoding="utf-8")


def _ready(model: str, options: argparse.Namespace) -> int:
    nothing = argparse.Namespace(**{**vars(options), "part": (0, 1), "device": "cpu"})
    return make(model, nothing, until=time.monotonic())


def _by_all(model: str, options: argparse.Namespace, device: torch.device, within: float | None) -> None:
    count = options.workers or 1
    command = [sys.executable, "-m", "workshop", "make-samples", model, "--threads", "1", "--device", device.type]
    for name in ("samples", "stocks", "seed", "pictures", "data"):
        command += [f"--{name}", str(getattr(options, name))]
    if options.without_video_codecs:
        command.append("--without-video-codecs")
    if within is not None:
        command += ["--within", f"{within:.0f}s"]
    path = os.pathsep.join([str(TRAINING), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    running = [subprocess.Popen([*command, "--part", f"{part}/{count}"], env=environment) for part in range(count)]
    try:
        for one in running:
            if one.wait():
                raise WorkshopError(f"a process that makes samples of {model} failed with {one.returncode}: what it said stands above")
    finally:
        for one in running:
            if one.poll() is None:
                one.terminate()
                one.wait()
