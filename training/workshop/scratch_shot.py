"""From the net's evidence on a shot's frames to the lines of the film: the same decisions as the stage `scratch` makes.

One frame cannot say whether an upright line lies on the film or in the picture. The shot can: a scratch keeps to its column of the
screen (and wanders a little) while the picture moves; what moves with the picture around it belongs to the picture. (Newson et al.
2014 reject lines that way.) A line that stands as still as a picture that stands still is undecidable, and left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOMENTS = 12
"""Pairs of consecutive frames looked at in a shot."""
LEANS = 5
"""Leans tried to each side."""
LEAN_STEP = 0.0035
"""Between leans, in heights."""
PRESENT = 0.3
"""Mean evidence along a column above which a line may be there."""
MOST = 24
"""Lines in a shot."""
APART = 5
"""Pixels around a line in which there is no other."""
NEAR, FAR = 6, 48
"""The picture around a line: from so many pixels away to so many."""
SEARCH = 8
"""Largest displacement of the picture that is looked for, in pixels."""
UNDECIDED = -10.0
WANDER, READ = 0.4, 0.3
"""A scratch wanders by so many pixels a frame; its place is read that precisely."""
WEAK, VAGUE = 0.4, 3.0
"""Evidence below which a candidate's place is not known well enough to say how it moved, and what that costs its score."""


@dataclass(frozen=True)
class Look:
    """What is known of one frame: `lines` [2, rows, W] 0…1, bright and dark; `luma` [rows, W], both in eights of rows."""

    index: int
    lines: Floats
    luma: Floats


@dataclass(frozen=True)
class Line:
    """A candidate: `path` holds (frame, column at half height); `lean` pixels from top to bottom."""

    polarity: int
    lean: float
    path: tuple[tuple[int, float], ...]
    evidence: float
    """Mean along its columns, 0…1."""
    motion: float
    """Log likelihood that it is the film's rather than the picture's, by how both moved."""

    @property
    def score(self) -> float:
        """Above 0 it is taken for a scratch, at the default sensitivity."""
        return 6 * (self.evidence - 0.55) + 0.5 * min(6.0, max(-10.0, self.motion)) - (VAGUE if self.evidence < WEAK else 0.0)


def nearest(value: float) -> int:
    """The nearest whole number; halves go up (as in the stage)."""
    return int(np.floor(value + 0.5))


def moments(first: int, last: int, most: int = MOMENTS) -> list[int]:
    """The frames to look at of first…last: pairs of neighbors, evenly spread."""
    count = last - first + 1
    if count <= 2 * most:
        return list(range(first, last + 1))
    starts = [first + nearest(k * (count - 2) / (most - 1)) for k in range(most)]
    return [frame for start in starts for frame in (start, start + 1)]


def leans(height: int) -> list[float]:
    """The leans that are tried, in pixels from top to bottom."""
    return [k * LEAN_STEP * height for k in range(-LEANS, LEANS + 1)]


def columns(lines: Floats, lean: float) -> Floats:
    """Evidence [3, W] of one polarity [rows, W] along columns of a lean, in three bands from top to bottom."""
    rows, width = lines.shape
    reach = np.zeros((rows, width))
    # Lines tremble: a neighbor's evidence counts as well.
    wide = np.pad(lines, ((0, 0), (1, 1)))
    best = np.maximum(np.maximum(wide[:, :-2], wide[:, 1:-1]), wide[:, 2:])
    for r in range(rows):
        shift = nearest(lean * ((r + 0.5) / rows - 0.5))
        at = np.clip(np.arange(width) + shift, 0, width - 1)
        reach[r] = best[r, at]
    edges = [0, nearest(rows / 3), nearest(2 * rows / 3), rows]
    return np.stack([reach[a:b].mean(0) if b > a else np.zeros(width) for a, b in zip(edges[:-1], edges[1:], strict=True)])


def scored(bands: Floats) -> Floats:
    """One figure [W] for lines that run through, along two thirds, along one: the shorter, the surer they must be."""
    top, middle, bottom = bands
    whole = (top + middle + bottom) / 3
    two = 0.92 * np.maximum(top + middle, middle + bottom) / 2
    one = 0.8 * np.maximum(np.maximum(top, middle), bottom)
    return np.asarray(np.maximum(np.maximum(whole, two), one))


def profile(look: Look, polarity: int, height: int) -> tuple[Floats, NDArray[np.int64]]:
    """Best evidence [W] of one polarity over all leans, and which lean it was."""
    every = np.stack([scored(columns(look.lines[polarity], lean)) for lean in leans(height)])
    # Of equals the most upright.
    every -= 1e-3 * np.abs(np.arange(-LEANS, LEANS + 1))[:, None]
    return every.max(0), every.argmax(0)


def reach_of(gap: int) -> int:
    """Pixels that a line may have wandered in so many frames."""
    return min(12, int(np.ceil(1.5 + 2 * WANDER * np.sqrt(gap))))


def best_path(scores: Floats, gaps: Sequence[int]) -> NDArray[np.int64]:
    """Columns [N] that have the most evidence [N, W] together, no step further than a line wanders."""
    count, width = scores.shape
    total, back = scores[0].copy(), np.zeros((count, width), np.int64)
    for n in range(1, count):
        reach = reach_of(gaps[n - 1])
        best, came = np.full(width, -np.inf), np.zeros(width, np.int64)
        for step in sorted(range(-reach, reach + 1), key=abs):
            at = np.arange(width) + step
            inside = (at >= 0) & (at < width)
            value = np.where(inside, total[np.clip(at, 0, width - 1)], -np.inf) - 0.01 * abs(step)
            better = value > best
            best, came = np.where(better, value, best), np.where(better, at, came)
        total, back[n] = best + scores[n], came
    path = np.zeros(count, np.int64)
    path[-1] = int(total.argmax())
    for n in range(count - 1, 0, -1):
        path[n - 1] = back[n, path[n]]
    return path


