"""The GPU kit: code, warm start and data in one archive of at most 20 MiB, for a machine that can reach nothing else.

There, unpacked, the same command trains as here (`python -m workshop train MODEL …`, by `run.sh`); PyTorch, NumPy and Pillow must be
installed, and for `deblur` ffmpeg. What comes back is the run's folder; its `best.pt` is at most 16 MiB.

The soft pictures of video codecs are made there, not carried: a pair of 128 px takes 28 KB as lossless WebP, so that the room left
holds some hundred, and a training wants thousands.
"""

from __future__ import annotations

import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .align import CARRIED as RIFE
from .align import carry_rife
from .kit_dirt import pack_dirt
from .paths import CACHE, TRAINING, WorkshopError
from .pictures import Entry, pack, unpack
from .shipped import CARRIED as START
from .shipped import carry_start

LIMIT = 20 * 2**20
"""Bytes of the archive."""
SIDE = 320
"""Pictures are cut to this side around their middle."""
QUALITY = 92
SPARE = 8192
"""Bytes that the archive takes for a file beside what is in it."""
CODE = ("emulsion_training", "degradation", "workshop")


@dataclass(frozen=True)
class Kit:
    """What differs from model to model: options of `train` that suit an H200 with 16 processor cores, after those of all models."""

    options: str
    start: tuple[str, ...] = ()
    """Shipped models, of which the first that there is gives the weights to start from."""


SHARED = '--within "${MAKING:-150s}" --workers "${WORKERS:-$(nproc)}"'
KITS: dict[str, Kit] = {
    "degrain": Kit('--pictures pictures.bin --batch "${BATCH:-64}" --stocks "${STOCKS:-64}"', ("degrain",)),
    "deblur-small": Kit(f'--pictures pictures.bin --batch "${{BATCH:-128}}" --samples "${{SAMPLES:-16384}}" {SHARED}', ("deblur-small",)),
    "deblur-full": Kit(
        f'--pictures pictures.bin --batch "${{BATCH:-128}}" --samples "${{SAMPLES:-16384}}" {SHARED}', ("deblur-full", "deblur-small")
    ),
    "dirt": Kit(f'--data data --batch "${{BATCH:-64}}" --samples "${{SAMPLES:-4096}}" {SHARED}', ("dirt",)),
}
RUN = """#!/usr/bin/env bash
# Trains {model} for BUDGET (default 9m, all that is made before training included) on the GPU, or on the CPU where there is none.
# Repeat it to go on from the last checkpoint. More options of `train` may follow.
# What is wanted back lies in $OUT (default: here), folder run: best.pt, log.csv, curve.png, run.json.
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")"
export PYTHONUNBUFFERED=1
exec python3 -m workshop train {model} --budget "${{BUDGET:-9m}}" --whole --bf16 --every 30s --run "${{OUT:-.}}/run" \\
\t{options} "$@"
"""


def middle(entry: Entry, side: int = SIDE) -> Entry:
    """The middle of an entry's first frame."""
    frame = entry.frames[0]
    top, left = max(0, (frame.shape[0] - side) // 2), max(0, (frame.shape[1] - side) // 2)
    return Entry(entry.name, np.ascontiguousarray(frame[None, top : top + side, left : left + side]))


def make_kit(model: str, pictures: Path, data: Path, output: Path, limit: int = LIMIT) -> dict[str, int]:
    """Writes the archive with as much data as fits: of `pictures`, or for `dirt` of `data`. Returns its size and what it holds."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as temporary:
        folder = Path(temporary) / "kit"
        folder.mkdir()
        _lay_out(model, folder)
        bare = _write(output, folder)
        if bare >= limit:
            raise WorkshopError(f"code and weights of {model} alone take {bare} bytes of {limit}")
        if model == "dirt":
            held = pack_dirt(data, folder, limit - bare)
        else:
            held = {"pictures": _pack_pictures(pictures, folder / "pictures.bin", limit - bare)}
        size = _write(output, folder)
        if size > limit:
            raise WorkshopError(f"{output}: {size} bytes, {size - limit} too many")
    return {"bytes": size, **held}


def _lay_out(model: str, folder: Path) -> None:
    """All but the data."""
    for package in CODE:
        for path in sorted((TRAINING / package).rglob("*")):
            if path.is_file() and path.suffix in (".py", "") and "__pycache__" not in path.parts:
                copy = folder / path.relative_to(TRAINING)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    (folder / "split.json").write_bytes((TRAINING / "split.json").read_bytes())
    cache, start = folder / CACHE.name, folder / START.name
    cache.mkdir()
    if model == "dirt":
        carry_rife(cache / RIFE)
    if KITS[model].start:
        start.mkdir()
        carry_start(start, *KITS[model].start)
    script = folder / "run.sh"
    script.write_text(RUN.format(model=model, options=KITS[model].options), encoding="utf-8")
    script.chmod(0o755)


def _pack_pictures(pictures: Path, path: Path, room: int) -> int:
    """A data set of as many pictures as `room` bytes hold; returns their number."""
    entries = [middle(entry) for entry in unpack(pictures)]
    count = len(entries)
    while True:
        pack([entries[len(entries) * i // count] for i in range(count)], path, QUALITY)
        size = path.stat().st_size
        if size + SPARE <= room:
            return count
        count = min(count - 1, int(count * (room - SPARE) / size * 0.99))
        if count < 20:
            raise WorkshopError(f"no useful number of pictures fits into {room} bytes")


def _write(output: Path, folder: Path) -> int:
    """Archives a folder under its own name; returns the bytes."""

    def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(output, "w:gz", compresslevel=6) as archive:
        archive.add(folder, folder.name, filter=anonymous)
    return output.stat().st_size
