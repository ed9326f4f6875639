"""The weighted paired difference."""

import math
import random
from itertools import product
from statistics import NormalDist

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from retraining.gates.base import PairedRow, Source
from retraining.gates.paired import Difference, paired_difference, row_weights

OUTCOMES = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80)


def row(
    champion: bool, challenger: bool, *, source: Source = Source.FROZEN, probability: float = 1.0
) -> PairedRow:
    return PairedRow("item", "cat", champion, challenger, source, probability)


def test_no_rows_have_no_difference() -> None:
    assert paired_difference([], level=0.05) is None


def interval_of(*, broken: int, mended: int, total: int, level: float) -> tuple[float, float]:
    found = Difference(broken / total, mended / total, total, total, level)
    return found.low, found.high


@pytest.mark.parametrize(
    ("mended", "broken", "total", "low", "high"),
    [
        (1, 7, 21, -0.517, -0.026),  # Fagerland, Lydersen and Laake 2014, airway reactivity.
        (0, 1, 44, -0.118, 0.059),  # Tango 1998, the crossover trial.
    ],
)
def test_the_interval_equals_the_published_examples(
    mended: int, broken: int, total: int, low: float, high: float
) -> None:
    found = interval_of(broken=broken, mended=mended, total=total, level=0.025)

    assert found == pytest.approx((low, high), abs=5e-4)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 200))
def test_the_bounds_are_roots_of_the_closed_form(broken: int, mended: int, equal: int) -> None:
    # Yang, Sun and Hardin 2013 bring Tango's equation to a polynomial of degree four.
    total, gained, discordant = broken + mended + equal, mended - broken, broken + mended
    assume(total > 0)
    g = NormalDist().inv_cdf(0.975) ** 2
    part = total / g
    polynomial = [
        total**2 * (part + 1) ** 2,
        -total * gained * (part + 1) * (4 * part + 1),
        2 * part * gained**2 * (3 * part + 2) - total**2 * (discordant / g + 1),
        total * gained * (2 * discordant / g + 1) - gained**3 * (4 * part + 1) / g,
        gained**2 * (gained**2 / g - discordant) / g,
    ]

    for bound in interval_of(broken=broken, mended=mended, total=total, level=0.025):
        terms = [c * bound ** (4 - power) for power, c in enumerate(polynomial)]
        assert abs(math.fsum(terms)) <= 1e-6 * (1 + max(abs(term) for term in terms))


@given(OUTCOMES)
def test_swapping_the_models_mirrors_the_interval(outcomes: list[tuple[bool, bool]]) -> None:
    forth = paired_difference([row(a, b) for a, b in outcomes], level=0.05)
    back = paired_difference([row(b, a) for a, b in outcomes], level=0.05)

    assert forth is not None
    assert back is not None
    assert (forth.value, forth.low) == pytest.approx((-back.value, -back.high))


@given(OUTCOMES)
def test_the_bounds_never_meet(outcomes: list[tuple[bool, bool]]) -> None:
    difference = paired_difference([row(a, b) for a, b in outcomes], level=0.05)

    assert difference is not None
    assert -1 <= difference.low < difference.high <= 1


def test_an_audited_row_drawn_rarely_weighs_more() -> None:
    rows = [
        row(False, True, source=Source.AUDITED, probability=0.1),
        row(True, False, source=Source.AUDITED, probability=0.4),
    ]

    difference = paired_difference(rows, level=0.05)

    assert difference is not None
    assert difference.value == pytest.approx((10 - 2.5) / 12.5)


def test_audited_rows_together_weigh_as_many_rows_as_they_are() -> None:
    audited = [row(True, True, source=Source.AUDITED, probability=p) for p in (0.02, 0.05, 0.5)]

    weights = row_weights([*audited, row(True, True)])

    assert sum(weights[:3]) == pytest.approx(3)
    assert weights[3] == 1


def test_rows_of_one_weight_are_as_many_as_they_are() -> None:
    rows = [row(False, True)] * 3 + [row(True, False)] * 2 + [row(True, True)] * 15

    difference = paired_difference(rows, level=0.05)

    assert difference is not None
    assert (difference.mended, difference.broken) == (0.15, 0.1)
    assert difference.effective_rows == pytest.approx(20)


def test_heavy_rows_that_differ_are_worth_fewer_than_their_weights_alone_say() -> None:
    heavy = row(True, False, source=Source.AUDITED, probability=0.5)
    light = [row(False, True, source=Source.AUDITED)] * 2
    equal = [row(True, True, source=Source.AUDITED)] * 4

    difference = paired_difference([heavy, *light, *equal], level=0.05)

    # Weights 2, 1, 1 and four times 1: shares 2/8 and 2/8, variance (4 + 1 + 1) / 64, so
    # (1/2) / (6/64) = 16/3 rows, where Kish's 64 / (4 + 6) would say 6.4.
    assert difference is not None
    assert (difference.broken, difference.mended) == pytest.approx((0.25, 0.25))
    assert difference.effective_rows == pytest.approx(16 / 3)


