"""Clean pictures to train on, packed in one file: photographs, portraits, and triples of frames of the clean clips."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .paths import DATA, WorkshopError, need, split

Bytes = NDArray[np.uint8]
LONGEST = 512
"""Photographs are reduced to this longest side, which also takes most of their own noise and compression away."""
CLIP_FRAMES = 3


@dataclass(frozen=True)
class Entry:
    """One picture or clip: [frames, H, W, 3] codes."""

    name: str
    frames: Bytes


def read_picture(path: Path, longest: int = LONGEST) -> Bytes:
    """A photograph as [H, W, 3] codes, reduced to `longest`."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    share = longest / max(picture.size)
    if share < 1:
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(picture)


def read_frames(path: Path, first: int, count: int, crop: str | None = None) -> Bytes:
    """Consecutive frames of a clip, [count, H, W, 3]: of a folder of pictures, or decoded by ffmpeg; `crop` is a filter put before."""
    if path.is_dir() and crop is None:
        paths = sorted(path.iterdir())[first : first + count]
        if len(paths) != count:
            raise WorkshopError(f"{path}: frames {first}…{first + count - 1} are not there")
        return np.stack([read_picture(one, LONGEST) for one in paths])
    probe = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0", str(path)]
    found = subprocess.run(probe, capture_output=True, text=True, check=False)
    if found.returncode:
        raise WorkshopError(f"{path.name}: {found.stderr.strip()}")
    width, height = (int(value) for value in found.stdout.strip().strip(",").split(",")[:2])
    select = f"select=between(n\\,{first}\\,{first + count - 1})"
    filters = f"{select},{crop}" if crop else select
    if crop:
        size = crop.split("crop=")[1].split(":")
        width, height = int(size[0]), int(size[1])
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", filters, "-fps_mode", "passthrough", "-frames:v", str(count)]
    done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=False)
    if done.returncode or len(done.stdout) != count * width * height * 3:
        raise WorkshopError(f"{path.name}: frames {first}…{first + count - 1} could not be read. {done.stderr.decode().strip()}")
    return np.frombuffer(done.stdout, np.uint8).reshape(count, height, width, 3)


def collect(data: Path = DATA, limit: int | None = None) -> list[Entry]:
    """Everything the split lets us train on; `limit` takes about so many of each source, spread evenly."""
    need(data, "the training pictures are read from ../shared/data or from the folder EMULSION_DATA")
    parts = split()
    entries = []
    for pattern in parts["photos"]["train"]:
        paths = sorted(data.glob(pattern))
        if not paths:
            raise WorkshopError(f"{data / pattern}: no such pictures")
        for path in paths[:: max(1, len(paths) // limit) if limit else 1]:
            entries.append(Entry(str(path.relative_to(data)), read_picture(path)[None]))
    for name, first, last in parts["video"]["train"]:
        count = limit or 8
        for index in range(count):
            start = first + (last - first - CLIP_FRAMES + 1) * index // max(1, count - 1 if count > 1 else 1)
            entries.append(Entry(f"{name}#{start}", read_frames(data / name, start, CLIP_FRAMES)))
    return entries


def pack(entries: list[Entry], path: Path, quality: int | None = None, like: dict[str, Any] | None = None) -> None:
    """Writes a data set: the codes as they are, or JPEG of a quality where it must be small. `like` is a report of `estimate`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blobs, index = [], []
    for entry in entries:
        sizes = []
        for frame in entry.frames:
            buffer = io.BytesIO()
            if quality is None:
                blob = frame.tobytes()
            else:
                Image.fromarray(frame).save(buffer, "JPEG", quality=quality, subsampling=0)
                blob = buffer.getvalue()
            blobs.append(blob)
            sizes.append(len(blob))
        index.append({"name": entry.name, "height": entry.frames.shape[1], "width": entry.frames.shape[2], "bytes": sizes})
    head = json.dumps({"version": 1, "jpeg": quality is not None, "like": like, "entries": index}).encode()
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head + b"".join(blobs))


def _head(path: Path) -> tuple[dict[str, Any], int]:
    """What a data set says of itself, and where its pictures begin."""
    need(path, "make it with `make-data`")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            head: dict[str, Any] = json.loads(file.read(min(length, 2**28)))
        except ValueError as error:
            raise WorkshopError(f"{path} is no data set; make it anew with `make-data`") from error
    if head.get("version") != 1:
        raise WorkshopError(f"{path}: version {head.get('version')} is not understood; make it anew with `make-data`")
    return head, 8 + length


def film_of(path: Path) -> dict[str, Any] | None:
    """The film that a data set is made like, as `estimate` reported it."""
    like: dict[str, Any] | None = _head(path)[0].get("like")
    return like


def some(path: Path, every: int) -> list[Bytes]:
    """Of every so manyth entry of an uncompressed data set the middle frame [H, W, 3]; the others are not read."""
    head, at = _head(path)
    if head["jpeg"]:
        raise WorkshopError(f"{path} is compressed; make it anew with `make-data`, without --jpeg")
    found = []
    with path.open("rb") as file:
        for index, line in enumerate(head["entries"]):
            middle = len(line["bytes"]) // 2
            if index % every == 0:
                file.seek(at + sum(line["bytes"][:middle]))
                frame = np.frombuffer(file.read(line["bytes"][middle]), np.uint8)
                found.append(frame.reshape(line["height"], line["width"], 3))
            at += sum(line["bytes"])
    return found


def unpack(path: Path) -> list[Entry]:
    """Reads a data set."""
    head, at = _head(path)
    data, entries = path.read_bytes(), []
    for line in head["entries"]:
        frames = []
        for size in line["bytes"]:
            blob = data[at : at + size]
            at += size
            frames.append(
                np.asarray(Image.open(io.BytesIO(blob)).convert("RGB"))
                if head["jpeg"]
                else np.frombuffer(blob, np.uint8).reshape(line["height"], line["width"], 3)
            )
        entries.append(Entry(line["name"], np.stack(frames)))
    return entries
