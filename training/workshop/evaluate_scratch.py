"""`evaluate scratch`: one table, every method on the same frames in the same run, none of them ever trained on.

Three parts. *Scratched*: moving clips of Kodak 01–12 and of the clean clips' evaluation parts, with grain of a named stock and lines on
it, drawn in two ways (as for training, and by the older `damage.scratches`, which training never saw); scored on the lines, in their
rim of 8 px, and outside. *Clean*: the same clips without lines, where whatever is found is an error: bricks and windows
are among them. *Film*: real film, with upright lines of its own and no truth.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from degradation.motion import moving_clip, random_camera
from degradation.stocks import STOCKS

from . import metrics
from .baselines import ffmpeg_filter, to_bytes
from .crops import fullest
from .dirt_net import scale_of
from .estimate import grain
from .evaluate_degrain import grain_of, toned
from .heal import spread
from .paths import need, split
from .pictures import read_frames, read_picture
from .scratch_baselines import classical, told_delogo
from .scratch_cases import Scene, grained, lined
from .scratch_heal import NAMED, decide, from_sides, heal
from .scratch_net import ROWS, ScratchNet
from .scratch_shot import Line, Look, column_at, find_lines, moments

SCRATCHED = "scratched"
PERFECT = "the picture itself, without its grain"
"""What a perfect hand could paint who does not know the grain: more than this only what shows through a line can give."""
"""The input, beside the methods in the table."""
METHODS = ("tmedian", "delogo, told", "classical", "ours", "ours, told")
FRAMES = 12
WAYS_SAID = {"new": "Soft lines, drawn as for training", "old": "Lines of `damage.scratches`", "sharp": "Hard-edged, opaque lines"}
"""Of drawing lines, and their names in the table."""
WAYS = tuple(WAYS_SAID)
"""Scratched cases of a clip: lines drawn in two ways."""
WIDTH, HEIGHT = 320, 240
RIM = 8
CROP = 96
FIELD = 128
"""Side of the grain fields: drawing larger ones takes minutes."""
HALF = 6.0
"""Half width in pixels of what delogo is told to replace."""
NEAR = 3.0
"""A line is found where one of its polarity stands within so many pixels of it, on the scored frame."""
FILM_FRAMES = (20, 90, 170)


def scenes(data: Path, limit: int | None = None) -> Iterator[Scene]:
    """All scenes, or about `limit` of each kind."""
    need(data, "the evaluation set is read from ../shared/data or from the folder EMULSION_DATA")
    parts = split()
    photos = [path for pattern in parts["photos"]["evaluate"] for path in sorted(data.glob(pattern))]
    clips = []
    for index, path in enumerate(photos[:limit]):
        photo = torch.from_numpy(read_picture(path, 10**6).copy()).permute(2, 0, 1).float() / 255
        camera = random_camera(torch.Generator().manual_seed(950 + index), 2.5)
        clips.append((path.stem, moving_clip(photo, camera, FRAMES, (HEIGHT, WIDTH), 950 + index)))
    for name, first, last in parts["video"]["evaluate"][:limit]:
        start = first + (last - first) // 3
        crop = f"crop={WIDTH}:{HEIGHT}" if not name.endswith("tree.avi") else "crop=320:240"
        frames = torch.from_numpy(read_frames(data / name, start, FRAMES, crop).copy())
        clips.append((f"{Path(name).stem}#{start}", frames.permute(0, 3, 1, 2).float() / 255))
    for kind in ("scratched", "clean"):
        yield from (Scene(kind, name, frames) for name, frames in clips)
    for start in FILM_FRAMES[:limit]:
        raw = read_frames(data / "film" / "street-1900s.mp4", start, FRAMES)
        yield Scene("film", f"street-1900s#{start}", torch.from_numpy(raw.copy()).permute(0, 3, 1, 2).float() / 255)


def load(weights: Path) -> ScratchNet:
    """Our net from a run's averaged weights."""
    net = ScratchNet()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return net.eval()


def evidence(net: ScratchNet, frame: Tensor, sigma: float) -> Tensor:
    """Evidence [2, H, W] of a frame of any size."""
    height, width = frame.shape[-2:]
    padded = functional.pad(frame[None], (0, -width % ROWS, 0, -height % ROWS), mode="replicate")
    with torch.no_grad():
        lines: Tensor = net(padded, torch.full((1, 1, 1, 1), scale_of(sigma)))
    return lines[0, :, :height, :width]


