"""`evaluate dirt`: one table, every method on the same frames in the same run, none of them ever trained on.

Three parts. *Damaged*: moving clips of Kodak 01–12 and of the clean clips' evaluation parts, with grain of a named stock and
cut-outs kept for evaluation; scored inside the damage, in its rim of 8 px, and outside. *Clean*: consecutive frames of fast
clips without any damage, in which whatever is removed is an error, counted as objects. *Film*: real damage without a truth,
for the eye.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from degradation.damage import cut_outs, dirt
from degradation.stocks import STOCKS
from emulsion_training.ffdnet import Ffdnet, TrainableFfdnet

from . import align, heal, metrics
from .align import Views, load_rife
from .baselines import ffmpeg_filter, to_bytes
from .crops import fullest
from .dirt_net import ALIGN, DirtNet, scale_of
from .dirt_objects import FALSE_AREA, labelled, wanted
from .dirt_views import Aligner
from .estimate import grain, objects
from .eval_set import eval_clips
from .evaluate_degrain import grainy, kept_grain, toned
from .heal import CAUTION, classical, decide, leveled, put, spread, unrest_of, vouching
from .kept import Case, Kept
from .networks import pretrained_degrain, run_any_size
from .paths import MODELS, WORK, need, split
from .pictures import read_frames
from .shipped import shipped_state

DAMAGED = "damaged"
"""The input, beside the methods in the table."""
METHODS = ("tmedian", "classical", "ours without caution", "ours")
"""Without caution: what the net says, however little motion is understood there (`heal.vouching`)."""
SHOWN = ("tmedian", "classical", "ours")
RIM = 8
CROP = 96
CLEAN = ("video/bikes.mp4", "video/gestures/walk.mkv", "video/gestures/sister.mkv", "video/gestures/yes.mkv")
"""Clips with fast motion, hands and faces; all of them evaluation parts."""
CLEAN_START, CLEAN_FRAMES = 20, 26
FAST = ("bikes", "walk", "sister", "yes")
LARGE_AREA = 48
"""Pixels of an object that is called large: recall is told apart for them."""
TURNS = 2
"""Damaged cases of a clip, each with another stock."""
OBJECTS, NEGATIVE = 7, 0.35
"""Of dirt: objects a frame, and the share that lay on the negative."""
REACH = 28
"""More than the denoiser's receptive radius, in pixels."""
LEAST_GRAIN = 0.4 / 255
"""Grain below this is less than quantization makes: the stage takes none off."""
FALSE_TIMES = 3.0
"""A false removal: connected pixels that changed by more than so many σ."""


@dataclass(frozen=True)
class Scene:
    """A part of the evaluation: `damaged` and `clean` with clean frames [N, 3, H, W], `film` with a real film's."""

    kind: str
    name: str
    frames: Tensor
    shapes: list[Tensor]


def scenes(data: Path, limit: int | None = None) -> Iterator[Scene]:
    """All scenes, or about `limit` of each kind."""
    shapes = cut_outs(need(data / "damage", "the cut-outs of damage"), evaluate=True, every=split()["damage"]["evaluateEvery"])
    for clip in eval_clips(data, limit):
        yield Scene("damaged", clip.name, clip.frames, shapes)
    for name in CLEAN[:limit]:
        raw = read_frames(data / name, CLEAN_START, CLEAN_FRAMES)
        yield Scene("clean", Path(name).stem, torch.from_numpy(raw.copy()).permute(0, 3, 1, 2).float() / 255, [])
    for start in (20, 90, 170)[:limit]:
        raw = read_frames(data / "film" / "street-1900s.mp4", start, 5)
        yield Scene("film", f"street-1900s#{start}", torch.from_numpy(raw.copy()).permute(0, 3, 1, 2).float() / 255, [])


def load(weights: Path) -> DirtNet:
    """Our net from a run's averaged weights."""
    return DirtNet.like(torch.load(weights, map_location="cpu", weights_only=True)).eval()


