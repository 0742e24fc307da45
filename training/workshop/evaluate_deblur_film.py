"""`evaluate deblur-small`: the causes that no kernel describes. One table, every method on the same clips in the same run.

Every clip goes through each of the four causes at a strength of its own; grain (35 mm color negative of the physical model, its
field drawn for evaluation alone) of σ 0, .01, .02 in turn is on the negative, and on every copy, half as strong; the scanner's
noise is half of it, too. The truth is the sharp picture with the grain that the input shows (`deblur_pairs`). Where something was
stored its dyes faded too: there candidate and input are both fitted to the unfaded truth, by the best affine map of the colors. The
baselines are scored at the setting that happens to be best for the very clip (by the truth, which no user has); Wiener and
Richardson–Lucy try Gaussian kernels of several sizes.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from degradation.grain_bank import GrainBank
from emulsion_training.compare import open_session, run_onnx

from . import metrics
from .baselines import ffmpeg_filter, to_bytes
from .deblur_net import BLIND, CAUSES, UNKNOWN, DeblurNet, told
from .deblur_pairs import Codec, Grain, Pair, coded, film
from .eval_set import EvalClip
from .evaluate_deblur import gaussian_kernel, richardson_lucy, ringing, wiener
from .evaluate_degrain import grain_of
from .networks import pretrained_degrain, run_any_size
from .paths import MODELS

SIGMAS = (0.0, 0.01, 0.02)
STOCK = "35 mm color negative"
FIELD = 160
BASELINES = ("ffmpeg", "Wiener", "Richardson–Lucy", "Real-ESRGAN")
OURS = ("given", "named", "blind")
"""Told cause and strength; told the cause alone; told nothing."""
BARS = {"storage": 1.5, "duplication": 1.5, "digitization": 1.5, "compression": 0.8}
HEIGHT, WIDTH = 128, 160
"""The middle of each clip is looked at: six networks run over it."""
CROP = 96
FILTERS = (*(f"unsharp={size}:{size}:{a}" for size in (3, 5, 9) for a in (0.5, 1, 2)), *(f"cas={a}" for a in (0.3, 0.6, 1)))
WIENER_SIGMAS, WIENER_RATIOS = (0.5, 0.8, 1.2, 1.8), (1e-2, 3e-2, 0.1)
LUCY_SIGMAS, LUCY_TURNS = (0.6, 1.0, 1.6), (2, 5, 10)


def load(weights: Path) -> DeblurNet:
    """A trained net."""
    net = DeblurNet()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return net.eval()


def fitted(picture: Tensor, truth: Tensor) -> Tensor:
    """The picture [3, H, W] under the affine map of its colors (3×3 and an offset) that is nearest to the truth."""
    values = torch.cat([picture.reshape(3, -1), torch.ones(1, picture[0].numel())]).double()
    solution = torch.linalg.lstsq(values.T, truth.reshape(3, -1).T.double()).solution
    result: Tensor = (solution.T @ values).float().view_as(picture)
    return result


def enlarged_and_back(picture: Tensor, model: Path) -> Tensor:
    """A ×4 upscaler's picture brought back by averages of 4×4."""
    large = run_onnx(open_session(model), {"image": picture[None].numpy()})["upscaled"]
    return torch.nn.functional.avg_pool2d(torch.from_numpy(large), 4)[0]


def tries(soft: Tensor, vivid: Callable[[Tensor], Tensor]) -> dict[str, list[Tensor]]:
    """Each baseline's pictures at all its settings."""
    # One process for all: copies of the frame, each through one filter.
    chain = ",".join(f"{name}:enable=eq(n\\,{k})" for k, name in enumerate(FILTERS))
    ffmpeg = ffmpeg_filter(soft.expand(len(FILTERS), -1, -1, -1), chain)
    return {
        "ffmpeg": list(ffmpeg),
        "Wiener": [wiener(soft, gaussian_kernel(s), r) for s in WIENER_SIGMAS for r in WIENER_RATIOS],
        "Richardson–Lucy": [out for s in LUCY_SIGMAS for out in richardson_lucy(soft, gaussian_kernel(s), LUCY_TURNS)],
        "Real-ESRGAN": [vivid(soft)],
    }


