"""Every degradation: what it must do to a picture whose answer is known, that its seed decides, and that bad input is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from degradation import capture, compression, damage, digitization, duplication, storage
from degradation.chain import CAUSES, Plan, age
from degradation.grain_bank import GrainBank, make_stack
from degradation.motion import Camera, moving_clip, random_camera
from degradation.optics import blur, sample, smooth_field, to_codes, to_linear
from degradation.stock import Stock

SIDE = 48
STILL = Camera(pan=(0, 0), zoom=0, turn=0, tremble=0)


def scene(frames: int = 3) -> Tensor:
    """A disk and a bar before a gradient, moving by a pixel a frame."""
    y, x = torch.meshgrid(torch.arange(SIDE, dtype=torch.float32), torch.arange(SIDE, dtype=torch.float32), indexing="ij")
    clip = []
    for index in range(frames):
        disk = ((x - 20 - index) ** 2 + (y - 24) ** 2 < 64).float()
        plane = 0.25 + 0.4 * x / SIDE + 0.3 * disk
        plane[10:14, 30:44] = 0.1
        clip.append(torch.stack([plane, plane * 0.9, plane * 0.8]))
    return torch.stack(clip).clamp(0, 1)


def bank() -> GrainBank:
    return GrainBank([make_stack(Stock(radius=0.4, layers=5, cloud=0.5, aperture=0.6), 64, 1)])


def shape() -> Tensor:
    return torch.ones(1, 12, 9)


SEEDED: dict[str, Callable[[int], Tensor]] = {
    "shrink": lambda s: storage.shrink(scene(), 0.02, 1.0, s),
    "buckle": lambda s: storage.buckle(scene(), 2.0, 0.3, s)[0],
    "mould": lambda s: storage.mould(scene(), 0.2, s)[0],
    "duplicate": lambda s: duplication.duplicate(scene(), [duplication.Generation()], bank(), s),
    "scanner": lambda s: digitization.scanner(scene(), 0.5, 0.02, s),
    "newton": lambda s: digitization.newton_rings(scene(), 0.1, s),
    "dirt": lambda s: damage.dirt(scene(), [shape()], 6, 0.5, s)[0],
    "scratches": lambda s: damage.scratches(scene(), 2, s)[0],
    "tear": lambda s: damage.tear(scene(), 1, 3.0, s)[0],
    "flicker": lambda s: damage.flicker(scene(), 0.1, 0.1, s)[0],
    "weave": lambda s: damage.weave(scene(), 1.0, s)[0],
    "camera": lambda s: moving_clip(scene(1)[0], random_camera(torch.Generator().manual_seed(s)), 3, (32, 32), s),
}


@pytest.mark.parametrize("name", SEEDED)
def test_a_seed_decides(name: str) -> None:
    make = SEEDED[name]
    one = make(1)
    assert torch.equal(one, make(1))
    assert not torch.equal(one, make(2))
    assert float(one.min()) >= 0
    assert float(one.max()) <= 1


def test_linear_light_and_back() -> None:
    codes = torch.linspace(-0.1, 1.2, 27)
    assert torch.allclose(to_codes(to_linear(codes)), codes, atol=1e-4)
    assert float(to_linear(torch.tensor(0.5))) == pytest.approx(0.21404, abs=1e-4)


def test_samples_at_pixels_are_the_pixels() -> None:
    picture = torch.rand(3, 9, 11, generator=torch.Generator().manual_seed(1))
    y, x = torch.meshgrid(torch.arange(9.0), torch.arange(11.0), indexing="ij")
    assert torch.allclose(sample(picture, x, y), picture, atol=1e-5)
    assert torch.allclose(sample(picture, x + 1, y)[:, :, :-1], picture[:, :, 1:], atol=1e-5)


@pytest.mark.parametrize("cell", [4, 12, 40])
def test_a_smooth_field_has_about_unit_strength(cell: int) -> None:
    fields = torch.stack([smooth_field(160, 160, cell, torch.Generator().manual_seed(i)) for i in range(6)])
    assert float(fields.std()) == pytest.approx(1, rel=0.3)


@pytest.mark.parametrize("radius", [0.8, 2.0, 4.5])
def test_a_disk_has_its_radius_and_keeps_the_light(radius: float) -> None:
    kernel = capture.disk_kernel(radius)
    at = torch.arange(kernel.shape[0], dtype=torch.float32) - kernel.shape[0] // 2
    second = float((kernel * (at[:, None] ** 2 + at[None] ** 2)).sum())
    # A disk's mean square distance is r²/2; a pixel adds its own 1/6.
    assert second == pytest.approx(radius**2 / 2 + 1 / 6, rel=0.1)
    assert float(kernel.sum()) == pytest.approx(1)
    rim = capture.disk_kernel(4.5, 0.8)
    assert float(rim[4, 1]) > float(rim[4, 4]) if radius == 4.5 else True


def test_a_path_is_as_long_as_it_says_and_goes_its_way() -> None:
    kernel = capture.path_kernel(9, 0)
    at = torch.arange(kernel.shape[0], dtype=torch.float32) - kernel.shape[0] // 2
    assert float((kernel.sum(0) * at**2).sum()) == pytest.approx(81 / 12, rel=0.12)
    assert float((kernel.sum(1) * at**2).sum()) < 0.3
    upright = capture.path_kernel(9, 90)
    assert float((upright.sum(1) * at**2).sum()) == pytest.approx(81 / 12, rel=0.12)


def test_blur_acts_on_light_not_on_codes() -> None:
    edge = torch.zeros(1, 3, 32, 32)
    edge[..., 16:] = 1
    seen = capture.through_kernel(edge, capture.disk_kernel(3))
    middle = float(seen[0, 0, 16, 15:17].mean())
    # Half of the light is code 0.735, not 0.5.
    assert middle == pytest.approx(0.735, abs=0.06)


def test_halation_reddens_around_lights_only() -> None:
    dark = torch.full((1, 3, SIDE, SIDE), 0.1)
    assert torch.equal(capture.halation(dark, 0.5, 4), dark) or torch.allclose(capture.halation(dark, 0.5, 4), dark, atol=1e-5)
    dark[..., 20:28, 20:28] = 1
    halo = capture.halation(dark, 0.5, 4)[0, :, 24, 32]
    assert float(halo[0]) > float(halo[2]) + 0.01


def test_a_faded_layer_takes_its_own_color_and_no_loss_changes_nothing() -> None:
    clip = scene()
    assert torch.allclose(storage.fade(clip, (0, 0, 0)), clip, atol=2e-3)
    red = storage.fade(clip, (0.6, 0, 0))
    # Without cyan, red light comes through.
    assert float((red - clip)[:, 0].mean()) > 3 * float((red - clip)[:, 2].abs().mean())
    assert float(storage.fade(clip, (0, 0, 0), (0.2, 0.2, 0.2)).mean()) < float(clip.mean())


def test_buckling_blurs_where_its_map_says() -> None:
    clip = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    seen, sigma = storage.buckle(clip, 3.0, 0.3, 5)
    change = (seen - clip).abs().mean(1)
    strong, weak = sigma > sigma.quantile(0.8), sigma < sigma.quantile(0.2)
    assert float(change[strong].mean()) > 2 * float(change[weak].mean())
    assert not torch.equal(sigma[0], sigma[1])


def test_mould_covers_what_it_says_and_nothing_else_changes() -> None:
    clip = scene()
    seen, mask = storage.mould(clip, 0.2, 1)
    assert float(mask.mean()) == pytest.approx(0.25, abs=0.1)
    far = mask == 0
    assert float((seen - clip).abs().amax((0, 1))[far].max()) < 0.12
    assert storage.mould(clip, 0.0, 1)[1].max() == 0


def test_generations_lose_detail_and_gain_contrast() -> None:
    clip = scene()
    silent = duplication.Generation(0.8, 1.2, 0, 0.0)
    one, three = (duplication.duplicate(clip, [silent] * n, bank(), 1) for n in (1, 3))
    flat = blur(clip, 2)
    assert float((three - blur(three, 2)).abs().mean()) < float((one - blur(one, 2)).abs().mean()) < float((clip - flat).abs().mean()) * 1.2
    assert float(one.std()) > float(clip.std())


def test_resampling_and_sharpening_do_what_their_names_say() -> None:
    clip = scene()
    assert torch.allclose(digitization.resampled(clip, 1.0), clip, atol=1e-4)
    fine = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    smooth, aliased = digitization.resampled(fine, 0.4), digitization.resampled(fine, 0.4, antialias=False)
    assert float(smooth.std()) < 0.6 * float(aliased.std())
    edge = torch.full((1, 3, 32, 32), 0.3)
    edge[..., 16:] = 0.7
    halo = digitization.sharpened(edge, 1.0, 1.5)
    assert float(halo.max()) > 0.75
    assert float(halo.min()) < 0.25


@pytest.mark.parametrize(("codec", "good", "bad"), [("mpeg2", 2, 31), ("h264", 12, 46)])
def test_codecs_keep_frames_and_lose_with_quality(codec: str, good: int, bad: int) -> None:
    clip = moving_clip(torch.rand(3, 80, 80, generator=torch.Generator().manual_seed(2)), Camera(), 3, (64, 64), 1)
    errors = [float((compression.video(clip, codec, quality) - clip).pow(2).mean()) for quality in (good, bad)]
    assert errors[0] < errors[1]
    assert float((compression.jpeg(clip, 90) - clip).abs().mean()) < float((compression.jpeg(clip, 10) - clip).abs().mean())
    assert len(set(compression.banded(clip, 4).flatten().tolist())) == 4


def test_damage_outside_of_its_mask_is_none() -> None:
    clip = scene()
    cases = {
        "dirt": damage.dirt(clip, [shape()], 4, 0.5, 3),
        "scratches": damage.scratches(clip, 2, 3),
        "splice": damage.splice(clip, 1, 3.0),
    }
    for name, (seen, mask) in cases.items():
        clean = (mask < 1e-3).expand_as(clip)
        assert float((seen - clip).abs()[clean].max()) < 0.01, name
        assert float((seen - clip).abs()[(mask > 0.3).expand_as(clip)].mean()) > 0.05, name


def test_scratches_stay_and_dirt_does_not() -> None:
    clip = torch.full((4, 3, 64, 64), 0.5)
    _, lines = damage.scratches(clip, 1, 8, wander=0.3)
    columns = lines.sum((1, 2)).argmax(1)
    assert int(columns.max() - columns.min()) <= 4
    _, masks = damage.dirt(clip, [shape()], 3, 0.0, 8)
    overlap = float((masks[0] * masks[1]).sum() / masks[0].sum().clamp(min=1))
    assert overlap < 0.5


def test_weave_and_flicker_tell_the_truth_about_themselves() -> None:
    clip = torch.full((3, 3, 32, 32), 0.5)
    seen, gain = damage.flicker(clip, 0.2, 0.0, 1)
    assert torch.allclose(to_linear(seen), to_linear(clip) * gain, atol=1e-3)
    photo = torch.rand(3, 80, 80, generator=torch.Generator().manual_seed(2))
    moving = moving_clip(photo, STILL, 3, (48, 48), 1)
    woven, path = damage.weave(moving, 2.0, 4)
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    back = torch.stack([sample(f, x + dx, y + dy) for f, (dx, dy) in zip(woven, path.tolist(), strict=True)])
    inner = (slice(None), slice(None), slice(10, -10), slice(10, -10))
    assert float((back - moving)[inner].abs().mean()) < 0.6 * float((woven - moving)[inner].abs().mean())


def test_lost_and_repeated_frames_are_listed() -> None:
    clip = scene(5)
    seen, order = damage.lose_frames(clip, missing=[1], repeated=[3])
    assert order == [0, 2, 3, 3, 4]
    assert torch.equal(seen[2], seen[3])


def test_a_tear_is_in_its_frame_alone() -> None:
    clip = scene()
    seen, mask = damage.tear(clip, 1, 4.0, 2)
    assert torch.equal(seen[0], clip[0])
    assert torch.equal(seen[2], clip[2])
    assert float(mask[1].max()) > 0.9


def test_a_life_tells_its_causes() -> None:
    clip = moving_clip(torch.rand(3, 90, 90, generator=torch.Generator().manual_seed(2)), Camera(), 3, (64, 64), 1)
    nothing = Plan(dict.fromkeys(CAUSES, 0.0), 0, 0, 0, 0, 0)
    still = age(clip, nothing, bank(), [], 1)
    assert torch.equal(still.clip, clip)
    assert set(still.strength.values()) == {0.0}
    everything = Plan(dict.fromkeys(CAUSES, 1.0), 1, 1, 1, 1, 1)
    one, again = (age(clip, everything, bank(), [shape()], 5) for _ in range(2))
    assert torch.equal(one.clip, again.clip)
    assert all(0 < one.strength[cause] <= 1 for cause in CAUSES)
    assert one.mask.shape == (3, 1, 64, 64)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: capture.disk_kernel(0),
        lambda: capture.path_kernel(-1, 0),
        lambda: capture.halation(scene(), -1, 3),
        lambda: storage.fade(scene(), (2, 0, 0)),
        lambda: storage.shrink(scene(), 0.5, 0, 1),
        lambda: storage.buckle(scene(), -1, 0, 1),
        lambda: storage.mould(scene(), 0.9, 1),
        lambda: duplication.Generation(sigma=-1),
        lambda: digitization.resampled(scene(), 0),
        lambda: digitization.sharpened(scene(), 1, 0),
        lambda: digitization.scanner(scene(), -1, 0, 1),
        lambda: digitization.newton_rings(scene(), 1, 1),
        lambda: compression.jpeg(scene(), 0),
        lambda: compression.video(scene(), "vp9", 3),
        lambda: compression.video(scene(), "h264", 99),
        lambda: compression.banded(scene(), 1),
        lambda: damage.dirt(scene(), [], 3, 0, 1),
        lambda: damage.scratches(scene(), -1, 1),
        lambda: damage.tear(scene(), 9, 3, 1),
        lambda: damage.splice(scene(), -1, 3),
        lambda: damage.flicker(scene(), -1, 0, 1),
        lambda: damage.weave(scene(), -1, 1),
        lambda: damage.lose_frames(scene(), missing=[0, 1, 2]),
        lambda: Plan({"moths": 1.0}),
        lambda: Camera(tremble=-1),
    ],
)
def test_what_makes_no_sense_is_refused(bad: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\(got |must |at least one"):
        bad()


def test_cut_outs_are_divided_between_training_and_evaluation(tmp_path: Path) -> None:
    for kind in damage.KINDS:
        (tmp_path / kind).mkdir()
        for index in range(6):
            picture = np.zeros((20, 20, 4), np.uint8)
            picture[4 : 6 + index, 5:9, 3] = 255
            Image.fromarray(picture).save(tmp_path / kind / f"{index}.png")
    kept, trained = damage.cut_outs(tmp_path, True), damage.cut_outs(tmp_path, False)
    assert (len(kept), len(trained)) == (2 * len(damage.KINDS), 4 * len(damage.KINDS))
    assert sorted({part.shape[1] for part in kept}) == [2, 7]
    with pytest.raises(FileNotFoundError, match="no cut-outs"):
        damage.cut_outs(tmp_path / "nothing", True)
