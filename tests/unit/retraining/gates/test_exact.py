"""Exact tests and bounds, against hand-worked and published numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from retraining.gates.exact import holm_adjust, lower_bound, mcnemar_p_value, upper_bound

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_five_broken_and_none_mended_is_one_in_thirty_two() -> None:
    assert mcnemar_p_value(broken=5, mended=0) == 1 / 32


def test_models_that_never_differ_give_no_reason_to_reject() -> None:
    assert mcnemar_p_value(broken=0, mended=0) == 1


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_test_is_the_binomial_tail(broken: int, mended: int) -> None:
    expected = stats.binom.sf(broken - 1, broken + mended, 0.5)

    assert mcnemar_p_value(broken=broken, mended=mended) == pytest.approx(expected)


def test_thousands_of_rows_do_not_overflow() -> None:
    assert mcnemar_p_value(broken=2_100, mended=1_900) == pytest.approx(0.00083, abs=1e-5)


def test_holm_multiplies_the_smallest_by_the_count_and_keeps_the_order() -> None:
    assert holm_adjust([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_no_groups_have_nothing_to_adjust() -> None:
    assert holm_adjust([]) == []


def test_holm_gives_equal_values_equal_ones_and_never_more_than_one() -> None:
    assert holm_adjust([0.02, 0.02, 0.5, 0.9]) == pytest.approx([0.08, 0.08, 1.0, 1.0])


def test_holm_holds_a_later_step_at_the_height_of_an_earlier_one() -> None:
    # 3 x 0.02 = 0.06 comes before 2 x 0.021 = 0.042: the second may not fall below the first.
    assert holm_adjust([0.021, 0.02, 0.9]) == pytest.approx([0.06, 0.06, 0.9])


@pytest.mark.parametrize(
    ("hits", "total", "level", "low", "high"),
    [
        # Two-sided 95 % limits as tables print them; scipy's beta quantiles agree to six digits.
        (0, 10, 0.025, 0.0, 0.308498),
        (1, 10, 0.025, 0.002529, 0.445016),
        (5, 10, 0.025, 0.187086, 0.812914),
    ],
)
def test_at_half_the_level_the_bounds_are_the_two_sided_ones_of_the_tables(
    hits: int, total: int, level: float, low: float, high: float
) -> None:
    assert lower_bound(hits, total, level=level) == pytest.approx(low, abs=2e-6)
    assert upper_bound(hits, total, level=level) == pytest.approx(high, abs=2e-6)


@pytest.mark.parametrize(
    ("broken", "mended", "chances"),
    [(0, 5, 32), (1, 4, 31), (2, 3, 26), (3, 2, 16), (4, 1, 6), (5, 0, 1)],
)
def test_of_five_discordant_rows_each_share_of_broken_ones_has_its_coins(
    broken: int, mended: int, chances: int
) -> None:
    assert mcnemar_p_value(broken=broken, mended=mended) == chances / 32


@given(P_VALUES)
def test_holm_is_never_below_the_plain_and_never_above_bonferroni(p_values: list[float]) -> None:
    for plain, adjusted in zip(p_values, holm_adjust(p_values), strict=True):
        assert plain <= adjusted <= 1
    assert min(holm_adjust(p_values)) == pytest.approx(min(1, len(p_values) * min(p_values)))


@given(P_VALUES)
def test_holm_keeps_the_ranks(p_values: list[float]) -> None:
    adjusted = holm_adjust(p_values)
    by_plain = [adjusted[place] for place in sorted(range(len(adjusted)), key=p_values.__getitem__)]

    assert by_plain == sorted(by_plain)


def test_nothing_in_twenty_has_the_rule_of_three_as_its_upper_bound() -> None:
    assert upper_bound(0, 20, level=0.05) == pytest.approx(1 - 0.05 ** (1 / 20))
    assert lower_bound(0, 20, level=0.05) == 0


def test_all_of_ten_has_its_mirror_image_as_lower_bound() -> None:
    assert lower_bound(10, 10, level=0.05) == pytest.approx(0.05**0.1)
    assert upper_bound(10, 10, level=0.05) == 1


def test_no_rows_bound_nothing() -> None:
    assert (lower_bound(0, 0, level=0.05), upper_bound(0, 0, level=0.05)) == (0, 1)


@given(st.integers(1, 400), st.data())
def test_the_bounds_are_quantiles_of_the_beta_distribution(total: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, total))
    low = 0.0 if hits == 0 else stats.beta.ppf(0.05, hits, total - hits + 1)
    high = 1.0 if hits == total else stats.beta.ppf(0.95, hits + 1, total - hits)

    assert lower_bound(hits, total, level=0.05) == pytest.approx(low, abs=1e-9)
    assert upper_bound(hits, total, level=0.05) == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize("share", [0.01, 0.02, 0.3])
def test_the_upper_bound_is_above_the_truth_at_least_as_often_as_it_says(share: float) -> None:
    total = 150
    missed = math.fsum(
        stats.binom.pmf(hits, total, share)
        for hits in range(total + 1)
        if upper_bound(hits, total, level=0.05) < share
    )

    assert missed <= 0.05
