"""`evaluate deblur`: the capture part. One table, every method on the same blurred clips in the same run.

Blurs are laid in linear light, and the clip is cut 16 pixels inside, so that what crossed its border is unknown as in a camera.
Grain is laid on codes after the blur; input is 8 bits. Grain-kept truth is the sharp picture with the same grain. The baselines are
scored at the setting that happens to be best for the very clip (by the truth, which no user has); Wiener's and Richardson and Lucy's
get the true kernel, in light.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from degradation.capture import disk_kernel, path_kernel
from degradation.optics import gaussian_taps, to_codes, to_linear

from . import metrics
from .baselines import ffmpeg_filter, to_bytes
from .blur_estimate import Blur, estimate, pool
from .deblur_reference import LEAST_BLIND, Settings, deconvolve, noisy_codes, response
from .eval_set import EvalClip

MARGIN = 16
SIGMAS = (0.0, 0.01, 0.02)
CAUSES = ("defocus", "gaussian", "motion")
METHODS = ("ffmpeg", "Wiener", "Richardson–Lucy", "given", "blind")
FLAT = 2 / 255
"""Range of the truth within 15×15 pixels up to which an area counts as flat."""
CROP = 96


def gaussian_kernel(sigma: float) -> Tensor:
    """A Gaussian of sum 1."""
    taps = gaussian_taps(sigma)
    return taps[:, None] * taps[None]


def draw_blur(index: int) -> tuple[Blur, Tensor]:
    """The blur of clip number `index`: causes in turn, size, edge and angle by its own seed."""
    generator = torch.Generator().manual_seed(7000 + index)
    a, b, c = (float(v) for v in torch.rand(3, generator=generator))
    cause = CAUSES[index % 3]
    if cause == "defocus":
        edge = b - 0.5
        return Blur(cause, 1.5 + 2.5 * a, edge=edge), disk_kernel(1.5 + 2.5 * a, edge)
    if cause == "gaussian":
        return Blur(cause, 1 + 1.2 * a), gaussian_kernel(1 + 1.2 * a)
    return Blur(cause, 5 + 8 * a, 180 * c), path_kernel(5 + 8 * a, 180 * c)


def kernel_of(blur: Blur) -> Tensor | None:
    """The kernel of what was estimated; none for `sharp`."""
    if blur.family == "defocus":
        return disk_kernel(blur.size, blur.edge)
    if blur.family == "gaussian":
        return gaussian_kernel(blur.size)
    return path_kernel(blur.size, blur.angle) if blur.family == "motion" else None


def _padded(codes: Tensor, kernel: Tensor) -> tuple[Tensor, int, Tensor]:
    edge = 2 * kernel.shape[-1]
    light = torch.nn.functional.pad(to_linear(codes)[None], (edge,) * 4, mode="reflect")[0]
    return light, edge, response(kernel, light.shape[1], light.shape[2])


def wiener(codes: Tensor, kernel: Tensor, ratio: float) -> Tensor:
    """Wiener's filter in light, `ratio` of noise to signal; borders mirrored."""
    light, edge, k = _padded(codes, kernel)
    sharp = torch.fft.irfft2(torch.fft.rfft2(light) * k.conj() / (k.abs() ** 2 + ratio), s=light.shape[1:])
    return to_codes(sharp)[:, edge:-edge, edge:-edge]


def richardson_lucy(codes: Tensor, kernel: Tensor, counts: tuple[int, ...]) -> list[Tensor]:
    """Richardson and Lucy's iteration in light, after each of `counts` turns; borders mirrored."""
    light, edge, k = _padded(codes, kernel)
    light = light.clamp(min=1e-4)
    x, out = light.clone(), []
    for turn in range(1, max(counts) + 1):
        through = torch.fft.irfft2(torch.fft.rfft2(x) * k, s=light.shape[1:]).clamp(min=1e-4)
        x = x * torch.fft.irfft2(torch.fft.rfft2(light / through) * k.conj(), s=light.shape[1:]).clamp(min=0)
        if turn in counts:
            out.append(to_codes(x)[:, edge:-edge, edge:-edge])
    return out


def ringing(output: Tensor, clean: Tensor) -> float | None:
    """What the output swings by around the truth in flat areas, the 99.9th percentile in codes ÷ 255; none where nothing is flat."""
    top = torch.nn.functional.max_pool2d(clean[None], 15, 1, 7)
    low = -torch.nn.functional.max_pool2d(-clean[None], 15, 1, 7)
    flat = ((top - low).amax(1) <= FLAT)[0]
    if int(flat.sum()) < 50:
        return None
    return float(torch.quantile((output - clean).abs().amax(0)[flat][: 10**6], 0.999))


def _score(output: Tensor, truth: Tensor) -> dict[str, float]:
    output, truth = output.clamp(0, 1), truth.clamp(0, 1)
    return {"psnr": metrics.psnr(output, truth), "ssim": metrics.ssim(output, truth), "gmsd": metrics.gmsd(output, truth)}


def _baselines(noisy: Tensor, kernel: Tensor, truth: Tensor) -> dict[str, Tensor]:
    filters = [f"unsharp={size}:{size}:{a}" for size in (3, 5, 9) for a in (0.5, 1, 2)] + [f"cas={a}" for a in (0.3, 0.6, 1)]
    tries = {
        "ffmpeg": [ffmpeg_filter(noisy[None], f)[0] for f in filters],
        "Wiener": [wiener(noisy, kernel, r) for r in (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3)],
        "Richardson–Lucy": richardson_lucy(noisy, kernel, (2, 5, 10, 20, 40, 80)),
    }
    return {name: max(options, key=lambda o: metrics.psnr(o.clamp(0, 1), truth)) for name, options in tries.items()}


