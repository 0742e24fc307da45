"""`evaluate blur-cause`: ours, the one shipped until now and two classical ways on the same shots in the same run, and what ours says of
real films.

Shots are of Kodak 01–12 alone, which are not compressed, at places and with grain stocks never trained on. Both baselines see the
pooled radial spectrum of luma and are fitted to all training shots: the nearest centroid of single causes (and of sharp), and linear
regressions (ridge for strengths, logistic for the lead and for soft).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from degradation.chain import CAUSES
from degradation.damage import cut_outs
from degradation.grain_bank import GrainBank, make_stack
from degradation.motion import moving_clip, random_camera
from degradation.stocks import STOCKS
from emulsion_training.compare import open_session, run_onnx

from .cause import Measured, N, load, measured, outputs_of, scores, version_of
from .cause_data import FRAMES, planned, shot_of
from .cause_measures import RINGS, SECTORS
from .cause_net import PLACE, UNIT, CauseNet, Seen
from .paths import MODELS, WORK, split
from .pictures import read_frames, read_picture

SHOTS = 900
"""With 300 the bar of the calibration error could not be told from chance (0.055)."""
WIDTH, HEIGHT = 256, 192
FIELD = 128
"""Side of the evaluation's grain fields."""
SPECTRUM = len(RINGS) * SECTORS
"""The first measures: mean logarithm of luma's power in the bands, which is all that the baselines see."""
SEED = 60_000
SURE = 0.6
"""A leading cause is named from this confidence on; as in `src/analysis/blur/cause.ts`."""


def bank(cache: Path) -> GrainBank:
    """The named stocks' grain, kept on disk."""
    path = cache / f"cause-stocks-{FIELD}.pt"
    if path.exists():
        return GrainBank.load(torch.load(path, weights_only=True), torch.device("cpu"))
    made = GrainBank([make_stack(stock, FIELD, 5000 + index) for index, (stock, _) in enumerate(STOCKS.values())])
    cache.mkdir(parents=True, exist_ok=True)
    torch.save(made.save(), path)
    return made


def number_of_causes(index: int) -> int:
    """Of shot `index`: in ten shots two are sharp, three have one cause, and the others two to five."""
    return (0, 1, 2, 1, 3, 0, 4, 1, 5, 2)[index % 10]


