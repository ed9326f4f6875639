"""Exact tests and bounds for counts.

Sources: McNemar 1947, "Note on the sampling error of the difference between correlated
proportions"; Holm 1979, "A simple sequentially rejective multiple test procedure"; Clopper and
Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial".
"""

import math
from collections.abc import Sequence

_HALVINGS = 60  # Brings an interval of length 1 to the last bit of a double.


def mcnemar_p_value(*, broken: int, mended: int) -> float:
    """Chance of at least so many broken rows if breaking and mending were equally likely."""
    discordant = broken + mended
    ways = sum(_choose_from(discordant, broken))
    return ways / (1 << discordant)


def holm_adjust(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the given order; rejecting those <= level keeps the family's level."""
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for step, place in enumerate(sorted(range(count), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (count - step) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def lower_bound(hits: int, total: int, *, level: float) -> float:
    """The one-sided lower limit of a share; 0 when nothing was hit."""
    return 0.0 if hits == 0 else 1 - upper_bound(total - hits, total, level=level)


def upper_bound(hits: int, total: int, *, level: float) -> float:
    """The one-sided upper limit of a share; 1 when all were hit, or there is nothing."""
    if hits >= total:
        return 1.0
    low, high = hits / total, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(hits, total, middle) > level:
            low = middle
        else:
            high = middle
    return high


def _choose_from(total: int, first: int) -> list[int]:
    ways = [math.comb(total, first)]
    for taken in range(first, total):
        ways.append(ways[-1] * (total - taken) // (taken + 1))
    return ways


def _at_most(hits: int, total: int, share: float) -> float:
    if share >= 1:
        return 0.0
    on, off = math.log(share) if share > 0 else -math.inf, math.log1p(-share)
    whole = math.lgamma(total + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(k + 1)
            - math.lgamma(total - k + 1)
            + (k * on if k else 0.0)
            + (total - k) * off
        )
        for k in range(hits + 1)
    )
