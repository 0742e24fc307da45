"""The GPU kit: code, warm start and data in one archive of at most 20 MiB, for a machine that can reach nothing else.

There, unpacked, the same command trains as here: `python -m workshop train degrain --budget 9m --bf16` (PyTorch, NumPy and
Pillow must be installed). Grain is drawn on the GPU. What comes back is the run's folder; its `best.pt` is a few MB.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np

from emulsion_training.sources import check

from .paths import CACHE, TRAINING, WorkshopError
from .pictures import Entry, pack, unpack

LIMIT = 20 * 2**20
"""Bytes of the archive."""
SIDE = 320
"""Pictures are cut to this side around their middle."""
QUALITY = 92
CODE = ("emulsion_training", "degradation", "workshop")
WARM_START = "ffdnet_color.pth"
RUN = """#!/usr/bin/env bash
# Trains for BUDGET (default 9m) on the GPU, or on the CPU where there is none. Repeat it to go on from the last checkpoint.
# What is wanted back lies in $OUT (default: here), folder run: best.pt, log.csv, curve.png, run.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export PYTHONUNBUFFERED=1
exec python3 -m workshop train degrain --budget "${BUDGET:-9m}" --bf16 --batch "${BATCH:-64}" --stocks "${STOCKS:-64}" \\
\t--every 30s --pictures pictures.bin --run "${OUT:-.}/run" "$@"
"""


def middle(entry: Entry, side: int = SIDE) -> Entry:
    """The middle of an entry's first frame."""
    frame = entry.frames[0]
    top, left = max(0, (frame.shape[0] - side) // 2), max(0, (frame.shape[1] - side) // 2)
    return Entry(entry.name, np.ascontiguousarray(frame[None, top : top + side, left : left + side]))


def make_kit(pictures: Path, output: Path, limit: int = LIMIT) -> dict[str, int]:
    """Writes the archive, with as many pictures as fit; returns its size and their number."""
    check(CACHE / WARM_START)
    entries = [middle(entry) for entry in unpack(pictures)]
    output.parent.mkdir(parents=True, exist_ok=True)
    data = output.with_suffix(".pictures")
    count = len(entries)
    try:
        while True:
            chosen = [entries[len(entries) * i // count] for i in range(count)]
            pack(chosen, data, QUALITY)
            _write(output, data)
            size = output.stat().st_size
            if size <= limit:
                return {"bytes": size, "pictures": count}
            # The rest of the archive is small: the pictures' share decides.
            count = min(count - 1, int(count * (1 - (size - limit) / data.stat().st_size) * 0.99))
            if count < 20:
                raise WorkshopError(f"no useful number of pictures fits into {limit} bytes")
    finally:
        data.unlink(missing_ok=True)


def _write(output: Path, data: Path) -> None:
    with tarfile.open(output, "w:gz") as archive:
        for package in CODE:
            for path in sorted((TRAINING / package).rglob("*")):
                if path.is_file() and path.suffix in (".py", "") and "__pycache__" not in path.parts:
                    archive.add(path, f"kit/{path.relative_to(TRAINING)}")
        archive.add(TRAINING / "split.json", "kit/split.json")
        archive.add(CACHE / WARM_START, f"kit/.cache/{WARM_START}")
        archive.add(data, "kit/pictures.bin")
        script = tarfile.TarInfo("kit/run.sh")
        body = RUN.encode()
        script.size, script.mode = len(body), 0o755
        archive.addfile(script, io.BytesIO(body))
