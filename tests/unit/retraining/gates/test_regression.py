"""The gate on regression cases."""

import pytest

from retraining.gates.base import Comparison, GateOutcome, RegressionCase, Result, Review
from retraining.gates.regression import RegressionGate


def cases(
    count: int, *, broken: int = 0, review: Review = Review.CONFIRMED, is_held_out: bool = False
) -> list[RegressionCase]:
    return [
        RegressionCase(f"case-{n}", True, n >= broken, is_held_out=is_held_out, review=review)
        for n in range(count)
    ]


def pinned(*, champion_right: bool, review: Review = Review.CONFIRMED) -> RegressionCase:
    return RegressionCase("spinner", champion_right, False, is_pinned=True, review=review)


def judge(*given: RegressionCase) -> list[GateOutcome]:
    return RegressionGate().judge(Comparison(cases=given))


def judge_share(*given: RegressionCase) -> GateOutcome:
    return judge(*given)[-1]


def test_one_broken_pinned_case_fails_though_all_others_hold() -> None:
    veto, share = judge(pinned(champion_right=True), *cases(400))

    assert (veto.group, veto.result) == ("spinner", Result.FAILED)
    assert share.result is Result.PASSED


def test_a_pinned_case_the_champion_gets_wrong_too_is_not_broken() -> None:
    assert judge(pinned(champion_right=False))[0].result is Result.PASSED


def test_a_broken_pinned_case_does_not_count_before_a_reviewer_has_seen_it() -> None:
    veto = judge(pinned(champion_right=True, review=Review.WAITING))[0]

    assert veto.result is Result.NOT_ENOUGH
    assert "reviewer" in veto.note


def test_an_excused_pinned_case_does_not_veto() -> None:
    assert judge(pinned(champion_right=True, review=Review.EXCUSED))[0].result is Result.PASSED


def test_149_cases_of_which_none_broke_are_just_enough() -> None:
    assert judge_share(*cases(148)).result is Result.NOT_ENOUGH
    assert judge_share(*cases(149)).result is Result.PASSED


@pytest.mark.parametrize(("count", "broken", "more"), [(0, 0, 149), (100, 0, 49), (100, 1, 136)])
def test_it_says_how_many_more_cases_would_let_it_pass(count: int, broken: int, more: int) -> None:
    outcome = judge_share(*cases(count, broken=broken))

    assert outcome.result is Result.NOT_ENOUGH
    assert outcome.more_rows_needed == more
    assert judge_share(*cases(count + more, broken=broken)).result is Result.PASSED


def test_a_share_surely_over_two_percent_fails() -> None:
    assert judge_share(*cases(200, broken=5)).result is Result.NOT_ENOUGH
    assert judge_share(*cases(200, broken=12)).result is Result.FAILED


def test_broken_cases_that_wait_for_a_reviewer_neither_fail_nor_pass() -> None:
    outcome = judge_share(*cases(400, broken=40, review=Review.WAITING))

    assert outcome.result is Result.NOT_ENOUGH
    assert "40" in outcome.note


def test_excused_cases_are_not_broken() -> None:
    outcome = judge_share(*cases(400, broken=40, review=Review.EXCUSED))

    assert (outcome.result, outcome.value) == (Result.PASSED, 0.0)


def test_learned_and_held_out_cases_are_shown_apart() -> None:
    outcome = judge_share(*cases(10, broken=1), *cases(5, is_held_out=True))

    assert [(part.name, part.rows, part.value) for part in outcome.parts] == [
        ("learned", 10, 0.1),
        ("held out", 5, 0.0),
    ]


def test_one_case_that_waits_is_told_in_the_singular() -> None:
    outcome = judge_share(*cases(400, broken=1, review=Review.WAITING))

    assert (outcome.waiting, outcome.note) == (1, "1 broken case waits for a reviewer.")


def test_a_waiting_case_is_not_yet_in_the_share_but_already_in_its_upper_bound() -> None:
    outcome = judge_share(*cases(200, broken=1, review=Review.WAITING))

    assert (outcome.value, outcome.low) == (0.0, 0.0)
    # None broken would be bounded by 1 - 0.05 ** (1 / 200) = 0.0149.
    assert outcome.high is not None
    assert outcome.high > 0.02
    assert outcome.result is Result.NOT_ENOUGH


def test_no_cases_bound_nothing_and_ask_for_the_least_number() -> None:
    (outcome,) = judge()

    assert (outcome.rows, outcome.value, outcome.low, outcome.high) == (0, None, 0.0, 1.0)
    assert outcome.result is Result.NOT_ENOUGH


def test_pinned_cases_are_judged_one_by_one_and_are_not_in_the_share() -> None:
    first, second, share = judge(
        pinned(champion_right=True), pinned(champion_right=False), *cases(3)
    )

    assert [first.value, second.value] == [1.0, 0.0]
    assert [first.result, second.result] == [Result.FAILED, Result.PASSED]
    assert share.rows == 3


def test_a_case_both_models_have_right_is_not_broken_whatever_a_reviewer_once_said() -> None:
    outcome = judge_share(*cases(149, broken=0, review=Review.CONFIRMED))

    assert (outcome.value, outcome.waiting, outcome.note) == (0.0, 0, "")
    assert outcome.more_rows_needed is None


def test_learned_and_held_out_cases_have_their_own_bounds_and_no_result() -> None:
    outcome = judge_share(*cases(10), *cases(20, is_held_out=True))

    learned, held_out = outcome.parts
    assert (learned.low, held_out.low) == (0.0, 0.0)
    assert learned.high == pytest.approx(1 - 0.05 ** (1 / 10))
    assert held_out.high == pytest.approx(1 - 0.05 ** (1 / 20))
    assert (learned.result, held_out.result) == (None, None)
