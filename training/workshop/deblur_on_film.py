"""What the feed-forward nets of `deblur` do to real film, beside the baselines, for their cards. There is no truth: the baselines have one
moderate setting each, and no figures are given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from emulsion_training.compare import open_session, run_onnx

from . import metrics
from .baselines import ffmpeg_filter, to_bytes
from .cause_net import UNIT
from .crops import fullest
from .deblur_cases import enlarged_and_back
from .deblur_net import BLIND, CAUSES, UNKNOWN, sharpened, told
from .evaluate_cause import places, says
from .evaluate_deblur import gaussian_kernel, richardson_lucy, wiener
from .film_crops import SIDE, around, film_shots
from .paths import MODELS

FRAMES = 3
"""Of a shot: as many as `blur-cause` looks at."""
UNSHARP = "unsharp=5:5:1"
WIENER_SIGMA, WIENER_RATIO = 0.8, 3e-2
LUCY_SIGMA, LUCY_TURNS = 1.0, 5


def moderate(film: Tensor) -> list[Tensor]:
    """What each baseline makes of a frame at the middle of the settings that `evaluate` tries."""
    return [
        ffmpeg_filter(film[None], UNSHARP)[0],
        wiener(film, gaussian_kernel(WIENER_SIGMA), WIENER_RATIO),
        richardson_lucy(film, gaussian_kernel(LUCY_SIGMA), (LUCY_TURNS,))[0],
        enlarged_and_back(film, MODELS / "realesrgan-x4fast.onnx"),
    ]


def asked(frames: Tensor) -> dict[str, Any]:
    """What the shipped `blur-cause` says of three frames [3, 3, H, W]."""
    codes = (frames * 255).round().to(torch.uint8).flatten(0, 1).numpy()
    session = open_session(MODELS / "blur-cause.onnx")
    seen = [torch.from_numpy(run_onnx(session, {"frames": place.numpy()})["evidence"].reshape(-1)) for place in places(codes)]
    return says(UNIT * torch.stack(seen).mean(0))


def on_film(data: Path, net: nn.Module, output: Path) -> list[dict[str, Any]]:
    """Crops of three frames, where each has most detail; adds what was shown to `evaluation.json` in `output`, and returns it.

    Side by side: film, ffmpeg, Wiener, Richardson–Lucy, Real-ESRGAN brought back, ours told nothing, ours told what `blur-cause` says;
    where that finds them sharp, or names no cause of the net's, the last one is the film again.
    """
    made = []
    for shot in film_shots(data, FRAMES):
        diagnosis = asked(shot.frames)
        cause = diagnosis["leading"] if diagnosis["soft"] >= 0.5 and diagnosis["leading"] in CAUSES else None
        part, (top, left) = around(shot.frames, fullest(metrics.detail(shot.frames[FRAMES // 2]).abs(), SIDE))
        film = part[FRAMES // 2]
        blind = sharpened(net, film[None], told(dict.fromkeys(CAUSES, BLIND)))[0]
        named = sharpened(net, film[None], told({cause: UNKNOWN}))[0] if cause else film
        shown = [p[:, top : top + SIDE, left : left + SIDE].clamp(0, 1) for p in (film, *moderate(film), blind, named)]
        name = f"deblur-film-{shot.name.replace('#', '-')}.png"
        Image.fromarray(to_bytes(torch.cat(shown, 2)).numpy()).save(output / name, optimize=True)
        made.append({"clip": shot.name, "crop": name, "told": cause, **{key: diagnosis[key] for key in ("soft", "leading", "confidence")}})
    path = output / "evaluation.json"
    result = json.loads(path.read_text(encoding="utf-8")) | {"film": made}
    path.write_text(json.dumps(result, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    return made
