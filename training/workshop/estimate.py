"""`estimate`: how a real film is degraded, measured from its own frames, so that pairs can be made like it.

Everything is blind. Where a figure cannot be trusted (grain of compressed film) the report says so.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .parts import parts_of
from .paths import MODELS, WorkshopError, need
from .pictures import read_frames

Plane = NDArray[np.float32]
Planes = NDArray[np.float32]
RUN = 6
"""Consecutive frames looked at in one place."""
BLOCK = 16
LOSSLESS = ("ffv1", "rawvideo", "huffyuv", "utvideo", "v210", "dpx", "png", "tiff", "exr", "prores", "dnxhd")
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def probe(film: Path) -> dict[str, Any]:
    """Codec, size and number of frames, by ffprobe."""
    entries = "stream=codec_name,width,height,nb_read_packets,avg_frame_rate"
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets", "-show_entries", entries, "-of", "json", str(film)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    streams = json.loads(done.stdout or "{}").get("streams") if done.returncode == 0 else None
    if not streams:
        raise WorkshopError(f"{film}: no film that ffmpeg reads. {done.stderr.strip()}")
    found = streams[0]
    return {
        "codec": found["codec_name"],
        "width": int(found["width"]),
        "height": int(found["height"]),
        "frames": int(found["nb_read_packets"]),
        "rate": found["avg_frame_rate"],
    }


def luma(frames: NDArray[np.uint8]) -> Planes:
    """[N, H, W] of R′G′B′ codes 0…1."""
    return np.asarray(frames.astype(np.float32) @ LUMA / 255, np.float32)


def displacement(a: Plane, b: Plane) -> tuple[float, float]:
    """How far b's content lies from a's, (x, y) in pixels, by phase correlation with a parabola through the peak."""
    window = np.outer(np.hanning(a.shape[0]), np.hanning(a.shape[1]))
    fa, fb = np.fft.rfft2((a - a.mean()) * window), np.fft.rfft2((b - b.mean()) * window)
    cross = fb * np.conj(fa)
    surface = np.fft.irfft2(cross / (np.abs(cross) + 1e-9), a.shape)
    row, column = np.unravel_index(int(np.argmax(surface)), surface.shape)

    def peak(line: NDArray[Any], at: int) -> float:
        low, top, high = (float(line[(at + d) % len(line)]) for d in (-1, 0, 1))
        bend = low - 2 * top + high
        fine = 0.5 * (low - high) / bend if bend < 0 else 0.0
        return (at + fine + len(line) / 2) % len(line) - len(line) / 2

    return peak(surface[row], int(column)), peak(surface[:, column], int(row))


def edge_sigma(plane: Plane) -> float:
    """σ in pixels of the blur of the sharpest tenth of the strong edges, across rows and columns (grain is averaged along them)."""
    widths = []
    for picture in (plane, plane.T):
        along = (picture[:-2] + picture[1:-1] + picture[2:]) / 3
        slope = along[:, 2:] - along[:, :-2]
        strong = np.abs(slope) / 2
        limit = max(float(np.quantile(strong, 0.99)), 0.02)
        rows, columns = np.nonzero(strong[:, 4:-4] >= limit)
        for row, column in zip(rows[:: max(1, len(rows) // 800)], columns[:: max(1, len(rows) // 800)], strict=True):
            piece = along[row, column : column + 11]
            contrast = float(piece.max() - piece.min())
            widths.append(contrast / float(strong[row, column + 4]))
    if not widths:
        return float("nan")
    # A Gaussian edge: contrast ÷ steepest slope is σ·√(2π); the difference over two pixels itself blurs by σ² = 2/3.
    sigma = float(np.quantile(widths, 0.1)) / math.sqrt(2 * math.pi)
    return math.sqrt(max(sigma**2 - 2 / 3, 0.0))


def grain(frames: NDArray[np.uint8]) -> dict[str, Any]:
    """Strength by code of what consecutive frames do not share, per channel, and how coarse it is."""
    codes = frames.astype(np.float32) / 255
    planes = luma(frames)
    found: list[tuple[float, NDArray[Any], float]] = []
    for a, b, pa, pb in zip(codes[:-1], codes[1:], planes[:-1], planes[1:], strict=True):
        found += _blocks(a, b, pa, pb)
    if not found:
        return {"sigma": 0.0, "profile": [], "neighbors": 0.0}
    found.sort(key=lambda block: float(np.mean(block[1])))
    # Motion and damage only ever add: the calmer half of the blocks is believed.
    calm = found[: max(1, len(found) // 2)]
    profile = []
    for low in np.arange(0.05, 0.95, 0.1):
        here = [block for block in calm if low <= block[0] < low + 0.1]
        if len(here) >= 8:
            channels = np.median([block[1] for block in here], 0) * 255
            profile.append({"code": round(float(low) + 0.05, 2), "sigma": [round(float(v), 2) for v in channels]})
    sigma = float(np.sqrt(np.mean(np.median([block[1] for block in calm], 0) ** 2)))
    return {"sigma": round(sigma * 255, 2), "profile": profile, "neighbors": round(float(np.median([block[2] for block in calm])), 3)}


def _blocks(a: NDArray[Any], b: NDArray[Any], pa: Plane, pb: Plane) -> list[tuple[float, NDArray[Any], float]]:
    """For blocks of two frames: mean code, standard deviation per channel of (a − b) ÷ √2 at the best whole-pixel match, and
    the correlation of neighboring pixels of that difference."""
    height, width = pa.shape
    dx, dy = (round(v) for v in displacement(pa, pb))
    result = []
    for top in range(8, height - BLOCK - 8, BLOCK):
        for left in range(8, width - BLOCK - 8, BLOCK):
            own = pa[top : top + BLOCK, left : left + BLOCK]
            if not 0.04 < float(own.mean()) < 0.96:
                continue
            best: tuple[float, int, int] | None = None
            for y, x in ((0, 0), (dy, dx), (dy + 1, dx), (dy - 1, dx), (dy, dx + 1), (dy, dx - 1)):
                if 0 <= top + y and top + y + BLOCK <= height and 0 <= left + x and left + x + BLOCK <= width:
                    error = float(((own - pb[top + y : top + y + BLOCK, left + x : left + x + BLOCK]) ** 2).mean())
                    if best is None or error < 0.8 * best[0]:
                        best = (error, y, x)
            if best is None:
                continue
            _, y, x = best
            moved = b[top + y : top + y + BLOCK, left + x : left + x + BLOCK]
            difference = (a[top : top + BLOCK, left : left + BLOCK] - moved) / math.sqrt(2)
            difference = difference - difference.mean((0, 1))
            power = float((difference**2).mean())
            near = float((difference[:, 1:] * difference[:, :-1]).mean()) / power if power > 0 else 0.0
            result.append((float(own.mean()), difference.std((0, 1)), near))
    return result


def objects(mask: NDArray[np.bool_]) -> list[int]:
    """Areas of the connected parts (8 neighbors) of a mask."""
    return np.bincount(parts_of(mask)).tolist() if mask.any() else []


def dirt(planes: Planes, sigma: float) -> list[list[int]]:
    """Areas of what is in one frame and in neither neighbor, frame by frame; places where the neighbors differ do not count."""
    found = []
    limit = max(12 / 255, 5 * sigma)
    for before, here, after in zip(planes[:-2], planes[1:-1], planes[2:], strict=True):
        calm = np.abs(before - after) < max(6 / 255, 2.5 * sigma)
        low, high = np.minimum(before, after), np.maximum(before, after)
        away = np.maximum(low - here, here - high)
        found.append([area for area in objects((away > limit) & calm) if area >= 4])
    return found


def scratch_columns(planes: Planes) -> int:
    """Columns that stand out over the whole height in every frame of a run."""
    ridge = planes[:, :, 1:-1] - (planes[:, :, :-2] + planes[:, :, 2:]) / 2
    line = np.median(ridge, 1)
    scale = 1.4826 * np.median(np.abs(line - np.median(line, 1, keepdims=True)), 1, keepdims=True) + 1e-4
    return int((np.abs(line / scale).min(0) > 6).sum())


def flicker(lumas: Sequence[Planes]) -> float:
    """σ of the logarithm of light over runs [N, H, W], by differences of neighbors: what changes slowly is the scene's."""
    light = [np.log(np.maximum((planes.astype(np.float64) ** 2.2).mean((1, 2)), 1e-6)) for planes in lumas]
    return float(np.sqrt(np.mean([np.var(np.diff(values)) / 2 for values in light])))


