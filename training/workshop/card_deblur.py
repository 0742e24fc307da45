"""What the cards of `deblur-small` and `deblur-full` say of its training, its evaluation and its failures."""

from __future__ import annotations

from typing import Any

from .deblur_cases import BASELINES
from .deblur_data import GIVEN, MISREAD, UNTOLD
from .deblur_on_film import LUCY_SIGMA, LUCY_TURNS, UNSHARP, WIENER_RATIO, WIENER_SIGMA
from .evaluate_deblur_film import BARS, OURS, best_baseline, gain_of, rings, table
from .plates import section

FAILURES = (
    "The gain still rose when training ended, as it had each time before: more steps are what it lacks first.",
    "Copies: Richardson–Lucy and Wiener, with kernel and strength chosen by the truth for each clip, take more back than where the cause "
    "alone is told; they lose elsewhere, and no user has that truth. Where no strength is "
    "told, a copy that lost next to nothing is sharpened too much (see *worst*).",
    "Codecs: little is taken back. Blocks soften; grain and texture that a codec smeared stay smeared.",
    "Told nothing it loses a little on what a codec did: tell it the cause. (The stage always does.)",
    "What a coarse scan erased is gone: textures stay smooth, and nothing is invented.",
    "A film's own softness that no cause explains (a soft lens, a shallow focus) is sharpened as well where strengths are told by hand.",
    "Trained on causes drawn by `training/degradation`, one codec pass, 8 bits: interlacing, several codecs in a row and analog "
    "video were not in it.",
)

STARTS = {
    "deblur-small": "the weights that were shipped before, of 12,444 steps from random ones, 17,503 and 21,193 more, in batches of 4",
    "deblur-full": "the shipped weights of deblur-small; the second body random but for its last layer, which is 0, so that it is the "
    "small net at first. All weights learn",
}

LOOK = (
    "What was added is to lie on outlines and texture and to move with them: sparks that change from frame to frame are sharpened grain, "
    "double outlines are halos, and a grid that stands still is the codec's."
)


