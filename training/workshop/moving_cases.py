"""The clips of which cards show difference plates (`plates`), chosen by rule: the clip of the median case, made longer, and one of real
film or of the worst case of clean film.

A longer clip has its damage and its grain drawn anew, by the case's own seed. Nothing here is scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from degradation.damage import cut_outs, dirt
from degradation.stocks import STOCKS

from . import evaluate_dirt, evaluate_scratch, metrics
from .align import load_rife
from .crops import fullest
from .deblur_cases import age, middle_of
from .deblur_net import BLIND, CAUSES, UNKNOWN, DeblurNet, sharpened, told
from .dirt_net import DirtNet
from .dirt_views import Aligner
from .eval_set import EvalClip, eval_clips
from .evaluate_deblur_film import FIELD as DEBLUR_FIELD
from .evaluate_deblur_film import STOCK
from .evaluate_degrain import STOCKS_EACH, grain_of, grainy, kept_grain, toned
from .evaluate_degrain import load as load_degrain
from .film_crops import FILM, FILM_FRAMES, SIDE, around
from .fuse import GUIDE_TIMES, fuse
from .networks import pretrained_degrain, run_any_size
from .paths import WORK, split
from .pictures import read_frames
from .plates import FRAMES, SIDES, Moving
from .scratch_cases import grained, lined
from .scratch_heal import decide, heal
from .scratch_net import ScratchNet


def median(rows: Sequence[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Number and row of the case whose crops are shown as the median."""
    for number, row in enumerate(rows):
        if row.get("shown as") == "median":
            return number, row
    raise ValueError("moving_cases: no row is shown as the median")


def longer(data: Path, name: str, frames: int) -> EvalClip:
    """A clip of the evaluation set by its name, with so many frames, an odd number, about the same middle one."""
    return next(eval_clips(data, None, frames, name))


def middle(clip: Tensor) -> tuple[int, int]:
    """Corner of the square of the largest plate in the middle of a clip."""
    height, width = clip.shape[-2:]
    return (height - SIDES[0]) // 2, (width - SIDES[0]) // 2


