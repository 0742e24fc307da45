"""Which sensitivity and which caution `dust-bust` begins with: a curve over both, on what is neither trained on nor evaluated on.

The rule: settings up to a sensitivity of 0.8 are safe if they remove nothing of the watched clips' clean runs at steps 1 and 2
(`watched_dirt`). Of the safe ones whose recall comes within 0.05 of the best, the one with the fewest false removals at step 3; of equals
the one that finds most, then the more cautious. A false removal destroys film, a spot that stays can still be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from . import metrics
from .dirt_net import DirtNet
from .dirt_objects import FALSE_AREA, wanted
from .estimate import objects
from .evaluate_dirt import FALSE_TIMES, run_net
from .heal import GROW, REACH, decide, spread, thresholds, unrest_of, vouching
from .watched_dirt import STEPS, Watched, clean, dirty

SENSITIVITIES = (0.3, 0.5, 0.8, 1.0)
CAUTIONS = (0, 10, 20, 30, 40, 50, 80)
RULING = (1, 2)
"""Steps at which nothing may be removed."""
UTMOST = 0.8
"""Sensitivity up to which a default is looked for: above it there is what a restorer can still ask for."""
SLACK = 0.05
"""Recall that may be given for safety."""
AROUND = REACH + GROW + 2
"""Pixels around an object that decide about it."""


@dataclass
class Tally:
    """What one setting found: of the objects it should, and false objects by step."""

    found: int = 0
    false: dict[int, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))


Curve = dict[tuple[float, float], Tally]


def curve(net: DirtNet, cases: list[Watched] | None, data: Path, stocks: int) -> tuple[Curve, int, dict[int, int]]:
    """Every setting's tally, the objects there are to find, and the clean frames by step. `cases` replaces what `data` holds."""
    tallies: Curve = {(s, c): Tally() for s in SENSITIVITIES for c in CAUTIONS}
    asked, frames = 0, dict.fromkeys(STEPS, 0)
    for case in cases if cases is not None else (case for part in (dirty(data, stocks), clean(data)) for case in part):
        mask, healed = run_net(net, case.frame, case.views, case.sigma)
        unrest = unrest_of(case.views, case.sigma)
        if case.change is None:
            frames[case.step] += 1
            _count_false(tallies, case, mask, healed, unrest)
        else:
            asked += _count_found(tallies, case, mask, healed, unrest)
    return tallies, asked, frames


def _count_found(tallies: Curve, case: Watched, mask: Tensor, healed: Tensor, unrest: Tensor) -> int:
    assert case.change is not None
    parts = wanted(case.change[0])
    for part in parts:
        rows, columns = (torch.nonzero(part.any(axis)).flatten().tolist() for axis in (1, 0))
        box = tuple(slice(max(0, at[0] - AROUND), at[-1] + AROUND + 1) for at in (rows, columns))
        near = tuple(plane[(slice(None), *box)] for plane in (mask, case.frame, healed, unrest))
        for (sensitivity, caution), tally in tallies.items():
            share = decide(near[0], vouching(near[0], near[1], near[2], near[3], caution), sensitivity)
            tally.found += int(float((share[0] > 0)[part[box]].float().mean()) >= 0.5)
    return len(parts)


def _count_false(tallies: Curve, case: Watched, mask: Tensor, healed: Tensor, unrest: Tensor) -> None:
    moved = metrics.luma((case.frame - healed).abs()) > FALSE_TIMES * max(case.sigma, 1 / 255)
    for sensitivity in SENSITIVITIES:
        sure, doubtful = thresholds(sensitivity)
        for caution in CAUTIONS:
            vouch = vouching(mask, case.frame, healed, unrest, caution)
            taken = spread(((mask > doubtful) & (spread(vouch, REACH) > sure)).float(), GROW)[0] > 0
            rows, columns = torch.nonzero(taken & moved, as_tuple=True)
            if not len(rows):
                # More caution takes still less.
                break
            box = (slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1))
            areas = objects((taken & moved)[box].numpy())
            tallies[sensitivity, caution].false[case.step] += sum(area >= FALSE_AREA for area in areas)


def chosen(tallies: Curve, wanted: int) -> tuple[float, float] | None:
    """The setting that the rule names: sensitivity and caution. None: every one removes something."""
    allowed = {key: tally for key, tally in tallies.items() if key[0] <= UTMOST}
    safe = {key: tally for key, tally in allowed.items() if not any(tally.false[step] for step in RULING)}
    best = max((tally.found for tally in safe.values()), default=0)
    near = {key: tally for key, tally in safe.items() if best - tally.found <= SLACK * wanted}
    last = STEPS[-1]
    return min(near, key=lambda key: (near[key].false[last], -near[key].found, -key[1], key[0]), default=None)


def table(tallies: Curve, wanted: int, frames: dict[int, int]) -> str:
    """The curve as Markdown: recall, and false objects at steps 1, 2 and 3."""
    told = ", ".join(f"{frames[step]} frames at step {step}" for step in STEPS)
    lines = [
        f"Recall of {wanted} objects; false objects in {told}.\n",
        "| sensitivity | " + " | ".join(f"caution {caution:g}" for caution in CAUTIONS) + " |",
        "|---" * (len(CAUTIONS) + 1) + "|",
    ]
    for sensitivity in SENSITIVITIES:
        cells = []
        for caution in CAUTIONS:
            tally = tallies[sensitivity, caution]
            cells.append(f"{tally.found / max(1, wanted):.3f}; {', '.join(str(tally.false[step]) for step in STEPS)}")
        lines.append(f"| {sensitivity:g} | " + " | ".join(cells) + " |")
    best = chosen(tallies, wanted)
    lines.append(f"\nBy the rule: sensitivity {best[0]:g}, caution {best[1]:g}." if best else "\nNo setting is without a false removal.")
    return "\n".join(lines) + "\n"
