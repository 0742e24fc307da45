"""What the card of `blur-cause` says of its training, its evaluation and its failures."""

from __future__ import annotations

from typing import Any

from degradation.chain import CAUSES

from .evaluate_cause import table

FAILURES = (
    "It learns single shots by heart after some hundred steps. More of what it looks at is not what it lacks most (see *What a shot can "
    "tell* above).",
    "In mixtures what comes later covers what came before: behind a coarse codec or a small scan little is left that tells the lens from "
    "copies. In a quarter of the evaluation's mixtures two causes are within 0.05 of each other. There the confidence falls, and the app "
    "says *unsure*; where it is named it is still wrong now and then (last row of the figures).",
    "Duplication is taken for capture or for the scan: all three are round blurs, and only grain that lies sharp over a soft picture, "
    "contrast and printed dirt tell them apart. Copies on a stock that was never trained on are named less than half of the time (table). "
    "Black and white film without color's help is harder still.",
    "The clips, none of them degraded here, are called soft, all but one: most by compression, which is what they have, one by the scan, "
    "two unsure between both (*digitization*: they were reduced). The film of the 1900s is unsure too; nobody knows its truth. A loss that "
    "no eye sees is enough to be called soft.",
    "How a decoder brings coarse color to R′G′B′ matters: gestures/walk, lightly compressed, is soft at 100 % as ffmpeg decodes it "
    "(rgb24, table), and a crop of three of its frames as the app decodes it is sharp at 94 % (`tests/browser/stages-deblur.test.ts`).",
    "Calibrated on photographs and stocks that it was not trained on, it is still too sure of Kodak's (0.075, of which 0.032 are chance): "
    "believe *leading where sure* in the table, not the percentage.",
    "Strengths are trained on photographs reduced to a few hundred pixels. Films scanned with many more pixels than they hold look soft "
    "everywhere, as they are, and which cause that is called was not measured.",
)
BOUND = (
    "`python -m workshop.cause_bound --shots 1200` (a perceptron, 1,080 shots to train on, 120 "
    "held back) adds to what is measured the truth "
    "that no film tells: how the picture's spectrum went through all causes, and how that of white grain laid after the lens did. With the "
    "measures alone rank correlations are 0.33 (capture), 0.47 (storage), 0.70 (duplication), 0.57 (digitization), 0.91 (compression), the "
    "lead of mixtures is right in 53.9 %, single causes in 93.1 %; with the picture's transfer "
    "0.40, 0.54, 0.67, 0.61, 0.91, 57.9 and 89.7 %; with "
    "the grain's too 0.76, 0.60, 0.80, 0.67, 0.90, 76.3 and 96.6 %. So most of what is missing "
    "is how grain went through the film's life: a "
    "grain whose own width nobody knows, below a picture that moves. And even who knew both "
    "would miss the bars of storage, digitization and "
    "the lead with so few shots: what came later covers what came before. Sharp is told from soft by the measures alone."
)
"""By `workshop.cause_bound`."""
BARS = (
    ("leading cause of mixtures", "leading of mixtures, %", 85.0, True, " %"),
    ("single causes", "single causes, %", 92.0, True, " %"),
    ("calibration error", "calibration error", 0.05, False, ""),
    ("sharp told from soft", "sharp from soft, %", 95.0, True, " %"),
)
"""Name, key of the figures, bar, whether more is better, unit."""


def bars(ours: dict[str, Any]) -> str:
    """Which bars are reached, and how far the others are."""
    found = [(f"rank correlation, {cause}", ours["rank correlation"][cause], 0.8, True, "") for cause in CAUSES]
    found += [(name, ours[key], bar, more, unit) for name, key, bar, more, unit in BARS]
    reached = [f"{name} {value}{unit}" for name, value, bar, more, unit in found if (value >= bar if more else value <= bar)]
    short = [row for row in found if (row[1] < row[2] if row[3] else row[1] > row[2])]
    missed = [f"{name} {value}{unit} (bar {bar:g}{unit})" for name, value, bar, _, unit in short]
    return f"Reached: {'; '.join(reached) or 'none'}.\n\nMissed: {'; '.join(missed) or 'none'}."


