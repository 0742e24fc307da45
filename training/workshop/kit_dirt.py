"""The data of `dirt`'s GPU kit: cut-outs of dirt, photographs, and clips where they move most, all as small as they are used.

They are laid out as the data folder is, with a `split.json` of their own, so that training reads them as it reads the whole. Nothing
of it is for evaluation, what is watched stays so, and no codec is needed: a clip is a folder of pictures.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from degradation.damage import KINDS, LARGEST

from .dirt_data import SIDE, WATCHED_PHOTOS, Sources, decoded
from .paths import WorkshopError, need, split
from .pictures import Bytes, read_picture

FRAMES = 9
"""Of a carried run of frames: enough for three that are three apart."""
WIDE = 224
"""Side of a run's square, where its clip is as large."""
PHOTO = 240
"""Side of a carried photograph's middle: what a sample needs, and room to move."""
QUALITY = 82
GRADES = 8
"""Steps of opacity that a carried cut-out does not tell apart, of 255."""
PHOTOS = 0.35
"""Photographs' share of the bytes that cut-outs leave."""
GESTURES = 0.65
"""Share of the runs that are of signing hands."""
WATCHED_FRAMES = 18
"""Of a clip that is watched; one run of each."""
FEWEST = 20
"""Photographs, and runs, that are worth a training."""
OVERHEAD = 20
"""Bytes that the archive takes for a file beside what is in it, at most."""


def pack_dirt(data: Path, folder: Path, room: int) -> dict[str, int]:
    """Writes `folder`/data and its split: as much as takes `room` bytes; returns how many of what."""
    need(data, "clips, photographs and damage are read from ../shared/data or from the folder EMULSION_DATA")
    sources = Sources.of(data, folder.parent)
    room = int(room * 0.98)
    watched = Sources.of(data, folder.parent, watched=True)
    shapes, room = _cut_outs(data, folder / "data" / "damage", room)
    for index in range(len(watched.clips)):
        room = _fill(folder, _runs_of(decoded(watched, index), _name(watched, index), WATCHED_FRAMES), room, 1)[1]
    # Clips give only so much: what they leave is the photographs'.
    spared = int(room * PHOTOS)
    runs, left = _fill(folder, _runs(sources), room - spared)
    photos, left = _fill(folder, _photos(sources, watched), left + spared)
    if min(photos, runs) < FEWEST:
        raise WorkshopError(f"{photos} photographs and {runs} runs of frames fit in: too few to train on ({left} bytes left)")
    found = [path for path in sorted((folder / "data" / "video").glob("*/*")) if path.is_dir()]
    clips = [[str(path.relative_to(folder / "data")), 0, len(list(path.iterdir())) - 1] for path in found]
    own = {
        "comment": "A GPU kit's data: all of it is for training. Number 0 of a kind of damage stands for those kept for evaluation.",
        "photos": {"train": ["photos/*"], "evaluate": []},
        "video": {"train": clips, "evaluate": []},
        "damage": {"evaluateEvery": 10**6},
    }
    (folder / "split.json").write_text(json.dumps(own, indent="\t") + "\n", encoding="utf-8")
    return {"cut-outs": shapes, "photographs": photos, "runs of frames": runs}


Piece = list[tuple[str, bytes]]
"""Files that belong together, by their names below the kit."""


def _fill(folder: Path, pieces: Iterator[Piece], room: int, most: int | None = None) -> tuple[int, int]:
    """Writes pieces, at most `most`, while they fit; returns their number and the bytes left."""
    written = 0
    for piece in islice(pieces, most):
        size = sum(len(blob) + OVERHEAD for _, blob in piece)
        if size > room:
            break
        for name, blob in piece:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(blob)
        written, room = written + 1, room - size
    return written, room


def _jpeg(picture: Bytes) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue()