def test_heavy_rows_that_agree_are_worth_what_their_weights_say() -> None:
    heavy = row(True, True, source=Source.AUDITED, probability=0.25)
    rows = [heavy, *[row(True, True, source=Source.AUDITED)] * 4]

    difference = paired_difference(rows, level=0.05)

    # Kish 1965: (4 + 4)**2 / (16 + 4) of five rows.
    assert difference is not None
    assert difference.effective_rows == pytest.approx(3.2)


def test_frozen_rows_weigh_one_whatever_their_probability() -> None:
    assert row_weights([row(True, True, probability=0.1)] * 2) == [1.0, 1.0]


def test_flagged_rows_weigh_one_as_well() -> None:
    audited = row(True, True, source=Source.AUDITED, probability=0.1)

    assert row_weights([audited, row(True, True, source=Source.FLAGGED)]) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("level", "mended", "broken", "total", "low"),
    [
        # Where no row differs Tango's bound is -g / (n + g), g the squared normal quantile.
        (0.05, 0, 0, 50, -2.705543 / 52.705543),
        (0.05, 0, 0, 133, -2.705543 / 135.705543),
        (0.025, 0, 0, 50, -3.841459 / 53.841459),
    ],
)
def test_the_bound_of_rows_that_all_agree_has_a_closed_form(
    level: float, mended: int, broken: int, total: int, low: float
) -> None:
    found = interval_of(broken=broken, mended=mended, total=total, level=level)

    assert found == pytest.approx((low, -low), abs=1e-6)


def test_133_rows_that_agree_are_the_first_to_prove_a_margin_of_two_points() -> None:
    # 2.705543 / (n + 2.705543) < 0.02 from n = 132.57 on.
    few = paired_difference([row(True, True)] * 50, level=0.05)

    assert few is not None
    assert few.rows_to_tell(-0.02) == 133


def test_rows_that_tell_already_are_not_asked_for_more_than_they_are() -> None:
    many = paired_difference([row(True, True)] * 500, level=0.05)

    assert many is not None
    assert many.rows_to_tell(-0.02) == 133


def test_how_many_rows_prove_a_loss_is_told_as_well() -> None:
    rows = [row(True, False)] * 4 + [row(True, True)] * 6
    difference = paired_difference(rows, level=0.05)
    assert difference is not None

    needed = difference.rows_to_tell(-0.35)

    assert needed is not None
    before, after = (
        Difference(0.4, 0.0, count, count, 0.05).high for count in (needed - 1, needed)
    )
    assert after < -0.35 <= before


def test_fifty_rows_that_agree_do_not_prove_a_narrow_margin() -> None:
    difference = paired_difference([row(True, True)] * 50, level=0.05)

    assert difference is not None
    assert difference.value == 0
    assert difference.low < -0.02


def test_the_rows_it_asks_for_would_be_about_enough() -> None:
    few = [row(True, True)] * 80 + [row(False, True)] * 10 + [row(True, False)] * 10
    difference = paired_difference(few, level=0.05)
    assert difference is not None
    assert difference.low < -0.04

    needed = difference.rows_to_tell(-0.04)

    assert needed is not None
    assert needed > 100
    many = paired_difference(few * (needed // 100 + 1), level=0.05)
    assert many is not None
    assert many.low > -0.04


def test_a_difference_on_the_margin_asks_for_no_number_of_rows() -> None:
    rows = [row(True, True)] * 98 + [row(True, False)] * 2
    difference = paired_difference(rows, level=0.05)

    assert difference is not None
    assert difference.rows_to_tell(-0.02) is None


@pytest.mark.parametrize("total", [50, 250])
@pytest.mark.parametrize(
    ("broken", "mended"), [(0.02, 0.0), (0.0, 0.1), (0.01, 0.01), (0.06, 0.04)]
)
def test_each_bound_is_missed_about_as_often_as_it_says(
    broken: float, mended: float, total: int
) -> None:
    too_high = too_low = 0.0
    for lost, gained in product(range(30), range(45)):
        share = stats.binom.pmf(lost, total, broken) * stats.binom.pmf(
            gained, total - lost, mended / (1 - broken)
        )
        if share > 1e-7:
            low, high = interval_of(broken=lost, mended=gained, total=total, level=0.05)
            too_high += share * (low > mended - broken + 1e-9)
            too_low += share * (high < mended - broken - 1e-9)

    assert too_high <= 0.067  # Counts are whole, so the level is met only about.
    assert too_low <= 0.067


def test_unequal_probabilities_do_not_bias_the_difference() -> None:
    chance = random.Random(4)
    truth = 0.2 * 0.5 - 0.8 * 0.05
    above = below = 0
    total = 0.0
    for _ in range(150):
        rows = []
        for _ in range(2_000):
            doubtful = chance.random() < 0.2
            probability = 0.4 if doubtful else 0.08
            share = chance.random()
            if chance.random() < probability:
                mended, broken = doubtful and share < 0.5, not doubtful and share < 0.05
                rows.append(row(broken, mended, source=Source.AUDITED, probability=probability))
        difference = paired_difference(rows, level=0.05)
        assert difference is not None
        total += difference.value
        above += difference.low > truth
        below += difference.high < truth

    assert total / 150 == pytest.approx(truth, abs=0.008)
    assert above / 150 <= 0.1
    assert below / 150 <= 0.1
