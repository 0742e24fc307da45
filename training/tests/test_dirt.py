"""The dirt model: alignment, samples, the net, training and evaluation; without downloads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from degradation.grain_bank import GrainBank, make_stack
from degradation.passers import let_pass, random_passer
from degradation.stock import Stock
from emulsion_training.export import ExportRequest, check_for_webgpu, export
from emulsion_training.models import example
from emulsion_training.own_models import DIRT
from workshop import align
from workshop.dirt import dirt_job, mask_loss, recall_of, wanted_of
from workshop.dirt_data import PLANES, DirtBatches, Sources, make_sample, samples, triple
from workshop.dirt_net import DirtNet, grown, scale_of
from workshop.dirt_objects import SURE, labelled
from workshop.dirt_shapes import ShapeBank
from workshop.dirt_views import Aligner
from workshop.evaluate_dirt import Scene, evaluate, means, score
from workshop.paths import WorkshopError
from workshop.shipped import shipped_state
from workshop.smoke import StillRife, still_samples, synthetic_entries
from workshop.trainer import Limits, Settings, train

CPU = torch.device("cpu")


class PanRife(nn.Module):
    """Stands for RIFE where everything moves to the right by `speed` pixels from one picture to the next."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self.speed = speed

    def forward(self, a: Tensor, b: Tensor, t: Tensor, grid: Tensor, norm: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """mid (unused), flow, mask."""
        zero = torch.zeros_like(a[:, :1])
        half = self.speed / 2
        return a, torch.cat([zero - half, zero, zero + half, zero], 1), zero + 0.5


def pan(count: int = 3, side: int = 64) -> Tensor:
    """A picture that moves to the right by 2 px a frame, [count, 3, side, side]."""
    wide = torch.from_numpy(synthetic_entries(1, side + 2 * count, 5)[0].frames[0].copy()).permute(2, 0, 1).float() / 255
    return torch.stack([wide[:, :side, 2 * (count - 1 - k) : 2 * (count - 1 - k) + side] for k in range(count)])


def test_neighbors_come_to_lie_where_the_frame_is() -> None:
    frames = pan()
    views = align.views_of(PanRife(2.0), frames, frames)
    inner = slice(8, -8)
    # Between the outer two frames lie 4 px: the stand-in's pair is 2 px apart, so the middle is a pixel off on each side.
    for name in ("before", "after"):
        assert torch.allclose(getattr(views, name)[:, inner, inner], frames[1][:, inner, inner], atol=1e-5), name
    middle = align.views_of(PanRife(4.0), frames, frames).middle
    assert torch.allclose(middle[:, inner, inner], frames[1][:, inner, inner], atol=1e-5)
    assert float(views.trust[:, inner, inner].min()) > 0.99
    # What comes from outside of the picture cannot be trusted.
    assert float(views.trust[0, :, :1].max()) == 0
    assert float(views.trust[1, :, -1:].max()) == 0


def test_warping_is_catmull_rom() -> None:
    ramp = torch.arange(16.0).expand(1, 16, 16).contiguous()
    moved = align.warp(ramp, torch.stack([torch.full((16, 16), 0.25), torch.zeros(16, 16)]))
    assert torch.allclose(moved[0, :, 2:-3], ramp[0, :, 2:-3] + 0.25, atol=1e-5)
    spike = torch.zeros(1, 9, 9)
    spike[0, 4, 4] = 1
    half = align.warp(spike, torch.stack([torch.full((9, 9), 0.5), torch.zeros(9, 9)]))
    assert half[0, 4, 2:6].tolist() == pytest.approx([-0.0625, 0.5625, 0.5625, -0.0625])


def bank() -> GrainBank:
    return GrainBank([make_stack(Stock(radius=0.35, layers=5, cloud=0.5), 64, 1)])


def photographs(folder: Path) -> Sources:
    """Two photographs and one cut-out."""
    paths = []
    for index, entry in enumerate(synthetic_entries(2, 220, 3)):
        paths.append(folder / f"{index}.png")
        Image.fromarray(entry.frames[0]).save(paths[-1])
    return Sources(paths, [], ShapeBank.of([torch.ones(1, 40, 40)], count=60))


def test_a_sample_says_where_its_dirt_is(tmp_path: Path) -> None:
    sources = photographs(tmp_path)
    found = 0
    for number in range(6):
        made, sigma = make_sample(sources, bank(), StillRife(), 1, number)
        assert {name: made[name].shape[0] for name in PLANES} == PLANES
        dirty = made["change"][0] / 4 >= SURE
        away = (made["frame"] - made["truth"]).abs().amax(0)
        if bool(dirty.any()):
            found += 1
            assert float(away[dirty].mean()) > float(away[~dirty].mean()) + 0.02
        assert float(away[made["change"][0] == 0].max()) < 8 * sigma + 0.03
    assert found >= 2
    again, _ = make_sample(sources, bank(), StillRife(), 1, 0)
    once_more, _ = make_sample(sources, bank(), StillRife(), 1, 0)
    assert all(torch.equal(again[name], once_more[name]) for name in PLANES)
    assert not torch.equal(triple(sources, torch.Generator().manual_seed(1)), triple(sources, torch.Generator().manual_seed(2)))


def test_samples_are_gone_on_with_where_a_run_stopped(tmp_path: Path) -> None:
    sources = photographs(tmp_path)
    whole = samples(sources, bank(), StillRife(), 3, 1, tmp_path / "a")
    planes = whole["planes"].clone()
    whole["planes"][1:] = 0
    strengths = np.lib.format.open_memmap(tmp_path / "a" / "dirt2-1-sigma.npy", "r+")
    strengths[1:] = 0
    # Two processes share what is missing.
    half = samples(sources, bank(), StillRife(), 3, 1, tmp_path / "a", (1, 2))
    assert half["sigma"].isnan().tolist() == [False, False, True]
    again = samples(sources, bank(), StillRife(), 3, 1, tmp_path / "a", (0, 2))
    assert torch.equal(planes, again["planes"])
    assert torch.equal(whole["sigma"], again["sigma"])


def test_a_batch_depends_on_its_number_alone() -> None:
    source = DirtBatches(still_samples(4), range(4), 3, 32, 5)
    one = source.batch_of(4)
    source.batch_of(9)
    for a, b in zip(one.inputs(), source.batch_of(4).inputs(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.frame, source.batch_of(5).frame)
    assert float(one.dirty.max()) == 1
    with pytest.raises(WorkshopError, match="multiple of 4"):
        DirtBatches(still_samples(1), [0], 1, 30, 1)


def test_dirt_is_drawn_anew_and_said_to_be_there() -> None:
    shapes = ShapeBank.of([torch.ones(1, 12, 12)], count=60)
    kept = still_samples(4)
    source = DirtBatches(kept, range(4), 8, 64, 5, shapes)
    assert torch.equal(source.batch_of(2).frame, source.batch_of(2).frame)
    seen = set()
    for number in range(4):
        batch = source.batch_of(number)
        # These samples' views are the clean picture, with noise of a hundredth.
        away = (batch.frame - batch.truth).abs().amax(1, keepdim=True)
        asked = batch.asked > 0
        assert float(away[(batch.dirty == 0) & asked].median()) < 0.1
        for index in range(8):
            dirty = batch.dirty[index] > 0
            seen.add(int(dirty.sum()) > 0)
            if bool(dirty.any()):
                assert float((away[index][dirty] > 3 / 255).float().mean()) > 0.9
                inside = batch.change[index][dirty]
                assert float(inside.max()) <= 0.25 and float(inside.min()) >= SURE
    # Some frames lose what they had, and get nothing.
    assert seen == {True, False}
    with pytest.raises(ValueError, match="cut-outs"):
        ShapeBank.of([], count=3)


def test_a_wider_net_begins_as_the_narrow_one() -> None:
    torch.manual_seed(1)
    batch = DirtBatches(still_samples(2), range(2), 2, 32, 5).batch_of(0)
    wide, narrow = DirtNet(), DirtNet((8, 12, 16), 2)
    again = DirtNet.like(narrow.state_dict())
    assert [value.shape for value in again.parameters()] == [value.shape for value in narrow.parameters()]
    wide.load_state_dict(grown(narrow.state_dict(), wide))
    with torch.no_grad():
        assert torch.allclose(narrow.logits(*batch.inputs()), wide.logits(*batch.inputs()), atol=1e-5)


def test_parts_are_told_apart() -> None:
    # A spiral is one part however long; dots that touch at a corner are one, and come before it: their last pixel does.
    rows = ["#.........", ".#.#######", "...#.....#", "...#.###.#", "...#.#.#.#", "...#.....#", "...#######", "##........"]
    mask = torch.tensor([[c == "#" for c in row] for row in rows])
    assert [int(part.sum()) for part in labelled(mask)] == [2, 5, 22, 2]
    assert labelled(torch.zeros(3, 4, dtype=torch.bool)) == []
    assert [int(part.sum()) for part in labelled(torch.ones(40, 3, dtype=torch.bool))] == [120]


def test_validation_counts_objects() -> None:
    batch = DirtBatches(still_samples(4), range(4), 4, 64, 5).batch_of(0)
    wanted = wanted_of(batch)
    assert sum(len(parts) for parts in wanted) >= 4
    told = torch.where(batch.dirty > 0, 5.0, -5.0)

    class Told(DirtNet):
        def logits(self, *inputs: Tensor) -> Tensor:
            return told.expand(-1, 3, -1, -1)

    assert recall_of(Told(), [batch], [wanted], 0.0) == 100
    # Where nothing moves, caution leaves nearly everything.
    assert 90 <= recall_of(Told(), [batch], [wanted], 50.0) < 100
    # One false object that is as sure as the true ones are: at no false object none of them is found.
    free = functional.max_pool2d(((batch.dirty > 0) | (batch.asked == 0)).float(), 9, 1, 4)[0, 0] == 0
    row, column = torch.nonzero(free)[0].tolist()
    told[0, 0, row : row + 3, column : column + 3] = 6.0
    assert recall_of(Told(), [batch], [wanted], 0.0) == 0


def test_the_net_knows_its_evidence() -> None:
    net = DirtNet()
    assert sum(p.numel() for p in net.parameters()) <= 300_000
    frame = torch.full((1, 3, 8, 8), 0.5)
    frame[..., 2:4, 2:4] = 0.9
    still = torch.full((1, 3, 8, 8), 0.5)
    trust, scale = torch.ones(1, 2, 8, 8), torch.full((1, 1, 1, 1), scale_of(0.01))
    found = net.features(frame, still, still, still, trust, scale)
    bright, dark = found[0, 12], found[0, 13]
    assert float(bright[2, 2]) == pytest.approx(1.6, abs=1e-4)
    assert float(dark.abs().max()) < 1e-5
    # What one neighbor shows as well is no evidence.
    found = net.features(frame, frame, still, still, trust, scale)
    assert float(found[0, 12].abs().max()) < 1e-5
    assert scale_of(0) == pytest.approx(170)


def test_training_goes_on_from_what_is_shipped(tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = DirtNet()
    request = ExportRequest(net, example(DIRT, 16, 24), list(DIRT.inputs), list(DIRT.outputs), {"id": "dirt"})
    onnx.save(export(request), str(tmp_path / "dirt.onnx"))
    job = dirt_job(tmp_path, seed=3, batch=2, crop=32, stocks=1, kept=still_samples(6), start=shipped_state(tmp_path / "dirt.onnx"))
    for name, value in job.net.state_dict().items():
        # Half of the mantissa is stored.
        assert torch.allclose(value, net.state_dict()[name], rtol=1e-3, atol=1e-6), name


def test_the_exported_net_runs_on_webgpu() -> None:
    torch.manual_seed(1)
    request = ExportRequest(DirtNet(), example(DIRT, 16, 24), list(DIRT.inputs), list(DIRT.outputs), {"id": "dirt"})
    assert check_for_webgpu(export(request)) == []


def test_a_sure_error_on_clean_film_costs_most() -> None:
    source = DirtBatches(still_samples(4), range(4), 3, 32, 5)
    batch = source.batch_of(1)
    right = torch.where(batch.dirty > 0, 6.0, -6.0)
    missed, invented = right.clone(), right.clone()
    missed[batch.dirty > 0] = -6.0
    clean = torch.nonzero(((batch.dirty == 0) & (batch.asked > 0)).flatten())[: int(batch.dirty.sum())]
    invented.view(-1)[clean] = 6.0
    costs = [float(mask_loss(logits, batch)) for logits in (right, missed, invented)]
    assert costs[0] < 0.2
    assert costs[1] > 10 * costs[0]
    assert costs[2] > 5 * costs[0]


def test_what_passes_is_somewhere_else_in_each_frame() -> None:
    still = torch.full((3, 3, 96, 96), 0.5)
    generator = torch.Generator().manual_seed(3)
    passers = [random_passer(96, 96, None, generator) for _ in range(12)]
    assert {len(passer.capsules) for passer in passers} > {1}
    for passer in passers:
        frames = let_pass(still, [replace(passer, place=(48.0, 48.0), speed=(30.0, 0.0), bend=(0.0, 0.0), shutter=0.0)], 1)
        changed = (frames - still).abs().amax(1) > 1e-3
        assert bool(changed[1].any())
        ahead, behind = (torch.nonzero(changed[k])[:, 1].float() for k in (2, 0))
        if len(ahead) and len(behind):
            assert float(ahead.mean()) > float(behind.mean())
    blurred = let_pass(still, [replace(passers[0], place=(48.0, 48.0), speed=(30.0, 0.0), bend=(0.0, 0.0), shutter=0.7)], 1)
    sharp = let_pass(still, [replace(passers[0], place=(48.0, 48.0), speed=(30.0, 0.0), bend=(0.0, 0.0), shutter=0.0)], 1)
    assert int(((blurred[1] - 0.5).abs() > 1e-3).sum()) > int(((sharp[1] - 0.5).abs() > 1e-3).sum())


def test_views_are_aligned_once(tmp_path: Path) -> None:
    class Counted(PanRife):
        calls = 0

        def forward(self, *ports: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            self.calls += 1
            return super().forward(*ports)

    rife, frames = Counted(2.0), pan(4)
    aligner = Aligner(rife, nn.Identity(), tmp_path)
    first = aligner.views(frames[:3], 0)
    assert rife.calls == 3
    aligner.views(frames[1:], 0)
    # One of the pairs is known.
    assert rife.calls == 5
    again = Aligner(rife, nn.Identity(), tmp_path).views(frames[:3], 0)
    assert rife.calls == 5
    assert torch.equal(first.trust, again.trust)
    assert torch.equal(first.middle, align.views_of(PanRife(2.0), frames[:3], frames[:3]).middle)


def test_objects_and_figures() -> None:
    mask = torch.zeros(12, 12, dtype=torch.bool)
    mask[1:3, 1:3] = mask[3, 3] = mask[8:10, 8:12] = True
    assert sorted(int(part.sum()) for part in labelled(mask)) == [5, 8]
    clean = torch.full((3, 40, 40), 0.5)
    frame, change = clean.clone(), torch.zeros(1, 40, 40)
    frame[:, 10:14, 10:14] -= 0.2
    change[:, 10:14, 10:14] = 0.2
    where = (change > 0).float()
    perfect = score(frame, clean, clean, change, (clean, where))
    assert (perfect["wanted"], perfect["found"], perfect["false"], perfect["unmasked"], perfect["rim"]) == (1, 1, 0, 0, 0)
    nothing = score(frame, clean, clean, change, (frame, torch.zeros_like(where)))
    assert (nothing["wanted"], nothing["found"]) == (1, 0)
    far = where.clone()
    far[:, 30:33, 30:33] = 1
    spoiled = clean.clone()
    spoiled[:, 30:33, 30:33] = 0.4
    wrong = score(frame, clean, clean, change, (spoiled, far))
    assert wrong["false"] == 1
    assert wrong["outside"] == pytest.approx(9 * 0.01, rel=1e-3)
    assert wrong["unmasked"] == 0
    spoiled[:, 0, 0] = 0
    assert score(frame, clean, clean, change, (spoiled, far))["unmasked"] == 0.5
    rows: list[dict[str, Any]] = [
        {"kind": "damaged", "damaged": nothing, "tmedian": nothing, "classical": wrong, "ours without caution": perfect, "ours": perfect}
    ]
    figures = means(rows)
    assert figures["ours"]["recall"] == 1
    assert figures["ours"]["gmsd"] == 0 < figures["damaged"]["gmsd"]
    assert figures["tmedian"]["inside"] == pytest.approx(-20 * np.log10(0.2), abs=0.01)


def test_training_stops_and_goes_on(tmp_path: Path) -> None:
    settings = Settings("dirt", seed=3, batch=2, crop=32, rate=1e-3, bf16=False)

    def run(folder: Path, *stops: int) -> dict[str, Tensor]:
        for steps in stops:
            torch.manual_seed(1)
            job = dirt_job(tmp_path, seed=3, batch=2, crop=32, stocks=1, kept=still_samples(6))
            train(job, settings, Limits(1e6, steps), folder, CPU)
        return dict(torch.load(folder / "last.pt", weights_only=True)["net"])

    whole, again = run(tmp_path / "a", 3), run(tmp_path / "b", 3)
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
    run(tmp_path / "c", 1, 3)
    assert json.loads((tmp_path / "c" / "run.json").read_text(encoding="utf-8"))["steps"] == 3


def test_evaluation_without_downloads(tmp_path: Path) -> None:
    class Still(nn.Module):
        def forward(self, image: Tensor, level: Tensor) -> Tensor:
            return image

    frames = pan(4)
    tools = {"rife": PanRife(2.0), "degrain": Still(), "grain": Still(), "banks": {name: bank() for name in _stocks()}}
    scenes = [
        Scene("damaged", "walk#1", frames[:3], [torch.ones(1, 30, 30)]),
        Scene("clean", "walk", frames, []),
        Scene("film", "street#1", frames, []),
    ]
    result = evaluate(scenes, DirtNet().eval(), tmp_path, tools)
    assert [row["kind"] for row in result["rows"]] == ["damaged", "damaged", "clean", "film"]
    assert result["rows"][2]["frames"] == 2
    words = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "| walk | 2 |" in words
    assert words.splitlines()[2].startswith("| damaged |") and words.splitlines()[2].endswith("| – | – |")
    assert result["rows"][2]["worst"] in (1, 2)
    assert result["fast"]["ours"]["unmasked"] == 0
    assert (tmp_path / "dirt-worst.png").exists()


def _stocks() -> list[str]:
    from degradation.stocks import STOCKS

    return list(STOCKS)
