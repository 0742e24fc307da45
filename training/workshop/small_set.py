"""Figures of every shipped ONNX file on a small evaluation set, compared with those in its card: what continuous integration runs.

    python -m workshop.small_set [--write] [--data DIR] [--models DIR]

Two crops of Kodak photographs and two triples of clips, none ever trained on, through onnxruntime. `--write` records what is found
(`training/small_set.json`) and puts it into the cards; without it a figure further than 0.02 dB from its card's fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from degradation.capture import disk_kernel, through_kernel
from degradation.compression import jpeg
from degradation.optics import blur, to_codes, to_linear
from degradation.scratches import Scratch, lines_on
from emulsion_training.cards import SMALL_SET, replace_small_set
from emulsion_training.compare import Float, open_session, run_onnx
from emulsion_training.evaluate import CLIPS, Bytes, interpolate, kodak, psnr, resize, to_bytes, to_network
from emulsion_training.manifest import write_json

from .cause_net import UNIT
from .deblur_net import HALO, told
from .dirt_net import scale_of
from .evaluate_degrain import grain_of, grainy
from .paths import DATA, MODELS, WorkshopError, need
from .pictures import read_frames
from .scratch_heal import decide, heal

TOLERANCE = 0.02
"""dB. The same file on another processor differs by less than 0.001."""
WIDTH, HEIGHT = 256, 192
FIELD = 160
"""Side of the grain fields: drawing larger ones takes minutes."""
STOCKS = ("35 mm color negative", "16 mm silver negative")
WHITE = (10, 25)

Figures = dict[str, float]


def crops(data: Path) -> list[Bytes]:
    """The middles of Kodak 01 and 02."""
    return [
        photo[(h := (photo.shape[0] - HEIGHT) // 2) : h + HEIGHT, (w := (photo.shape[1] - WIDTH) // 2) : w + WIDTH]
        for photo in kodak(data, 2)
    ]


def denoised(path: Path, noisy: Float, sigma: float) -> Float:
    """A denoiser's picture, told one strength (codes 0…1)."""
    level = np.full((1, 1, noisy.shape[2] // 2, noisy.shape[3] // 2), sigma, np.float32)
    return run_onnx(open_session(path), {"image": noisy, "sigma": level})["denoised"]


def white_noise(path: Path, data: Path) -> Figures:
    """PSNR after white noise of known strength."""
    found: Figures = {}
    for sigma in WHITE:
        generator = np.random.default_rng(11)
        values = []
        for crop in crops(data):
            clean = to_network(crop)
            noisy = clean + np.float32(sigma / 255) * generator.standard_normal(clean.shape).astype(np.float32)
            values.append(psnr(to_bytes(denoised(path, noisy, sigma / 255)), crop))
        found[f"white noise of σ {sigma} removed"] = float(np.mean(values))
    return found


def film_grain(path: Path, data: Path) -> Figures:
    """PSNR after grain of the physical model, told its true strength."""
    found: Figures = {}
    for index, stock in enumerate(STOCKS):
        bank = grain_of(stock, 5000 + index, FIELD)
        values = []
        for crop in crops(data):
            clean = torch.from_numpy(to_network(crop))
            if bank.stocks[0].correlation == 1:
                clean = clean.mean(1, keepdim=True).expand(-1, 3, -1, -1).contiguous()
            noisy, sigma = grainy(clean, bank, 21)
            values.append(psnr(to_bytes(denoised(path, noisy.numpy(), sigma)), to_bytes(clean.numpy())))
        found[f"grain of {stock} removed"] = float(np.mean(values))
    return found


def enlarged(path: Path, data: Path, scale: int) -> Figures:
    """PSNR of crops reduced (bicubic) and brought back."""
    values = []
    for crop in crops(data):
        small = resize(crop, WIDTH // scale, HEIGHT // scale, Image.Resampling.BICUBIC)
        values.append(psnr(to_bytes(run_onnx(open_session(path), {"image": to_network(small)})["upscaled"]), crop))
    return {f"reduced to 1/{scale} (bicubic) and brought back": float(np.mean(values))}


def between(path: Path, data: Path) -> Figures:
    """PSNR of the middle of three frames, made from its neighbors."""
    session = open_session(path)
    values = []
    for name, first in CLIPS[:2]:
        a, middle, b = read_frames(data / "video" / name, first, 3, f"crop={WIDTH}:{HEIGHT}")
        values.append(psnr(to_bytes(interpolate(session, a, b, 0.5)["mid"]), middle))
    return {"middle of three frames from its neighbors": float(np.mean(values))}


def spots(path: Path, data: Path) -> Figures:
    """PSNR of a frame with discs that its three views do not have, before and after the net's mask and cure."""
    session = open_session(path)
    sigma = 4 / 255
    before, after = [], []
    for crop in crops(data):
        clean = to_network(crop)
        generator = np.random.default_rng(12)
        frame, *views = (clean + np.float32(sigma) * generator.standard_normal(clean.shape).astype(np.float32) for _ in range(4))
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        for index in range(12):
            column, row = generator.uniform(8, WIDTH - 8), generator.uniform(8, HEIGHT - 8)
            frame[..., np.hypot(x - column, y - row) < 1.5 + index / 2] = 0.9 if index % 3 == 0 else 0.05
        inputs = dict(zip(("before", "after", "middle"), views, strict=True))
        trust, scale = np.ones((1, 2, HEIGHT, WIDTH), np.float32), np.full((1, 1, 1, 1), scale_of(sigma), np.float32)
        found = run_onnx(session, {"frame": frame, **inputs, "trust": trust, "scale": scale})
        before.append(psnr(to_bytes(frame), crop))
        after.append(psnr(to_bytes(np.where(found["mask"] > 0.5, found["healed"], frame)), crop))
    return {"with discs on it": float(np.mean(before)), "with the discs healed": float(np.mean(after))}


def sharpened(path: Path, data: Path) -> Figures:
    """PSNR of crops that were reduced and brought back, and of crops blurred in light, before and after the net, told what was done."""
    session = open_session(path)
    found: Figures = {}
    for what, cause, soften in (
        ("reduced to 1/2 and brought back", "digitization", _halved),
        (
            "blurred by σ 1 in light",
            "duplication",
            lambda crop: to_bytes(to_codes(blur(to_linear(torch.from_numpy(to_network(crop))), 1.0)).numpy()),
        ),
    ):
        before, after = [], []
        for crop in crops(data):
            soft = soften(crop)
            # Beyond the picture its edge, as in the app.
            wide = np.pad(to_network(soft), ((0, 0), (0, 0), (HALO, HALO), (HALO, HALO)), "edge")
            done = run_onnx(session, {"image": wide, "causes": told({cause: 0.6}).numpy()})["sharp"]
            before.append(psnr(soft, crop))
            after.append(psnr(to_bytes(done[..., HALO:-HALO, HALO:-HALO]), crop))
        found[what] = float(np.mean(before))
        found[f"{what}, sharpened"] = float(np.mean(after))
    return found


def _halved(crop: Bytes) -> Bytes:
    return resize(resize(crop, WIDTH // 2, HEIGHT // 2, Image.Resampling.BICUBIC), WIDTH, HEIGHT, Image.Resampling.BICUBIC)


def causes(path: Path, data: Path) -> Figures:
    """Log odds (10·log₁₀) that still crops are soft: as they are, through a lens out of focus, and as JPEG."""
    session = open_session(path)
    found: dict[str, list[float]] = {}
    for crop in crops(data):
        clean = torch.from_numpy(to_network(crop))
        made = {
            "as they are": clean,
            "behind a disk of 3 px": through_kernel(clean, disk_kernel(3)),
            "of JPEG quality 20": jpeg(clean, 20),
        }
        for name, picture in made.items():
            evidence = run_onnx(session, {"frames": picture.repeat(1, 3, 1, 1).numpy()})["evidence"].ravel() * UNIT
            found.setdefault(f"crops {name} are soft", []).append(float(evidence[10]))
            found.setdefault(f"crops {name}: capture against compression", []).append(float(evidence[5] - evidence[9]))
    return {name: float(np.mean(values)) * 10 / float(np.log(10)) for name, values in found.items()}


def lines(path: Path, data: Path) -> Figures:
    """PSNR of a frame with two lines, before and after they are found by the net and mended where they are known to be."""
    session = open_session(path)
    sigma = 4 / 255
    before, after = [], []
    for index, crop in enumerate(crops(data)):
        clean = to_network(crop) + np.float32(sigma) * np.random.default_rng(13).standard_normal((1, 3, HEIGHT, WIDTH)).astype(np.float32)
        whole = torch.from_numpy(clean[0])
        two = [Scratch(width=3, depth=0.6, light=1.0), Scratch(width=2, depth=0.8, light=0.0, rims=0.3)]
        frame, path_of = lines_on(whole[None], two, 40 + index)
        scale = np.full((1, 1, 1, 1), scale_of(sigma), np.float32)
        found = torch.from_numpy(run_onnx(session, {"frame": frame.numpy(), "scale": scale})["lines"][0])
        where = [(k, float(path_of[0, k]), 0.0) for k in range(2)]
        healed, _ = heal(frame[0], decide(found, where))
        before.append(psnr(to_bytes(frame.numpy()), to_bytes(clean)))
        after.append(psnr(to_bytes(healed[None].numpy()), to_bytes(clean)))
    return {"with lines on it": float(np.mean(before)), "with the lines mended": float(np.mean(after))}


TRIALS: dict[str, Callable[[Path, Path], Figures]] = {
    "rife": between,
    "ffdnet": white_noise,
    "degrain": lambda path, data: {**white_noise(path, data), **film_grain(path, data)},
    "dirt": spots,
    "deblur-small": sharpened,
    "deblur-full": sharpened,
    "blur-cause": causes,
    "scratch": lines,
    "spanx2": lambda path, data: enlarged(path, data, 2),
    "spanx4": lambda path, data: enlarged(path, data, 4),
    "realesrgan-x4fast": lambda path, data: enlarged(path, data, 4),
}
"""What each shipped model is tried on."""


def measure(models: Path, data: Path) -> dict[str, Figures]:
    """All figures, in dB, of the models in the manifest. Raises where one of them has no trial."""
    need(data, "the evaluation set is read from ../shared/data or from the folder EMULSION_DATA")
    shipped = json.loads((models / "models.json").read_text(encoding="utf-8"))["models"]
    untried = [line["id"] for line in shipped if line["id"] not in TRIALS]
    if untried:
        raise WorkshopError(f"no trial on the small set for {', '.join(untried)}: add it to TRIALS in {Path(__file__).name}")
    found: dict[str, Figures] = {}
    for line in shipped:
        figures = TRIALS[line["id"]](models / line["file"], data)
        found[line["id"]] = {name: round(value, 3) for name, value in figures.items()}
        print(f"{line['id']}: " + ", ".join(f"{name} {value:.2f} dB" for name, value in figures.items()), flush=True)
    return found


def differences(found: dict[str, Figures], recorded: dict[str, Figures]) -> list[str]:
    """What differs from the cards, a line each."""
    lines = []
    for model in sorted({*found, *recorded}):
        now, then = found.get(model, {}), recorded.get(model, {})
        for name in sorted({*now, *then}):
            if name not in now or name not in then:
                lines.append(f"{model}: {name}: only in {'the card' if name in then else 'the measurement'}")
            elif not abs(now[name] - then[name]) <= TOLERANCE:
                lines.append(f"{model}: {name}: {now[name]:.3f} dB, the card says {then[name]:.3f}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Entry of the command line."""
    parser = argparse.ArgumentParser(prog="workshop.small_set", description="Compare the shipped models with their cards.")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--write", action="store_true", help="record what is found, and put it into the cards")
    options = parser.parse_args(arguments)
    torch.set_num_threads(2)
    found = measure(options.models, options.data)
    if options.write:
        write_json(SMALL_SET, found)
        for model in found:
            replace_small_set(options.models, model)
        return 0
    wrong = differences(found, json.loads(SMALL_SET.read_text(encoding="utf-8")))
    for model in found:
        if not replace_small_set(options.models, model, dry=True):
            wrong.append(f"{model}: its card does not hold what {SMALL_SET.name} says; give --write")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
