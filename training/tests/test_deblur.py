"""The reference of the `deblur` stage: estimator, deconvolution, evaluation, on synthetic pictures, without downloads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from degradation.capture import disk_kernel, path_kernel
from degradation.optics import blur
from workshop.blur_estimate import RADIUS, Blur, U, V, estimate, hypotheses, pick, pool, power_of, smoothed
from workshop.deblur_reference import Settings, deconvolve, noisy_codes, response
from workshop.eval_set import EvalClip
from workshop.evaluate_deblur import draw_blur, evaluate, gaussian_kernel, kernel_of, richardson_lucy, wiener
from workshop.metrics import psnr


class Smoother(nn.Module):
    """Stands for the denoiser: a little blur, more of it for more noise."""

    def forward(self, image: Tensor, sigma: Tensor) -> Tensor:
        """Like FFDNet's."""
        return blur(image, 4 * float(sigma.mean()))


def leaves(seed: int, height: int = 192, width: int = 224) -> Tensor:
    """Opaque disks of all sizes: a natural picture's spectrum and edges."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: 2 * height, : 2 * width]
    picture = np.full((3, 2 * height, 2 * width), 0.5)
    for _ in range(1500):
        radius = 2.5 / np.sqrt(rng.uniform(0.001, 1))
        inside = (x - rng.uniform(0, 2 * width)) ** 2 + (y - rng.uniform(0, 2 * height)) ** 2 < radius**2
        picture[:, inside] = np.clip(rng.uniform(0.08, 0.88) + rng.uniform(-0.1, 0.1, (3, 1)), 0.03, 0.95)
    return torch.nn.functional.avg_pool2d(torch.from_numpy(picture).float()[None], 2)[0]


def laid(kernel: Tensor, sigma: float, seed: int) -> tuple[Tensor, Tensor]:
    noisy, truth, _ = noisy_codes(leaves(seed), kernel, sigma, 16, torch.Generator().manual_seed(seed))
    return noisy, truth


def test_a_spectrum_shows_the_kernel_that_is_drawn() -> None:
    for blur_, kernel in (
        (Blur("defocus", 3.0, edge=0.3), disk_kernel(3.0, 0.3)),
        (Blur("motion", 9.0, 30.0), path_kernel(9.0, 30.0)),
        (Blur("gaussian", 1.5), gaussian_kernel(1.5)),
    ):
        room = 64 - kernel.shape[0]
        drawn = torch.fft.fftshift(torch.fft.fft2(torch.nn.functional.pad(kernel, (0, room, 0, room))))
        wanted = pick(smoothed(drawn.abs().numpy().astype(float) ** 2))
        got = power_of(blur_.family, blur_.size, blur_.angle, blur_.edge)
        if blur_.family == "motion":
            # A line is drawn with bilinear weights, which are a blur of their own.
            got = got * (np.sinc(U) * np.sinc(V)) ** 4
        assert np.abs(got - wanted)[RADIUS < 0.4].max() < 0.06
    assert len(set(hypotheses())) == len(hypotheses())


@pytest.mark.parametrize("wanted", [Blur("defocus", 2.4), Blur("gaussian", 1.5), Blur("motion", 9.0, 40.0)])
def test_the_blur_is_found(wanted: Blur) -> None:
    kernel = kernel_of(wanted)
    assert kernel is not None
    frames = np.stack([laid(kernel, 0.01, seed)[0].double().numpy() for seed in (1, 2)])
    found = estimate(pool(frames, 0.01))
    assert found.family == wanted.family
    assert abs(found.size / wanted.size - 1) < 0.15
    assert abs((found.angle - wanted.angle + 90) % 180 - 90) < 5 or wanted.family != "motion"


def test_sharp_scenes_stay_sharp() -> None:
    for seed, sigma in ((3, 0.0), (4, 0.01), (5, 0.02)):
        frames = np.stack([laid(torch.ones(1, 1), sigma, seed + 10 * i)[0].double().numpy() for i in (0, 1)])
        assert estimate(pool(frames, sigma)).family == "sharp"
    assert pool(np.full((1, 3, 128, 128), 0.4), 0.0) is None
    assert estimate(None).family == "sharp"


def test_deconvolution_gains_and_keeps_the_grain() -> None:
    kernel = path_kernel(6.0, 40.0)
    noisy, truth = laid(kernel, 0.0, 1)
    done = deconvolve(noisy, kernel, 0.0, Smoother(), Settings(steps=4))
    assert psnr(done.kept.clamp(0, 1), truth.clamp(0, 1)) > psnr(noisy, truth.clamp(0, 1)) + 2
    # Without blur the input is the answer where grain is kept.
    same = deconvolve(noisy, torch.ones(1, 1), 0.01, Smoother(), Settings(steps=2))
    assert float((same.kept - noisy).abs().max()) < 1e-3


def test_baselines_invert_what_they_are_told() -> None:
    kernel = gaussian_kernel(1.2)
    noisy, truth = laid(kernel, 0.0, 2)
    assert float(response(kernel, 64, 64)[0, 0].real) == pytest.approx(1, abs=1e-5)
    for output in (wiener(noisy, kernel, 1e-2), richardson_lucy(noisy, kernel, (10,))[0]):
        assert output.shape == noisy.shape
        assert psnr(output.clamp(0, 1), truth) > psnr(noisy, truth) + 0.5


def test_evaluation_writes_table_rows_and_crops(tmp_path: Path) -> None:
    clip = EvalClip("leaves", torch.stack([leaves(7), leaves(7)]))
    evaluate([clip], Smoother(), tmp_path, steps=2)
    rows = json.loads((tmp_path / "evaluation.json").read_text())["rows"]
    assert [row["sigma"] for row in rows] == [0.0, 0.01, 0.02]
    assert rows[0]["blur"]["family"] == draw_blur(0)[0].family == "defocus"
    assert "| defocus, 0.0 |" in (tmp_path / "table.md").read_text()
    assert (tmp_path / "deblur-worst.png").exists()
