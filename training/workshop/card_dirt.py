"""What the card of `dirt` says of its training, its evaluation and its failures."""

from __future__ import annotations

from typing import Any

from .evaluate_dirt import table
from .plates import section

FAILURES = (
    "It reaches two of its bars alone: nothing changes off its mask, and nothing of the clean clips' hands and faces is taken. It was "
    "trained for half an hour on 320 samples and overfits them: with more samples, and above all more fast motion, it has most to gain.",
    "By itself the net takes fast motion that no view follows for dirt, about every other frame of the clean fast clips (*without "
    "caution*): a lamp of a bike, the fingers of a moving hand. The stage's caution leaves the few that are counted above: look at the "
    "view `mask`.",
    "Caution has its price: where neighbors disagree, dirt is left that the net had seen; recall and the dB inside are lower for it.",
    "Tried and not shipped: trained on from these weights with 578 new samples (1,018 steps, Dice on samples held back 54.1 to 61.8 %), at "
    "sensitivity 0.8 and caution 50 it found more (recall 0.627, 42 false removals in 1,000 clean frames, all of bikes) and healed worse "
    "(inside 19.5 dB, on fast clips 17.4).",
    "Tried and not shipped: masks that grow from near to near (8 rounds of 3 px) over what stands out by 0.3 of the caution: recall "
    "0.576, but inside 21.9 dB (22.1 on fast clips) and rim 39.7. Counting as unrest also how far the neighbors differ by their "
    "own flows, at caution 15: better on held-back samples, worse here (inside 20.5 dB, 62 false removals in 1,000 clean frames).",
    "Trained anew and not shipped: a wider net (16, 48 and 64 channels, 5 steps at a quarter of the size, begun as this one) on 1,326 "
    "new samples, with grain up to σ 30 codes (18 before) and dirt drawn anew for each batch, 2,204 steps. On clips held back it had a "
    "third of the false objects at the same recall; here, at the caution of 30 that `calibrate dirt` chose for it, its masks are too "
    "small: recall 0.525, inside 17.3 dB, rim 49.2, 42 false removals in 1,000 clean frames. 5,000 more steps did not help.",
    "Dirt that strong grain nearly hides stays; so do the faint tails of what is found.",
    "Large dirt misleads the flows around it: it is healed from the wrong place where the middle of the neighbors is wrong too.",
    "Damage that stays (scratches, stains over several frames, tears of the base) is in the neighbors too: it is not found, and is "
    "another model's.",
    "Dirt in the same place of two consecutive frames is taken for the picture.",
    "At a shot's first and last frame there is only one neighbor: the stage leaves them alone.",
)

LOOK = (
    "The plate is to be gray but for specks that last one frame each: whatever has the outline of a limb or of an edge, or comes again in "
    "the same place, is film image that was taken. What is patched has no new grain yet."
)


def sections(made: dict[str, Any], result: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
    """The card's sections beyond an imported model's."""
    settings = made["settings"]
    trained = "\n".join(
        [
            f"- Steps: {made['steps']}, batches of {settings['batch']} crops of {settings['crop']} px, seed {settings['seed']}, "
            f"Adam from {settings['rate']:g}; cross entropy with sure errors on clean film weighted up, Dice, and the error of the healed "
            "picture; weights averaged.",
            f"- Machine: {made['machine']}, {made['hours']} h of wall time (shared with other work), PyTorch {made['torch']}"
            + (", bfloat16 arithmetic." if settings["bf16"] else "."),
            "- Data: frame triples of the clean clips (up to three frames apart) and of photographs under a moving camera, of "
            "`training/split.json`'s training part, two in five with synthetic fast things; grain of the physical model (σ 1.2 to 30 "
            "codes), slight flicker, dirt from real cut-outs (FilmDamageSimulator, MIT; those for evaluation kept apart) in all three "
            "frames, a third of the samples without any; aligned by RIFE. Of each crop the dirt is drawn anew: a quarter lose what they "
            "had, six in ten get more.",
            "- Validation, on clips and photographs held back from training: recall of what is asked where few objects are false (the mean "
            f"at 0.5, 1, 2 and 5 in a hundred frames of 192 px, with the stage's caution) {made['start']:.1f} % before, "
            f"{made['best']:.1f} % after ([curve](dirt/curve.png), [log](dirt/log.csv)).",
            *(f"- {line}" for line in notes),
        ]
    )
    shown = [row for row in result["rows"] if "shown as" in row]
    words = "\n\n".join(f"{_says(row)}\n\n![{row['shown as']}](dirt/dirt-{row['shown as']}.png)" for row in shown)
    damaged = sum(row["kind"] == "damaged" for row in result["rows"])
    return (
        f"## Trained\n\n{trained}",
        f"## Evaluated\n\n`python -m workshop evaluate dirt`: {damaged} damaged frames of Kodak 01–12 and of the clean clips' evaluation "
        "parts, grain of six stocks, cut-outs never trained on; clean runs of fast clips; real film. *tmedian* is ffmpeg's (radius 1), "
        "*classical* the spike detector on the aligned neighbors (SDIp, 4 σ) with their mean. All at one setting; ours as the stage "
        "makes it at its default sensitivity and caution (chosen by `calibrate dirt` on clips that are not among these), at the level of "
        "its rim and without the neighbors' grain, without its limit of thickness and before new grain is laid; *without caution*: all "
        "that the net is sure of.\n\n"
        "*Inside*: pixels that the damage changed by a code or more, against the picture without grain, and against the undamaged "
        "grainy frame (whose grain nobody can know). *Rim*: the 8 px around. SSIM and GMSD (a "
        "perceptual distance, gradient magnitude similarity deviation) are of whole frames, against the undamaged grainy frame. "
        "*Recall*: objects of 6 px or more whose mean change is 10 % of the range, half covered.\n\n" + table(result).strip(),
        "## Crops at 100 %\n\nTruth, damaged, tmedian, classical, ours, mask (the film has no truth). Where the mask has "
        "most of its pixels.\n\n" + words,
        *section("dirt", result, LOOK),
        "## Known failures\n\n" + "\n".join(f"- {text}" for text in FAILURES),
    )


def _says(row: dict[str, Any]) -> str:
    if row["kind"] == "film":
        return f"Real film, {row['clip']}: {row['objects']} objects, {row['pixels']} pixels."
    if row["kind"] == "clean":
        return f"Clean film at its worst frame, {row['clip']}: {row['ours']['false']} false objects in {row['frames']} frames."
    return f"{row['shown as'].capitalize()} (by our error inside): {row['clip']}, {row['stock']}, σ {row['sigma']:.1f}."