def evaluation_shots(data: Path, count: int, cache: Path) -> dict[str, Any]:
    """`count` shots, kept on disk: `codes` [S, 9, H, W], `strength` and `drawn` [S, 5], `name` of the photograph."""
    path = cache / f"cause-evaluation-{count}.npz"
    if not path.exists():
        films = bank(cache)
        shapes = cut_outs(data / "damage", evaluate=True, every=split()["damage"]["evaluateEvery"])
        photos = [photo for pattern in split()["photos"]["evaluate"] for photo in sorted(data.glob(pattern))]
        shots, names = [], []
        for index in range(count):
            generator = torch.Generator().manual_seed(SEED + index)
            # Every photograph meets every number of causes: 7 and 12 have no common divisor with each other or with 10's rows.
            photo_path = photos[(7 * index + index // 10) % len(photos)]
            photo = torch.from_numpy(read_picture(photo_path, 10**6).copy()).permute(2, 0, 1).float() / 255
            room = torch.rand(2, generator=generator).tolist()
            top, left = int(room[0] * (photo.shape[1] - 240)), int(room[1] * (photo.shape[2] - 304))
            part = photo[:, top : top + 240, left : left + 304]
            clean = moving_clip(part, random_camera(generator), FRAMES, (HEIGHT, WIDTH), SEED + index)
            shots.append(shot_of(clean, planned(generator, number_of_causes(index)), films, shapes, SEED + index))
            names.append(f"{photo_path.stem}, shot {index}")
        with path.open("wb") as file:
            np.savez(
                file,
                codes=np.stack([shot.codes for shot in shots]),
                strength=np.stack([shot.strength for shot in shots]),
                drawn=np.stack([shot.drawn for shot in shots]),
                names=np.array(names),
            )
    return dict(np.load(path))


SPOTS = ((0.5, 0.5), (0.2, 0.25), (0.8, 0.25), (0.2, 0.75), (0.8, 0.75))
"""Where the places of a film lie, as in `src/analysis/blur/cause.ts`."""
CORNERS = ((0.0, 0.0), (1.0, 1.0))
"""Where those of an evaluation shot lie: it is hardly larger than a place."""
GRID = 8


def places(codes: NDArray[np.uint8], spots: tuple[tuple[float, float], ...] = SPOTS) -> list[Tensor]:
    """The places [1, 9, h, w] of three frames [9, H, W] that are looked at, at multiples of `GRID` from the corner."""
    height, width = codes.shape[-2:]
    h, w = (min(PLACE, size) // GRID * GRID for size in (height, width))
    whole = torch.from_numpy(codes.astype(np.float32) / 255)[None]
    found = {(int((height - h) * y / GRID + 0.5) * GRID, int((width - w) * x / GRID + 0.5) * GRID) for x, y in spots}
    found = {(min(top, (height - h) // GRID * GRID), min(left, (width - w) // GRID * GRID)) for top, left in found}
    return [whole[..., top : top + h, left : left + w] for top, left in sorted(found)]


def measure(net: CauseNet, codes: NDArray[np.uint8], spots: tuple[tuple[float, float], ...] = SPOTS) -> Seen:
    """What is seen of one shot's places."""
    with torch.no_grad():
        seen = [net.measures(place) for place in places(codes, spots)]
    return Seen(torch.cat([rows.flatten(1) for rows, _ in seen]), torch.cat([maps.half() for _, maps in seen]))


def centroids(shots: Measured, rows: Tensor) -> Tensor:
    """Outputs by the nearest centroid of single causes and of sharp shots: strengths are not told apart from nearness."""
    spectrum = shots.measures[:, 0, :SPECTRUM]
    middle, scale = spectrum.mean(0), spectrum.std(0).clamp(min=1e-3)
    count = (shots.strength > 0).sum(1)
    lead = shots.strength.argmax(1)
    centers = torch.stack([*(spectrum[(count == 1) & (lead == i)].mean(0) for i in range(N)), spectrum[count == 0].mean(0)])
    distance = ((((rows - middle) / scale)[:, None] - ((centers - middle) / scale)[None]) ** 2).mean(2)
    votes = -4 * distance
    return torch.cat([votes[:, :N], votes[:, :N], votes[:, :N].amax(1, keepdim=True) - votes[:, N:]], 1)


def regressions(shots: Measured, rows: Tensor) -> Tensor:
    """Outputs of linear models on the spectrum: ridge for strengths, logistic for the lead and for soft."""
    spectrum = shots.measures[:, 0, :SPECTRUM]
    middle, scale = spectrum.mean(0), spectrum.std(0).clamp(min=1e-3)

    def table(x: Tensor) -> Tensor:
        y = (x - middle) / scale
        return torch.cat([y, torch.ones(y.shape[0], 1)], 1)

    x = table(spectrum)
    ridge = torch.linalg.solve(x.T @ x + 1.0 * torch.eye(x.shape[1]), x.T @ shots.strength)
    weights = torch.zeros(x.shape[1], N + 1, requires_grad=True)
    soft = shots.strength.amax(1) > 0
    optimizer = torch.optim.LBFGS([weights], max_iter=200)

    def closure() -> Tensor:
        optimizer.zero_grad()
        out = x @ weights
        loss = functional.cross_entropy(out[soft, :N], shots.strength[soft].argmax(1))
        loss = loss + functional.binary_cross_entropy_with_logits(out[:, N], soft.float()) + 1e-4 * (weights**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    out, strengths = table(rows) @ weights.detach(), table(rows) @ ridge
    # Ranks are all that is read of strengths: any rising function of them does.
    return torch.cat([torch.logit(strengths.clamp(1e-4, 1 - 1e-4)), out], 1)


def says(outputs: Tensor) -> dict[str, Any]:
    """One shot's outputs in words and figures."""
    chance = torch.softmax(outputs[N : 2 * N], 0)
    strength = torch.sigmoid(outputs[:N])
    return {
        "soft": round(float(torch.sigmoid(outputs[2 * N])), 2),
        "leading": CAUSES[int(chance.argmax())],
        "confidence": round(float(chance.max()), 2),
        "strength": {cause: round(float(strength[i]), 2) for i, cause in enumerate(CAUSES)},
    }


def verdict(outputs: Tensor) -> dict[str, Any]:
    """The same as the app decides: `leading` is None where the shot is sharp, and "unsure" where no cause has `SURE`."""
    said = says(outputs)
    leading = None if said["soft"] < 0.5 else said["leading"] if said["confidence"] >= SURE else "unsure"
    return {**said, "leading": leading}


def film_measures(net: CauseNet, film: Path, frames: int, runs: int = 4) -> Seen:
    """What is seen of a film of `frames` frames: runs of three frames spread over it, places spread over them."""
    seen = []
    for k in range(runs):
        first = 1 + (frames - FRAMES - 2) * k // max(1, runs - 1)
        run = read_frames(film, first, FRAMES).transpose(0, 3, 1, 2)
        seen.append(measure(net, run.reshape(-1, *run.shape[-2:])))
    return Seen(torch.cat([one.rows for one in seen]), torch.cat([one.maps for one in seen]))


def measured_evaluation(net: CauseNet, data: Path, codes: NDArray[np.uint8], cache: Path) -> tuple[list[Seen], dict[str, Seen]]:
    """What is seen of the evaluation shots, and of the split's films and the real ones by name; made once: no weights are in it."""
    from .estimate import probe

    kept = cache / f"cause-evaluation-{len(codes)}-{version_of(net.measures)}.pt"
    if not kept.exists():
        shots = [measure(net, shot, CORNERS) for shot in codes]
        parts = split()["video"]["evaluate"]
        names = [*(data / name for name in dict.fromkeys(name for name, *_ in parts)), *sorted((data / "film").glob("*.mp4"))]
        films = {film.name: film_measures(net, film, probe(film)["frames"]) for film in names}
        torch.save(([tuple(one) for one in shots], {name: tuple(one) for name, one in films.items()}), kept)
    loaded = torch.load(kept, weights_only=True)
    return [Seen(*one) for one in loaded[0]], {name: Seen(*one) for name, one in loaded[1].items()}


def shipped_outputs(model: Path, codes: NDArray[np.uint8]) -> Tensor:
    """Outputs [S, 11] of the shipped file on shots [S, 9, H, W], whatever it is made of."""
    session = open_session(model)
    rows = [[run_onnx(session, {"frames": place.numpy()})["evidence"].reshape(-1) for place in places(shot, CORNERS)] for shot in codes]
    return torch.stack([UNIT * torch.from_numpy(np.stack(row)).mean(0) for row in rows])


def evaluate(data: Path, limit: int | None, weights: Path, output: Path, cache: Path = WORK) -> dict[str, Any]:
    """Measures, and writes `evaluation.json`, `table.md` and crops."""
    begun = time.monotonic()
    net = load(weights)
    training = measured(cache / "cause")
    shots = evaluation_shots(data, limit or SHOTS, cache)
    strength, drawn = torch.from_numpy(shots["strength"]), torch.from_numpy(shots["drawn"])
    rows, films = measured_evaluation(net, data, shots["codes"], cache)
    spectrum = torch.stack([one.rows[:, :SPECTRUM].mean(0) for one in rows])
    ours = outputs_of(net, rows)
    methods = {"nearest centroid": centroids(training, spectrum), "linear": regressions(training, spectrum)}
    if (MODELS / "blur-cause.onnx").exists():
        methods["shipped before"] = shipped_outputs(MODELS / "blur-cause.onnx", shots["codes"])
    methods["ours"] = ours
    found: dict[str, Any] = {
        "methods": {name: scores(outputs, strength, drawn) for name, outputs in methods.items()},
        "training shots": int((~training.held).sum()),
        "held back": int(training.held.sum()),
        "films": {},
    }
    for name, outputs in zip(films, outputs_of(net, list(films.values())), strict=True):
        found["films"][name] = says(outputs)
    output.mkdir(parents=True, exist_ok=True)
    found["shown"] = crops(shots, ours, output)
    found["seconds"] = round(time.monotonic() - begun)
    (output / "evaluation.json").write_text(json.dumps(found, indent="\t") + "\n", encoding="utf-8")
    (output / "table.md").write_text(table(found), encoding="utf-8")
    return found


def crops(shots: dict[str, Any], outputs: Tensor, output: Path) -> list[dict[str, Any]]:
    """Soft shots by the confidence given to their true leading cause: the worst, the median and the best, at 100 %."""
    truth = shots["strength"]
    soft = np.nonzero(truth.max(1) > 0)[0]
    chance = torch.softmax(outputs[:, N : 2 * N], 1).numpy()
    given = chance[soft, truth[soft].argmax(1)]
    order = soft[np.argsort(given)]
    shown = []
    for name, index in (("worst", order[0]), ("median", order[len(order) // 2]), ("best", order[-1])):
        middle = shots["codes"][index][3:6].transpose(1, 2, 0)
        Image.fromarray(np.ascontiguousarray(middle)).save(output / f"blur-cause-{name}.png")
        true = {cause: round(float(truth[index, i]), 2) for i, cause in enumerate(CAUSES)}
        shown.append({"shown as": name, "shot": str(shots["names"][index]), "truth": true, "says": says(outputs[index])})
    return shown


def table(found: dict[str, Any]) -> str:
    """Every figure by method."""
    names = list(found["methods"])
    lines = ["| | bar | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]

    def add(label: str, bar: str, key: str, inner: str | None = None) -> None:
        cells = []
        for name in names:
            value = found["methods"][name][key]
            cells.append(str(value[inner] if inner else value))
        lines.append(f"| {label} | {bar} | " + " | ".join(cells) + " |")

    for cause in CAUSES:
        add(f"rank correlation, {cause}", "≥ 0.8", "rank correlation", cause)
    for cause in CAUSES:
        add(f"the same where it is present, {cause}", "", "rank correlation where present", cause)
    add("leading cause of mixtures, %", "≥ 85", "leading of mixtures, %")
    add("the same where it leads by 0.1 or more, %", "", "leading of mixtures by 0.1 or more, %")
    add("single causes, %", "≥ 92", "single causes, %")
    for cause in CAUSES:
        add(f"single {cause}, %", "", "single by cause, %", cause)
    add("calibration error", "≤ 0.05", "calibration error")
    add("the same of right confidences, by chance", "", "least calibration error")
    add("sharp told from soft, %", "≥ 95", "sharp from soft, %")
    add("sharp called sharp, %", "", "sharp called sharp, %")
    add("soft called soft, %", "", "soft called soft, %")
    add("sure (60 % or more), % of soft shots", "", "sure (60 % or more), % of soft shots")
    add("leading where sure, %", "", "leading where sure, %")
    films = ["", "| film | soft | leading | confidence | " + " | ".join(CAUSES) + " |", "|---|---|---|---|" + "---|" * N]
    for film, said in found["films"].items():
        cells = [str(said["strength"][cause]) for cause in CAUSES]
        films.append(f"| {film} | {said['soft']} | {said['leading']} | {said['confidence']} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, *films]) + "\n"
