"""The fast grain against the physical reference, and what both must obey whoever renders them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from degradation.grain import aperture_filter, expose, layers, log_normal, superpose, supersampling, transmitted
from degradation.grain_bank import GrainBank, GrainStack, make_stack, plausible, random_stock
from degradation.grain_reference import monte_carlo
from degradation.optics import blur
from degradation.stock import Stock

SILVER = Stock(radius=0.25, spread=0.3, aperture=0.6, least=0.2, most=1.2)
DYE = Stock(radius=0.7, spread=0.25, aperture=0.7, least=0.15, most=1.5, layers=4, cloud=0.6)
SIDE = 88


@pytest.fixture(scope="module", params=[SILVER, DYE], ids=["silver", "dye"])
def stack(request: pytest.FixtureRequest) -> GrainStack:
    return make_stack(request.param, 160, seed=5)


def spectrum(field: Tensor) -> Tensor:
    """Power by spatial frequency, in five rings up to half a cycle a pixel, as shares of all."""
    side = field.shape[-1]
    power = torch.fft.fft2(field - field.mean()).abs() ** 2
    frequency = torch.fft.fftfreq(side)
    ring = ((frequency[:, None] ** 2 + frequency[None] ** 2).sqrt() * 10).long().clamp(max=5)
    rings = torch.stack([power[ring == i].sum() for i in range(5)])
    return rings / rings.sum()


@pytest.mark.slow
@pytest.mark.parametrize("code", [0.3, 0.6])
def test_mean_amplitude_and_spectrum_are_the_references(stack: GrainStack, code: float) -> None:
    reference = monte_carlo(torch.full((SIDE, SIDE), code), stack.stock, samples=240, seed=2)
    means = np.interp(code, np.linspace(0, 1, 17), stack.mean.numpy())
    rms = np.interp(code, np.linspace(0, 1, 17), stack.rms.numpy())
    assert float(reference.mean()) == pytest.approx(float(means), abs=0.01)
    assert float(reference.std()) == pytest.approx(float(rms), rel=0.05)
    field = stack.deviation[round(code * 16)].float()
    assert float((spectrum(field) - spectrum(reference)).abs().sum()) < 0.11
    # The figure tells a scan that is a quarter softer.
    assert float((spectrum(field) - spectrum(blur(field, 0.75 * stack.stock.aperture))).abs().sum()) > 0.16


def test_a_point_is_bare_as_often_as_the_density_says() -> None:
    generator = torch.Generator().manual_seed(1)
    for stock in (SILVER, DYE):
        marks = layers(stock, 128, generator, torch.device("cpu"))
        for code in (0.1, 0.5, 0.9):
            light = transmitted(stock, marks, stock.depth(torch.tensor(code)))
            expected = 10.0 ** -float(stock.density(torch.tensor(code)))
            assert float(light.mean()) == pytest.approx(expected, rel=0.03)


def overlap(distance: Tensor, radius: Tensor) -> Tensor:
    """Area common to two disks of one radius, [distances, radii]."""
    share = (distance[:, None] / (2 * radius)).clamp(max=1)
    return 2 * radius**2 * (torch.acos(share) - share * (1 - share**2).sqrt())


def exact_deviation(stock: Stock, code: float) -> float:
    """Standard deviation of the transmittance of one opaque layer behind the aperture, by the Boolean model's covariance."""
    generator = torch.Generator().manual_seed(1)
    radii = log_normal(4000, stock.radius, stock.spread, generator, torch.device("cpu")).double()
    intensity = float(stock.depth(torch.tensor(code))) / stock.area
    h = torch.linspace(0, 4 * stock.radius * (1 + 2 * stock.spread), 800, dtype=torch.float64)
    both = torch.expm1(intensity * overlap(h, radii).mean(1))
    aperture = torch.exp(-(h**2) / (4 * stock.aperture**2)) / (4 * math.pi * stock.aperture**2)
    light = float(10.0 ** -stock.density(torch.tensor(code)))
    return light * math.sqrt(float(torch.trapezoid(both * aperture * 2 * math.pi * h, h)))


