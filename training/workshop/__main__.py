"""The workshop's commands: `python -m workshop COMMAND …`."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch

from .making import MADE_AHEAD
from .paths import DATA, MODELS, TRAINING, WORK, WorkshopError, need

KITS = ("degrain", "deblur-small", "deblur-full", "dirt")
"""Models that a GPU kit can be packed for."""
TRAINED = ("degrain", "dirt", "deblur-small", "deblur-full", "blur-cause", "scratch")
"""The workshop's models; `recipes` holds how each is made."""
SHOTS = 4000
"""Shots for `blur-cause`, if not said otherwise."""


def seconds(text: str) -> float:
    """A duration: 90s, 9m, 1.5h."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text}: a duration is a number with s, m or h, for instance 9m")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def make_data(options: argparse.Namespace) -> None:
    """`make-data`."""
    from .pictures import collect, pack

    like = json.loads(need(options.like, "make it with `estimate`").read_text(encoding="utf-8")) if options.like else None
    entries = collect(options.data, options.limit)
    pack(entries, options.output, options.jpeg, like)
    print(f"{options.output}: {len(entries)} entries, {options.output.stat().st_size / 1e6:.1f} MB")


def make_samples(options: argparse.Namespace) -> None:
    """`make-samples`."""
    from .making import make

    until = None if options.within is None else time.monotonic() + options.within
    torch.set_num_threads(options.threads or torch.get_num_threads())
    make(options.model, options, until)


def calibrate(options: argparse.Namespace) -> None:
    """`calibrate`."""
    from .calibrate_dirt import curve, table
    from .dirt_net import DirtNet
    from .evaluate_dirt import load
    from .shipped import shipped_state

    torch.set_num_threads(options.threads or torch.get_num_threads())
    if options.weights:
        net = load(need(options.weights, "train the model first: `train dirt`"))
    else:
        net = DirtNet.like(shipped_state(MODELS / "dirt.onnx")).eval()
    print(table(*curve(net, None, options.data, options.stocks)))


def share(text: str) -> tuple[int, int]:
    """A process's part of the work: 0/2 and 1/2 share it."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not int(found[1]) < int(found[2]):
        raise argparse.ArgumentTypeError(f"{text}: a part is 0/2 or 1/2, for instance")
    return int(found[1]), int(found[2])


def make_shots(options: argparse.Namespace) -> None:
    """`shots`."""
    from .cause_data import chances, photographs, pool
    from .degrain import bank
    from .pictures import film_of, unpack

    torch.set_num_threads(options.threads or torch.get_num_threads())
    films = bank(options.stocks, options.seed, torch.device("cpu"))
    pool(
        photographs(unpack(options.pictures)),
        films,
        options.data,
        options.count,
        options.seed,
        WORK / "cause",
        options.part,
        chances(film_of(options.pictures)),
    )


def train(options: argparse.Namespace) -> None:
    """`train`."""
    from .making import keep, prepared
    from .recipes import RECIPES
    from .trainer import Limits, Settings
    from .trainer import train as run

    begun = time.monotonic()
    if options.threads:
        torch.set_num_threads(options.threads)
    recipe = RECIPES[options.model]
    options.rate = options.rate or recipe.rate
    torch.manual_seed(options.seed)
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    settings = Settings(options.model, options.seed, options.batch, options.crop, options.rate, options.bf16)
    folder = options.run or WORK / "runs" / options.model
    ready = prepared(options.model, options, folder, device, begun)
    job = recipe.job(options, device)
    keep(ready, folder)
    budget = options.budget - (ready.seconds if options.whole else 0)
    if budget <= 0:
        raise WorkshopError(f"making samples took {ready.seconds:.0f} s, and nothing is left of the budget: give more, or less to --within")
    also = {"prepared": asdict(ready)} | ({"codecs": "JPEG alone"} if options.without_video_codecs else {})
    summary = run(job, settings, Limits(budget, options.steps, options.every), folder, device, also)
    print(f"{folder}: {summary['steps']} steps, {summary['hours']} h, {job.figure} {summary['start']:.3f} to {summary['best']:.3f}")