def _cut_outs(data: Path, folder: Path, room: int) -> tuple[int, int]:
    """The training part of the cut-outs, no larger than they are drawn; returns their number and the bytes left."""
    every = int(split()["damage"]["evaluateEvery"])
    number = 0
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        Image.new("LA", (1, 1)).save(folder / kind / "0.png")
        for index, path in enumerate(sorted((data / "damage" / kind).glob("*.png"))):
            if index % every == 0:
                continue
            alpha = Image.open(path).convert("RGBA").getchannel("A")
            box = alpha.point(lambda value: 255 if value > 16 else 0).getbbox()
            if box is None:
                continue
            part = alpha.crop(box)
            # An object is at most LARGEST px on the film, and stretched by no more than a third.
            share = LARGEST * 4 / 3 / max(part.size)
            if share < 1:
                part = part.resize((max(1, round(part.width * share)), max(1, round(part.height * share))), Image.Resampling.BOX)
            graded = (np.asarray(part).astype(np.int32) + GRADES // 2) // GRADES * GRADES
            alpha = Image.fromarray(graded.clip(0, 255).astype(np.uint8))
            Image.merge("LA", (Image.new("L", alpha.size), alpha)).save(folder / kind / f"{index:04}.png", optimize=True)
            room -= (folder / kind / f"{index:04}.png").stat().st_size + OVERHEAD
            number += 1
    if room < 0:
        raise WorkshopError(f"the {number} cut-outs of dirt alone take {-room} bytes more than there is room for")
    return number, room


def _spread(count: int) -> list[int]:
    """0 … count−1 in an order whose every beginning is spread evenly."""
    return sorted(range(count), key=lambda index: (index * 0.6180339887498949) % 1)


def _photos(sources: Sources, watched: Sources) -> Iterator[Piece]:
    """Middles of photographs; every `WATCHED_PHOTOS`-th is one of those that are watched, as in the whole."""
    trained, held = (iter([source.photos[index] for index in _spread(len(source.photos))]) for source in (sources, watched))
    for number in count():
        path = next(trained if number % WATCHED_PHOTOS else held, None)
        if path is None:
            return
        picture = read_picture(path)
        top, left = (max(0, (size - PHOTO) // 2) for size in picture.shape[:2])
        yield [(f"data/photos/{number:04}.jpg", _jpeg(np.ascontiguousarray(picture[top : top + PHOTO, left : left + PHOTO])))]


def _runs(sources: Sources) -> Iterator[Piece]:
    """Runs of frames, of every clip first the one with the most motion, then the next; hands as often as they are trained on."""
    hands: list[Iterator[Piece]] = []
    others: list[Iterator[Piece]] = []
    for index in range(len(sources.clips)):
        name = _name(sources, index)
        (hands if "/gestures/" in name else others).append(_runs_of(decoded(sources, index), name + "-{}"))
    share = 0.0
    while hands or others:
        share += GESTURES if others else 1
        turn = hands if (share >= 1 and hands) or not others else others
        share -= 1 if share >= 1 else 0
        one = turn.pop(0)
        piece = next(one, None)
        if piece is not None:
            turn.append(one)
            yield piece


def _name(sources: Sources, index: int) -> str:
    """The folder of a clip's frames."""
    path = sources.clips[index][0]
    return f"data/video/{'gestures' if path.parent.name == 'gestures' else 'other'}/{path.stem}"


def _runs_of(frames: Bytes, name: str, length: int = FRAMES) -> Iterator[Piece]:
    """A clip's runs by motion, no two of the same frames: each a folder of `length` squares, named by its first frame."""
    small = torch.from_numpy(frames[:, ::4, ::4].astype(np.float32)).mean(3)
    side = min(WIDE, *frames.shape[1:3])
    window = max(1, side // 4)
    found = []
    for first in range(0, len(frames) - length + 1):
        motion = (small[first + length - 1 - 3] - small[first]).abs() + (small[first + length - 1] - small[first + 3]).abs()
        sums = functional.avg_pool2d(motion[None, None], min(window, *motion.shape), 2)[0, 0]
        at = int(sums.argmax())
        found.append((float(sums.max()), first, at // sums.shape[1] * 8, at % sums.shape[1] * 8))
    taken: list[int] = []
    for _, first, top, left in sorted(found, reverse=True):
        if any(abs(first - other) < length for other in taken):
            continue
        taken.append(first)
        top, left = min(top, frames.shape[1] - side), min(left, frames.shape[2] - side)
        squares = frames[first : first + length, top : top + side, left : left + side]
        yield [(f"{name.format(first)}/{number:02}.jpg", _jpeg(np.ascontiguousarray(square))) for number, square in enumerate(squares)]


assert PHOTO >= SIDE and WIDE >= SIDE
