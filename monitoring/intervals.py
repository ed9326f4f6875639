"""Shares with intervals: equal probabilities (Wilson) and unequal ones (Hajek).

Plain Python, so that pages can use it. Sources: Wilson 1927, "Probable inference, the law of
succession, and statistical inference"; Horvitz and Thompson 1952 and Hajek 1971 for the weighted
mean; Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of
positive counts estimated from survey data", for the effective sample size.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its interval; `value` is None when there is nothing to go by."""

    value: float | None
    low: float
    high: float
    rows: int
    effective_rows: float

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Drawn:
    """One drawn prediction: was it right, and with what probability was it drawn."""

    is_right: bool
    probability: float


NOTHING = Estimate(value=None, low=0.0, high=1.0, rows=0, effective_rows=0.0)


def wilson_interval(right: int, total: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """The share right of total, all drawn with the same probability."""
    if not 0 <= right <= total:
        raise ValueError(f"{right} right of {total} is not a share.")
    if total == 0:
        return NOTHING
    share = right / total
    low, high = wilson_bounds(share, total, confidence=confidence)
    return Estimate(value=share, low=low, high=high, rows=total, effective_rows=float(total))


def weighted_interval(drawn: Iterable[Drawn], *, confidence: float = CONFIDENCE) -> Estimate:
    """The share right among all predictions, from draws with the probabilities they had.

    The value is Hajek's ratio of 1/probability weights. The interval is Wilson's at the effective
    number of rows: the smaller of Kish's (what the uneven weights cost) and Korn and Graubard's
    (the observed variance), so that it stays inside [0, 1] and does not collapse at 0 or 1.
    """
    rows = list(drawn)
    if any(not 0 < row.probability <= 1 for row in rows):
        raise ValueError("A draw's probability is above 0 and at most 1.")
    if not rows:
        return NOTHING
    weights = [1 / row.probability for row in rows]
    total = math.fsum(weights)
    share = math.fsum(w for w, row in zip(weights, rows, strict=True) if row.is_right) / total
    share = min(max(share, 0.0), 1.0)
    effective = _effective_rows(rows, weights, share)
    low, high = wilson_bounds(share, effective, confidence=confidence)
    return Estimate(value=share, low=low, high=high, rows=len(rows), effective_rows=effective)


def wilson_bounds(share: float, rows: float, *, confidence: float) -> tuple[float, float]:
    """Wilson's score interval; `rows` need not be whole."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    shrink = 1 + z * z / rows
    middle = (share + z * z / (2 * rows)) / shrink
    half = z * math.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2) / shrink
    low = 0.0 if share == 0 else max(0.0, middle - half)
    high = 1.0 if share == 1 else min(1.0, middle + half)
    return low, high


def _effective_rows(rows: list[Drawn], weights: list[float], share: float) -> float:
    total = math.fsum(weights)
    kish = total**2 / math.fsum(w * w for w in weights)
    variance = (
        math.fsum((w * (row.is_right - share)) ** 2 for w, row in zip(weights, rows, strict=True))
        / total**2
    )
    if variance == 0:
        return kish
    return min(kish, share * (1 - share) / variance)
