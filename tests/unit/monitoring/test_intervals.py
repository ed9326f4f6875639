"""Shares with intervals."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.intervals import Drawn, weighted_interval, wilson_interval


@st.composite
def right_of_total(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(1, 3_000))
    return draw(st.integers(0, total)), total


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3.
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_equals_the_published_examples(
    right: int, total: int, low: float, high: float
) -> None:
    estimate = wilson_interval(right, total)

    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-5)


def test_nothing_drawn_means_anything_is_possible() -> None:
    for estimate in (wilson_interval(0, 0), weighted_interval([])):
        assert estimate.value is None
        assert (estimate.low, estimate.high) == (0.0, 1.0)


@given(right_of_total())
def test_the_value_lies_inside_its_interval_and_the_interval_inside_the_whole(
    counts: tuple[int, int],
) -> None:
    estimate = wilson_interval(*counts)

    assert estimate.value is not None
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


@given(right_of_total())
def test_right_and_wrong_mirror_each_other(counts: tuple[int, int]) -> None:
    right, total = counts

    estimate, mirrored = wilson_interval(right, total), wilson_interval(total - right, total)

    assert estimate.low == pytest.approx(1 - mirrored.high)


@given(right_of_total())
def test_more_rows_at_the_same_share_narrow_the_interval(counts: tuple[int, int]) -> None:
    right, total = counts

    assert wilson_interval(4 * right, 4 * total).width < wilson_interval(right, total).width


@given(right_of_total(), st.floats(0.001, 1))
def test_equal_probabilities_give_the_plain_interval(
    counts: tuple[int, int], probability: float
) -> None:
    right, total = counts
    drawn = [Drawn(number < right, probability) for number in range(total)]

    weighted, plain = weighted_interval(drawn), wilson_interval(right, total)

    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), abs=1e-9)


def test_a_row_drawn_rarely_stands_for_many() -> None:
    drawn = [Drawn(True, 0.1), Drawn(False, 1.0), Drawn(False, 1.0)]

    assert weighted_interval(drawn).value == pytest.approx(10 / 12)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 1)), min_size=1, max_size=60))
def test_uneven_probabilities_never_claim_more_rows_than_there_are(
    pairs: list[tuple[bool, float]],
) -> None:
    estimate = weighted_interval(Drawn(*pair) for pair in pairs)

    assert estimate.value is not None
    assert 0 < estimate.effective_rows <= len(pairs) + 1e-6
    assert 0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1


def test_all_right_does_not_claim_certainty() -> None:
    estimate = weighted_interval([Drawn(True, 0.05), Drawn(True, 0.5)] * 10)

    assert estimate.value == pytest.approx(1)
    assert estimate.low < 0.95


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.1, float("nan")])
def test_a_probability_that_is_none_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        weighted_interval([Drawn(True, probability)])


@pytest.mark.parametrize(("right", "total"), [(3, 2), (-1, 2), (1, -1)])
def test_counts_that_are_no_share_are_refused(right: int, total: int) -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson_interval(right, total)


@pytest.mark.parametrize("accuracy", [0.5, 0.75, 0.97])
def test_the_plain_interval_covers_the_truth_as_often_as_it_says(accuracy: float) -> None:
    chance = random.Random(1)
    covered = 0
    for _ in range(1_000):
        right = sum(chance.random() < accuracy for _ in range(100))
        estimate = wilson_interval(right, 100)
        covered += estimate.low <= accuracy <= estimate.high

    assert 0.92 <= covered / 1_000 <= 0.99


def test_the_weighted_interval_covers_the_truth_though_doubtful_rows_are_drawn_more_often() -> None:
    chance = random.Random(2)
    covered = pooled_covered = 0
    for _ in range(600):
        drawn = []
        for _ in range(1_500):
            doubtful = chance.random() < 0.3
            right = chance.random() < (0.4 if doubtful else 0.9)
            probability = 0.25 if doubtful else 0.05
            if chance.random() < probability:
                drawn.append(Drawn(right, probability))
        estimate = weighted_interval(drawn)
        pooled = wilson_interval(sum(row.is_right for row in drawn), len(drawn))
        covered += estimate.low <= 0.75 <= estimate.high
        pooled_covered += pooled.low <= 0.75 <= pooled.high

    assert covered / 600 >= 0.92
    assert pooled_covered / 600 < 0.1  # The same rows without their probabilities.