def run_net(net: DirtNet, frame: Tensor, views: Views, sigma: float) -> tuple[Tensor, Tensor]:
    """Mask [1, H, W] and healed picture [3, H, W] for a frame of any size."""
    height, width = frame.shape[-2:]
    edge = (0, -width % ALIGN, 0, -height % ALIGN)
    planes = [frame, views.before, views.after, views.middle, views.trust]
    padded = [nn.functional.pad(plane[None], edge, mode="replicate") for plane in planes]
    with torch.no_grad():
        mask, healed = net(*padded, torch.full((1, 1, 1, 1), scale_of(sigma)))
    return mask[0, :, :height, :width], healed[0, :, :height, :width]


def outputs(tools: dict[str, Any], frames: Tensor, views: Views, sigma: float) -> dict[str, tuple[Tensor, Tensor]]:
    """Each method's picture of the middle of three frames, and where it changed it [1, H, W].

    Ours is the stage's patch before new grain is laid: at the level of its rim, and, where there is grain, denoised.
    """
    frame = frames[1]
    median = ffmpeg_filter(frames, "tmedian=radius=1", "gbrp", fewer=2)[0]
    share, cure = classical(frame, views.before, views.after, sigma)
    mask, healed = run_net(tools["net"], frame, views, sigma)
    unrest = unrest_of(views, sigma)
    result = {"tmedian": (median, torch.ones_like(share)), "classical": (put(frame, cure, share), share)}
    for method, caution in (("ours without caution", 0.0), ("ours", CAUTION)):
        own = decide(mask, vouching(mask, frame, healed, unrest, caution))
        patch = leveled(frame, healed, own, sigma)
        if sigma >= LEAST_GRAIN:
            patch = denoised_where(tools["grain"], patch, own, sigma)
        result[method] = put(frame, patch, own), own
    return result


