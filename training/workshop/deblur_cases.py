"""Cases of `evaluate deblur-small` without our net: clips after a cause, their truths, and what the baselines make of them.

They take most of the time and depend on no weights, so they are kept: a second net is evaluated in a minute.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from degradation.grain_bank import GrainBank
from emulsion_training.compare import open_session, run_onnx

from . import baselines, deblur_pairs, metrics
from .baselines import ffmpeg_filter
from .deblur_net import CAUSES
from .deblur_pairs import Codec, Grain, Pair, coded, film
from .eval_set import EvalClip
from .evaluate_deblur import gaussian_kernel, richardson_lucy, wiener
from .kept import Kept
from .networks import run_any_size

BASELINES = ("ffmpeg", "Wiener", "Richardson–Lucy", "Real-ESRGAN")
HEIGHT, WIDTH = 128, 160
"""The middle of each clip is looked at: six networks run over it."""
FILTERS = (*(f"unsharp={size}:{size}:{a}" for size in (3, 5, 9) for a in (0.5, 1, 2)), *(f"cas={a}" for a in (0.3, 0.6, 1)))
WIENER_SIGMAS, WIENER_RATIOS = (0.5, 0.8, 1.2, 1.8), (1e-2, 3e-2, 0.1)
LUCY_SIGMAS, LUCY_TURNS = (0.6, 1.0, 1.6), (2, 5, 10)


@dataclass(frozen=True)
class Case:
    """One clip after one cause: figures of the input and the baselines, and pictures [3, H, W].

    `soft` is the input, `truth` the sharp picture with the grain that it shows; `kept` and `clean` are what is scored against, with
    grain and without (unfaded where storage is the cause); `quiet` is the input after FFDNet.
    """

    row: dict[str, Any]
    soft: Tensor
    truth: Tensor
    kept: Tensor
    clean: Tensor
    quiet: Tensor
    shown: dict[str, Tensor]


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


def score(output: Tensor, truth: Tensor, fit: bool) -> dict[str, float]:
    """PSNR, SSIM and GMSD; `fit` allows the best affine map of the colors first."""
    output, truth = output.clamp(0, 1), truth.clamp(0, 1)
    if fit:
        output = fitted(output, truth)
    return {"psnr": metrics.psnr(output, truth), "ssim": metrics.ssim(output, truth), "gmsd": metrics.gmsd(output, truth)}


def make_case(clip: EvalClip, index: int, cause: str, sigma: float, tools: dict[str, Any]) -> Case:
    """Clip, cause and baselines; `tools` are the grain's bank, the denoiser and the upscaler."""
    pair, unfaded, strength = age(clip, index, cause, sigma, tools["bank"])
    middle = clip.frames.shape[0] // 2
    fit = cause == "storage"
    source = unfaded if fit else pair
    soft, truth, kept, clean = pair.soft[middle], pair.kept[middle], source.kept[middle].clamp(0, 1), source.clean[middle]
    shown = {name: max(options, key=lambda o: metrics.psnr(o.clamp(0, 1), truth)) for name, options in tries(soft, tools["vivid"]).items()}
    row: dict[str, Any] = {"clip": clip.name, "cause": cause, "strength": strength, "sigma": sigma}
    row["input"] = score(soft, kept, fit)
    row |= {name: score(picture, kept, fit) for name, picture in shown.items()}
    # Without grain: FFDNet takes it away first, told its true strength.
    level = float((source.kept[middle] - clean).pow(2).mean().sqrt()) if cause != "compression" else sigma
    quiet = run_any_size(tools["denoiser"], soft[None], level)[0].clamp(0, 1) if level > 0 else soft
    row["removed"] = {"input": score(soft, clean, fit), "denoised": score(quiet, clean, fit)}
    return Case(row, soft, truth, kept, clean, quiet, shown)


def kept_case(folder: Path, number: int, clip: EvalClip, index: int, cause: str, sigma: float, tools: dict[str, Any]) -> Case:
    """`make_case`, made once for these frames and this code."""

    def make() -> tuple[dict[str, Any], list[Tensor]]:
        case = make_case(clip, index, cause, sigma, tools)
        return case.row, [case.soft, case.truth, case.kept, case.clean, case.quiet, *case.shown.values()]

    modules = (sys.modules[__name__], baselines, deblur_pairs, metrics)
    row, pictures = Kept(folder, f"{index} {cause} {sigma}".encode(), modules).case(number, clip.frames, make)
    soft, truth, kept, clean, quiet, *shown = pictures
    return Case(row, soft, truth, kept, clean, quiet, dict(zip(BASELINES, shown, strict=True)))
