"""Blind measurements against what was put in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from degradation.capture import disk_kernel, through_kernel
from degradation.chain import Plan, age
from degradation.damage import flicker, weave
from degradation.grain_bank import GrainBank, make_stack
from degradation.motion import Camera, moving_clip
from degradation.stock import Stock
from workshop import film_range
from workshop.estimate import RUN, displacement, edge_sigma, estimate, grain, objects, scratch_columns
from workshop.film_range import MEASURES, codes, measures, outside, ranges_of
from workshop.paths import WorkshopError
from workshop.smoke import synthetic_entries


def blobs(side: int, seed: int = 1) -> torch.Tensor:
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side]
    picture = np.full((3, side, side), 0.45)
    for _ in range(40):
        cx, cy, radius = generator.uniform(0, side), generator.uniform(0, side), generator.uniform(5, 25)
        picture[:, (x - cx) ** 2 + (y - cy) ** 2 < radius**2] += generator.uniform(-0.2, 0.2, (3, 1))
    return torch.from_numpy(np.clip(picture, 0.1, 0.9).astype(np.float32))


def to_frames(clip: torch.Tensor) -> np.ndarray:
    return np.asarray((clip.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy())


def test_displacement_is_found_to_a_fraction_of_a_pixel() -> None:
    still = moving_clip(blobs(220), Camera(pan=(2.4, -1.2), zoom=0, turn=0, tremble=0), 3, (160, 160), 1)
    dx, dy = displacement(still[0].mean(0).numpy(), still[1].mean(0).numpy())
    assert dx == pytest.approx(-2.4, abs=0.3)
    assert dy == pytest.approx(1.2, abs=0.3)


def test_blur_is_told_from_sharp() -> None:
    sharp = blobs(200)[None]
    pictures = [sharp, *(through_kernel(sharp, disk_kernel(radius)) for radius in (2, 4))]
    found = [edge_sigma(picture[0].mean(0).numpy()) for picture in pictures]
    assert found[0] < 0.7 < found[1] < found[2]
    # A disk of radius r has σ r/2 along a line.
    assert found[2] == pytest.approx(2.0, rel=0.35)


def test_grain_strength_is_found_within_a_seventh() -> None:
    clip = moving_clip(blobs(240), Camera(pan=(0, 0), zoom=0, turn=0, tremble=0), 4, (192, 192), 1)
    bank = GrainBank([make_stack(Stock(radius=0.3, layers=5, cloud=0.5, aperture=0.6), 128, 1)])
    for strength in (6.0, 18.0):
        gain = strength / 255 / float(bank.middle[0])
        which = torch.zeros(4, dtype=torch.long)
        noisy = clip + gain * bank.grain(clip, which, torch.zeros(4), torch.Generator().manual_seed(2))
        true = float((gain * bank.strength(clip, which)).pow(2).mean().sqrt()) * 255
        found = grain(to_frames(noisy))
        assert found["sigma"] == pytest.approx(true, rel=0.15)
        assert found["neighbors"] > 0.2


def test_objects_are_connected_parts() -> None:
    mask = np.zeros((12, 12), bool)
    mask[1:3, 1:4] = mask[8, 8] = mask[9, 9] = True
    assert sorted(objects(mask)) == [2, 6]
    assert objects(np.zeros((4, 4), bool)) == []


def test_a_standing_line_is_a_scratch_and_a_moving_one_is_not() -> None:
    planes = np.full((4, 64, 64), 0.5, np.float32) + np.random.default_rng(1).normal(0, 0.01, (4, 64, 64)).astype(np.float32)
    assert scratch_columns(planes) == 0
    planes[:, :, 20] += 0.2
    assert scratch_columns(planes) >= 1


def test_a_film_is_measured_end_to_end(tmp_path: Path) -> None:
    clip = moving_clip(blobs(200), Camera(pan=(0, 0), zoom=0, turn=0, tremble=0), 24, (128, 128), 1)
    clip, _ = flicker(clip, 0.08, 0, 3)
    clip, path = weave(clip, 1.5, 4)
    film = tmp_path / "film.mkv"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "128x128", "-i", "-"]
    command = ["ffmpeg", "-v", "error", *raw, "-c:v", "ffv1", "-pix_fmt", "bgr0", str(film)]
    subprocess.run(command, input=to_frames(clip).tobytes(), check=True)
    report = estimate(film, tmp_path / "film.json", 24)
    assert json.loads((tmp_path / "film.json").read_text(encoding="utf-8")) == report
    assert report["grain"]["trustworthy"]
    assert report["flicker"]["logSigma"] == pytest.approx(0.08, rel=0.5)
    assert report["weave"]["sigmaPx"][0] == pytest.approx(float(path[:, 0].std()), rel=0.5)
    with pytest.raises(WorkshopError, match="no film that ffmpeg reads"):
        estimate(tmp_path / "film.json", tmp_path / "x.json")


def test_a_film_outside_of_the_models_range_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "one.mp4").touch()
    ranges = {name: {"low": 0.0, "middle": 0.5, "high": 1.0} for name in MEASURES}
    kept = tmp_path / "ranges.json"
    for written, measured, refusal in ((0.5, 0.5, None), (0.5, 0.6, "no longer"), (2.0, 2.0, "outside"), (0.5, None, "no longer")):
        kept.write_text(json.dumps({"model": ranges, "films": {"one.mp4": dict.fromkeys(MEASURES, written)}}), encoding="utf-8")
        monkeypatch.setattr(film_range, "film_measures", lambda _, value=measured: dict.fromkeys(MEASURES, value))
        if refusal is None:
            film_range.check(tmp_path, kept)
        else:
            with pytest.raises(WorkshopError, match=refusal):
                film_range.check(tmp_path, kept)


def test_the_models_range_is_measured_on_aged_clips(tmp_path: Path) -> None:
    bank = GrainBank([make_stack(Stock(radius=0.35, layers=5, cloud=0.5), 64, 1)])
    clean = torch.from_numpy(synthetic_entries(1, 96, 3)[0].frames.copy()).permute(0, 3, 1, 2).float().expand(RUN, -1, -1, -1) / 255
    rows = [measures([codes(age(clean, Plan(dirt=1), bank, [torch.ones(1, 5, 5)], seed).clip)]) for seed in range(3)]
    ranges = ranges_of(rows)
    for name in MEASURES:
        assert ranges[name]["low"] <= ranges[name]["middle"] <= ranges[name]["high"]
    assert ranges[MEASURES[1]]["high"] > 0
    assert outside(measures([codes(clean)]), ranges)
