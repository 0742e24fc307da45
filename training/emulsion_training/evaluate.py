"""How good the shipped files are on real pictures; the findings go into the model cards.

    python -m emulsion_training.evaluate [--data DIR] [--pictures DIR]

Needs the evaluation data (Kodak photographs, clips), Pillow and a native ffmpeg. With --pictures it also writes
crops to look at. Run the importer afterwards: it puts the findings into the cards.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from .cards import EVALUATION
from .compare import Float, difference, open_session, run_onnx, run_original, warp
from .import_models import ROOT
from .manifest import write_json
from .originals import OriginalRife
from .rife import ALIGN, grid_inputs

Bytes = NDArray[np.uint8]
Findings = dict[str, list[str]]


def to_network(picture: Bytes) -> Float:
    """[H, W, 3] codes to [1, 3, H, W], 0…1."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))


def to_bytes(tensor: Float) -> Bytes:
    """[1, 3, H, W] to codes, clamped and rounded."""
    codes: Bytes = np.round(np.clip(tensor[0].transpose(1, 2, 0), 0, 1) * 255).astype(np.uint8)
    return codes


def psnr(a: Bytes, b: Bytes) -> float:
    """PSNR of codes over all three channels."""
    return float(10 * np.log10(255**2 / ((a.astype(np.float64) - b.astype(np.float64)) ** 2).mean()))


def kodak(data: Path, count: int = 6) -> list[Bytes]:
    """The first Kodak photographs."""
    return [np.asarray(Image.open(data / f"photos/eval/kodak{i + 1:02d}.png").convert("RGB")) for i in range(count)]


def resize(picture: Bytes, width: int, height: int, method: Image.Resampling) -> Bytes:
    """Pillow's antialiased resize."""
    return np.asarray(Image.fromarray(picture).resize((width, height), method))


def frames(path: Path, first: int, count: int) -> list[Bytes]:
    """Consecutive frames of a clip, decoded by ffmpeg."""
    probe = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0"]
    found = subprocess.run([*probe, str(path)], capture_output=True, text=True, check=True).stdout.strip().split(",")
    width, height = int(found[0]), int(found[1])
    select = f"select=between(n\\,{first}\\,{first + count - 1})"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", select, "-fps_mode", "passthrough", "-frames:v", str(count)]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
    return list(np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3))


def interpolate(session: onnxruntime.InferenceSession, a: Bytes, b: Bytes, t: float) -> dict[str, Float]:
    """Runs RIFE on two frames of any size: edges repeated up to the alignment, outputs cut back."""
    height, width = a.shape[:2]
    extra = [(0, 0), (0, 0), (0, -height % ALIGN), (0, -width % ALIGN)]
    near, far = (np.pad(to_network(frame), extra, mode="edge") for frame in (a, b))
    grid, norm = grid_inputs(*near.shape[2:])
    moment = np.full((1, 1, 1, 1), t, np.float32)
    inputs = {"a": near, "b": far, "t": moment, "grid": grid.numpy(), "norm": norm.numpy()}
    return {name: value[:, :, :height, :width] for name, value in run_onnx(session, inputs).items()}


