"""Intervals against values from the literature and against sums done by hand."""

import pytest

from monitoring.intervals import Drawn, Estimate, weighted_interval, wilson_interval
from monitoring.views.words import interval_words, tone_of, value_words


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        # Newcombe 1998, table I, method 3: the score interval without continuity correction.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        # Its mirror: as many wrong as there were right.
        (182, 263, 0.6338, 0.7447),
        # By hand, z = 1.96: (5 + 1.9207) / 13.8415 +- 1.96 * sqrt(2.5 + 0.9604) / 13.8415.
        (5, 10, 0.2366, 0.7634),
        # By hand: z squared / (n + z squared) is all that is left of one side.
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_the_score_interval_is_the_one_of_the_literature(
    right: int, total: int, low: float, high: float
) -> None:
    estimate = wilson_interval(right, total)

    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("confidence", "z"), [(0.90, 1.644854), (0.95, 1.959964), (0.99, 2.575829)]
)
def test_more_confidence_is_the_tables_larger_quantile(confidence: float, z: float) -> None:
    estimate = wilson_interval(0, 100, confidence=confidence)

    assert estimate.high == pytest.approx(z**2 / (100 + z**2), abs=1e-6)


def test_the_rows_of_an_even_sample_are_all_worth_one() -> None:
    assert wilson_interval(3, 7).effective_rows == 7.0


@pytest.mark.parametrize(
    ("drawn", "share", "rows"),
    [
        # Weights 2, 2, 1 right and 1 wrong: 5 of 6; Kish 36 / 10, and the variance says 5.3.
        (
            [Drawn(True, 0.5), Drawn(True, 0.5), Drawn(True, 1.0), Drawn(False, 1.0)],
            5 / 6,
            3.6,
        ),
        # A wrong one of weight 2 among six right of weight 1: 6 of 8; Kish would say 64 / 10,
        # the variance (4 * 9/16 + 6 * 1/16) / 64 leaves 3/16 / (2.625 / 64).
        ([Drawn(False, 0.5), *[Drawn(True, 1.0)] * 6], 0.75, 32 / 7),
        # All right: there is no variance to go by, and uneven weights still cost rows.
        ([Drawn(True, 0.25), Drawn(True, 1.0)], 1.0, 25 / 17),
    ],
)
def test_uneven_draws_are_worth_what_the_sums_say(
    drawn: list[Drawn], share: float, rows: float
) -> None:
    estimate = weighted_interval(drawn)

    assert estimate.rows == len(drawn)
    assert estimate.value == pytest.approx(share)
    assert estimate.effective_rows == pytest.approx(rows)


def test_the_weighted_interval_is_the_score_interval_of_its_effective_rows() -> None:
    # One in two wrong, with weights 3, 1, 1, 1: Kish 36 / 12, so that of three rows.
    drawn = [Drawn(True, 1 / 3), *[Drawn(False, 1.0)] * 3]

    estimate = weighted_interval(drawn)

    assert estimate.effective_rows == pytest.approx(3)
    # By hand, z = 1.96: 0.5 +- 1.96 * sqrt(0.25 / 3 + (1.96 / 6) ** 2) / (1 + 3.8415 / 3).
    assert (estimate.low, estimate.high) == pytest.approx((0.1253, 0.8747), abs=1e-4)


def test_doubling_every_probability_changes_nothing() -> None:
    rows = [(True, 0.1), (False, 0.4), (True, 0.2), (True, 0.05)]

    once = weighted_interval(Drawn(right, share) for right, share in rows)
    twice = weighted_interval(Drawn(right, 2 * share) for right, share in rows)

    assert (once.value, once.low, once.high) == pytest.approx((twice.value, twice.low, twice.high))


def estimate_of(low: float, high: float, rows: int = 10) -> Estimate:
    return Estimate(
        value=(low + high) / 2, low=low, high=high, rows=rows, effective_rows=float(rows)
    )


@pytest.mark.parametrize(
    ("estimate", "tone"),
    [
        (estimate_of(0.9, 0.96), "good"),
        (estimate_of(0.899, 0.96), "warn"),
        (estimate_of(0.8, 0.9), "warn"),
        (estimate_of(0.8, 0.899), "bad"),
        (estimate_of(0.8, 0.899, rows=9), "none"),
        (wilson_interval(0, 0), "none"),
    ],
)
def test_a_tone_is_given_only_where_the_whole_interval_is_on_one_side(
    estimate: Estimate, tone: str
) -> None:
    assert tone_of(estimate, target=0.9) == tone


def test_nothing_measured_reads_as_a_dash_without_an_interval() -> None:
    nothing = wilson_interval(0, 0)

    assert (value_words(nothing), interval_words(nothing)) == ("\N{EN DASH}", "")
    assert interval_words(estimate_of(0.804, 0.896)) == "0.80 to 0.90"