def sections(made: dict[str, Any], result: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
    """The card's sections beyond an imported model's."""
    settings, rows = made["settings"], result["rows"]
    name = settings["model"]
    trained = "\n".join(
        [
            f"- Steps: {made['steps']}, batches of {settings['batch']} crops of {settings['crop']} px, seed {settings['seed']}, "
            f"Adam from {settings['rate']:g}; the loss is each sample's error (root mean square) as a share of its input's; weights "
            "averaged.",
            f"- Machine: {made['machine']}, {made['hours']} h of wall time (shared with other work), PyTorch {made['torch']}"
            + (", bfloat16 arithmetic." if settings["bf16"] else "."),
            f"- Start: {STARTS[name]}.",
            "- Data: photographs, portraits and clips of `training/split.json`'s training part through `training/degradation`: one "
            "cause in three quarters of the samples, mixtures in the others, none in 6 %; grain of the physical model on most. "
            f"Strengths told (misread by {MISREAD:g}) for {GIVEN:.0%}, causes alone for {1 - GIVEN - UNTOLD:.0%}, nothing for "
            f"{UNTOLD:.0%}.",
            f"- Validation crops, held back from training: mean gain {made['start']:+.3f} dB before, {made['best']:+.3f} dB after "
            f"([curve]({name}/curve.png), [log]({name}/log.csv)).",
            *([f"- Codecs in training: {made['codecs']}; the machine had no ffmpeg with MPEG-2 and H.264."] if "codecs" in made else []),
            *(f"- {line}" for line in notes),
        ]
    )
    shown = [row for row in rows if "shown as" in row]
    words = "\n\n".join(f"{_says(row)}\n\n![{row['shown as']}]({name}/deblur-{row['shown as']}.png)" for row in shown)
    ring = rings(rows)
    return (
        f"## Trained\n\n{trained}",
        f"## Evaluated\n\n`python -m workshop evaluate {name}`: {len(rows)} cases, Kodak 01–12 as moving clips and the clean "
        f"clips' evaluation "
        "parts, never trained on, each after each cause at a strength of its own, grain of σ 0, .01, .02 in turn. Mean gains over "
        "the input, PSNR and "
        "SSIM, and the mean GMSD (a perceptual distance, gradient magnitude similarity deviation), against the sharp picture with the "
        "same grain (storage: after the best affine fit of the colors of candidate and input). Baselines at "
        "the setting that is best for the very clip. *given*: told cause and strength; *named*: the cause; *blind*: nothing. *Grain "
        "removed*: FFDNet, then "
        "this net, against the picture without grain.\n\n"
        + table(rows).strip()
        + f"\n\n{_bars(rows)}\n\nIn flat areas ({ring['cases']} cases have such) the 99.9th percentile of the error is at most "
        f"{ring['ours']:.1f} codes, of "
        f"the inputs {ring['input']:.1f}; ours exceeds its input by {ring['beyond the input']:.1f} at most.",
        "## Crops at 100 %\n\nTruth, input, ffmpeg, Wiener, Richardson–Lucy, Real-ESRGAN brought back, given, named, blind.\n\n" + words,
        *_film(name, result.get("film", [])),
        *section(name, result, LOOK),
        "## Known failures\n\n" + "\n".join(f"- {text}" for text in FAILURES),
    )


def _film(name: str, shots: list[dict[str, Any]]) -> tuple[str, ...]:
    if not shots:
        return ()
    return (
        f"## Real film\n\nFilm, ffmpeg (`{UNSHARP}`), Wiener (Gaussian of {WIENER_SIGMA:g} px, noise to signal {WIENER_RATIO:g}), "
        f"Richardson–Lucy (Gaussian of {LUCY_SIGMA:g} px, {LUCY_TURNS} turns), Real-ESRGAN brought back, this model told nothing, and told "
        "the cause that `blur-cause` finds in these three frames (where it finds them sharp, or none of this model's causes, the film "
        "again). There is no truth, so the baselines have one moderate setting each; crops where the frame has most detail.\n\n"
        + "\n\n".join(f"{_diagnosed(shot)}\n\n![{shot['clip']}]({name}/{shot['crop']})" for shot in shots),
    )


def _diagnosed(shot: dict[str, Any]) -> str:
    said = f"{shot['leading']} by {shot['confidence']:.0%}" if shot["soft"] >= 0.5 else "sharp"
    told = f"told {shot['told']}" if shot["told"] else "not run"
    return f"{shot['clip']}: `blur-cause` says {said} (soft by {shot['soft']:.0%}); {told}."


def _bars(rows: list[dict[str, Any]]) -> str:
    said = []
    for cause, bar in BARS.items():
        part = [row for row in rows if row["cause"] == cause]
        if part:
            gains = {name: gain_of(part, name) for name in OURS}
            best = max(gain_of(part, name) for name in BASELINES)
            said.append(
                f"- {cause}, {bar:+.1f} dB wanted: "
                + ", ".join(f"{name} {_against(gain, bar)}" for name, gain in gains.items())
                + f"; the best baseline in the mean {best:+.2f} dB ({'below' if best < gains['given'] else 'above'} *given*)"
            )
    best = max(gain_of(rows, name) for name in BASELINES)
    below = sum(row["given"]["psnr"] < best_baseline(row) for row in rows)
    return (
        "Against its bars, grain kept:\n\n" + "\n".join(said) + f"\n\nOn all cases the best baseline gains {best:+.2f} dB, at "
        f"settings chosen clip by clip by the truth; ours, given, {gain_of(rows, 'given'):+.2f} dB, named "
        f"{gain_of(rows, 'named'):+.2f} dB. On {below} of {len(rows)} single cases ours, given, is below the best baseline."
    )


def _against(gain: float, bar: float) -> str:
    return f"{gain:+.2f} dB ({'reached' if gain >= bar else f'{bar - gain:.2f} dB missing'})"


def _says(row: dict[str, Any]) -> str:
    return (
        f"{row['shown as'].capitalize()} (by the gain over the best baseline): {row['clip']}, {row['cause']} {row['strength']:.2f}, "
        f"σ {row['sigma']}. Input "
        f"{row['input']['psnr']:.2f} dB, best baseline {best_baseline(row):.2f}, given {row['given']['psnr']:.2f}, named "
        f"{row['named']['psnr']:.2f}, blind "
        f"{row['blind']['psnr']:.2f}."
    )
