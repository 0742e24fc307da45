"""What the card of `scratch` says of its training, its evaluation and its failures."""

from __future__ import annotations

from typing import Any

from .evaluate_scratch import table
from .plates import section

FAILURES = (
    "One of its bars is not reached: 30 dB inside. No method can reach it on these cases that does not know the grain below an opaque"
    " line: the picture itself, without its grain, does not (table). It does not find every line, its mask leaves skirts out, and "
    "what it bridges from the sides of a row cannot come nearer to a grainy frame than about 1.2 of the grain's own strength.",
    "Beside an edge of the picture that runs along a line, what is bridged is wrong, and then the opacity fitted against it; most of "
    "what is left in the rims comes of that. Where it knows little of an opacity it takes nothing back, and faint skirts stay.",
    "Beside a wide line it may name a second one a few pixels off, or one of the picture's own: the table's false lines a frame.",
    "Neighboring frames are not asked. On training clips aligned neighbors (RIFE's flow, lines bridged before it) were trusted and "
    "free of the line on 6 % of the mask, since a frame's motion is less than a line and its wandering: they gained 0.0 dB inside, "
    "0.5 in the rim.",
    "Photographs full of upright edges, standing still under a gate that weaves, are the hardest: of the training part's 24 worst "
    "(`python -m workshop.tune_scratch`) some have one of their lines taken (156 false lines in 1,000 frames).",
    "Lines of real film are what it has most to gain from: all that it saw are drawn.",
    "Short lines, those beside an edge of their own polarity, and two of opposite polarity 6 px apart are missed most (worst crop above).",
    "Below 0.4 of evidence a candidate's place is not known well enough to say how it moved: it is left alone at the default sensitivity "
    "(3 off its score), whatever its motion says. Look at the view `lines`.",
    "Faint lines (below about the grain's own strength along a third of the height) stay.",
    "A scratch that stands perfectly still over a picture that stands still cannot be told from the picture's own lines: it is left "
    "alone until its column is named by hand (`lines`).",
    "Opaque lines are bridged from the two sides of their row: across a slanted edge this leaves steps.",
    "Lines that are shorter than about a third of the height, and tramlines closer than 6 px to each other, count as none or as one.",
)

LOOK = (
    "The plate is to hold the lines alone, gray beside them: upright edges that move with the picture are its own, steps across a "
    "line are what bridging left, and lines that come and go were not decided for the shot. No new grain is laid yet."
)


def sections(made: dict[str, Any], result: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
    """The card's sections beyond an imported model's."""
    settings = made["settings"]
    trained = "\n".join(
        [
            f"- Steps: {made['steps']}, batches of {settings['batch']} crops of {settings['crop']} × {2 * settings['crop']} px, "
            f"seed {settings['seed']}, Adam from {settings['rate']:g}; cross entropy with sure errors off lines weighted up, and Dice; "
            "weights averaged.",
            f"- Machine: {made['machine']}, {made['hours']} h of wall time, the least part of it its own, PyTorch {made['torch']}"
            + (", bfloat16 arithmetic." if settings["bf16"] else "."),
            "- Start: the weights that were shipped before, of 7,344 such steps from random ones.",
            "- Data: crops of photographs, portraits and clips of `training/split.json`'s training part, grain of the physical model,"
            " lines drawn on them (`degradation/scratches.py`: 0.8–7 px wide, opacity 0.15–1, with rims, leaning, trembling, broken "
            "off; a third of them hard-edged, straight and opaque), three in ten crops without any; poles, posts and what is level in"
            " a picture turned upright as what must not be found.",
            f"- Validation, held back from training: Dice of the lines {made['start']:.1f} % before, {made['best']:.1f} % after "
            "([curve](scratch/curve.png), [log](scratch/log.csv)).",
            *(f"- {line}" for line in notes),
        ]
    )
    shown = [row for row in result["rows"] if "shown as" in row]
    words = "\n\n".join(f"{_says(row)}\n\n![{row['shown as']}](scratch/scratch-{row['shown as']}.png)" for row in shown)
    scratched = sum(row["kind"] == "scratched" for row in result["rows"])
    return (
        f"## Trained\n\n{trained}",
        f"## Evaluated\n\n`python -m workshop evaluate scratch`: {scratched} scratched frames, each the middle of 12, of Kodak 01–12 under "
        "a moving camera and of the clean clips' evaluation parts, grain of six stocks below the lines; the same clips without lines; "
        "real film. *tmedian* is ffmpeg's (radius 1); *delogo* is ffmpeg's and is told where the lines are, because it finds none; "
        "*classical* is a median along each column over a morphological opening, frame by "
        "frame, bridged from the sides. *Ours, told*: its columns named by hand. Ours as the stage decides at "
        "its default sensitivity, before new grain is laid. *The picture itself, without its grain* is "
        "what a perfect hand could paint over the lines that does not know the grain.\n\n"
        "*Inside*: pixels that the lines changed by a code or more, against the grainy frame without lines. *Rim*: the 8 px around. "
        "SSIM and GMSD (a perceptual distance, gradient magnitude similarity deviation) are of whole frames, against the frame without "
        "lines. *Lines found*: of those that change a row by 0.04 of the range on the mean and lie 8 px or more from the edge; within 3 "
        "px.\n\n" + table(result).strip(),
        "## Crops at 100 %\n\nTruth, scratched, tmedian, delogo, classical, ours, mask; where there are no lines: frame, classical, ours, "
        "mask.\n\n" + words,
        *section("scratch", result, LOOK),
        "## Known failures\n\n" + "\n".join(f"- {text}" for text in FAILURES),
    )


def _says(row: dict[str, Any]) -> str:
    if row["kind"] == "film":
        return f"Real film, {row['clip']}: {row['ours']['false']} lines taken in {row['frames']} frames."
    if row["kind"] == "clean":
        return f"Without lines, at its worst: {row['clip']}, {row['ours']['false']} taken in {row['frames']} frames."
    return f"{row['shown as'].capitalize()} (by our error on the lines): {row['clip']}, {row['stock']}, σ {row['sigma']:.1f}."
