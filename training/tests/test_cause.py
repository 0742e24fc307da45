"""Why a shot is soft: what each cause takes, the shots, the measures, the job, the figures; without downloads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from degradation import capture, compression, damage
from degradation.chain import CAUSES, Plan, age
from degradation.grain_bank import GrainBank, make_stack
from degradation.optics import blur
from degradation.stock import Stock
from emulsion_training.export import ExportRequest as Request
from emulsion_training.export import check_for_webgpu, export
from emulsion_training.models import example
from emulsion_training.own_models import CAUSE
from workshop import cause_data, evaluate_cause
from workshop.cause import (
    SCALING,
    Measured,
    N,
    calibration_error,
    cause_job,
    least_calibration_error,
    measured,
    outputs_of,
    rank_correlation,
    scales_of,
    scores,
    started,
)
from workshop.cause_data import bands, held_back, lost, luma, planned, pool, shot_of, taken, training_shot
from workshop.cause_measures import Measures
from workshop.cause_net import CauseNet, Seen
from workshop.paths import WorkshopError
from workshop.smoke import synthetic_entries
from workshop.trainer import Limits, Settings, train

SIDE = 96


def texture(seed: int = 1, side: int = SIDE) -> Tensor:
    """Detail of every scale, [3, side, side]."""
    generator = torch.Generator().manual_seed(seed)
    layers = [blur(torch.randn(1, side, side, generator=generator), s) * s for s in (0.6, 1.5, 4.0)]
    return (0.5 + 0.12 * torch.stack(layers).sum(0)).clamp(0.02, 0.98).expand(3, -1, -1).contiguous()


def bank() -> GrainBank:
    return GrainBank([make_stack(Stock(radius=0.4, layers=5, cloud=0.5, aperture=0.6), 96, 1)])


def only(*causes: str) -> Plan:
    return Plan({cause: float(cause in causes) for cause in CAUSES}, 0, 0, 0, 0, 0)


def test_what_is_lost_grows_with_the_blur_and_does_not_count_contrast() -> None:
    clean = luma(texture())
    own = bands(clean)
    assert lost(own, clean) < 1e-3
    assert lost(own, 0.3 + 0.5 * clean) < 1e-2
    losses = [lost(own, blur(clean, sigma)) for sigma in (0.5, 1.0, 2.0, 4.0)]
    assert losses == sorted(losses)
    assert losses[0] < 0.25
    assert losses[-1] > 0.6


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_alone_takes_detail_and_the_others_none(cause: str) -> None:
    clip = texture(3).expand(3, -1, -1, -1).contiguous()
    found = taken(clip, age(clip, only(cause), bank(), [], 4).details)
    index = CAUSES.index(cause)
    assert found[index] > 0.05
    assert [i for i, value in enumerate(found) if value] == [index]


def test_shots_follow_their_seed_and_their_number_of_causes() -> None:
    entries = synthetic_entries(2, 260, 2)
    one, again = (training_shot(entries, bank(), [], 1, 5) for _ in range(2))
    assert one.codes.shape == (9, cause_data.SIDE, cause_data.SIDE)
    assert np.array_equal(one.codes, again.codes)
    assert np.array_equal(one.strength > 0, one.drawn > 0)
    two = GrainBank([make_stack(Stock(radius=radius, layers=5, cloud=0.5, aperture=0.6), 96, 1) for radius in (0.4, 0.8)])
    assert [stock.radius for stock in two.turned(3).stocks] == [0.8, 0.4]
    assert torch.equal(two.turned(1).rms[0], two.rms[1])
    generator = torch.Generator().manual_seed(1)
    for count in range(6):
        assert sum(planned(generator, count).causes.values()) == count


def test_a_pool_is_made_once_measured_once_and_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cause_data, "SHARD", 1)
    for kind in damage.KINDS:
        (tmp_path / "damage" / kind).mkdir(parents=True)
        picture = np.zeros((20, 20, 4), np.uint8)
        picture[4:9, 5:9, 3] = 255
        for index in range(2):
            Image.fromarray(picture).save(tmp_path / "damage" / kind / f"{index}.png")
    folder = tmp_path / "cause"
    with pytest.raises(WorkshopError, match="make them with `shots`"):
        measured(folder)
    entries = synthetic_entries(10, 260, 1)
    pool(entries, bank(), tmp_path, 8, 1, folder, (0, 4))
    pool(entries, bank(), tmp_path, 8, 1, folder, (3, 4))
    first = folder / "shots-1-0000.npz"
    before = first.read_bytes()
    pool(entries, bank(), tmp_path, 1, 1, folder)
    assert first.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [f"shots-1-000{k}.npz" for k in (0, 3, 4, 7)]
    found = measured(folder)
    assert found.held.tolist() == [held_back(k) for k in (0, 3, 4, 7)]
    assert torch.equal(measured(folder).measures, found.measures)


def test_measures_see_blur_blocks_and_repeated_frames() -> None:
    net = Measures().eval()
    still = texture(5, 128)[None]
    moving = torch.cat([texture(5, 128), texture(5, 128).roll(2, 2), texture(5, 128).roll(4, 2)])[None]

    def seen(clip: Tensor) -> Tensor:
        with torch.no_grad():
            measures: Tensor = net(clip)[0]
        return measures.flatten()

    sharp, soft = seen(moving), seen(capture.through_kernel(moving.view(3, 3, 128, 128), capture.disk_kernel(2)).reshape(1, 9, 128, 128))
    # The first measures are luma's spectrum, from low to high.
    assert float((sharp - soft)[16:36].mean()) > 2
    blocks = seen(compression.jpeg(moving.view(3, 3, 128, 128), 10).reshape(1, 9, 128, 128))
    assert float((sharp - blocks).abs().max()) > 3
    assert float((seen(still.repeat(1, 3, 1, 1)) - sharp).abs().max()) > 3
    assert bool(torch.isfinite(seen(torch.zeros(1, 9, 64, 64))).all())


def test_windows_are_looked_at_before_they_are_pooled() -> None:
    torch.manual_seed(2)
    net = CauseNet().eval()
    with torch.no_grad():
        _, maps = net.measures(torch.rand(1, 9, 96, 128))
        assert maps.shape == (1, net.channels, 96 // 8 - 1, 128 // 8 - 1)
        # Half of them sharp, half soft say something else than all of them between the two.
        halves = torch.cat([maps - 2, maps + 2], 3)
        assert float((net.local(halves) - net.local(torch.cat([maps, maps], 3))).abs().max()) > 0.02


def test_it_is_exported_as_webgpu_needs_it() -> None:
    net = CauseNet().eval()
    # Equal constants would be told apart by a node that WebGPU does not need.
    net.scales.data = torch.tensor([0.9, 1.1]).view(1, 2, 1, 1)
    assert sum(parameter.numel() for parameter in net.parameters()) <= 500_000
    assert check_for_webgpu(export(Request(net, example(CAUSE, 64, 64), list(CAUSE.inputs), list(CAUSE.outputs)))) == []


def test_figures_of_known_answers() -> None:
    assert rank_correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 4, 9, 16])) == pytest.approx(1)
    assert rank_correlation(np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1])) == pytest.approx(-1)
    assert rank_correlation(np.array([0.0, 0, 1]), np.array([5.0, 5, 5])) == 0
    assert calibration_error(np.array([0.8] * 10), np.array([1.0] * 8 + [0.0] * 2)) == pytest.approx(0)
    assert calibration_error(np.array([0.95] * 10), np.array([1.0] * 5 + [0.0] * 5)) == pytest.approx(0.45)
    # A fair coin thrown a hundred times is off by 0.04 on the mean (0.8 standard deviations).
    assert least_calibration_error(np.full(100, 0.5)) == pytest.approx(0.04, abs=0.004)
    assert least_calibration_error(np.full(6400, 0.5)) == pytest.approx(0.005, abs=0.0005)
    generator = torch.Generator().manual_seed(3)
    strength = 0.2 + 0.7 * torch.rand(60, N, generator=generator)
    strength[:20, 1:] = 0
    strength[20:40] = 0
    soft = (strength.amax(1, keepdim=True) > 0).float() * 20 - 10
    perfect = torch.cat([torch.logit(strength.clamp(0.001, 0.999)), strength * 400, soft], 1)
    found = scores(perfect, strength, strength)
    assert found["shots"] == {"sharp": 20, "single": 20, "mixed": 20}
    assert set(found["rank correlation"].values()) == {1.0}  # type: ignore[attr-defined]
    assert [found[name] for name in ("leading of mixtures, %", "single causes, %", "sharp from soft, %")] == [100.0] * 3
    wrong = scores(perfect.flip(0), strength, strength)
    assert float(str(wrong["leading of mixtures, %"])) < 60


def synthetic_shots(count: int = 80) -> Measured:
    """Measures each of which tells of one cause."""
    generator = torch.Generator().manual_seed(4)
    strength = torch.rand(count, N, generator=generator) * (torch.rand(count, N, generator=generator) < 0.5)
    size = CauseNet().count
    measures = 0.1 * torch.randn(count, 2, size, generator=generator)
    measures += 3 * strength.repeat(1, size // N + 1)[:, None, :size]
    maps = torch.randn(count, 2, CauseNet().channels, 5, 5, generator=generator).half()
    return Measured(measures, maps, strength, strength, torch.arange(count) % 10 == 7)


def test_the_scales_make_votes_as_sure_as_they_are_right() -> None:
    generator = torch.Generator().manual_seed(8)
    strength = torch.rand(4000, N, generator=generator)
    logits = 2 * torch.randn(4000, N, generator=generator)
    # The lead is drawn with the chances that these log odds mean; votes are three times as sure.
    lead = torch.multinomial(torch.softmax(logits, 1), 1, generator=generator)[:, 0]
    strength[torch.arange(4000), lead] = 2.0
    sharp = torch.rand(4000, generator=generator) < 0.5
    strength[sharp] = 0
    softness = torch.where(sharp, -1.0, 1.0) + torch.randn(4000, generator=generator)
    found = scales_of(torch.cat([logits, 3 * logits, softness[:, None]], 1), strength).flatten()
    assert float(found[0]) == pytest.approx(1 / 3, rel=0.1)
    # Two bells of variance 1 at ±1: log odds are twice the value.
    assert float(found[1]) == pytest.approx(2, rel=0.15)


def test_a_shipped_net_is_gone_on_from() -> None:
    torch.manual_seed(3)
    old, net = CauseNet().eval(), CauseNet().eval()
    state = {name: value for name, value in old.state_dict().items() if name.startswith(("first", "second", "third", *SCALING))}
    assert started(net, state)
    rows, maps = torch.randn(2, net.count, 1, 1), torch.randn(2, net.channels, 5, 5)
    with torch.no_grad():
        plain = net.raw(rows, maps)
        assert torch.equal(plain, net.raw(rows, maps + 1))
        assert started(net, old.state_dict())
        assert torch.allclose(net.raw(rows, maps), old.raw(rows, maps))
    assert not started(net, {"first.weight": torch.zeros(3, 3, 1, 1)})
    assert not started(net, {})


def test_the_job_learns_and_calibrates_on_what_is_held_back(tmp_path: Path) -> None:
    torch.manual_seed(1)
    shots = synthetic_shots()
    job = cause_job(shots, seed=1, batch=16)
    summary = train(job, Settings("blur-cause", 1, 16, 96, 3e-3, False), Limits(60, 80), tmp_path, torch.device("cpu"))
    assert summary["best"] > summary["start"] + 15
    net = job.net
    assert isinstance(net, CauseNet)
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert not torch.equal(best["scales"], torch.ones(1, 2, 1, 1))
    seen = [Seen(shots.measures[0], shots.maps[0]), Seen(shots.measures[1, :1], shots.maps[1, :1])]
    assert outputs_of(net, seen).shape == (2, 2 * N + 1)


def test_an_evaluation_shows_its_baselines_and_pictures(tmp_path: Path) -> None:
    clip = texture(6, 200).expand(3, -1, -1, -1).contiguous()
    shots = [shot_of(clip, only(*names), bank(), [], 3) for names in ((), ("capture",), ("capture", "compression"))]
    net = CauseNet().eval()
    rows = [evaluate_cause.measure(net, shot.codes, evaluate_cause.CORNERS) for shot in shots]
    assert [one.rows.shape[0] for one in rows] == [2, 2, 2]
    assert len(evaluate_cause.places(np.zeros((9, 480, 640), np.uint8))) == 5
    data = {
        "codes": np.stack([shot.codes for shot in shots]),
        "strength": np.stack([shot.strength for shot in shots]),
        "names": np.array(["a", "b", "c"]),
    }
    ours = outputs_of(net, rows)
    shown = evaluate_cause.crops(data, ours, tmp_path)
    assert [row["shown as"] for row in shown] == ["worst", "median", "best"]
    training = synthetic_shots(200)
    spectrum = torch.stack([one.rows[:, : evaluate_cause.SPECTRUM].mean(0) for one in rows])
    for baseline in (evaluate_cause.centroids, evaluate_cause.regressions):
        assert baseline(training, spectrum).shape == (3, 2 * N + 1)
    strength = torch.from_numpy(data["strength"])
    found = {"methods": {"ours": scores(ours, strength, strength)}, "films": {"a.mp4": evaluate_cause.says(ours[0])}}
    assert "| a.mp4 |" in evaluate_cause.table(found)