def denoised_where(net: nn.Module, picture: Tensor, share: Tensor, sigma: float) -> Tensor:
    """The picture [3, H, W], denoised in the box around what is replaced: elsewhere nobody looks."""
    rows, columns = (torch.nonzero((share[0] > 0).any(axis)).flatten().tolist() for axis in (1, 0))
    if not rows:
        return picture
    # Even corners, and the net's whole reach around: the box equals the whole.
    top, left = (max(0, at[0] - REACH) // 2 * 2 for at in (rows, columns))
    bottom, right = rows[-1] + REACH, columns[-1] + REACH
    part = picture[:, top:bottom, left:right]
    result = picture.clone()
    result[:, top:bottom, left:right] = run_any_size(net, part[None], sigma)[0]
    return result


def score(frame: Tensor, undamaged: Tensor, clean: Tensor, change: Tensor, found: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Figures of one damaged frame; `change` [1, H, W] is how much the damage changed at each pixel."""
    picture, where = found
    inside = change >= 1 / 255
    rim = (spread(inside.float(), RIM) > 0) & ~inside
    outside = ~inside & ~rim
    unasked = where == 0
    off = float((picture - frame).abs().amax(0, keepdim=True)[unasked].max()) if bool(unasked.any()) else 0.0

    def error(a: Tensor, b: Tensor, at: Tensor) -> float:
        return float((a - b).pow(2).mean(0, keepdim=True)[at].sum())

    parts = wanted(change[0])
    got = [float((where[0] > 0)[part].float().mean()) >= 0.5 for part in parts]
    large = [int(part.sum()) >= LARGE_AREA for part in parts]
    near = spread(inside.float(), 2) > 0
    wrong = [part for part in labelled(where[0] > 0) if int(part.sum()) >= FALSE_AREA and not bool(near[0][part].any())]
    return {
        "inside": error(picture, clean, inside),
        "inside, grainy": error(picture, undamaged, inside),
        "insides": int(inside.sum()),
        "rim": error(picture, undamaged, rim),
        "rims": int(rim.sum()),
        "outside": error(picture, frame, outside),
        "outsides": int(outside.sum()),
        "unmasked": off,
        "ssim": metrics.ssim(picture.clamp(0, 1), undamaged),
        "gmsd": metrics.gmsd(picture.clamp(0, 1), undamaged),
        "wanted": len(parts),
        "found": sum(got),
        "wanted, large": sum(large),
        "found, large": sum(yes and big for yes, big in zip(got, large, strict=True)),
        "false": len(wrong),
    }


def _case(scene: Scene, index: int, turn: int, tools: dict[str, Any]) -> Case:
    if scene.kind == "damaged":
        return _damaged(scene, index, turn, tools)
    return (_clean if scene.kind == "clean" else _film)(scene, tools)


def _damaged(scene: Scene, index: int, turn: int, tools: dict[str, Any]) -> tuple[dict[str, Any], list[Tensor]]:
    name = list(STOCKS)[(index + turn * 3) % len(STOCKS)]
    bank, seed = tools["banks"][name], 7000 + index * 10 + turn
    frames = toned(scene.frames, bank)
    dirty, _ = dirt(frames, scene.shapes, OBJECTS, NEGATIVE, seed)
    grained, sigma = grainy(dirty, bank, seed)
    undamaged, _ = grainy(frames, bank, seed)
    found = outputs(tools, grained, tools["aligner"].views(grained, sigma), sigma)
    change = (dirty[1] - frames[1]).abs().amax(0, keepdim=True)
    # Where nothing was damaged the two frames have the same grain.
    truth = torch.where(change >= 1 / 255, undamaged[1], grained[1])
    row: dict[str, Any] = {"kind": "damaged", "clip": scene.name, "stock": name, "sigma": sigma * 255}
    row["fast"] = scene.name.split("#")[0] in FAST
    for method, result in ((DAMAGED, (grained[1], torch.zeros_like(change))), *found.items()):
        row[method] = score(grained[1], truth, frames[1], change, result)
    shown = [frames[1], grained[1], *(found[method][0] for method in SHOWN), found["ours"][1].expand(3, -1, -1)]
    return row, shown


def _run(scene: Scene, tools: dict[str, Any]) -> Iterator[tuple[Tensor, dict[str, tuple[Tensor, Tensor]], float]]:
    """Every inner frame of a run with each method's picture, and σ."""
    frames = scene.frames
    codes = (frames * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    sigma = float(grain(codes)["sigma"]) / 255
    for index in range(1, len(frames) - 1):
        three = frames[index - 1 : index + 2]
        yield frames[index], outputs(tools, three, tools["aligner"].views(three, sigma), sigma), sigma


def _clean(scene: Scene, tools: dict[str, Any]) -> tuple[dict[str, Any], list[Tensor]]:
    counts: dict[str, list[int]] = {method: [] for method in METHODS}
    worst: tuple[int, int, list[Tensor]] = (-1, 0, [])
    sigma = 0.0
    for number, (frame, found, sigma) in enumerate(_run(scene, tools), 1):
        for method, (picture, _) in found.items():
            moved = metrics.luma((picture - frame).abs()) > FALSE_TIMES * max(sigma, 1 / 255)
            counts[method].append(sum(area >= FALSE_AREA for area in objects(moved.numpy())))
        if counts["ours"][-1] > worst[0]:
            shown = [frame, frame, *(found[method][0] for method in SHOWN), found["ours"][1].expand(3, -1, -1)]
            worst = (counts["ours"][-1], number, shown)
    row: dict[str, Any] = {"kind": "clean", "clip": scene.name, "sigma": sigma * 255, "frames": len(counts["ours"]), "worst": worst[1]}
    return row | {method: {"false": sum(numbers)} for method, numbers in counts.items()}, worst[2]


def _film(scene: Scene, tools: dict[str, Any]) -> tuple[dict[str, Any], list[Tensor]]:
    frame, found, sigma = list(_run(scene, tools))[1]
    parts = [int(part.sum()) for part in labelled(found["ours"][1][0] > 0)]
    row = {"kind": "film", "clip": scene.name, "sigma": sigma * 255, "objects": len(parts), "pixels": sum(parts)}
    return row, [frame, *(found[method][0] for method in SHOWN), found["ours"][1].expand(3, -1, -1)]


def published() -> dict[str, Any]:
    """The networks and the grain that an evaluation needs beside our net, and where views are kept."""
    banks = {name: kept_grain(name, 5000 + index, WORK / "grain") for index, name in enumerate(STOCKS)}
    grain_net = Ffdnet(TrainableFfdnet().state_dict()).eval()
    grain_net.load_state_dict(shipped_state(MODELS / "degrain.onnx"))
    return {"rife": load_rife(), "degrain": pretrained_degrain().eval(), "grain": grain_net, "banks": banks, "kept": WORK / "views"}


def evaluate(
    parts: Iterable[Scene], net: DirtNet, output: Path, tools: dict[str, Any] | None = None, part: tuple[int, int] = (0, 1)
) -> dict[str, Any]:
    """Runs everything; writes `evaluation.json`, `table.md` and the crops into `output`.

    Cases are kept in `output`, so that a run that was stopped goes on, and several processes can share the work: each makes the
    `part[0]`-th of every `part[1]`, and the last run is of all.

    `tools` may replace the published networks `rife` and `degrain`, our `grain` and the grain `banks` (for tests without downloads).
    """
    output.mkdir(parents=True, exist_ok=True)
    tools = tools or published()
    tools = {**tools, "net": net, "aligner": Aligner(tools["rife"], tools["degrain"], tools.get("kept"))}
    rows: list[dict[str, Any]] = []
    pictures: list[list[Tensor]] = []
    begun = time.monotonic()
    weights = b"".join(value.numpy().tobytes() for value in net.state_dict().values())
    kept = Kept(output / "cases", weights, (sys.modules[__name__], heal, align, metrics))
    number = -1
    for index, scene in enumerate(parts):
        for turn in range(TURNS if scene.kind == "damaged" else 1):
            number += 1
            if number % part[1] != part[0]:
                continue
            row, shown = kept.case(number, scene.frames, lambda s=scene, i=index, t=turn: _case(s, i, t, tools))  # type: ignore[misc]
            rows.append(row)
            pictures.append(shown)
            print(f"{scene.kind} {scene.name} ({time.monotonic() - begun:.0f} s)", flush=True)
    result = {"rows": rows, "all": means(rows), "fast": means([row for row in rows if row.get("fast")])}
    _crops(rows, pictures, output)
    (output / "evaluation.json").write_text(json.dumps(result, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    (output / "table.md").write_text(table(result), encoding="utf-8")
    return result


def means(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Each method over all damaged frames: pixels together, objects together."""
    damaged = [row for row in rows if row["kind"] == "damaged"]
    found = {}
    if damaged:
        for method in (DAMAGED, *METHODS):
            total = {name: sum(row[method][name] for row in damaged) for name in damaged[0][method]}
            found[method] = {
                "inside": metrics.psnr_of(total["inside"], total["insides"]),
                "inside, grainy": metrics.psnr_of(total["inside, grainy"], total["insides"]),
                "rim": metrics.psnr_of(total["rim"], total["rims"]),
                "outside": metrics.psnr_of(total["outside"], total["outsides"]),
                "unmasked": max(row[method]["unmasked"] for row in damaged),
                "ssim": total["ssim"] / len(damaged),
                "gmsd": total["gmsd"] / len(damaged),
                "recall": total["found"] / max(1, total["wanted"]),
                "false": total["false"] / len(damaged),
            }
    return found


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = []
    for part, title in (("all", "All damaged frames"), ("fast", "Those of bikes and gestures")):
        if result[part]:
            lines += [
                f"| {title} | inside, dB | inside against the grainy truth, dB | rim, dB | outside, dB | largest change off its own mask "
                "| SSIM | GMSD (0 is equal) | recall | false objects a frame |",
                "|---|---|---|---|---|---|---|---|---|---|",
            ]
            for method, m in result[part].items():
                # A median of whole frames finds nothing: it replaces everything.
                counts = "– | –" if method in (DAMAGED, "tmedian") else f"{m['recall']:.3f} | {m['false']:.2f}"
                lines.append(
                    f"| {method} | {m['inside']:.2f} | {m['inside, grainy']:.2f} | {m['rim']:.2f} | {m['outside']:.2f} "
                    f"| {m['unmasked']:.3f} | {m['ssim']:.4f} | {m['gmsd']:.4f} | {counts} |"
                )
            lines.append("")
    lines += _recalls([row for row in result["rows"] if row["kind"] == "damaged"])
    clean = [row for row in result["rows"] if row["kind"] == "clean"]
    if clean:
        lines += [
            "| False removals, objects per 1,000 clean frames | frames | " + " | ".join(METHODS) + " |",
            "|---" * (len(METHODS) + 2) + "|",
        ]
        for row in clean:
            numbers = " | ".join(f"{1000 * row[method]['false'] / row['frames']:.0f}" for method in METHODS)
            lines.append(f"| {row['clip']} | {row['frames']} | {numbers} |")
        frames = sum(row["frames"] for row in clean)
        numbers = " | ".join(f"{1000 * sum(row[method]['false'] for row in clean) / frames:.0f}" for method in METHODS)
        lines.append(f"| all | {frames} | {numbers} |")
    return "\n".join(lines).strip() + "\n"


def _recalls(rows: list[dict[str, Any]]) -> list[str]:
    """Recall by stock and size, of the methods that find objects."""
    stocks = sorted({row["stock"] for row in rows}, key=lambda stock: min(row["sigma"] for row in rows if row["stock"] == stock))
    if not stocks or "wanted, large" not in rows[0]["ours"]:
        # Rows of an evaluation that did not tell sizes apart have no such table.
        return []
    head = " | ".join(f"{method}: smaller, larger" for method in METHODS[1:])
    lines = [f"| Recall | σ, codes | smaller than {LARGE_AREA} px, larger | {head} |", "|---" * (len(METHODS) + 2) + "|"]
    for stock in stocks:
        own = [row for row in rows if row["stock"] == stock]
        sigmas = [row["sigma"] for row in own]
        cells = []
        for method in METHODS[1:]:
            wanted, found, more, got = (
                sum(row[method][key] for row in own) for key in ("wanted", "found", "wanted, large", "found, large")
            )
            cells.append(f"{(found - got) / max(1, wanted - more):.2f}, {got / max(1, more):.2f}")
        counted = f"{wanted - more}, {more}"
        lines.append(f"| {stock} | {min(sigmas):.1f}–{max(sigmas):.1f} | {counted} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _crops(rows: list[dict[str, Any]], pictures: list[list[Tensor]], output: Path) -> None:
    """Worst, median and best damaged frame by our error inside; every run of clean film at its worst; the film.

    Side by side: truth, damaged, tmedian, classical, ours, mask. Crops lie where the mask has most of its pixels.
    """
    order = sorted(
        (i for i, row in enumerate(rows) if row["kind"] == "damaged" and row["ours"]["insides"]),
        key=lambda i: metrics.psnr_of(rows[i]["ours"]["inside"], rows[i]["ours"]["insides"]),
    )
    chosen = [(order[0], "worst"), (order[len(order) // 2], "median"), (order[-1], "best")] if order else []
    chosen += [(i, f"{row['kind']}-{row['clip'].replace('#', '-')}") for i, row in enumerate(rows) if row["kind"] != "damaged"]
    for index, word in chosen:
        parts = pictures[index]
        side = 160 if rows[index]["kind"] == "film" else CROP
        top, left = fullest(parts[-1][0], side)
        cut = [part[:, top : top + side, left : left + side] for part in parts]
        Image.fromarray(to_bytes(torch.cat(cut, 2)).numpy()).save(output / f"dirt-{word}.png", optimize=True)
        rows[index]["shown as"] = word