def case(clip: EvalClip, index: int, sigma: float, net: nn.Module, settings: Settings) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One clip at one strength of grain: figures and pictures."""
    blur, kernel = draw_blur(index)
    laid = [
        noisy_codes(frame, kernel, sigma, MARGIN, torch.Generator().manual_seed(100 * index + i)) for i, frame in enumerate(clip.frames)
    ]
    middle = len(laid) // 2
    noisy, with_grain, clean = laid[middle]
    found = estimate(pool(torch.stack([f[0] for f in laid]).double().numpy(), sigma))
    shown = _baselines(noisy, kernel, with_grain.clamp(0, 1))
    given = deconvolve(noisy, kernel, sigma, net, settings)
    own = kernel_of(found)
    blind = deconvolve(noisy, own, sigma, net, replace(settings, least=LEAST_BLIND)) if own is not None else None
    shown |= {"given": given.kept, "blind": blind.kept if blind else noisy}
    row: dict[str, Any] = {"clip": clip.name, "blur": vars(blur), "found": vars(found), "sigma": sigma}
    row["input"] = _score(noisy, with_grain)
    row |= {name: _score(picture, with_grain) for name, picture in shown.items()}
    row["removed"] = {
        "input": _score(noisy, clean),
        "given": _score(given.removed, clean),
        "blind": _score(blind.removed if blind else noisy, clean),
    }
    row["ringing"] = {"given": ringing(given.removed, clean), "blind": ringing(shown["blind"], with_grain)}
    return row, {"truth": with_grain, "input": noisy} | shown


def evaluate(clips: Iterable[EvalClip], net: nn.Module, output: Path, steps: int = 8) -> dict[str, Any]:
    """Runs everything; writes `evaluation.json`, `table.md` and the crops into `output`."""
    output.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    pictures: list[dict[str, Tensor]] = []
    begun = time.monotonic()
    for index, clip in enumerate(clips):
        sharp = estimate(pool(clip.frames.double().numpy(), 0.0))
        for sigma in SIGMAS:
            row, shown = case(clip, index, sigma, net, Settings(steps=steps))
            row["sharp"] = vars(sharp)
            rows.append(row)
            pictures.append(shown)
            gains = ", ".join(f"{m} {row[m]['psnr'] - row['input']['psnr']:+.2f}" for m in METHODS)
            what = f"{row['blur']['family']} {row['blur']['size']:.2f} found {row['found']['family']} {row['found']['size']:.2f}"
            print(f"{clip.name}, {what}, σ {sigma}: {gains} dB ({time.monotonic() - begun:.0f} s)", flush=True)
        (output / "evaluation.json").write_text(json.dumps({"rows": rows}, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    (output / "table.md").write_text(table(rows), encoding="utf-8")
    _crops(rows, pictures, output)
    return {"rows": rows}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def table(rows: list[dict[str, Any]]) -> str:
    """The figures as Markdown: gains over the input."""
    lines = [
        "| cause, σ | input | " + " | ".join(METHODS) + " | given, grain removed | blind, grain removed |",
        "|---" * (len(METHODS) + 4) + "|",
    ]
    for cause in (*CAUSES, "all"):
        for sigma in SIGMAS:
            part = [r for r in rows if r["sigma"] == sigma and cause in (r["blur"]["family"], "all")]

            def gain(name: str, part: list[dict[str, Any]] = part) -> str:
                ssim = _mean([r[name]["ssim"] - r["input"]["ssim"] for r in part])
                return f"{_mean([r[name]['psnr'] - r['input']['psnr'] for r in part]):+.2f} dB / {ssim:+.3f}"

            def removed(name: str, part: list[dict[str, Any]] = part) -> str:
                return f"{_mean([r['removed'][name]['psnr'] - r['removed']['input']['psnr'] for r in part]):+.2f} dB"

            start = f"{_mean([r['input']['psnr'] for r in part]):.2f} dB / {_mean([r['input']['ssim'] for r in part]):.3f}"
            cells = [start, *(gain(m) for m in METHODS), removed("given"), removed("blind")]
            lines.append(f"| {cause}, {sigma} | " + " | ".join(cells) + " |")
    names = ("input", *METHODS)
    lines += ["", "| GMSD (0 is equal), mean, σ | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for sigma in SIGMAS:
        part = [r for r in rows if r["sigma"] == sigma]
        lines.append(f"| {sigma} | " + " | ".join(f"{_mean([r[name]['gmsd'] for r in part]):.4f}" for name in names) + " |")
    return "\n".join(lines) + "\n"


def _crops(rows: list[dict[str, Any]], pictures: list[dict[str, Tensor]], output: Path) -> None:
    """Worst, median and best by the blind gain over the best baseline.

    Side by side: truth, input, ffmpeg, Wiener, Richardson–Lucy, given, blind.
    """
    gains = [r["blind"]["psnr"] - max(r[m]["psnr"] for m in METHODS[:3]) for r in rows]
    order = sorted(range(len(rows)), key=lambda i: gains[i])
    for word, index in (("worst", order[0]), ("median", order[len(order) // 2]), ("best", order[-1])):
        shown = pictures[index]
        height, width = shown["truth"].shape[1:]
        top, left = (height - CROP) // 2, (width - CROP) // 2
        parts = [p[:, top : top + CROP, left : left + CROP] for p in shown.values()]
        Image.fromarray(to_bytes(torch.cat(parts, 2)).numpy()).save(output / f"deblur-{word}.png", optimize=True)
