"""Data sets, batches, training that stops and goes on, figures, export: on tiny synthetic data, without downloads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from degradation.grain_bank import GrainBank, make_stack
from degradation.optics import blur
from degradation.stock import Stock
from emulsion_training.ffdnet import Ffdnet, TrainableFfdnet
from workshop import metrics
from workshop.__main__ import main, seconds
from workshop.degrain import degrain_job, held_back
from workshop.degrain_data import Aim, DegrainBatches
from workshop.paths import WorkshopError, split
from workshop.pictures import film_of, pack, unpack
from workshop.smoke import smoke, synthetic_entries
from workshop.trainer import Limits, Settings, train

CPU = torch.device("cpu")
SETTINGS = Settings("degrain", seed=3, batch=2, crop=32, rate=1e-3, bf16=False)


def batches(aim: Aim | None = None, batch: int = 12) -> DegrainBatches:
    bank = GrainBank([make_stack(Stock(radius=0.35, layers=5, cloud=0.5), 64, 1)])
    return DegrainBatches(synthetic_entries(6, 64, 1), bank, batch, 32, 5, CPU, aim)


def test_a_data_set_comes_back_as_it_was(tmp_path: Path) -> None:
    entries = synthetic_entries(3, 40, 2)
    pack(entries, tmp_path / "exact.bin", like={"film": "a"})
    for a, b in zip(entries, unpack(tmp_path / "exact.bin"), strict=True):
        assert a.name == b.name
        assert np.array_equal(a.frames, b.frames)
    assert film_of(tmp_path / "exact.bin") == {"film": "a"}
    pack(entries, tmp_path / "small.bin", quality=90)
    close = unpack(tmp_path / "small.bin")[0].frames.astype(int) - entries[0].frames
    assert np.abs(close).mean() < 6
    (tmp_path / "bad.bin").write_bytes(b"\x10\0\0\0\0\0\0\0not a data set, no")
    with pytest.raises(WorkshopError, match="no data set"):
        unpack(tmp_path / "bad.bin")
    with pytest.raises(WorkshopError, match="make-data"):
        unpack(tmp_path / "none.bin")


def test_training_and_evaluation_share_nothing() -> None:
    parts = split()
    assert not set(parts["photos"]["train"]) & set(parts["photos"]["evaluate"])
    assert all("eval" not in pattern for pattern in parts["photos"]["train"])
    for name, first, last in parts["video"]["evaluate"]:
        for other, start, end in parts["video"]["train"]:
            assert name != other or last < start or end < first, name
    entries = synthetic_entries(60, 24, 1)
    training, validation = held_back(entries)
    assert len(training) + len(validation) == 60
    assert not {e.name for e in training} & {e.name for e in validation}
    assert len(validation) == 3


def test_a_batch_depends_on_its_number_alone() -> None:
    source = batches()
    one = source.batch_of(4)
    source.batch_of(9)
    for a, b in zip(one, source.batch_of(4), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one[0], source.batch_of(5)[0])


def test_the_noise_map_is_the_true_strength() -> None:
    ratios = []
    for number in range(12):
        noisy, clean, level = batches().batch_of(number)
        inner = (clean > 0.15) & (clean < 0.85)
        for n, c, s, i in zip(noisy, clean, level, inner, strict=True):
            if int(i.sum()) > 2500 and float(s.mean()) < 20 / 255:
                ratios.append(float((n - c)[i].std() / s.mean()))
    assert len(ratios) > 30
    assert float(np.median(ratios)) == pytest.approx(1, abs=0.08)


def test_an_aim_narrows_the_grain_to_a_film() -> None:
    report = {"grain": {"sigma": 8.0, "trustworthy": True}, "monochrome": True}
    aim = Aim.like(report)
    assert [aim.weakest * 255, aim.strongest * 255, aim.monochrome] == pytest.approx([4, 16, 1])
    assert Aim.like(None) == Aim()
    noisy, clean, _ = batches(aim).batch_of(1)
    ratio = clean / clean.mean((2, 3), keepdim=True).clamp(min=1e-3)
    assert float((ratio[:, 0] - ratio[:, 2]).abs().mean()) < 0.02
    assert not torch.equal(noisy, clean)


def test_the_trained_form_is_the_exported_one() -> None:
    torch.manual_seed(2)
    net = TrainableFfdnet().eval()
    exported = Ffdnet({name: value.clone() for name, value in net.state_dict().items()}).eval()
    image, level = torch.rand(1, 3, 16, 24), torch.rand(1, 1, 8, 12) * 0.2
    with torch.no_grad():
        assert torch.allclose(net(image, level), exported(image, level), atol=1e-5)


def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    entries = synthetic_entries(24, 64, 1)

    def run(folder: Path, *stops: int) -> dict[str, torch.Tensor]:
        for steps in stops:
            torch.manual_seed(1)
            job = degrain_job(entries, seed=3, batch=2, crop=32, stocks=1, device=CPU, fresh=True, cache=tmp_path)
            # The rate follows the whole run's length: only the last limit differs between stops here.
            train(job, SETTINGS, Limits(1e6, 10**9 if steps is None else steps), folder, CPU)
        saved = torch.load(folder / "last.pt", weights_only=True)
        assert saved["state"]["step"] == stops[-1]
        return dict(saved["net"])

    whole = run(tmp_path / "a", 4)
    again = run(tmp_path / "b", 4)
    for name, value in whole.items():
        assert torch.equal(value, again[name])
    # A run that has ended is left as it is: its log gets no row without a loss.
    run(tmp_path / "c", 2, 4, 4)
    log = (tmp_path / "c" / "log.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in log] == ["step", "0", "2", "4"]
    assert (tmp_path / "c" / "curve.png").exists()
    assert json.loads((tmp_path / "c" / "run.json").read_text(encoding="utf-8"))["steps"] == 4
    with pytest.raises(WorkshopError, match="name another --run"):
        job = degrain_job(entries, seed=3, batch=2, crop=32, stocks=1, device=CPU, fresh=True, cache=tmp_path)
        train(job, Settings("degrain", seed=4, batch=2, crop=32, rate=1e-3, bf16=False), Limits(1e6, 9), tmp_path / "c", CPU)


def test_figures_know_what_they_measure() -> None:
    generator = torch.Generator().manual_seed(1)
    clean = torch.from_numpy(synthetic_entries(1, 96, 4)[0].frames[0].copy()).permute(2, 0, 1).float() / 255
    noise = 0.05 * torch.randn(clean.shape, generator=generator)
    assert metrics.psnr(clean + noise, clean) == pytest.approx(26.02, abs=0.2)
    assert metrics.ssim(clean, clean) == pytest.approx(1)
    assert metrics.gmsd(clean, clean) == pytest.approx(0, abs=1e-6)
    assert metrics.ssim(clean + noise, clean) < 0.95
    # A perfect degrainer removes grain alone; a blur removes edges too.
    noisy = clean + noise
    assert abs(metrics.edge_correlation(noisy, clean, clean)) < 0.05
    smeared = blur(noisy, 2.0)
    assert metrics.edge_correlation(noisy, smeared, clean) > 0.2
    assert metrics.detail_kept(clean, clean) == pytest.approx(1)
    assert metrics.detail_kept(smeared, clean) < 0.6


def test_the_whole_path_in_little(tmp_path: Path) -> None:
    assert set(smoke(tmp_path)) == {"make-data", "train", "evaluate", "export", "dirt", "scratch"}
    assert "Known failures" in (tmp_path / "models" / "cards" / "degrain.md").read_text(encoding="utf-8")
    assert (tmp_path / "models" / "canary" / "degrain.out.denoised.f32").exists()
    assert "Known failures" in (tmp_path / "models" / "cards" / "dirt.md").read_text(encoding="utf-8")


def test_commands_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "degrain", "--pictures", str(tmp_path / "none.bin")]) == 1
    assert "make-data" in capsys.readouterr().err
    assert main(["export", "degrain", "--run", str(tmp_path), "--output", str(tmp_path / "models")]) == 1
    assert "train it first" in capsys.readouterr().err
    assert seconds("9m") == 540
    with pytest.raises(SystemExit):
        main(["train", "degrain", "--budget", "9 minutes"])