def weave(lumas: Sequence[Planes]) -> NDArray[np.float64]:
    """σ (x, y) in pixels of a frame's place over runs [N, H, W], by second differences: a camera moves evenly."""
    jumps = [np.array([displacement(a, b) for a, b in zip(planes[:-1], planes[1:], strict=True)]) for planes in lumas]
    found: NDArray[np.float64] = np.median([np.abs(np.diff(jump, axis=0)) for jump in jumps], (0, 1)) * 1.4826 / math.sqrt(6)
    return found


def blur_causes(runs: list[NDArray[np.uint8]], model: Path = MODELS / "blur-cause.onnx") -> dict[str, Any]:
    """What the shipped net says of why a film is soft, pooled over runs of frames [N, H, W, 3] and places spread over them.

    `soft` and `confidence` are chances, `strength` is the share of detail that each cause took; `leading` is None where the film is
    sharp, and "unsure" where no cause stands out.
    """
    import torch

    from emulsion_training.compare import open_session, run_onnx

    from .cause_net import UNIT
    from .evaluate_cause import places, verdict

    session = open_session(need(model, "export it with `export blur-cause`"))
    evidence = []
    for run in runs:
        middle = run.shape[0] // 2
        codes = run[middle - 1 : middle + 2].transpose(0, 3, 1, 2)
        for place in places(codes.reshape(-1, *codes.shape[-2:])):
            evidence.append(run_onnx(session, {"frames": place.numpy()})["evidence"].ravel())
    return verdict(UNIT * torch.from_numpy(np.mean(evidence, 0)))


