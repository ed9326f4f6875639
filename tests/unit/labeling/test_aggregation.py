"""Many answers become one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.aggregation import Settled, Undecided, Waiting, settle_by_majority

ANSWERS = st.lists(st.sampled_from(["cat", "dog", "owl"]), min_size=1, max_size=9)


def test_two_of_three_settle() -> None:
    outcome = settle_by_majority(["cat", "dog", "cat"], slots=3)

    assert isinstance(outcome, Settled)
    assert outcome.answer == "cat"
    assert outcome.confidence == pytest.approx(2 / 3)
    assert outcome.votes == {"cat": 2, "dog": 1}


def test_a_slot_to_be_filled_is_waited_for_though_two_agree() -> None:
    assert settle_by_majority(["cat", "cat"], slots=3) == Waiting({"cat": 2}, missing=1)


def test_exactly_half_is_not_more_than_half() -> None:
    assert settle_by_majority(["cat", "dog"], slots=2) == Undecided({"cat": 1, "dog": 1})


def test_the_largest_minority_does_not_settle() -> None:
    answers = ["cat", "cat", "dog", "owl", "fox"]

    assert isinstance(settle_by_majority(answers, slots=5), Undecided)


def test_one_answer_settles_an_item_with_one_slot() -> None:
    assert settle_by_majority(["cat"], slots=1) == Settled("cat", 1.0, {"cat": 1})


def test_no_answer_settles_nothing_even_when_no_slot_is_left() -> None:
    assert settle_by_majority([], slots=0) == Waiting({}, missing=0)


def test_slots_withdrawn_after_filling_do_not_hold_the_item_back() -> None:
    assert isinstance(settle_by_majority(["cat", "cat", "dog"], slots=2), Settled)


@given(ANSWERS)
def test_what_settles_has_more_votes_than_all_others_together(answers: list[str]) -> None:
    outcome = settle_by_majority(answers, slots=len(answers))

    if isinstance(outcome, Settled):
        assert answers.count(outcome.answer) > len(answers) / 2
        assert outcome.confidence > 0.5
    else:
        assert all(answers.count(answer) <= len(answers) / 2 for answer in answers)


@given(ANSWERS)
def test_the_order_of_answers_does_not_matter(answers: list[str]) -> None:
    turned = list(reversed(answers))

    assert settle_by_majority(answers, slots=len(answers)) == settle_by_majority(
        turned, slots=len(answers)
    )