def evaluate(options: argparse.Namespace) -> None:
    """`evaluate`."""
    if options.model == "deblur":
        return evaluate_deblur(options)
    from .plates import add
    from .recipes import RECIPES

    torch.set_num_threads(options.threads or torch.get_num_threads())
    weights = options.weights or WORK / "runs" / options.model / "best.pt"
    need(weights, f"train the model first: `train {options.model}`")
    output = options.output or WORK / "evaluation" / options.model
    recipe = RECIPES[options.model]
    if not options.plates:
        print(recipe.evaluate(options.data, options.limit, weights, output, options.part))
    need(output / "evaluation.json", f"evaluate it first: `evaluate {options.model}`")
    if recipe.moving is not None and options.part == (0, 1):
        moving = recipe.moving
        add(output, lambda rows: moving(options.data, rows, weights, output))


def evaluate_deblur(options: argparse.Namespace) -> None:
    """`evaluate deblur`: nothing is trained; the published FFDNet is the prior."""
    from .eval_set import eval_clips
    from .evaluate_deblur import evaluate as run
    from .evaluate_deblur import table
    from .networks import pretrained_degrain

    torch.set_num_threads(options.threads or torch.get_num_threads())
    output = options.output or WORK / "evaluation" / "deblur"
    print(table(run(eval_clips(options.data, options.limit), pretrained_degrain().eval(), output, options.steps)["rows"]))


def blur_prior(options: argparse.Namespace) -> None:
    """`blur-prior`."""
    from .blur_estimate import PRIOR, fit_prior, sharp_spectra
    from .pictures import unpack

    PRIOR.write_text(json.dumps(fit_prior(sharp_spectra(unpack(options.pictures))), indent="\t") + "\n", encoding="utf-8")
    print(PRIOR)


def recover(options: argparse.Namespace) -> None:
    """`recover`."""
    from .recover import recover as run

    folder = options.run or WORK / "runs" / options.model
    run(options.model, folder)
    print(f"{folder}: as shipped; now `evaluate {options.model}` and `export {options.model}`")


def export(options: argparse.Namespace) -> None:
    """`export`."""
    from .export import export as run

    line = run(
        options.model,
        options.run or WORK / "runs" / options.model,
        options.evaluation or WORK / "evaluation" / options.model,
        options.output,
        options.measurements,
    )
    print(f"{options.output / line['file']}: {line['bytes']} bytes, SHA-256 {line['sha256']}")


def kit(options: argparse.Namespace) -> None:
    """`pack`."""
    from .kit import make_kit

    output = options.output or WORK / f"kit-{options.model}.tar.gz"
    made = make_kit(options.model, options.pictures, options.data, output, int(options.mebibytes * 2**20))
    held = ", ".join(f"{number} {what}" for what, number in made.items() if what != "bytes")
    print(f"{output}: {made['bytes'] / 2**20:.1f} MiB, {held}; there: tar xzf, then kit/run.sh")


def show_gallery(options: argparse.Namespace) -> None:
    """`gallery`."""
    from .gallery import gallery

    photo = options.photo or options.data / "photos" / "eval" / "kodak04.png"
    need(photo, "name a photograph with --photo")
    folder = options.data / "damage"
    for path in gallery(photo, folder if folder.exists() else None, options.output):
        print(path)


def look_at(options: argparse.Namespace) -> None:
    """`estimate`."""
    from .estimate import estimate

    output = options.output or Path(f"{options.film.stem}.json")
    estimate(need(options.film, "name a film that ffmpeg reads"), output, options.frames)
    print(output.read_text(encoding="utf-8"))


def film_ranges(options: argparse.Namespace) -> None:
    """`film-range`."""
    from .degrain import bank
    from .film_range import check, film_range

    torch.set_num_threads(options.threads or torch.get_num_threads())
    if options.check:
        check(options.data, options.output)
    else:
        film_range(options.data, bank(options.stocks, 1, torch.device("cpu"), WORK), options.output)