def strips(planes: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Planes [C, H, W] in eights of rows."""
    rows = max(1, (planes.shape[-2] + ROWS // 2) // ROWS)
    small = functional.interpolate(planes[None], size=(rows, planes.shape[-1]), mode="area")[0]
    return small.numpy().astype(np.float64)


def look(index: int, frame: Tensor, lines: Tensor) -> Look:
    """What the shot's decision sees of a frame."""
    return Look(index, strips(lines), strips(metrics.luma(frame)[None])[0])


def candidates(net: ScratchNet, frames: Tensor, sigma: float) -> list[Line]:
    """All lines of a shot: the film's and the picture's."""
    looks = [look(i, frames[i], evidence(net, frames[i], sigma)) for i in moments(0, len(frames) - 1)]
    return find_lines(looks, frames.shape[-2])


def placed(lines: Iterable[Line], frame: int) -> list[tuple[int, float, float]]:
    """Polarity, column and lean of the lines on a frame that count as scratches."""
    found = []
    for line in lines:
        column = column_at(line, frame)
        if line.score > 0 and column is not None:
            found.append((line.polarity, column, line.lean))
    return found


def outputs(
    net: ScratchNet, frames: Tensor, middle: int, sigma: float, true: Sequence[tuple[int, float]]
) -> tuple[dict[str, tuple[Tensor, Tensor]], list[Line], dict[str, list[tuple[int, float]]]]:
    """Each method's picture of a frame and where it changed it [1, H, W]; our candidates; the columns that each detector found."""
    frame, three = frames[middle], frames[middle - 1 : middle + 2]
    median = ffmpeg_filter(three, "tmedian=radius=1", "gbrp", fewer=2)[0]
    sign, seen = classical(frame)
    lines = candidates(net, frames, sigma)
    here = placed(lines, middle)
    seen_here = evidence(net, frame, sigma)
    own = decide(seen_here, here) if here else torch.zeros_like(sign)
    healed, _ = heal(frame, own)
    named = decide(seen_here, [(polarity, column, 0.0) for polarity, column in true], least=NAMED)
    return (
        {
            "tmedian": (median, torch.ones_like(sign)),
            "delogo, told": told_delogo(three, [(column, HALF) for _, column in true]),
            "classical": (from_sides(frame, sign), (sign != 0).float()),
            "ours": (healed, (own != 0).float()),
            "ours, told": (heal(frame, named)[0], (named != 0).float()),
        },
        lines,
        {"classical": seen, "ours": [(polarity, column) for polarity, column, _ in here]},
    )


def score(scratched: Tensor, truth: Tensor, change: Tensor, found: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Figures of one frame; `truth` is the frame with its grain, before the lines."""
    picture, where = found
    inside = change >= 1 / 255
    rim = (spread(inside.float(), RIM) > 0) & ~inside
    outside = ~inside & ~rim
    off = where == 0

    def error(at: Tensor) -> float:
        return float((picture.clamp(0, 1) - truth).pow(2).mean(0, keepdim=True)[at].sum())

    return {
        "inside": error(inside),
        "insides": int(inside.sum()),
        "rim": error(rim),
        "rims": int(rim.sum()),
        "outside": error(outside),
        "outsides": int(outside.sum()),
        "unmasked": float((picture - scratched).abs().amax(0, keepdim=True)[off].max()) if bool(off.any()) else 0.0,
        "ssim": metrics.ssim(picture.clamp(0, 1), truth),
        "gmsd": metrics.gmsd(picture.clamp(0, 1), truth),
    }


def _hits(true: Sequence[tuple[int, float]], found: Sequence[tuple[int, float]]) -> tuple[int, int]:
    """How many true lines were found, and how many found ones are none."""
    right = sum(any(p == q and abs(x - z) <= NEAR for q, z in found) for p, x in true)
    wrong = sum(not any(abs(x - z) <= 2 * NEAR for _, z in true) for _, x in found)
    return right, wrong


def _scratched(scene: Scene, index: int, turn: int, tools: dict[str, Any]) -> tuple[dict[str, Any], list[Tensor]]:
    whole, sigma, name = grained(scene, index, turn, tools["banks"])
    middle, way = len(whole) // 2, WAYS[turn]
    case = lined(whole, way, 8500 + index * 10 + turn)
    frames = case.frames
    found, lines, columns = outputs(tools["net"], frames, middle, sigma, case.true)
    row: dict[str, Any] = {"kind": "scratched", "clip": scene.name, "stock": name, "sigma": sigma * 255, "drawn": way}
    row["lines"] = len(case.asked)
    row["candidates"] = _shown(lines)
    row[SCRATCHED] = score(frames[middle], whole[middle], case.change, (frames[middle], torch.zeros_like(case.change)))
    lined_up = (case.change >= 1 / 255).float()
    painted = torch.where(lined_up > 0, toned(scene.frames, tools["banks"][name])[middle], frames[middle])
    row[PERFECT] = score(frames[middle], whole[middle], case.change, (painted, lined_up))
    for method, result in found.items():
        row[method] = score(frames[middle], whole[middle], case.change, result)
        if method in columns:
            row[method]["found"] = _hits(case.asked, columns[method])[0]
            row[method]["false"] = _hits(case.true, columns[method])[1]
    shown = [whole[middle], frames[middle], *(found[method][0] for method in METHODS[:-1]), found["ours"][1].expand(3, -1, -1)]
    return row, shown


def _shown(lines: Iterable[Line]) -> list[dict[str, float]]:
    return [{"column": line.path[0][1], "evidence": line.evidence, "motion": line.motion, "score": line.score} for line in lines]


def _clean(scene: Scene, index: int, turn: int, tools: dict[str, Any]) -> tuple[dict[str, Any], list[Tensor]]:
    film = scene.kind == "film"
    codes = (scene.frames * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    whole, sigma, name = (scene.frames, float(grain(codes)["sigma"]) / 255, "") if film else grained(scene, index, turn, tools["banks"])
    lines = candidates(tools["net"], whole, sigma)
    false = sum(len(placed(lines, i)) for i in range(len(whole)))
    simple = sum(len(classical(frame)[1]) for frame in whole)
    middle = len(whole) // 2
    here = placed(lines, middle)
    own = decide(evidence(tools["net"], whole[middle], sigma), here) if here else torch.zeros(1, *whole.shape[-2:])
    row = {"kind": scene.kind, "clip": scene.name, "sigma": sigma * 255, "frames": len(whole), "candidates": _shown(lines)}
    row |= {"ours": {"false": false, "pixels": int((own != 0).sum())}, "classical": {"false": simple}}
    simple_sign = classical(whole[middle])[0]
    pictures = [whole[middle], from_sides(whole[middle], simple_sign), heal(whole[middle], own)[0]]
    return row, [*pictures, (own != 0).float().expand(3, -1, -1)]


def evaluate(parts: Iterable[Scene], net: nn.Module, output: Path, tools: dict[str, Any] | None = None) -> dict[str, Any]:
    """Runs everything; writes `evaluation.json`, `table.md` and the crops into `output`.

    `tools` may replace the grain `banks` (for tests).
    """
    output.mkdir(parents=True, exist_ok=True)
    if tools is None:
        tools = {"banks": {name: grain_of(name, 5000 + index, FIELD) for index, name in enumerate(STOCKS)}}
    tools = {**tools, "net": net}
    rows: list[dict[str, Any]] = []
    pictures: list[list[Tensor]] = []
    begun = time.monotonic()
    for index, scene in enumerate(parts):
        for turn in range(len(WAYS) if scene.kind == "scratched" else 1):
            row, shown = (_scratched if scene.kind == "scratched" else _clean)(scene, index, turn, tools)
            rows.append(row)
            pictures.append(shown)
        print(f"{scene.kind} {scene.name} ({time.monotonic() - begun:.0f} s)", flush=True)
    result = {"rows": rows, "all": means(rows), **{way: means(rows, way) for way in WAYS}}
    _crops(rows, pictures, output)
    (output / "evaluation.json").write_text(json.dumps(result, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    (output / "table.md").write_text(table(result), encoding="utf-8")
    return result


def means(rows: list[dict[str, Any]], drawn: str | None = None) -> dict[str, dict[str, float]]:
    """Each method over all scratched frames (drawn in one of the ways): pixels together, lines together."""
    chosen = [row for row in rows if row["kind"] == "scratched" and drawn in (None, row["drawn"])]
    found = {}
    for method in (SCRATCHED, *METHODS, PERFECT) if chosen else ():
        total = {name: sum(row[method][name] for row in chosen) for name in chosen[0][method]}
        found[method] = {name: metrics.psnr_of(total[name], total[f"{name}s"]) for name in ("inside", "rim", "outside")}
        found[method] |= {name: total[name] / len(chosen) for name in ("ssim", "gmsd")}
        found[method]["unmasked"] = max(row[method]["unmasked"] for row in chosen)
        if "found" in total:
            found[method] |= {"recall": total["found"] / max(1, sum(row["lines"] for row in chosen)), "false": total["false"] / len(chosen)}
    return found


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = []
    for part, title in {"all": "All scratched frames", **WAYS_SAID}.items():
        if result[part]:
            lines += [
                f"| {title} | inside, dB | rim, dB | outside, dB | largest change off its own mask | SSIM "
                "| GMSD (0 is equal) | lines found | false lines a frame |",
                "|---|---|---|---|---|---|---|---|---|",
            ]
            for method, m in result[part].items():
                counts = f"{m['recall']:.3f} | {m['false']:.2f}" if "recall" in m else "– | –"
                lines.append(
                    f"| {method} | {m['inside']:.2f} | {m['rim']:.2f} | {m['outside']:.2f} | {m['unmasked']:.3f} "
                    f"| {m['ssim']:.4f} | {m['gmsd']:.4f} | {counts} |"
                )
            lines.append("")
    quiet = [row for row in result["rows"] if row["kind"] != "scratched"]
    if quiet:
        lines += ["| False lines, per 1,000 frames without any | frames | classical | ours |", "|---|---|---|---|"]
        groups = [("Kodak 01–12, moving", [r for r in quiet if r["clip"].startswith("kodak")])]
        groups += [("clean clips", [r for r in quiet if r["kind"] == "clean" and not r["clip"].startswith("kodak")])]
        groups += [("real film (its lines are the picture's)", [r for r in quiet if r["kind"] == "film"])]
        for name, rows in groups:
            frames = sum(row["frames"] for row in rows)
            if frames:
                numbers = " | ".join(f"{1000 * sum(row[m]['false'] for row in rows) / frames:.0f}" for m in ("classical", "ours"))
                lines.append(f"| {name} | {frames} | {numbers} |")
    return "\n".join(lines).strip() + "\n"


def _crops(rows: list[dict[str, Any]], pictures: list[list[Tensor]], output: Path) -> None:
    """Worst, median and best scratched frame by our error on the lines; the clean clip with most false lines; the film.

    Side by side: truth, scratched, tmedian, delogo, classical, ours, mask; without a truth: frame, classical, ours, mask.
    """
    order = sorted(
        (i for i, row in enumerate(rows) if row["kind"] == "scratched" and row["ours"]["insides"]),
        key=lambda i: metrics.psnr_of(rows[i]["ours"]["inside"], rows[i]["ours"]["insides"]),
    )
    chosen = [(order[0], "worst"), (order[len(order) // 2], "median"), (order[-1], "best")] if order else []
    clean = [i for i, row in enumerate(rows) if row["kind"] == "clean"]
    if clean:
        chosen.append((max(clean, key=lambda i: rows[i]["ours"]["false"]), "clean-worst"))
    chosen += [(i, f"film-{row['clip'].split('#')[1]}") for i, row in enumerate(rows) if row["kind"] == "film"][:1]
    for index, word in chosen:
        parts = pictures[index]
        side = 160 if rows[index]["kind"] == "film" else CROP
        # Where the lines are, or, of a clean clip, where the mask is: else the middle.
        at = (parts[1] - parts[0]).abs().amax(0) if rows[index]["kind"] == "scratched" else parts[-1][0]
        top, left = fullest(at, side)
        cut = [part[:, top : top + side, left : left + side].clamp(0, 1) for part in parts]
        Image.fromarray(to_bytes(torch.cat(cut, 2)).numpy()).save(output / f"scratch-{word}.png", optimize=True)
        rows[index]["shown as"] = word