def film_part(data: Path, frames: int) -> tuple[Tensor, tuple[int, int]]:
    """The real film around the second of the frames that cards show, where that has most detail: frames [N, 3, h, w], and the corner in
    them of what is shown."""
    at = FILM_FRAMES[1]
    whole = clip_of(data / "film" / f"{FILM}.mp4", at - frames // 2, frames)
    return around(whole, fullest(metrics.detail(whole[frames // 2]).abs(), SIDE))


def clip_of(path: Path, first: int, frames: int) -> Tensor:
    """Frames of a film, [N, 3, H, W]."""
    return torch.from_numpy(read_frames(path, first, frames).copy()).permute(0, 3, 1, 2).float() / 255


def degrain_plates(data: Path, rows: Sequence[dict[str, Any]], weights: Path) -> list[tuple[str, Moving]]:
    """The median case by one frame and with a neighbor each side; real film with neighbors."""
    number, row = median(rows)
    index, turn = divmod(number, STOCKS_EACH)
    bank = kept_grain(row["stock"], 4000 + list(STOCKS).index(row["stock"]), WORK / "grain")
    clean = toned(longer(data, row["clip"], FRAMES + 2).frames, bank)
    noisy, sigma = grainy(clean, bank, index * 10 + turn)
    ours, original, rife = load_degrain(weights), pretrained_degrain().eval(), load_rife()
    words = f"Median case: {row['clip']}, {row['stock']}, σ {255 * sigma:.1f}"
    single = torch.stack([run_any_size(ours, frame[None], sigma)[0] for frame in noisy[1:-1]])
    shown = [("degrain-motion", Moving(noisy[1:-1], single, middle(noisy), f"{words}, one frame."))]
    fused = with_neighbors(ours, noisy, sigma, original, rife)
    shown.append(("degrain-motion-neighbors", Moving(noisy[1:-1], fused, middle(noisy), f"{words}, with a neighbor each side.")))
    film, corner = film_part(data, FRAMES + 2)
    level = film_grain(film)
    fused = with_neighbors(ours, film, level, original, rife)
    said = f"Real film, {FILM}#{FILM_FRAMES[1]}, measured σ {255 * level:.1f}, with a neighbor each side."
    return [*shown, ("degrain-motion-film", Moving(film[1:-1], fused, corner, said))]


def film_grain(film: Tensor) -> float:
    """σ (0…1) as `estimate` measures it in a film's frames."""
    from .estimate import grain

    return float(grain((film * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())["sigma"]) / 255


def with_neighbors(ours: nn.Module, clip: Tensor, sigma: float, original: nn.Module, rife: nn.Module) -> Tensor:
    """Every inner frame of a noisy clip fused with its two neighbors, as the stage does for coarse grain, then denoised."""
    guides = torch.stack([run_any_size(original, frame[None], GUIDE_TIMES * sigma)[0] for frame in clip])
    made = []
    for at in range(1, len(clip) - 1):
        picture, left = fuse(clip[at - 1 : at + 2], guides[at - 1 : at + 2], 1, sigma, rife)
        made.append(run_any_size(ours, picture[None], left[None])[0])
    return torch.stack(made)


def dirt_plates(data: Path, rows: Sequence[dict[str, Any]], net: DirtNet, tools: dict[str, Any]) -> list[tuple[str, Moving]]:
    """The median damaged case, and around its worst frame the clean clip of which most is taken; `tools` as `evaluate_dirt.published`."""
    tools = {**tools, "net": net, "aligner": Aligner(tools["rife"], tools["degrain"], tools.get("kept"))}
    number, row = median(rows)
    index, turn = divmod(number, evaluate_dirt.TURNS)
    bank, seed = tools["banks"][row["stock"]], 7000 + index * 10 + turn
    clean = toned(longer(data, row["clip"], FRAMES + 2).frames, bank)
    shapes = cut_outs(data / "damage", evaluate=True, every=split()["damage"]["evaluateEvery"])
    dirty, _ = dirt(clean, shapes, evaluate_dirt.OBJECTS, evaluate_dirt.NEGATIVE, seed)
    grained_clip, sigma = grainy(dirty, bank, seed)
    healed, where = cleaned(grained_clip, sigma, tools)
    words = f"Median case: {row['clip']}, {row['stock']}, σ {255 * sigma:.1f}."
    shown = [("dirt-motion", Moving(grained_clip[1:-1], healed, fullest(where, SIDES[0]), words, 2.0))]
    worst = max((row for row in rows if row["kind"] == "clean"), key=lambda row: int(row["ours"]["false"]), default=None)
    if worst:
        path = next(data / name for name in evaluate_dirt.CLEAN if Path(name).stem == worst["clip"])
        first = evaluate_dirt.CLEAN_START + min(max(0, worst["worst"] - FRAMES // 2 - 1), evaluate_dirt.CLEAN_FRAMES - FRAMES - 2)
        frames = clip_of(path, first, FRAMES + 2)
        healed, where = cleaned(frames, worst["sigma"] / 255, tools)
        words = f"Clean film with most false removals, {worst['clip']}, around its worst frame: {int((where > 0).sum())} pixels changed."
        shown.append(("dirt-motion-clean", Moving(frames[1:-1], healed, fullest(where, SIDES[0]), words, 2.0)))
    return shown


def cleaned(frames: Tensor, sigma: float, tools: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Every inner frame healed [N − 2, 3, H, W], and in how many of them a pixel was [H, W]."""
    found = [
        evaluate_dirt.outputs(tools, three, tools["aligner"].views(three, sigma), sigma)["ours"]
        for three in (frames[at - 1 : at + 2] for at in range(1, len(frames) - 1))
    ]
    return torch.stack([picture for picture, _ in found]), torch.stack([(share[0] > 0).float() for _, share in found]).sum(0)


def scratch_plates(data: Path, rows: Sequence[dict[str, Any]], net: ScratchNet) -> list[tuple[str, Moving]]:
    """The median scratched case, all but its first and last frames."""
    number, row = median(rows)
    index, turn = divmod(number, len(evaluate_scratch.WAYS))
    scene = next(scene for scene in evaluate_scratch.scenes(data) if scene.name == row["clip"])
    field = grain_of(row["stock"], 5000 + list(STOCKS).index(row["stock"]), evaluate_scratch.FIELD)
    whole, sigma, _ = grained(scene, index, turn, {row["stock"]: field})
    frames = lined(whole, row["drawn"], 8500 + index * 10 + turn).frames
    lines = evaluate_scratch.candidates(net, frames, sigma)
    healed, where = [], torch.zeros(frames.shape[-2:])
    first = (len(frames) - FRAMES) // 2
    for at in range(first, first + FRAMES):
        here = evaluate_scratch.placed(lines, at)
        sign = decide(evaluate_scratch.evidence(net, frames[at], sigma), here) if here else torch.zeros(1, *frames.shape[-2:])
        healed.append(heal(frames[at], sign)[0])
        where += (sign[0] != 0).float()
    words = f"Median case: {row['clip']}, {row['stock']}, σ {255 * sigma:.1f}."
    # Where the lines are, found or not.
    drawn = (frames - whole).abs().amax((0, 1))
    moving = Moving(frames[first : first + FRAMES], torch.stack(healed), fullest(drawn, SIDES[0]), words, 2.0)
    return [("scratch-motion", moving)]


def deblur_plates(data: Path, rows: Sequence[dict[str, Any]], name: str, net: DeblurNet) -> list[tuple[str, Moving]]:
    """The median case, told its cause, and real film, told nothing."""
    number, row = median(rows)
    clip = longer(data, row["clip"], FRAMES)
    cause, index = row["cause"], number // len(CAUSES)
    pair, _, strength = age(EvalClip(clip.name, middle_of(clip.frames)), index, cause, row["sigma"], grain_of(STOCK, 6000, DEBLUR_FIELD))
    named = torch.stack([sharpened(net, frame[None], told({cause: UNKNOWN}))[0] for frame in pair.soft])
    words = f"Median case: {row['clip']}, {cause} {strength:.2f}, σ {row['sigma']}, told the cause."
    film, corner = film_part(data, FRAMES)
    blind = torch.stack([sharpened(net, frame[None], told(dict.fromkeys(CAUSES, BLIND)))[0] for frame in film])
    said = f"Real film, {FILM}#{FILM_FRAMES[1]}, told nothing."
    return [
        (f"{name}-motion", Moving(pair.soft, named, middle(pair.soft), words)),
        (f"{name}-motion-film", Moving(film, blind, corner, said)),
    ]
