"""`evaluate degrain`: one table, every method on the same grainy clips in the same run.

FFDNet is told 1 to 2.8 times the true strength, nlmeans gets six of its own, and each is scored at the setting that happens to
be best for the very clip (by the truth, which no user has). Ours is told the true strength once. `ours + neighbors` sees the
frame fused with the frame before and the frame after (`fuse`, the stage's `temporal` 1), `ours + 4 neighbors` with two each side
(`temporal` 2), and is told what noise is left.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from degradation.grain_bank import GrainBank, make_stack
from degradation.stocks import STOCKS
from emulsion_training.ffdnet import TrainableFfdnet

from . import fuse as fuse_module
from . import metrics
from .align import load_rife
from .baselines import ffmpeg_filter, to_bytes
from .eval_set import EvalClip
from .film_crops import FilmShot, removes, save_crop
from .fuse import GUIDE_TIMES, fuse
from .kept import Kept
from .networks import pretrained_degrain, run_any_size
from .paths import WORK

FFDNET_TIMES = (1.0, 1.4, 2.0, 2.8)
NLMEANS = (2, 4, 6, 9, 13, 20)
FIELD = 288
"""Side of the evaluation's grain fields; larger than its pictures, so that nothing repeats in one."""
STOCKS_EACH = 2
CROP = 96
GAIN = 8
SINGLE = ("noisy", "FFDNet", "nlmeans", "ours")
FUSED = {"ours + neighbors": 1, "ours + 4 neighbors": 2}
"""How many neighbors each side: the stage's `temporal`."""
METHODS = (*SINGLE, *FUSED)
FRAMES = 2 * max(FUSED.values()) + 1
FIGURES = ("psnr", "ssim", "gmsd", "edge", "kept")


def grain_of(name: str, seed: int, field: int = FIELD) -> GrainBank:
    """A named stock's field, with the gain that gives it its strength."""
    stock, codes = STOCKS[name]
    stack = make_stack(stock, field, seed)
    stack.stock = replace(stock, gain=codes / 255 / stack.middle())
    return GrainBank([stack])


def kept_grain(name: str, seed: int, folder: Path) -> GrainBank:
    """`grain_of`, kept in a folder."""
    path = folder / f"grain-{name.replace(' ', '-').replace(',', '')}-{FIELD}-{seed}.pt"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(grain_of(name, seed).save(), path)
    return GrainBank.load(torch.load(path, weights_only=True))


def toned(clip: Tensor, bank: GrainBank) -> Tensor:
    """A clip [N, 3, H, W] as a stock sees it: gray where it is black and white."""
    return torch.stack([metrics.luma(frame).expand(3, -1, -1) for frame in clip]) if bank.stocks[0].correlation == 1 else clip