def smoke(options: argparse.Namespace) -> None:
    """`smoke`."""
    from .smoke import smoke as run

    torch.set_num_threads(options.threads or torch.get_num_threads())
    print(f"the whole path works: {sum(run().values()):.0f} s")


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="workshop", description="Data, training, evaluation and export of Emulsion's own models.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("estimate", help="measure how a film is degraded, for `make-data --like` and for models tuned to it")
    one.add_argument("film", type=Path)
    one.add_argument("--output", type=Path, help="default: the film's name with .json")
    one.add_argument("--frames", type=int, default=24, help="frames to look at, spread over the film in runs")
    one.set_defaults(run_command=look_at)

    one = commands.add_parser("make-data", help="pack the pictures to train on")
    one.add_argument("--data", type=Path, default=DATA, help="the pictures and clips")
    one.add_argument("--output", type=Path, default=WORK / "pictures.bin")
    one.add_argument("--like", type=Path, help="a report of `estimate`: training is then for films like that one")
    one.add_argument("--limit", type=int, help="about so many of each source")
    one.add_argument("--jpeg", type=int, help="compress with this JPEG quality instead of storing the codes")
    one.set_defaults(run_command=make_data)

    one = commands.add_parser("make-samples", help="make a model's samples ahead of its training; go on where it stopped")
    one.add_argument("model", nargs="?", choices=MADE_AHEAD, default="dirt")
    one.add_argument("--samples", type=int, help="samples in all; default: the model's own")
    one.add_argument("--part", type=share, default=(0, 1), help="0/2 and 1/2, say, in two processes")
    one.add_argument("--within", type=seconds, help="stop after so long")
    one.add_argument("--device", help="dirt: where motion is found, cpu (the default) or cuda")
    one.add_argument("--stocks", type=int, default=20, help="film stocks to draw grain of")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--pictures", type=Path, default=WORK / "pictures.bin", help="the data set of make-data (deblur)")
    one.add_argument("--data", type=Path, default=DATA, help="the pictures, clips and cut-outs (dirt)")
    one.add_argument("--threads", type=int, help="CPU threads")
    one.add_argument("--without-video-codecs", action="store_true", help="deblur: JPEG alone, where ffmpeg cannot be had")
    one.set_defaults(run_command=make_samples)

    one = commands.add_parser("calibrate", help="recall and false removals of `dirt` over its settings, on clips held back from training")
    one.add_argument("model", choices=("dirt",))
    one.add_argument("--weights", type=Path, help="default: the shipped net")
    one.add_argument("--stocks", type=int, default=20, help="film stocks to draw grain of")
    one.add_argument("--data", type=Path, default=DATA, help="the pictures, clips and cut-outs")
    one.add_argument("--threads", type=int, help="CPU threads")
    one.set_defaults(run_command=calibrate)

    one = commands.add_parser("shots", help="make the shots that blur-cause is trained on; goes on where it stopped")
    one.add_argument("--count", type=int, default=SHOTS, help="shots in all")
    one.add_argument("--part", type=share, default=(0, 1), help="0/2 and 1/2, say, in two processes")
    one.add_argument("--pictures", type=Path, default=WORK / "pictures.bin", help="the data set of make-data")
    one.add_argument("--data", type=Path, default=DATA, help="the cut-outs of dirt")
    one.add_argument("--stocks", type=int, default=20, help="film stocks to draw grain of")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--threads", type=int, help="CPU threads")
    one.set_defaults(run_command=make_shots)

    one = commands.add_parser("train", help="train a model, or go on training it")
    one.add_argument("model", choices=TRAINED)
    one.add_argument("--budget", type=seconds, default=seconds("1h"), help="training time in all, for instance 9m (default 1h)")
    one.add_argument("--steps", type=int, default=10**9, help="steps in all")
    one.add_argument("--every", type=seconds, default=seconds("2m"), help="time between checkpoints")
    one.add_argument("--bf16", action="store_true", help="compute in bfloat16; the weights stay float32")
    one.add_argument("--device", help="cpu or cuda; default: the GPU if there is one")
    one.add_argument("--threads", type=int, help="CPU threads")
    one.add_argument("--batch", type=int, default=8)
    one.add_argument("--crop", type=int, default=96)
    one.add_argument("--rate", type=float, help="learning rate at the start; default: the model's own")
    one.add_argument("--stocks", type=int, default=20, help="film stocks to draw grain of")
    one.add_argument("--samples", type=int, help="samples to train on (dirt, deblur, scratch); default: the model's own")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--fresh", action="store_true", help="start from random weights")
    one.add_argument("--pictures", type=Path, default=WORK / "pictures.bin", help="the data set of make-data (degrain, deblur, scratch)")
    one.add_argument("--data", type=Path, default=DATA, help="the pictures, clips and cut-outs (dirt)")
    one.add_argument("--workers", type=int, default=0, help="deblur, dirt: processes that make samples first, and dirt's batches")
    one.add_argument("--within", type=seconds, help="make samples for so long at most, and train on those that are ready")
    one.add_argument("--whole", action="store_true", help="what is made before training counts toward the budget")
    one.add_argument("--without-video-codecs", action="store_true", help="deblur: JPEG alone, where ffmpeg cannot be had")
    one.add_argument("--run", type=Path, help="the run's folder")
    one.set_defaults(run_command=train)

    one = commands.add_parser("evaluate", help="measure a trained model against its baselines, on pictures never trained on")
    one.add_argument("model", choices=(*TRAINED, "deblur"))
    one.add_argument("--data", type=Path, default=DATA, help="the pictures and clips")
    one.add_argument("--weights", type=Path, help="default: the run's best.pt")
    one.add_argument("--output", type=Path, help="where figures and crops go")
    one.add_argument("--limit", type=int, help="about so many photographs and clips each")
    one.add_argument("--threads", type=int, help="CPU threads")
    one.add_argument("--part", type=share, default=(0, 1), help="degrain, dirt: 0/2 and 1/2, say, in two processes; then once more without")
    one.add_argument(
        "--plates", action="store_true", help="only the difference plates (deblur: and the real film) of an evaluation that is there"
    )
    one.add_argument("--steps", type=int, default=8, help="deblur: denoisings")
    one.set_defaults(run_command=evaluate)

    one = commands.add_parser("export", help="write a trained and evaluated model into public/models")
    one.add_argument("model", choices=TRAINED)
    one.add_argument("--run", type=Path, help="the run's folder")
    one.add_argument("--evaluation", type=Path, help="the evaluation's folder")
    one.add_argument("--output", type=Path, default=MODELS, help="where the models are")
    one.add_argument("--measurements", type=Path, default=TRAINING / "measurements.json")
    one.set_defaults(run_command=export)

    one = commands.add_parser("recover", help="make a run's folder of a shipped model, to evaluate and export it again")
    one.add_argument("model", choices=TRAINED)
    one.add_argument("--run", type=Path, help="the run's folder")
    one.set_defaults(run_command=recover)

    one = commands.add_parser("blur-prior", help="what spectra of sharp pictures look like, for the blind estimator of deblur")
    one.add_argument("--pictures", type=Path, default=WORK / "pictures.bin", help="the data set of make-data")
    one.set_defaults(run_command=blur_prior)

    one = commands.add_parser("pack", help="the GPU kit: code, warm start and data in at most 20 MiB")
    one.add_argument("model", nargs="?", choices=KITS, default="degrain")
    one.add_argument("--pictures", type=Path, default=WORK / "pictures.bin", help="the data set of make-data (all but dirt)")
    one.add_argument("--data", type=Path, default=DATA, help="the pictures, clips and cut-outs (dirt)")
    one.add_argument("--output", type=Path, help="default: kit-MODEL.tar.gz beside the data set")
    one.add_argument("--mebibytes", type=float, default=20, help="its size at most")
    one.set_defaults(run_command=kit)

    one = commands.add_parser("gallery", help="a picture of every degradation, before and after")
    one.add_argument("--data", type=Path, default=DATA, help="the pictures and clips")
    one.add_argument("--photo", type=Path)
    one.add_argument("--output", type=Path, default=WORK / "gallery")
    one.set_defaults(run_command=show_gallery)

    one = commands.add_parser("film-range", help="whether real film lies inside what the degradation model makes")
    one.add_argument("--data", type=Path, default=DATA, help="the pictures, cut-outs and films")
    one.add_argument("--output", type=Path, default=TRAINING / "film_range.json")
    one.add_argument("--check", action="store_true", help="hold the films against the file that is there, instead of making it")
    one.add_argument("--stocks", type=int, default=20, help="film stocks to draw grain of")
    one.add_argument("--threads", type=int, help="CPU threads")
    one.set_defaults(run_command=film_ranges)

    one = commands.add_parser("smoke", help="the whole path on tiny data; needs no downloads and no data")
    one.add_argument("--threads", type=int, help="CPU threads")
    one.set_defaults(run_command=smoke)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Entry of the command line."""
    options = parser().parse_args(arguments)
    try:
        options.run_command(options)
    except WorkshopError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