def estimate(film: Path, output: Path, frames: int = 24) -> dict[str, Any]:
    """Measures a film and writes the report."""
    about = probe(film)
    if about["frames"] < RUN:
        raise WorkshopError(f"{film.name}: {about['frames']} frames; at least {RUN} are needed")
    places = max(1, min(frames // RUN, about["frames"] // RUN))
    runs = [read_frames(film, (about["frames"] - RUN) * i // max(1, places - 1 if places > 1 else 1), RUN) for i in range(places)]
    lumas = [luma(run) for run in runs]
    grains = [grain(run) for run in runs]
    sigma = float(np.median([g["sigma"] for g in grains])) / 255
    spots = [areas for planes in lumas for areas in dirt(planes, sigma)]
    everything = np.concatenate(runs).astype(np.float32)
    monochrome = float(np.abs(everything - everything.mean(-1, keepdims=True)).mean()) < 4
    best = max(grains, key=lambda g: len(g["profile"]))
    levels = {
        name: [round(float(np.quantile(everything[..., channel], q)) / 255, 3) for q in (0.01, 0.5, 0.99)]
        for channel, name in enumerate(("red", "green", "blue"))
    }
    report: dict[str, Any] = {
        "version": 1,
        "film": film.name,
        **about,
        "monochrome": monochrome,
        "blur": {
            "edgeSigmaPx": round(float(np.nanmedian([edge_sigma(planes[0]) for planes in lumas])), 2),
            "causes": blur_causes(runs),
        },
        "grain": {
            "sigma": round(sigma * 255, 2),
            "profile": best["profile"],
            "neighborCorrelation": round(float(np.median([g["neighbors"] for g in grains])), 3),
            "trustworthy": any(about["codec"].startswith(name) for name in LOSSLESS),
        },
        "dirt": {
            "objectsPerFrame": round(float(np.mean([len(areas) for areas in spots])), 2),
            "medianArea": float(np.median([a for areas in spots for a in areas])) if any(spots) else 0.0,
        },
        "scratches": {"columns": int(np.median([scratch_columns(planes) for planes in lumas]))},
        "flicker": {"logSigma": round(flicker(lumas), 4)},
        "weave": {"sigmaPx": [round(float(value), 3) for value in weave(lumas)]},
        "levels": levels,
    }
    if not report["grain"]["trustworthy"]:
        report["warning"] = f"{about['codec']} keeps little of the grain: the film's own was stronger, this file does not tell by how much."
    output.write_text(json.dumps(report, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")
    return report