def longest(values: Floats) -> tuple[int, int]:
    """First and last of the run in which evidence above `PRESENT` outweighs what is below it."""
    best, start, total, found = -np.inf, 0, 0.0, (0, 0)
    for n, value in enumerate(values - PRESENT):
        if total <= 0:
            start, total = n, 0.0
        total += float(value)
        if total > best:
            best, found = total, (start, n)
    return found


def placed(look: Look, polarity: int, column: int, lean: float) -> float:
    """A line's column at half height, to a part of a pixel."""
    rows, width = look.luma.shape
    sums = np.zeros(7)
    for r in range(rows):
        shift = nearest(lean * ((r + 0.5) / rows - 0.5))
        at = np.clip(np.arange(column - 3, column + 4) + shift, 0, width - 1)
        sums += look.lines[polarity, r, at]
    return float(column + (sums * np.arange(-3, 4)).sum() / max(float(sums.sum()), 1e-6))


def displacement(a: Floats, b: Floats, column: int) -> tuple[float, float]:
    """How far the picture around a column moved to the right from luma a to b [rows, W], and the variance of that; pixels."""
    rows, width = a.shape
    left = [x for x in range(column - FAR, column - NEAR + 1) if SEARCH <= x < width - SEARCH]
    right = [x for x in range(column + NEAR, column + FAR + 1) if SEARCH <= x < width - SEARCH]
    at = np.array(left + right, np.int64)
    if len(at) < FAR // 2:
        return 0.0, 1e6
    base = a[:, at]
    errors = np.array([((b[:, at + s] - base) ** 2).mean() for s in range(-SEARCH, SEARCH + 1)])
    best = int(errors.argmin())
    if best in (0, 2 * SEARCH):
        return 0.0, 1e6
    before, least, after = errors[best - 1 : best + 2]
    bend = max((before + after) / 2 - least, 1e-12)
    return best - SEARCH + float((before - after) / (4 * bend)), float((least + 1e-6) / bend / rows)


def motion_of(looks: Sequence[Look], places: Sequence[float], whole: Sequence[int]) -> float:
    """Log likelihood ratio, scratch against picture, over the steps from look to look."""
    total = 0.0
    for a, b, pa, pb, column in zip(looks[:-1], looks[1:], places[:-1], places[1:], whole[:-1], strict=True):
        gap = b.index - a.index
        moved, variance = displacement(a.luma, b.luma, column)
        step = pb - pa
        film = READ**2 * 2 + WANDER**2 * min(gap, 20)
        # Beyond what could be measured the picture might be anywhere: no evidence.
        if variance > 4:
            continue
        picture = READ**2 + variance
        ratio = 0.5 * (np.log(picture / film) + (step - moved) ** 2 / picture - step**2 / film)
        total += float(np.clip(ratio, -3, 3))
    return total


def find_lines(looks: Sequence[Look], height: int) -> list[Line]:
    """All candidates of a shot, scratches and what is not, most evidence first."""
    gaps = [b.index - a.index for a, b in zip(looks[:-1], looks[1:], strict=True)]
    found: list[Line] = []
    profiles = [[profile(look, polarity, height) for look in looks] for polarity in (0, 1)]
    scores = [np.stack([p[0] for p in own]) for own in profiles]
    for _ in range(MOST):
        paths = [best_path(own, gaps) for own in scores]
        values = [own[np.arange(len(looks)), path] for own, path in zip(scores, paths, strict=True)]
        runs = [longest(own) for own in values]
        sums = [float((own[a : b + 1] - PRESENT).sum()) for own, (a, b) in zip(values, runs, strict=True)]
        polarity = int(sums[1] > sums[0])
        path, (a, b) = paths[polarity], runs[polarity]
        if sums[polarity] <= 0 or b - a + 1 < min(len(looks), max(3, len(looks) // 4)):
            break
        tried = [profiles[polarity][n][1][path[n]] for n in range(a, b + 1)]
        lean = leans(height)[sorted(int(k) for k in tried)[(len(tried) - 1) // 2]]
        places = [placed(looks[n], polarity, int(path[n]), lean) for n in range(a, b + 1)]
        # One frame alone cannot tell.
        motion = motion_of(looks[a : b + 1], places, [int(c) for c in path[a : b + 1]]) if b > a else UNDECIDED
        evidence = float(values[polarity][a : b + 1].mean())
        where = tuple((looks[n].index, place) for n, place in zip(range(a, b + 1), places, strict=True))
        found.append(Line(polarity, lean, where, evidence, motion))
        for n, column in enumerate(path):
            for own in scores:
                own[n, max(0, column - APART) : column + APART + 1] = 0
    return found


def column_at(line: Line, frame: int, spare: int = 0) -> float | None:
    """Where a line stands on a frame; none before it begins and after it ends, but for `spare` frames."""
    frames = [f for f, _ in line.path]
    if not frames[0] - spare <= frame <= frames[-1] + spare:
        return None
    return float(np.interp(frame, frames, [x for _, x in line.path]))
