"""The weighted paired difference of two models on the same rows, with one-sided bounds.

The value is Hajek's ratio over 1/probability weights (Horvitz and Thompson 1952, Hajek 1971). The
bounds are Tango's score interval at the effective number of rows: Tango 1998, "Equivalence test
and confidence interval for the difference in proportions for the paired-sample design". It keeps
its level from fifty rows on (a Wald interval, also an adjusted one, misses up to 9 % instead of
5 %) and does not collapse where the models never differ.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from retraining.gates.base import PairedRow, Source

_MOST_ROWS = 1_000_000  # Beyond this the difference sits on the bound and labels will not tell.
_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """Challenger minus champion; `low` and `high` are one-sided bounds."""

    broken: float  # Share of rows only the champion has right.
    mended: float  # Share of rows only the challenger has right.
    rows: int
    effective_rows: float
    level: float

    @property
    def value(self) -> float:
        return self.mended - self.broken

    @property
    def low(self) -> float:
        return -_upper_score_bound(self.broken, self.mended, self.effective_rows, self.level)

    @property
    def high(self) -> float:
        return _upper_score_bound(self.mended, self.broken, self.effective_rows, self.level)

    def rows_to_tell(self, bound: float) -> int | None:
        """How many rows with the same shares would put the interval on one side of the bound."""
        few, many = 0, max(self.rows, 1)
        while not self._tells(bound, many):
            few, many = many, 2 * many
            if many > _MOST_ROWS:
                return None
        while many - few > 1:
            middle = (few + many) // 2
            few, many = (few, middle) if self._tells(bound, middle) else (middle, many)
        return many

    def _tells(self, bound: float, rows: int) -> bool:
        effective = self.effective_rows * rows / self.rows
        if self.value > bound:
            return -_upper_score_bound(self.broken, self.mended, effective, self.level) > bound
        return _upper_score_bound(self.mended, self.broken, effective, self.level) < bound


def paired_difference(rows: Sequence[PairedRow], *, level: float) -> Difference | None:
    """The difference over the rows, or None without rows."""
    if not rows:
        return None
    weights = row_weights(rows)
    total = math.fsum(weights)
    weighted = list(zip(weights, (row.difference for row in rows), strict=True))
    broken = math.fsum(w for w, difference in weighted if difference < 0) / total
    mended = math.fsum(w for w, difference in weighted if difference > 0) / total
    value = mended - broken
    variance = math.fsum((w * (difference - value)) ** 2 for w, difference in weighted) / total**2
    effective = total**2 / math.fsum(w * w for w in weights)
    if variance > 0:
        effective = min(effective, (mended + broken - value**2) / variance)
    return Difference(broken, mended, len(rows), effective, level)


def row_weights(rows: Sequence[PairedRow]) -> list[float]:
    """1/probability for audited rows, scaled so that they weigh as many rows as they are.

    A frozen row weighs 1, so neither part drowns the other by the unit of its weights.
    """
    audited = [1 / row.probability for row in rows if row.source is Source.AUDITED]
    scale = len(audited) / math.fsum(audited) if audited else 1.0
    return [scale / row.probability if row.source is Source.AUDITED else 1.0 for row in rows]


def _upper_score_bound(gained: float, lost: float, rows: float, level: float) -> float:
    """The largest difference gained - lost that a score test at the level does not reject."""
    z = NormalDist().inv_cdf(1 - level)
    low, high = gained - lost, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _score(gained, lost, rows, middle) > -z:
            low = middle
        else:
            high = middle
    return high


def _score(gained: float, lost: float, rows: float, difference: float) -> float:
    """Tango's statistic: the distance from the difference in its own standard errors."""
    b = (2 - gained + lost) * difference - gained - lost
    c = -lost * difference * (1 - difference)
    likeliest_lost = (math.sqrt(max(b * b - 8 * c, 0.0)) - b) / 4
    variance = 2 * likeliest_lost + difference * (1 - difference)
    distance = gained - lost - difference
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance * math.sqrt(rows / variance)
