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
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from .baselines import to_bytes
from .deblur_cases import BASELINES, Case, enlarged_and_back, kept_case, middle_of, score
from .deblur_net import BLIND, CAUSES, NETS, UNKNOWN, DeblurNet, sharpened, told
from .eval_set import EvalClip
from .evaluate_deblur import ringing
from .evaluate_degrain import grain_of
from .networks import pretrained_degrain
from .paths import MODELS

SIGMAS = (0.0, 0.01, 0.02)
STOCK = "35 mm color negative"
FIELD = 160
OURS = ("given", "named", "blind")
"""Told cause and strength; told the cause alone; told nothing."""
BARS = {"storage": 1.5, "duplication": 1.5, "digitization": 1.5, "compression": 0.8}
CROP = 96


def load(name: str, weights: Path) -> DeblurNet:
    """A trained net of `NETS`."""
    net = NETS[name]()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return net.eval()


def judge(case: Case, net: nn.Module) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A case with our net: figures and pictures."""
    cause, fit = case.row["cause"], case.row["cause"] == "storage"
    causes = {
        "given": told({cause: case.row["strength"]}),
        "named": told({cause: UNKNOWN}),
        "blind": told(dict.fromkeys(CAUSES, BLIND)),
    }
    ours = {name: sharpened(net, case.soft[None], what)[0].clamp(0, 1) for name, what in causes.items()}
    row = case.row | {name: score(picture, case.kept, fit) for name, picture in ours.items()}
    quiet = sharpened(net, case.quiet[None], causes["given"])[0].clamp(0, 1)
    row["removed"] = case.row["removed"] | {"given": score(quiet, case.clean, fit)}
    row["ringing"] = {name: ringing(picture, case.truth) for name, picture in {"input": case.soft, "given": ours["given"]}.items()}
    return row, {"truth": case.truth, "input": case.soft} | case.shown | ours


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
            sigma = SIGMAS[(index + number) % len(SIGMAS)]
            case = kept_case(output / "cases", index * len(CAUSES) + number, clip, index, cause, sigma, tools)
            row, shown = judge(case, net)
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
    return "\n".join([*lines, "", *_perceptual(rows)]) + "\n"


def _perceptual(rows: list[dict[str, Any]]) -> list[str]:
    """A table of the mean perceptual distance to the truth."""
    methods = ("input", *BASELINES, *OURS)
    lines = ["| GMSD (0 is equal), mean | " + " | ".join(methods) + " |", "|---" * (len(methods) + 1) + "|"]
    for cause in (*CAUSES, "all"):
        part = [row for row in rows if cause in (row["cause"], "all")]
        if part:
            lines.append(f"| {cause} | " + " | ".join(f"{_mean([row[name]['gmsd'] for row in part]):.4f}" for name in methods) + " |")
    return lines


def rings(rows: list[dict[str, Any]]) -> dict[str, float]:
    """In flat areas: the largest error (99.9th percentile of a case, codes) of inputs and of ours, and how far ours exceeds its input's."""
    told_of = [row["ringing"] for row in rows if row["ringing"]["input"] is not None]
    return {
        "cases": len(told_of),
        "input": 255 * max((r["input"] for r in told_of), default=0.0),
        "ours": 255 * max((r["given"] for r in told_of), default=0.0),
        "beyond the input": 255 * max((r["given"] - r["input"] for r in told_of), default=0.0),
    }
