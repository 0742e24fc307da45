"""The feed-forward net of deblur: pairs, pool, the net, training and evaluation; without downloads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from degradation.grain_bank import GrainBank, make_stack
from degradation.optics import blur
from degradation.stock import Stock
from emulsion_training.export import ExportRequest, check_for_webgpu, export
from emulsion_training.models import Model, example
from emulsion_training.own_models import DEBLUR_FULL, DEBLUR_SMALL
from workshop import deblur, deblur_data
from workshop.card_deblur import sections
from workshop.deblur import DEAD
from workshop.deblur_cases import BASELINES, fitted, tries
from workshop.deblur_data import SHARP, SIDE, DeblurBatches, Making, draw_causes, pool
from workshop.deblur_net import BLIND, CAUSES, HALO, NETS, SIGMAS, UNKNOWN, DeblurNet, FullDeblurNet, sharpened, told
from workshop.deblur_net import bank as filters
from workshop.deblur_pairs import Codec, Grain, coded, film, quantized
from workshop.eval_set import EvalClip
from workshop.evaluate_deblur_film import OURS, evaluate
from workshop.metrics import detail, psnr
from workshop.paths import WorkshopError
from workshop.smoke import synthetic_entries
from workshop.trainer import Limits, Settings, train

FEW = 4


@pytest.fixture(scope="module")
def bank() -> GrainBank:
    return GrainBank([make_stack(Stock(radius=0.35, layers=5, cloud=0.5), 64, 1)])


def picture(side: int = 96, seed: int = 3) -> Tensor:
    """A clip of one frame [1, 3, side, side]."""
    return torch.from_numpy(synthetic_entries(1, side, seed)[0].frames.copy()).permute(0, 3, 1, 2).float() / 255


def grain(bank: GrainBank, strength: float) -> Grain:
    return Grain(bank, 0, 0.2, strength, strength / 2, strength / 2)


def shaken(features: int = 8, kind: type[DeblurNet] = DeblurNet) -> DeblurNet:
    """A net whose every layer does something."""
    torch.manual_seed(2)
    net = kind(features)
    for name, weight in net.named_parameters():
        if weight.requires_grad and not float(weight.detach().abs().max()):
            nn.init.normal_(weight, 0, 0.02 if "last" in name else 0.2)
    return net


def test_the_net_is_small_and_starts_by_changing_nothing() -> None:
    net = DeblurNet()
    assert sum(p.numel() for p in net.parameters()) <= 1_000_000
    image = torch.rand(1, 3, 12, 10)
    assert torch.equal(net(image, told({"storage": 0.4})), image)
    # What everywhere adds is a share of what a blur takes: here all of what a Gaussian of .9 px takes of each channel.
    assert net.everywhere.bias is not None
    net.everywhere.bias.data[SIGMAS.index(0.9)] = 1
    wanted = 2 * image - blur(image, 0.9)
    assert torch.allclose(net(image, told({}))[..., 6:-6, 6:-6], wanted[..., 6:-6, 6:-6], atol=1e-5)
    assert float(filters().sum((1, 2)).abs().max()) < 1e-6


def test_a_second_body_cannot_die_and_tells_how_it_is() -> None:
    net, image, causes = shaken(kind=FullDeblurNet), torch.rand(2, 3, 32, 32), told({"storage": 0.4}).expand(2, -1, -1, -1)
    assert isinstance(net, FullDeblurNet) and net.liveliness(image) > DEAD
    # All of its features pushed below 0: what it learned is nearly gone, and comes back.
    for layer in (net.wide_first, *net.wide_pairs):
        assert isinstance(layer, nn.Conv2d) and layer.bias is not None
        layer.bias.data.fill_(-100)
    net(image, causes).square().mean().backward()
    gradient = net.wide_first.weight.grad
    assert gradient is not None and float(gradient.abs().max()) > 0
    # One that says the same everywhere has died.
    net.wide_last.weight.data.zero_()
    assert net.liveliness(image) < DEAD


def test_what_is_told() -> None:
    assert told({"digitization": 0.5, "storage": UNKNOWN}).flatten().tolist() == [-1, 0, 0.5, 0]
    with pytest.raises(ValueError, match="capture"):
        told({"capture": 1})
    net, image = shaken(), torch.rand(1, 3, 8, 8)
    outputs = [net(image, told({"storage": strength})) for strength in (0, 0.5, 1, UNKNOWN)]
    assert all(float((a - b).detach().abs().max()) > 1e-4 for i, a in enumerate(outputs) for b in outputs[:i])


@pytest.mark.parametrize("kind", [DeblurNet, FullDeblurNet])
def test_a_pixel_depends_on_no_more_than_the_halo_and_pictures_of_any_size_are_sharpened(kind: type[DeblurNet]) -> None:
    net, causes = shaken(kind=kind), told({"duplication": 0.5})
    image = torch.rand(1, 3, 2 * HALO + 9, 2 * HALO + 11)
    whole = sharpened(net, image, causes)
    assert whole.shape == image.shape
    part = net(image[..., : 2 * HALO + 4, : 2 * HALO + 4], causes)
    middle = (..., slice(HALO, HALO + 4), slice(HALO, HALO + 4))
    assert torch.allclose(part[middle], whole[middle], atol=1e-5)
    # A flat picture stays flat to its rim, whatever the body says of it.
    flat = sharpened(net, torch.full((1, 3, 20, 20), 0.5), causes)
    assert float((flat[..., ::4, ::4] - flat[..., :1, :1]).abs().max()) < 1e-5


def test_the_truth_is_sharp_and_has_the_inputs_grain_and_levels(bank: GrainBank) -> None:
    clip = picture()
    nothing = film(clip, {}, grain(bank, 0.02), 5)
    assert float((nothing.soft - nothing.kept.clamp(0, 1)).abs().max()) < 0.51 / 255
    assert float((nothing.kept - clip).std()) > 0.01
    for cause in CAUSES[:3]:
        pair = film(clip, {cause: 0.8}, grain(bank, 0.02), 5)
        # As good as none, and drawn like the other.
        quiet = film(clip, {cause: 0.8}, grain(bank, 1e-9), 5)
        # What the grain adds to input and truth is the same, and the truth without grain does not know of it.
        assert float((pair.kept - pair.clean - (pair.soft - quiet.soft)).abs().mean()) < 2 / 255, cause
        assert torch.allclose(quiet.kept, quiet.clean, atol=1e-5)
        power = [float(detail(p[0])[8:-8, 8:-8].pow(2).sum()) for p in (quiet.soft, quiet.clean)]
        assert cause == "digitization" or power[0] < 0.8 * power[1], cause
        assert float((quiet.soft - quiet.clean).mean().abs()) < 0.01, cause
        again = film(clip, {cause: 0.8}, grain(bank, 0.02), 5)
        assert torch.equal(pair.soft, again.soft)
    faded, kept = film(clip, {"storage": 1.0}, grain(bank, 0), 5), film(clip, {"storage": 1.0}, grain(bank, 0), 5, fades=False)
    assert float((faded.clean - kept.clean).abs().mean()) > 0.02
    # The same film but for its dyes: an affine map of the colors brings one near the other.
    assert psnr(fitted(faded.clean[0], kept.clean[0]), kept.clean[0]) > psnr(faded.clean[0], kept.clean[0]) + 5


def test_a_codec_takes_grain_for_picture(bank: GrainBank) -> None:
    pair = film(picture(), {}, grain(bank, 0.02), 5)
    packed = coded(pair, Codec.of(0.5, 0))
    assert torch.equal(packed.kept, pair.kept)
    assert 20 < psnr(packed.soft, packed.kept.clamp(0, 1)) < 40
    assert [Codec.of(1, kind) for kind in range(3)] == [Codec("jpeg", 12), Codec("mpeg2", 31), Codec("h264", 44)]
    assert Codec.of(0, 0).quality == 80


def test_causes_are_drawn_in_all_numbers() -> None:
    generator = torch.Generator().manual_seed(1)
    drawn = [draw_causes(generator) for _ in range(600)]
    share = [sum(len(causes) == count for causes in drawn) / len(drawn) for count in range(5)]
    assert share[0] == pytest.approx(SHARP, abs=0.03)
    assert share[1] == pytest.approx(0.75 * (1 - SHARP), abs=0.06)
    assert min(share[2:4]) > 0.02
    assert {cause for causes in drawn for cause in causes} == set(CAUSES)


def test_a_pool_goes_on_where_it_stopped_and_batches_depend_on_their_number(
    tmp_path: Path, bank: GrainBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deblur_data, "GROUP", FEW)
    entries = synthetic_entries(3, 160, 1)
    whole = pool(entries, bank, 2 * FEW, 1, tmp_path / "whole", "train")
    # In two processes: what the second makes counts when the first is there.
    half = pool(entries, bank, 2 * FEW, 1, tmp_path / "parts", "train", Making((1, 2)))
    assert len(half["planes"]) == 0
    none = pool(entries, bank, 2 * FEW, 1, tmp_path / "parts", "train", Making((0, 2), until=0))
    assert len(none["planes"]) == 0
    again = pool(entries, bank, 2 * FEW, 1, tmp_path / "parts", "train", Making((0, 2)))
    softness = (whole["planes"][:, :3].float() - whole["planes"][:, 3:].float()).abs().mean((1, 2, 3))
    assert bool((softness[whole["strengths"].sum(1) > 0.1] > 0).all())
    assert torch.equal(whole["planes"], again["planes"]) and torch.equal(whole["strengths"], again["strengths"])
    source = DeblurBatches(whole, range(2 * FEW), 6, 48, 5)
    one = source.batch_of(4)
    source.batch_of(9)
    same = source.batch_of(4)
    assert torch.equal(one.soft, same.soft) and torch.equal(one.told, same.told)
    assert not torch.equal(one.soft, source.batch_of(5).soft)
    assert one.soft.shape == one.truth.shape == (6, 3, 48, 48)
    assert one.told.shape == (6, 4, 1, 1)
    # Crops are turned and mirrored in every way.
    numbered = {
        "planes": torch.arange(SIDE * SIDE).remainder(251).byte().view(1, 1, SIDE, SIDE).expand(1, 6, -1, -1),
        "strengths": whole["strengths"][:1],
    }
    crops = DeblurBatches(numbered, [0], 64, 4, 5).batch_of(1).soft[:, 0] * 255
    along = {(round(float(crop[0, 1] - crop[0, 0])) % 251, round(float(crop[1, 0] - crop[0, 0])) % 251) for crop in crops}
    assert along == {(a % 251, b % 251) for sign in (1, -1) for other in (SIDE, -SIDE) for a, b in ((sign, other), (other, sign))}
    # A device without memory: what was left behind would not compute with what came along.
    there = DeblurBatches(whole, range(FEW), 3, 48, 5, torch.device("meta")).batch_of(1)
    assert all(part.device.type == "meta" for part in (there.soft, there.truth, there.told))
    everything = torch.cat([source.batch_of(number).told for number in range(40)])
    assert {UNKNOWN, BLIND} <= set(everything.flatten().tolist()) and 0.5 < float(everything.max()) <= 1
    with pytest.raises(ValueError, match="at most 112"):
        DeblurBatches(whole, [0], 1, SIDE, 1)
    with pytest.raises(ValueError, match="128 px or larger"):
        pool(synthetic_entries(1, 64, 1), bank, 4, 1, tmp_path, "small")


@pytest.mark.parametrize("model", [DEBLUR_SMALL, DEBLUR_FULL])
def test_the_exported_nets_run_on_webgpu(model: Model) -> None:
    net = shaken(64, NETS[model.id])
    request = ExportRequest(net, example(model, 16, 24), list(model.inputs), list(model.outputs), {"id": model.id})
    assert check_for_webgpu(export(request)) == []


def test_the_full_net_starts_as_the_small_one() -> None:
    small, full = shaken(64), FullDeblurNet()
    assert sum(p.numel() for p in full.parameters()) <= 5_000_000
    full.load_state_dict(full.state_dict() | small.state_dict())
    image, causes = torch.rand(1, 3, 24, 16), told({"storage": 0.4})
    assert torch.equal(full(image, causes), small(image, causes))
    nn.init.normal_(full.wide_last.weight, 0, 0.02)
    assert not torch.equal(full(image, causes), small(image, causes))
    assert sharpened(full, torch.rand(2, 3, 13, 18), causes).shape == (2, 3, 13, 18)


def test_the_job_starts_by_changing_nothing_and_trains(tmp_path: Path, bank: GrainBank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deblur_data, "GROUP", FEW)
    monkeypatch.setattr(deblur, "bank", lambda *_: bank)
    monkeypatch.setattr(deblur, "VALIDATION_BATCHES", 1)
    monkeypatch.setitem(NETS, "deblur-small", lambda: DeblurNet(8))
    job = deblur.deblur_job(
        "deblur-small", synthetic_entries(8, 130, 2), seed=1, batch=2, crop=32, stocks=1, count=FEW, watched=FEW, cache=tmp_path
    )
    assert job.validate(job.net) == 0
    settings = Settings("deblur-small", seed=1, batch=2, crop=32, rate=1e-3, bf16=False)
    made = train(job, settings, Limits(1e6, 3), tmp_path / "run", torch.device("cpu"))
    assert made["steps"] == 3
    assert job.validate(job.net) != 0


def test_a_training_whose_second_body_died_ends(tmp_path: Path, bank: GrainBank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deblur_data, "GROUP", FEW)
    monkeypatch.setattr(deblur, "bank", lambda *_: bank)
    monkeypatch.setattr(deblur, "VALIDATION_BATCHES", 1)
    entries = synthetic_entries(8, 130, 2)
    job = deblur.deblur_job("deblur-full", entries, seed=1, batch=2, crop=32, stocks=1, count=FEW, watched=FEW, cache=tmp_path)
    assert isinstance(job.net, FullDeblurNet) and job.validate(job.net) == 0
    nn.init.normal_(job.net.wide_last.weight, 0, 0.02)
    # It lives, if it changes nothing yet: the last layer is 0.
    assert job.validate(job.net) == 0
    for layer in (job.net.wide_first, *job.net.wide_pairs):
        layer.weight.data.zero_()
    with pytest.raises(WorkshopError, match="has died"):
        job.validate(job.net)


def test_baselines_are_many_settings_of_each() -> None:
    soft = quantized(blur(picture(64), 0.8))[0]
    found = tries(soft, lambda p: p)
    assert list(found) == list(BASELINES)
    assert len(found["ffmpeg"]) == 12
    # Each filter acts on its own copy alone.
    assert len({round(float(p.sum()), 3) for p in found["ffmpeg"]}) == 12
    assert all(p.shape == soft.shape for options in found.values() for p in options)


def test_evaluation_and_card_without_downloads(tmp_path: Path, bank: GrainBank) -> None:
    class Same(nn.Module):
        def forward(self, image: Tensor, other: Tensor) -> Tensor:
            return image

    clips = [EvalClip("blobs", picture(64).expand(3, -1, -1, -1).contiguous())]
    rows = evaluate(clips, Same(), tmp_path, {"bank": bank, "denoiser": Same(), "vivid": lambda p: p})["rows"]
    assert [row["cause"] for row in rows] == list(CAUSES)
    for row in rows:
        assert all(row[name]["psnr"] == pytest.approx(row["input"]["psnr"], abs=1e-6) for name in (*OURS, "Real-ESRGAN")), row["cause"]
        assert row["ffmpeg"]["psnr"] != row["input"]["psnr"]
    written = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert {row["shown as"] for row in written["rows"] if "shown as" in row} == {"worst", "median", "best"}
    assert (tmp_path / "deblur-worst.png").exists()
    assert "| compression | 1 |" in (tmp_path / "table.md").read_text(encoding="utf-8")
    assert "| GMSD (0 is equal), mean |" in (tmp_path / "table.md").read_text(encoding="utf-8")
    written["film"] = [{"clip": "a#1", "crop": "a.png", "told": None, "soft": 0.2, "leading": "capture", "confidence": 0.9}]
    settings = {"model": "deblur-full", "batch": 4, "crop": 96, "seed": 1, "rate": 1e-4, "bf16": False}
    made = {"settings": settings, "steps": 3, "machine": "CPU", "hours": 0.1, "torch": "2", "start": 0.0, "best": 0.5}
    card = "\n".join(sections(made, written, ["a note"]))
    assert "- compression, +0.8 dB wanted: given +0.00 dB (0.80 dB missing)" in card
    assert "- a note" in card and "Codecs in training" not in card
    blind = sections({**made, "codecs": "JPEG alone"}, written, [])
    assert "- Codecs in training: JPEG alone; the machine had no ffmpeg" in blind[0]
    assert "a#1: `blur-cause` says sharp (soft by 20%); not run.\n\n![a#1](deblur-full/a.png)" in card
    assert "(deblur-small/" not in card
