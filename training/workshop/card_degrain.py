"""What the card of `degrain` says of its training, its evaluation and its failures."""

from __future__ import annotations

from typing import Any

from .evaluate_degrain import FUSED, table
from .plates import section

FAILURES = (
    "Grain and texture of the same size and strength cannot be told apart in one frame: gravel, foliage and hair lose detail "
    "under coarse grain (the worst case above shows how much).",
    "In the plates above the ribs of the tire travel with the picture: detail of the grain's size goes with it. The edge correlation of "
    "what is removed says the same (wanted: 0.05 at most).",
    "Not yet trained long enough: on fine silver grain (one frame), and on white noise (0.7 to 0.9 dB at σ 10 and 25, small set), "
    "FFDNet is still better. Grain that is coarser than a pixel is what this model is for.",
    "The told strength decides: too low leaves grain, too high smears.",
    "Dirt, scratches and compression were not in the training data and are left alone or smeared.",
)

LOOK = (
    "What was taken is to be grain alone, new in every frame: outlines that travel through the plate with the picture are its own detail, "
    "and clouds that crawl in the output are grain that was left. The real film's grain is its codec's."
)


def sections(made: dict[str, Any], result: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
    """The card's sections beyond an imported model's."""
    settings = made["settings"]
    trained = "\n".join(
        [
            f"- Steps: {made['steps']}, batches of {settings['batch']} crops of {settings['crop']} px, seed {settings['seed']}, "
            f"Adam from {settings['rate']:g}, Charbonnier loss, weights averaged.",
            f"- Machine: {made['machine']}, {made['hours']} h of wall time (shared with other work), PyTorch {made['torch']}"
            + (", bfloat16 arithmetic." if settings["bf16"] else "."),
            "- Start: the weights that were shipped before, the first of which began as FFDNet's published ones.",
            "- Data: clean photographs, portraits and clips of `training/split.json`'s training part (BSDS500, ImageNet samples, "
            "synthetic portraits, clean videos); grain drawn by the physical model while training.",
            f"- Validation crops, held back from training: {made['start']:.3f} dB before, {made['best']:.3f} dB after "
            f"([curve](degrain/curve.png), [log](degrain/log.csv)).",
            *(f"- {line}" for line in notes),
        ]
    )
    shown = [row for row in result["rows"] if "shown as" in row]
    words = "\n\n".join(
        f"{row['shown as'].capitalize()} (by gain over the better baseline): {row['clip']}, {row['stock']}, σ {row['sigma']:.1f}. "
        f"FFDNet {row['FFDNet']['psnr']:.2f} dB ({row['FFDNet']['setting']}), nlmeans {row['nlmeans']['psnr']:.2f} dB "
        f"({row['nlmeans']['setting']}), this model {row['ours']['psnr']:.2f} dB.\n\n"
        f"![{row['shown as']}](degrain/degrain-{row['shown as']}.png)"
        for row in shown
    )
    better = max(result["mean"][m]["psnr"] for m in ("FFDNet", "nlmeans"))
    gain, more, most = (result["mean"][m]["psnr"] - better for m in ("ours", *FUSED))
    return (
        f"## Trained\n\n{trained}",
        f"## Evaluated\n\n`python -m workshop evaluate degrain`: {len(result['rows'])} grainy clips of Kodak 01–12 and of the clean clips' "
        "evaluation parts, never trained on. FFDNet and nlmeans each at the setting that is best for the very clip, this model "
        "told the true strength once. *+ neighbors*: after the stage's fusion with the frame before and the frame after (`temporal` "
        "1); *+ 4 neighbors*: with two each side (`temporal` 2). Over the better baseline of one frame: "
        f"{gain:+.2f} dB with one frame (wanted: +1.5), {more:+.2f} dB with neighbors (wanted: +2.5), {most:+.2f} dB with four."
        "\n\n" + table(result).strip(),
        "## Crops at 100 %\n\nTruth, grainy, FFDNet, nlmeans, this model, this model with two and with four neighbors, and what this "
        "model removed of one frame, 8-fold.\n\n" + words,
        *_film(result["film"]),
        *section("degrain", result, LOOK),
        "## Known failures\n\n" + "\n".join(f"- {text}" for text in FAILURES),
    )


def _film(shots: list[dict[str, Any]]) -> tuple[str, ...]:
    if not shots:
        return ()
    words = "\n\n".join(
        f"{shot['clip']}, measured σ {shot['sigma']:.1f}: FFDNet told {shot['FFDNet']}, nlmeans {shot['nlmeans']}.\n\n"
        f"![{shot['clip']}](degrain/{shot['crop']})"
        for shot in shots
    )
    return (
        "## Real film\n\nFilm, FFDNet, nlmeans (each at the setting that takes as much away as was measured), this model, this model with "
        "two and with four neighbors, and what this model removed of one frame, 8-fold; where the frame has most detail. The file is "
        "compressed: what is left of the grain is the codec's, and no claim about grain rests on it.\n\n" + words,
    )