def sections(made: dict[str, Any], result: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
    """The card's sections beyond an imported model's."""
    settings = made["settings"]
    ours = result["methods"]["ours"]
    trained = "\n".join(
        [
            f"- Steps: {made['steps']}, batches of {settings['batch']} shots, seed {settings['seed']}, Adam from {settings['rate']:g}; "
            "strengths, the leading cause and soft against sharp by cross entropy; weights averaged. Trained are a net of two layers "
            "that looks at the local spectra of windows of 16 pixels and their neighbors before they are pooled, and the perceptron that "
            "weighs what it says beside fixed measures.",
            f"- Machine: {made['machine']}, {made['hours']} h of wall time (shared with other work), PyTorch {made['torch']}.",
            f"- Data: {result['training shots']} shots of three frames, 160×160, of reduced photographs under a moving camera "
            "(`training/split.json`'s training part), through `training/degradation/chain.py` with none to five causes, grain of the "
            "physical model, flicker, weave, scratches and some dirt (FilmDamageSimulator, MIT). No clip of video: all of ours are "
            "compressed.",
            f"- Calibration: {result['held back']} shots of photographs and stocks held back from training give the votes' two scales, by "
            "a search at each checkpoint.",
            f"- Validation on the same held-back shots: {made['start']:.1f} before, {made['best']:.1f} after "
            "([curve](blur-cause/curve.png), [log](blur-cause/log.csv)).",
            *(f"- {line}" for line in notes),
        ]
    )
    shown = "\n\n".join(f"{_says(row)}\n\n![{row['shown as']}](blur-cause/blur-cause-{row['shown as']}.png)" for row in result["shown"])
    count = ours["shots"]
    return (
        "## What the figures mean\n\n"
        "**Strength** of a cause is the detail that it takes by itself: the clean shot goes through its softening part alone, its levels "
        "are fitted back, and in each of four octaves of luma what is missing or wrong is put against the clean picture's own, as "
        "amplitudes; the mean over the octaves. So causes can be compared; the **leading** one is the strongest. *Soft* is a shot in which "
        "any cause took 0.15 or more, *sharp* one in which none happened; what lies between is not asked.",
        f"## Trained\n\n{trained}",
        f"## What a shot can tell\n\n{BOUND}",
        f"## Evaluated\n\n`python -m workshop evaluate blur-cause`: {sum(count.values())} shots of Kodak 01–12 ({count['sharp']} sharp, "
        f"{count['single']} of one cause, {count['mixed']} of two to five), grain of six stocks, places and cut-outs never trained on. The "
        "baselines see the pooled spectrum of luma and are fitted to the same training shots; *shipped before* is the file that this one "
        "replaced. Rank correlation (Spearman) is over "
        "mixtures, 0 where a cause is absent. With the chain's own strength, whose kinds are not comparable, ours correlate by "
        + ", ".join(f"{ours['rank correlation with what was drawn'][cause]} ({cause})" for cause in CAUSES)
        + ".\n\n"
        + bars(ours)
        + "\n\n"
        + table(result).strip(),
        "## Shots at 100 %\n\nMiddle frames of soft shots, by the confidence given to what truly leads.\n\n" + shown,
        "## Known failures\n\n" + "\n".join(f"- {text}" for text in FAILURES),
    )


def _says(row: dict[str, Any]) -> str:
    true = ", ".join(f"{cause} {value}" for cause, value in row["truth"].items() if value)
    said = row["says"]
    return f"{row['shown as'].capitalize()}: {row['shot']}. Truth: {true}. Said: {said['leading']} ({said['confidence']:.0%})."