def grainy(clip: Tensor, bank: GrainBank, seed: int) -> tuple[Tensor, float]:
    """A clip [N, 3, H, W] with grain that is new in every frame, as 8-bit codes; and the middle frame's true strength.

    On a gray stock the picture is gray too: the caller sees to that (`toned`).
    """
    stock = bank.stocks[0]
    generator = torch.Generator().manual_seed(seed)
    which = torch.zeros(clip.shape[0], dtype=torch.long)
    share = torch.full((clip.shape[0],), stock.correlation)
    noisy = clip + stock.gain * bank.grain(clip, which, share, generator)
    middle = clip[clip.shape[0] // 2][None]
    level = stock.gain * bank.strength(middle, which[:1])
    return (noisy.clamp(0, 1) * 255).round() / 255, float(level.pow(2).mean().sqrt())


def score(noisy: Tensor, output: Tensor, clean: Tensor) -> dict[str, float]:
    """All figures of one picture."""
    output = output.clamp(0, 1)
    return {
        "psnr": metrics.psnr(output, clean),
        "ssim": metrics.ssim(output, clean),
        "gmsd": metrics.gmsd(output, clean),
        "edge": metrics.edge_correlation(noisy, output, clean),
        "kept": metrics.detail_kept(output, clean),
    }


@dataclass(frozen=True)
class Nets:
    """What needs none of our weights: FFDNet as published, and RIFE."""

    original: nn.Module
    rife: nn.Module


def baselines(noisy: Tensor, sigma: float, original: nn.Module) -> dict[str, list[tuple[Tensor, str]]]:
    """What the baselines make of a frame [3, H, W], at each of their settings."""
    return {
        "FFDNet": [(run_any_size(original, noisy[None], sigma * t)[0], f"{t:g} σ") for t in FFDNET_TIMES],
        "nlmeans": [(ffmpeg_filter(noisy[None], f"nlmeans=s={s}")[0], f"s={s}") for s in NLMEANS],
    }


def fusions(clip: Tensor, sigma: float, nets: Nets) -> list[Tensor]:
    """For each of `FUSED` the middle of a noisy clip fused with so many neighbors each side [3, H, W], and its noise map [1, H, W].

    As the app does for coarse grain: guides are FFDNet's, told more than there is, because it leaves such grain.
    """
    middle = len(clip) // 2
    guides = torch.stack([run_any_size(nets.original, frame[None], GUIDE_TIMES * sigma)[0] for frame in clip])
    made: list[Tensor] = []
    for sides in FUSED.values():
        near = slice(middle - sides, middle + sides + 1)
        made += fuse(clip[near], guides[near], sides, sigma, nets.rife)
    return made


def ours_of(net: nn.Module, noisy: Tensor, sigma: float, fused: Sequence[Tensor]) -> dict[str, Tensor]:
    """Our net on one frame and on the fusions."""
    made = {"ours": run_any_size(net, noisy[None], sigma)[0]}
    for number, name in enumerate(FUSED):
        picture, level = fused[2 * number : 2 * number + 2]
        made[name] = run_any_size(net, picture[None], level[None])[0]
    return made


def load(weights: Path) -> TrainableFfdnet:
    """Our network from a run's averaged weights."""
    net = TrainableFfdnet()
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return net.eval()


def evaluate(
    clips: Iterable[EvalClip],
    weights: Path,
    output: Path,
    nets: Nets | None = None,
    field: int = FIELD,
    part: tuple[int, int] = (0, 1),
    films: Iterable[FilmShot] = (),
) -> dict[str, Any]:
    """Runs everything; writes `evaluation.json`, `table.md` and the crops into `output`.

    What needs none of our weights is kept in `output`: a run that was stopped goes on, a second net is judged in a minute, and
    several processes can share the work: each makes the `part[0]`-th of every `part[1]`, and the last run is of all.

    `nets` may replace the published networks (for tests without downloads).
    """
    output.mkdir(parents=True, exist_ok=True)
    nets, ours = nets or Nets(pretrained_degrain().eval(), load_rife()), load(weights)

    def drawn(name: str, seed: int) -> GrainBank:
        return kept_grain(name, seed, WORK / "grain") if field == FIELD else grain_of(name, seed, field)

    banks = {name: drawn(name, 4000 + index) for index, name in enumerate(STOCKS)}
    rows: list[dict[str, Any]] = []
    pictures: list[list[Tensor]] = []
    begun = time.monotonic()
    kept = Kept(output / "cases", b"", (sys.modules[__name__], fuse_module, metrics))
    for index, clip in enumerate(clips):
        for turn in range(STOCKS_EACH):
            name = list(STOCKS)[(index + turn * (len(STOCKS) // STOCKS_EACH)) % len(STOCKS)]
            number = index * STOCKS_EACH + turn
            if number % part[1] != part[0]:
                continue
            case = kept.case(number, clip.frames, lambda c=clip, n=name, s=index * 10 + turn: _case(c, n, banks[n], s, nets))  # type: ignore[misc]
            row, shown = judge(case, ours)
            rows.append(row)
            pictures.append(shown)
            figures = ", ".join(f"{method} {row[method]['psnr']:.2f}" for method in METHODS)
            print(f"{clip.name}, {name}: {figures} dB ({time.monotonic() - begun:.0f} s)", flush=True)
    result: dict[str, Any] = {
        "rows": rows,
        "mean": _means(rows),
        "by stock": {s: _means([r for r in rows if r["stock"] == s]) for s in STOCKS},
    }
    _crops(rows, pictures, output)
    result["film"] = [_film(shot, nets, ours, output) for shot in films]
    (output / "evaluation.json").write_text(json.dumps(result, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    (output / "table.md").write_text(table(result), encoding="utf-8")
    return result


def _case(clip: EvalClip, name: str, bank: GrainBank, seed: int, nets: Nets) -> tuple[dict[str, Any], list[Tensor]]:
    """A grainy clip with what needs none of our weights: truth, frame, baselines at their best settings, fusions."""
    frames = toned(clip.frames, bank)
    noisy_clip, sigma = grainy(frames, bank, seed)
    middle = frames.shape[0] // 2
    clean, noisy = frames[middle], noisy_clip[middle]
    row: dict[str, Any] = {"clip": clip.name, "stock": name, "sigma": sigma * 255, "noisy": {**score(noisy, noisy, clean), "setting": ""}}
    shown = [clean, noisy]
    for method, options in baselines(noisy, sigma, nets.original).items():
        picture, setting = max(options, key=lambda option: metrics.psnr(option[0].clamp(0, 1), clean))
        row[method] = {**score(noisy, picture, clean), "setting": setting}
        shown.append(picture)
    return row, [*shown, *fusions(noisy_clip, sigma, nets)]


def judge(case: tuple[dict[str, Any], list[Tensor]], ours: nn.Module) -> tuple[dict[str, Any], list[Tensor]]:
    """A case with our net: figures, and pictures in the order of `METHODS` after the truth."""
    row, (clean, noisy, ffdnet, nlmeans, *fused) = case
    made = ours_of(ours, noisy, row["sigma"] / 255, fused)
    figures = {name: {**score(noisy, picture, clean), "setting": "1 σ"} for name, picture in made.items()}
    return row | figures, [clean, noisy, ffdnet, nlmeans, *made.values()]


def _film(shot: FilmShot, nets: Nets, ours: nn.Module, output: Path) -> dict[str, Any]:
    """Real film: everything told what was measured, the baselines at the setting that takes as much away."""
    middle = len(shot.frames) // 2
    frame = shot.frames[middle]
    found = {name: removes(options, frame, shot.sigma) for name, options in baselines(frame, shot.sigma, nets.original).items()}
    made = ours_of(ours, frame, shot.sigma, fusions(shot.frames, shot.sigma, nets))
    name = f"degrain-film-{shot.name.replace('#', '-')}.png"
    save_crop([frame, *(picture for picture, _ in found.values()), *made.values(), 0.5 + GAIN * (frame - made["ours"])], output / name)
    return {"clip": shot.name, "sigma": shot.sigma * 255, "crop": name, **{method: setting for method, (_, setting) in found.items()}}


def _means(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    if not rows:
        return {}
    return {m: {figure: sum(row[m][figure] for row in rows) / len(rows) for figure in FIGURES} for m in METHODS}


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        "| method | PSNR, dB | SSIM | GMSD (0 is equal) | edge correlation of what was removed | detail kept |",
        "|---|---|---|---|---|---|",
    ]
    for method in METHODS:
        mean = result["mean"][method]
        lines.append(
            f"| {method} | {mean['psnr']:.2f} | {mean['ssim']:.4f} | {mean['gmsd']:.4f} | {mean['edge']:.3f} | {mean['kept']:.3f} |"
        )
    lines += ["", "| stock | " + " | ".join(METHODS) + " |", "|---" * (len(METHODS) + 1) + "|"]
    for stock, mean in result["by stock"].items():
        if mean:
            lines.append(f"| {stock} | " + " | ".join(f"{mean[m]['psnr']:.2f} dB / {mean[m]['ssim']:.3f}" for m in METHODS) + " |")
    return "\n".join(lines) + "\n"


def _crops(rows: list[dict[str, Any]], pictures: list[list[Tensor]], output: Path) -> None:
    """Marks and draws worst, median and best by our gain over the better baseline.

    Side by side: truth, noisy, FFDNet, nlmeans, ours, ours with two and with four neighbors, and what ours alone removed, 8-fold.
    """
    gains = [row["ours"]["psnr"] - max(row["FFDNet"]["psnr"], row["nlmeans"]["psnr"]) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: gains[i])
    for word, index in (("worst", order[0]), ("median", order[len(order) // 2]), ("best", order[-1])):
        clean, noisy, *rest = pictures[index]
        residual = 0.5 + GAIN * (noisy - rest[SINGLE.index("ours") - 1])
        top, left = (clean.shape[1] - CROP) // 2, (clean.shape[2] - CROP) // 2
        parts = [p[:, top : top + CROP, left : left + CROP] for p in (clean, noisy, *rest, residual)]
        Image.fromarray(to_bytes(torch.cat(parts, 2)).numpy()).save(output / f"degrain-{word}.png", optimize=True)
        rows[index]["shown as"] = word