def evaluate_upscaling(models: Path, data: Path, pictures: Path | None) -> Findings:
    """Kodak photographs reduced (bicubic) and brought back, against Lanczos."""
    findings: Findings = {}
    for name, scale in (("spanx2", 2), ("spanx4", 4), ("realesrgan-x4fast", 4)):
        session = open_session(models / f"{name}.onnx")
        model, lanczos = [], []
        for index, original in enumerate(kodak(data)):
            height, width = original.shape[:2]
            small = resize(original, width // scale, height // scale, Image.Resampling.BICUBIC)
            large = to_bytes(run_onnx(session, {"image": to_network(small)})["upscaled"])
            plain = resize(small, width, height, Image.Resampling.LANCZOS)
            model.append(psnr(large, original))
            lanczos.append(psnr(plain, original))
            _save(pictures, f"{name}-{index + 1}", [plain, large, original])
        findings[name] = [
            f"Kodak 01–06 reduced to 1/{scale} (bicubic) and brought back: {np.mean(model):.2f} dB, Lanczos {np.mean(lanczos):.2f} dB."
        ]
        if name.startswith("span"):
            findings[name].append(_noise_limit(session, kodak(data, 1)[0]))
    return findings


def _noise_limit(session: onnxruntime.InferenceSession, picture: Bytes) -> str:
    generator = np.random.default_rng(7)
    clean = to_network(picture[128:384, 128:384])
    parts = []
    for sigma in (0, 5, 10, 20, 30, 50):
        noise = sigma / 255 * generator.standard_normal(clean.shape)
        out = run_onnx(session, {"image": (clean + noise).astype(np.float32)})["upscaled"]
        parts.append(f"σ {sigma}: {out.min():.2f}…{out.max():.2f}")
    return "Range of the output on a photograph with white noise, before clamping: " + ", ".join(parts) + "."


def evaluate_denoising(models: Path, data: Path, pictures: Path | None) -> Findings:
    """White noise on Kodak photographs, and what happens when the strength is told wrongly."""
    session = open_session(models / "ffdnet.onnx")
    generator = np.random.default_rng(3)
    results = []
    for sigma in (5, 15, 25, 50):
        noisy_psnr, clean_psnr = [], []
        for index, original in enumerate(kodak(data)):
            noise = sigma / 255 * generator.standard_normal((1, 3, *original.shape[:2]))
            noisy = to_network(original) + noise.astype(np.float32)
            level = np.full((1, 1, original.shape[0] // 2, original.shape[1] // 2), sigma / 255, np.float32)
            out = to_bytes(run_onnx(session, {"image": noisy, "sigma": level})["denoised"])
            noisy_psnr.append(psnr(to_bytes(noisy), original))
            clean_psnr.append(psnr(out, original))
            if sigma == 25:
                _save(pictures, f"ffdnet-{index + 1}", [to_bytes(noisy), out, original])
        results.append(f"σ {sigma}: {np.mean(noisy_psnr):.2f} to {np.mean(clean_psnr):.2f} dB")
    return {"ffdnet": ["White Gaussian noise on Kodak 01–06: " + ", ".join(results) + "."]}


CLIPS: tuple[tuple[str, int], ...] = (
    ("bikes.mp4", 40),
    ("bigbuckbunny.mp4", 60),
    ("car-detection.mp4", 30),
    ("one-by-one-person-detection.mp4", 60),
    ("tree.avi", 20),
    ("vtest.avi", 100),
)


def evaluate_interpolation(models: Path, data: Path, pictures: Path | None) -> Findings:
    """The middle of three frames from its neighbors, and whether the flow means what the manifest says."""
    session = open_session(models / "rife.onnx")
    mids, blends, errors = [], [], []
    for name, first in CLIPS:
        clip = frames(data / "video" / name, first, 7)
        for index in (0, 2, 4):
            a, middle, b = clip[index : index + 3]
            made = interpolate(session, a, b, 0.5)
            mids.append(psnr(to_bytes(made["mid"]), middle))
            blend = ((a.astype(np.uint16) + b.astype(np.uint16) + 1) // 2).astype(np.uint8)
            blends.append(psnr(blend, middle))
            if index == 0:
                _save(pictures, f"rife-{name.split('.')[0]}", [blend, to_bytes(made["mid"]), middle])
        errors.append(_alignment(session, clip[0], clip[2]))
    dx, dy = _known_motion(session, kodak(data, 1)[0])
    none, zero, mid = np.mean(errors, axis=0)
    return {
        "rife": [
            f"Middle frame from its neighbors, three triples of each of {len(CLIPS)} clips: {np.mean(mids):.2f} dB, "
            f"mean of both frames {np.mean(blends):.2f} dB.",
            f"Content moved 8 px right and 4 px down from a to b; at t = 0.25 the median flow is "
            f"({dx[0]:.2f}, {dy[0]:.2f}) to a and ({dx[1]:.2f}, {dy[1]:.2f}) to b (expected (−2, −1) and (6, 3)).",
            f"Aligning b to a, two frames apart, mean absolute error in codes over the clips: not aligned {none:.2f}, by the flow at "
            f"t = 0 {zero:.2f}, by the flow at t = 0.5 carried to a's positions {mid:.2f}.",
        ]
    }


def compare_clips(models: Path, data: Path, cache: Path) -> str:
    """The shipped file against the original in PyTorch on the middle of real frames."""
    session, original = open_session(models / "rife.onnx"), OriginalRife(cache).eval()
    results: dict[str, list[float]] = {"mid": [], "flow": [], "mask": []}
    for name, first in CLIPS:
        clip = frames(data / "video" / name, first, 3)
        height, width = (size - size % ALIGN for size in clip[0].shape[:2])
        grid, norm = grid_inputs(height, width)
        inputs = {
            "a": to_network(clip[0][:height, :width]),
            "b": to_network(clip[2][:height, :width]),
            "t": np.full((1, 1, 1, 1), 0.5, np.float32),
            "grid": grid.numpy(),
            "norm": norm.numpy(),
        }
        expected, actual = run_original(original, inputs, list(results)), run_onnx(session, inputs)
        for output, values in results.items():
            values.append(difference(actual[output], expected[output]).psnr)
    worst = ", ".join(f"{output} {min(values):.1f} dB" for output, values in results.items())
    return f"Against the original in PyTorch on the same clips, the worst clip: {worst}."


def _alignment(session: onnxruntime.InferenceSession, a: Bytes, b: Bytes) -> tuple[float, float, float]:
    """Mean error in codes of b as a: as it is, by the flow asked at t = 0, by the mid-flow carried to a."""
    target, moving = to_network(a), to_network(b)
    zero = interpolate(session, a, b, 0)["flow"][:, 2:]
    mid = interpolate(session, a, b, 0.5)["flow"]
    carried = warp(mid[:, 2:] - mid[:, :2], -mid[:, :2])
    pictures = (moving, warp(moving, zero), warp(moving, carried))
    none, first, second = (float(np.abs(picture - target).mean()) * 255 for picture in pictures)
    return none, first, second


def _known_motion(session: onnxruntime.InferenceSession, picture: Bytes) -> tuple[list[float], list[float]]:
    a, b = picture[100:356, 100:420], picture[96:352, 92:412]
    flow = interpolate(session, a, b, 0.25)["flow"][0, :, 32:-32, 32:-32]
    median = [float(np.median(channel)) for channel in flow]
    return [median[0], median[2]], [median[1], median[3]]


def _save(pictures: Path | None, name: str, parts: list[Bytes]) -> None:
    if pictures is None:
        return
    pictures.mkdir(parents=True, exist_ok=True)
    height, width = parts[0].shape[:2]
    top, left = height // 2 - min(height, 320) // 2, width // 2 - min(width, 320) // 2
    crops = [part[top : top + 320, left : left + 320] for part in parts]
    Image.fromarray(np.concatenate(crops, axis=1)).save(pictures / f"{name}.png")


def main(arguments: list[str] | None = None) -> int:
    """Entry of the command line."""
    parser = argparse.ArgumentParser(prog="emulsion_training.evaluate", description="Measure the shipped models.")
    default = Path(os.environ.get("EMULSION_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="the evaluation data")
    parser.add_argument("--models", type=Path, default=ROOT / "public" / "models", help="the shipped models")
    parser.add_argument("--cache", type=Path, default=ROOT / "training" / ".cache", help="the importer's downloads")
    parser.add_argument("--pictures", type=Path, help="writes crops here: input or plain method, result, truth")
    options = parser.parse_args(arguments)
    findings: Findings = {}
    parts: tuple[Callable[[Path, Path, Path | None], Findings], ...]
    parts = (evaluate_interpolation, evaluate_denoising, evaluate_upscaling)
    for part in parts:
        for name, lines in part(options.models, options.data, options.pictures).items():
            findings[name] = lines
            print(name, *lines, sep="\n  ")
    findings["rife"].append(compare_clips(options.models, options.data, options.cache))
    print(findings["rife"][-1])
    write_json(EVALUATION, findings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
