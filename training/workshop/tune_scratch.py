"""`python -m workshop.tune_scratch`: how sure a candidate must be to count as a scratch, by clips of the training part alone.

The evaluation's lines and grain are drawn on other pictures: photographs and clips of `split.json`'s training part. Of every candidate
evidence and motion are kept with the truth, and rules are compared: the one with most lines found at no more than 2 false lines a thousand
frames without any is printed first. Photographs with upright edges of their own stand still under a gate that weaves: what real film has
most false lines of.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from degradation.damage import weave
from degradation.motion import moving_clip, random_camera
from degradation.stocks import STOCKS

from .evaluate_degrain import grain_of
from .evaluate_scratch import FIELD, FRAMES, HEIGHT, NEAR, WIDTH, candidates, load
from .paths import DATA, MODELS, WORK, split
from .pictures import read_frames, read_picture
from .scratch_baselines import classical
from .scratch_cases import Scene, grained, lined
from .scratch_net import ScratchNet
from .scratch_shot import column_at
from .shipped import shipped_state

ALLOWED = 2.0
"""False lines in a thousand frames."""
EVERY = 13
"""Of the training photographs every so many is used."""
UPRIGHT = 24
"""Photographs that have the most upright lines of their own."""
WEAVES = (0.2, 0.5, 1.0, 1.5)
"""σ in pixels of a gate that does not hold the film."""


def uprights(photos: list[Path], most: int = UPRIGHT) -> Iterator[Scene]:
    """What lines are taken for: photographs with windows, poles, stems, before a camera that stands, whose gate weaves.

    Those in whose middle the column medians find the most lines, each as it is or lying on its side.
    """
    ranked = []
    for path in photos:
        photo = torch.from_numpy(read_picture(path, 10**6).copy()).permute(2, 0, 1).float() / 255
        for turned in (False, True):
            own = photo.transpose(1, 2) if turned else photo
            top, left = (own.shape[1] - HEIGHT) // 2, (own.shape[2] - WIDTH) // 2
            if min(top, left) >= 0:
                middle = own[:, top : top + HEIGHT, left : left + WIDTH].contiguous()
                name = f"{'turned' if turned else 'upright'} {path.stem}"
                ranked.append((-len(classical(middle)[1]), name, middle))
    for index, (_, name, middle) in enumerate(sorted(ranked, key=lambda one: one[:2])[:most]):
        yield Scene("upright", name, weave(middle.expand(FRAMES, -1, -1, -1), WEAVES[index % 4], 650 + index)[0])


def clips(data: Path) -> Iterator[Scene]:
    """Moving photographs and clips of the training part."""
    parts = split()
    photos = [path for pattern in parts["photos"]["train"] for path in sorted(data.glob(pattern))]
    # Faces fill a studio's frame: hair is no window.
    places = [path for index, path in enumerate(photos) if index % EVERY != 7 and path.parent.name != "synthetic"]
    yield from uprights(places)
    for index, path in enumerate(photos[7::EVERY]):
        photo = torch.from_numpy(read_picture(path, 10**6).copy()).permute(2, 0, 1).float() / 255
        room = (photo.shape[1] - HEIGHT, photo.shape[2] - WIDTH)
        if min(room) < 24:
            continue
        if index % 2:
            # A camera that stands, whose gate does not hold the film: the picture moves by less than a line wanders.
            top, left = room[0] // 2, room[1] // 2
            still = photo[None, :, top : top + HEIGHT, left : left + WIDTH].expand(FRAMES, -1, -1, -1)
            yield Scene("still", path.stem, weave(still, WEAVES[index // 2 % 4], 350 + index)[0])
        else:
            camera = random_camera(torch.Generator().manual_seed(150 + index), 2.5)
            yield Scene("photo", path.stem, moving_clip(photo, camera, FRAMES, (HEIGHT, WIDTH), 150 + index))
    for name, first, last in parts["video"]["train"]:
        start = first + (last - first) // 3
        frames = torch.from_numpy(read_frames(data / name, start, FRAMES, f"crop={WIDTH}:{HEIGHT}").copy())
        yield Scene("video", f"{Path(name).stem}#{start}", frames.permute(0, 3, 1, 2).float() / 255)


def gathered(net: ScratchNet, scene: Scene, index: int, tools: dict[str, Any]) -> list[dict[str, Any]]:
    """Candidates of a clip with lines drawn as for training, in the older way, and without any; of an `upright` one without any."""
    rows = []
    for turn, way in enumerate(("new", "old", "none")):
        if scene.kind == "upright" and way != "none":
            continue
        whole, sigma, _ = grained(scene, index, turn, tools["banks"])
        case, middle = lined(whole, way, 2500 + index * 10 + turn), len(whole) // 2
        found = []
        for line in candidates(net, case.frames, sigma):
            x = column_at(line, middle)
            found.append(
                {
                    "evidence": line.evidence,
                    "motion": line.motion,
                    "frames": sum(column_at(line, i) is not None for i in range(len(whole))),
                    "hits": [] if x is None else [k for k, (p, z) in enumerate(case.asked) if p == line.polarity and abs(z - x) <= NEAR],
                    "false": x is not None and not any(abs(z - x) <= 2 * NEAR for _, z in case.true),
                }
            )
        row = {"clip": scene.name, "scene": scene.kind, "kind": way, "asked": len(case.asked), "frames": len(whole)}
        rows.append({**row, "candidates": found})
    return rows


def judged(rows: list[dict[str, Any]], weight: float, middle: float, slope: float, most: float, floor: float) -> tuple[float, float, float]:
    """Share of lines found, false lines a thousand frames without any, and false lines a frame with lines; of one rule."""
    found = asked = false = quiet = wrong = loud = 0
    for row in rows:
        taken = [
            c
            for c in row["candidates"]
            if c["evidence"] >= floor and weight * (c["evidence"] - middle) + slope * min(most, max(-10.0, c["motion"])) > 0
        ]
        if row["kind"] == "none":
            false, quiet = false + sum(c["frames"] for c in taken), quiet + row["frames"]
        else:
            found, asked = found + len({k for c in taken for k in c["hits"]}), asked + row["asked"]
            wrong, loud = wrong + sum(c["false"] for c in taken), loud + 1
    return found / max(1, asked), 1000 * false / max(1, quiet), wrong / max(1, loud)


def main() -> None:
    """Gathers candidates, kept in the workshop's folder, and prints the rules."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=10**6, help="clips")
    parser.add_argument("--weights", type=Path, help="a run's best.pt; default: the shipped net")
    options = parser.parse_args()
    torch.set_num_threads(1)
    weights = options.weights or MODELS / "scratch.onnx"
    # Another net finds others.
    kept = WORK / f"scratch-candidates-{hashlib.sha256(weights.read_bytes()).hexdigest()[:8]}.json"
    rows = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else []
    known = {row["clip"] for row in rows}
    if options.weights:
        net = load(options.weights)
    else:
        net = ScratchNet()
        net.load_state_dict(shipped_state(weights), strict=False)
        net.eval()
    tools = {"banks": {name: grain_of(name, 5000 + index, FIELD) for index, name in enumerate(STOCKS)}}
    for index, scene in enumerate(itertools.islice(clips(DATA), options.limit)):
        if scene.name not in known:
            rows += gathered(net, scene, index, tools)
            kept.write_text(json.dumps(rows), encoding="utf-8")
            print(scene.name, flush=True)
    # A step of 3 at 0.4 takes none below it: motion gives 3 at most.
    shipped = judged(rows, 6, 0.55, 0.5, 6, 0.4)
    print(f"as it is: found {shipped[0]:.3f}, false {shipped[1]:.1f} a thousand frames, {shipped[2]:.3f} a frame with lines")
    print(f"every candidate: found {judged(rows, 1, -99, 0, 0, 0)[0]:.3f}")
    for kind in ("upright", "photo", "still", "video"):
        print(kind, *(f"{value:.3f}" for value in judged([row for row in rows if row["scene"] == kind], 6, 0.55, 0.5, 6, 0.4)))
    tried = itertools.product((6.0,), (0.35, 0.4, 0.45, 0.5, 0.55, 0.6), (0.25, 0.5, 1.0), (2.0, 4.0, 6.0), (0.0, 0.35, 0.4, 0.45, 0.5))
    rules = [(judged(rows, *rule), rule) for rule in tried]
    for (found, false, wrong), rule in sorted((one for one in rules if one[0][1] <= ALLOWED), key=lambda one: (-one[0][0], one[0][2]))[:12]:
        print(f"found {found:.3f}, false {false:.1f}, {wrong:.3f}: {rule}")


if __name__ == "__main__":
    main()