def middle_of(frames: Tensor) -> Tensor:
    """The middle `HEIGHT` × `WIDTH` of frames, or all where they are smaller."""
    top, left = (max(0, (have - want) // 2) for have, want in zip(frames.shape[-2:], (HEIGHT, WIDTH), strict=True))
    return frames[..., top : top + HEIGHT, left : left + WIDTH]


def age(clip: EvalClip, index: int, cause: str, sigma: float, bank: GrainBank) -> tuple[Pair, Pair, float]:
    """The clip after one cause: the pair, the pair with its dyes unfaded, and the strength."""
    seed = 9000 + 10 * index + CAUSES.index(cause)
    strength = max(0.02, float(torch.rand(1, generator=torch.Generator().manual_seed(seed))))
    grain = Grain(bank, 0, bank.stocks[0].correlation, sigma, sigma / 2, sigma / 2)
    causes = {cause: strength}
    pair, unfaded = film(clip.frames, causes, grain, seed), film(clip.frames, causes, grain, seed, fades=False)
    if cause == "compression":
        pair = coded(pair, Codec.of(strength, index % 3))
    return pair, unfaded, strength


def _score(output: Tensor, truth: Tensor, fit: bool) -> dict[str, float]:
    output, truth = output.clamp(0, 1), truth.clamp(0, 1)
    if fit:
        output = fitted(output, truth)
    return {"psnr": metrics.psnr(output, truth), "ssim": metrics.ssim(output, truth), "gmsd": metrics.gmsd(output, truth)}


def case(
    clip: EvalClip, index: int, cause: str, sigma: float, net: nn.Module, tools: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One clip after one cause: figures and pictures."""
    pair, unfaded, strength = age(clip, index, cause, sigma, tools["bank"])
    middle = clip.frames.shape[0] // 2
    fit = cause == "storage"
    source = unfaded if fit else pair
    soft, kept, clean = pair.soft[middle], source.kept[middle].clamp(0, 1), source.clean[middle]
    causes = {"given": told({cause: strength}), "named": told({cause: UNKNOWN}), "blind": told(dict.fromkeys(CAUSES, BLIND))}

    def ours(picture: Tensor, what: str) -> Tensor:
        with torch.no_grad():
            output: Tensor = net(picture[None], causes[what])[0].clamp(0, 1)
        return output

    shown = {
        name: max(options, key=lambda o: metrics.psnr(o.clamp(0, 1), pair.kept[middle]))
        for name, options in tries(soft, tools["vivid"]).items()
    }
    shown |= {name: ours(soft, name) for name in OURS}
    row: dict[str, Any] = {"clip": clip.name, "cause": cause, "strength": strength, "sigma": sigma}
    row["input"] = _score(soft, kept, fit)
    row |= {name: _score(picture, kept, fit) for name, picture in shown.items()}
    # Without grain: FFDNet takes it away first, told its true strength.
    level = float((source.kept[middle] - clean).pow(2).mean().sqrt()) if cause != "compression" else sigma
    quiet = run_any_size(tools["denoiser"], soft[None], level)[0].clamp(0, 1) if level > 0 else soft
    row["removed"] = {
        "input": _score(soft, clean, fit),
        "denoised": _score(quiet, clean, fit),
        "given": _score(ours(quiet, "given"), clean, fit),
    }
    row["ringing"] = {name: ringing(picture, pair.kept[middle]) for name, picture in {"input": soft, "given": shown["given"]}.items()}
    return row, {"truth": pair.kept[middle], "input": soft} | shown


def evaluate(clips: Iterable[EvalClip], net: nn.Module, output: Path, tools: dict[str, Any] | None = None) -> dict[str, Any]:
    """Runs everything; writes `evaluation.json`, `table.md` and the crops into `output`. `tools` stand in where tests have none."""
    output.mkdir(parents=True, exist_ok=True)
    tools = tools or {
        "bank": grain_of(STOCK, 6000, FIELD),
        "denoiser": pretrained_degrain().eval(),
        "vivid": lambda soft: enlarged_and_back(soft, MODELS / "realesrgan-x4fast.onnx"),
    }
    rows: list[dict[str, Any]] = []
    pictures: list[dict[str, Tensor]] = []
    begun = time.monotonic()
    for index, whole in enumerate(clips):
        clip = EvalClip(whole.name, middle_of(whole.frames))
        for number, cause in enumerate(CAUSES):
            row, shown = case(clip, index, cause, SIGMAS[(index + number) % len(SIGMAS)], net, tools)
            rows.append(row)
            pictures.append(shown)
            gains = ", ".join(f"{m} {row[m]['psnr'] - row['input']['psnr']:+.2f}" for m in (*BASELINES, *OURS))
            print(
                f"{clip.name}, {cause} {row['strength']:.2f}, σ {row['sigma']}: {gains} dB ({time.monotonic() - begun:.0f} s)", flush=True
            )
    for word, at in choose(rows).items():
        rows[at]["shown as"] = word
        _crop(pictures[at], output / f"deblur-{word}.png")
    (output / "evaluation.json").write_text(json.dumps({"rows": rows}, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    (output / "table.md").write_text(table(rows), encoding="utf-8")
    return {"rows": rows}


def best_baseline(row: dict[str, Any]) -> float:
    """PSNR of the best baseline of one case."""
    return max(float(row[name]["psnr"]) for name in BASELINES)


def choose(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Worst, median and best case by the gain, the cause known, over the best baseline."""
    order = sorted(range(len(rows)), key=lambda i: rows[i]["named"]["psnr"] - best_baseline(rows[i]))
    return {"worst": order[0], "median": order[len(order) // 2], "best": order[-1]}


def _crop(shown: dict[str, Tensor], path: Path) -> None:
    """Side by side: truth, input, ffmpeg, Wiener, Richardson–Lucy, Real-ESRGAN, given, named, blind."""
    height, width = shown["truth"].shape[1:]
    top, left = max(0, (height - CROP) // 2), max(0, (width - CROP) // 2)
    parts = [p[:, top : top + CROP, left : left + CROP] for p in shown.values()]
    Image.fromarray(to_bytes(torch.cat(parts, 2)).numpy()).save(path, optimize=True)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def gain_of(rows: list[dict[str, Any]], name: str, figure: str = "psnr") -> float:
    """Mean gain of a method over the input."""
    return _mean([float(row[name][figure]) - float(row["input"][figure]) for row in rows])


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as Markdown: gains over the input."""
    heads = ["cause", "cases", "input", *BASELINES, *OURS, "bar", "named below best baseline", "given below input", "grain removed"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for cause in (*CAUSES, "all"):
        part = [row for row in rows if cause in (row["cause"], "all")]
        if not part:
            continue
        start = f"{_mean([r['input']['psnr'] for r in part]):.2f} dB / {_mean([r['input']['ssim'] for r in part]):.3f}"
        gains = [f"{gain_of(part, m):+.2f} dB / {gain_of(part, m, 'ssim'):+.3f}" for m in (*BASELINES, *OURS)]
        below = sum(row["named"]["psnr"] < best_baseline(row) for row in part)
        worse = sum(row["given"]["psnr"] < row["input"]["psnr"] for row in part)
        removed = _mean([row["removed"]["given"]["psnr"] - row["removed"]["input"]["psnr"] for row in part])
        bar = f"{BARS[cause]:+.1f}" if cause in BARS else ""
        lines.append(
            f"| {cause} | {len(part)} | {start} | " + " | ".join([*gains, bar, str(below), str(worse), f"{removed:+.2f} dB"]) + " |"
        )
    return "\n".join(lines) + "\n"


def rings(rows: list[dict[str, Any]]) -> dict[str, float]:
    """In flat areas: the largest error (99.9th percentile of a case, codes) of inputs and of ours, and how far ours exceeds its input's."""
    told_of = [row["ringing"] for row in rows if row["ringing"]["input"] is not None]
    return {
        "cases": len(told_of),
        "input": 255 * max((r["input"] for r in told_of), default=0.0),
        "ours": 255 * max((r["given"] for r in told_of), default=0.0),
        "beyond the input": 255 * max((r["given"] - r["input"] for r in told_of), default=0.0),
    }
