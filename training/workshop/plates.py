"""Difference plates in motion: what a model did to consecutive frames, as an animated PNG for its card.

A still does not show what every eye sees at once when it moves: outlines and limbs in what was to be grain or dust, and patches that
flicker. Each frame shows, in luma and at 100 %, input, output and plate side by side; the plate is 0.5 + gain × (output − input).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from .metrics import luma

FRAMES = 9
"""Of a plate; an odd number, so that the middle one is the case that the card's figures are of."""
RATE = 8
"""Frames a second."""
SIDES = (160, 144, 128, 112, 96, 80, 64)
"""Of each of the three squares: the largest, or all of a smaller clip, of which all frames fit in `MOST`."""
MOST = 240_000
"""Bytes of a file: what is in `public/models` is shipped with the application."""
LEVELS = 32
"""Of a plate, between black and white."""
GAINS = (8.0, 4.0, 2.0, 1.0)
ROOM = 0.98
"""Share of a plate's pixels that must not be cut off at black or white."""


@dataclass(frozen=True)
class Moving:
    """Consecutive frames [N, 3, H, W] before and after a model, the corner (top, left) around whose square of `SIDES[0]` they are
    shown, and what they are."""

    before: Tensor
    after: Tensor
    corner: tuple[int, int]
    words: str
    gain: float | None = None
    """None: the largest of `GAINS` at which `ROOM` of the plate lies between black and white."""


def lumas(clip: Tensor) -> Tensor:
    """[N, H, W] of [N, 3, H, W]."""
    return torch.stack([luma(frame) for frame in clip])


def plate(before: Tensor, after: Tensor, gain: float) -> Tensor:
    """What was changed, from luma [N, H, W] of both: gray where nothing was, brighter where the output is; in `LEVELS`, as grain of 256
    cannot be compressed."""
    steps = LEVELS // 2
    return 0.5 + (gain * (after - before) * LEVELS).round().clamp(-steps, steps) / LEVELS


def gain_for(before: Tensor, after: Tensor) -> float:
    """The largest gain that leaves enough of a plate legible."""
    change = (after - before).abs()
    return next((gain for gain in GAINS if float((change * gain <= 0.5).float().mean()) >= ROOM), GAINS[-1])


def save(moving: Moving, path: Path) -> dict[str, Any]:
    """Writes the animated PNG; returns what a card says of it: its name, gain, side, number of frames, and words."""
    if moving.before.shape != moving.after.shape or len(moving.before) < 2:
        shapes = f"{tuple(moving.before.shape)} and {tuple(moving.after.shape)}"
        raise ValueError(f"plates: two or more frames, as large before as after (got {shapes})")
    largest = min(SIDES[0], *moving.before.shape[-2:])
    (high, wide), (top, left) = moving.before.shape[-2:], moving.corner
    y, x = (max(0, min(at, size - largest)) for at, size in ((top, high), (left, wide)))
    before, after = (lumas(clip[..., y : y + largest, x : x + largest].clamp(0, 1)) for clip in (moving.before, moving.after))
    gain = moving.gain or gain_for(before, after)
    parts = (before, after, plate(before, after, gain))
    data, side = b"", 0
    for side in (largest, *(size for size in SIDES if size < largest)):
        at = (largest - side) // 2
        data = animated(torch.cat([part[:, at : at + side, at : at + side] for part in parts], 2))
        if len(data) <= MOST:
            break
    path.write_bytes(data)
    return {"file": path.name, "gain": gain, "side": side, "frames": len(before), "words": moving.words}


def animated(frames: Tensor) -> bytes:
    """Gray frames [N, H, W] of 0…1 as an animated PNG that goes on for ever; where it is not played the first frame stands."""
    codes = (frames.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    first, *others = (Image.fromarray(frame) for frame in codes)
    file = io.BytesIO()
    first.save(file, "PNG", save_all=True, append_images=others, duration=1000 // RATE, loop=0, optimize=True)
    return file.getvalue()


def add(output: Path, make: Callable[[list[dict[str, Any]]], Sequence[tuple[str, Moving]]]) -> None:
    """Writes the plates that `make` makes of an evaluation's rows beside it, each by its file's stem, and names them in its
    `evaluation.json`."""
    path = output / "evaluation.json"
    shown = make(json.loads(path.read_text(encoding="utf-8"))["rows"])
    # Read again: `make` may have added to it.
    result = json.loads(path.read_text(encoding="utf-8"))
    result["plates"] = [save(moving, output / f"{stem}.png") for stem, moving in shown]
    path.write_text(json.dumps(result, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")


def section(model: str, result: dict[str, Any], look: str) -> tuple[str, ...]:
    """The card's section, with `look`, what to look for; none where an evaluation made no plates."""
    made = result.get("plates", [])
    if not made:
        return ()
    words = "\n\n".join(
        f"{one['words']} {one['frames']} frames, {one['side']} px, plate {one['gain']:g}-fold.\n\n![{one['file']}]({model}/{one['file']})"
        for one in made
    )
    return (
        f"## Difference plates in motion\n\nConsecutive frames at 100 %, in luma, {RATE} a second (animated PNG): input, output, and 0.5 + "
        f"gain × (output − input). {look}\n\n{words}",
    )