@pytest.mark.parametrize("code", [0.1, 0.4, 0.7])
def test_amplitude_against_density_is_that_of_the_integral(code: float) -> None:
    marks = layers(SILVER, 192, torch.Generator().manual_seed(3), torch.device("cpu"))
    light = transmitted(SILVER, marks, SILVER.depth(torch.tensor(code)))
    seen = aperture_filter(light[None], supersampling(SILVER), SILVER.aperture)
    assert float(seen.std()) == pytest.approx(exact_deviation(SILVER, code), rel=0.03)


def test_channels_share_as_many_grains_as_the_stock_says() -> None:
    picture = torch.full((3, 96, 96), 0.5)
    bank = GrainBank([make_stack(SILVER, 128, seed=4)])
    for share in (0.0, 0.4, 1.0):
        exact = expose(picture, replace(SILVER, correlation=share), torch.Generator().manual_seed(6))
        fast = bank.grain(picture[None], torch.tensor([0]), torch.tensor([share]), torch.Generator().manual_seed(7))[0]
        for grain in (exact, fast):
            found = float(torch.corrcoef(grain.reshape(3, -1))[0, 1])
            assert found == pytest.approx(share, abs=0.07)


def test_superposed_processes_have_the_intensity_of_their_sum() -> None:
    generator = torch.Generator().manual_seed(8)
    shared, own = (layers(SILVER, 128, generator, torch.device("cpu"))[0] for _ in range(2))
    depth = SILVER.depth(torch.tensor(0.5))
    covered = float((superpose(shared, own, 0.3) <= depth).float().mean())
    assert covered == pytest.approx(1 - math.exp(-float(depth)), abs=0.02)


def test_the_told_strength_is_the_true_one_between_levels_too(stack: GrainStack) -> None:
    bank = GrainBank([stack])
    which = torch.tensor([0])
    for code in (0.2, 0.531, 0.78):
        picture = torch.full((1, 3, 150, 150), code)
        grain = bank.grain(picture, which, torch.tensor([0.0]), torch.Generator().manual_seed(9))
        told = float(bank.strength(picture, which).mean())
        assert float(grain.std()) == pytest.approx(told, rel=0.05)
        assert abs(float(grain.mean())) < 0.1 * told


def test_grain_is_by_seed_and_new_in_every_frame() -> None:
    bank = GrainBank([make_stack(SILVER, 128, seed=1)])
    again = GrainBank([make_stack(SILVER, 128, seed=1)])
    picture = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    which, share = torch.tensor([0, 0]), torch.tensor([0.2, 1.0])
    one = bank.grain(picture, which, share, torch.Generator().manual_seed(3))
    assert torch.equal(one, again.grain(picture, which, share, torch.Generator().manual_seed(3)))
    other = bank.grain(picture, which, share, torch.Generator().manual_seed(4))
    assert abs(float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])) < 0.05


def test_a_bank_survives_its_file() -> None:
    bank = GrainBank([make_stack(SILVER, 64, seed=1)])
    loaded = GrainBank.load(bank.save())
    assert loaded.stocks == bank.stocks
    assert torch.equal(loaded.deviation, bank.deviation)


def test_random_stocks_are_legal_and_most_are_plausible() -> None:
    generator = np.random.default_rng(2)
    stocks = [random_stock(generator) for _ in range(60)]
    assert {stock.negative for stock in stocks} == {True, False}
    assert {stock.layers > 1 for stock in stocks} == {True, False}
    small = [make_stack(stock, 48, 1) for stock in stocks[:4]]
    assert sum(plausible(stack) for stack in small) >= 2


@pytest.mark.parametrize(
    "change",
    [{"radius": 0.0}, {"aperture": 9.0}, {"least": 2.0, "most": 1.0}, {"correlation": 1.5}, {"layers": 0}, {"layers": 2, "cloud": 0.3}],
)
def test_an_impossible_stock_is_refused_with_the_reason(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="stock: "):
        replace(SILVER, **change)  # type: ignore[arg-type]


def test_codes_and_density_are_inverse() -> None:
    codes = torch.linspace(0, 1, 11)
    for stock in (SILVER, replace(SILVER, curve=4.0), replace(SILVER, negative=False)):
        assert torch.allclose(stock.code(stock.density(codes)), codes, atol=1e-5)
        assert supersampling(stock) >= 2
