"""Arrays in files that several processes fill at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np


def mapped(path: Path, shape: tuple[int, ...], kind: str) -> np.ndarray[Any, np.dtype[Any]]:
    """An array in a file, of zeros where nothing was written. The file is sparse: only what was written takes room."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        own = path.with_suffix(f".{os.getpid()}.npy")
        np.lib.format.open_memmap(own, "w+", np.dtype(kind), shape).flush()
        try:
            # The first process's file counts.
            os.link(own, path)
        except FileExistsError:
            pass
        finally:
            own.unlink()
    return np.lib.format.open_memmap(path, "r+")
