"""The gate on classes and segments."""

import random

import pytest

from retraining.gates.base import Comparison, GateOutcome, PairedRow, Policy, Result, Source
from retraining.gates.groups import GroupsGate


def rows(
    count: int,
    *,
    label: str = "cat",
    broken: int = 0,
    app: str = "shop",
    source: Source = Source.FROZEN,
) -> list[PairedRow]:
    return [
        PairedRow(f"{label}-{number}", label, True, number >= broken, source, segments={"app": app})
        for number in range(count)
    ]


def changed_rows(count: int, *, broken: int, mended: int) -> list[PairedRow]:
    """Rows of one class: first the broken, then the mended, then those both models have right."""
    return [
        PairedRow(f"{n}", "cat", not broken <= n < broken + mended, n >= broken, Source.FROZEN)
        for n in range(count)
    ]


def judge(*parts: list[PairedRow]) -> dict[tuple[str, str], GateOutcome]:
    comparison = Comparison(tuple(row for part in parts for row in part))
    return {(o.name, o.group): o for o in GroupsGate().judge(comparison)}


def test_a_class_that_collapses_fails_though_the_rest_is_fine() -> None:
    outcomes = judge(rows(300), rows(30, label="dog", broken=12))

    assert outcomes["Class", "dog"].result is Result.FAILED
    assert outcomes["Class", "cat"].result is Result.PASSED


def test_a_segment_that_collapses_fails() -> None:
    outcomes = judge(rows(300), rows(40, app="help", broken=14))

    assert outcomes["Segment app", "help"].result is Result.FAILED
    assert outcomes["Segment app", "shop"].result is Result.PASSED


def test_a_clear_drop_of_less_than_ten_points_does_not_fail() -> None:
    outcome = judge(rows(1_000, broken=90))["Class", "cat"]

    assert outcome.p_value is not None
    assert outcome.p_value < 0.001
    assert outcome.result is Result.PASSED


@pytest.mark.parametrize(("broken", "result"), [(120, Result.PASSED), (121, Result.FAILED)])
def test_a_drop_of_just_ten_points_does_not_fail_and_one_row_more_does(
    broken: int, result: Result
) -> None:
    outcome = judge(changed_rows(300, broken=broken, mended=90))["Class", "cat"]

    assert outcome.p_value is not None
    assert outcome.p_value < 0.05
    assert outcome.result is result


def test_rows_that_were_mended_speak_against_a_collapse() -> None:
    outcome = judge(changed_rows(40, broken=12, mended=8))["Class", "cat"]

    # P(at least 12 of 20 coins) = 263950 / 2**20, and the value is (8 - 12) / 40.
    assert outcome.p_value == pytest.approx(263_950 / 2**20)
    assert outcome.value == pytest.approx(-0.1)
    assert outcome.result is Result.PASSED


def test_exactly_twenty_rows_are_tested() -> None:
    outcome = judge(rows(20, broken=20))["Class", "cat"]

    assert (outcome.result, outcome.more_rows_needed, outcome.note) == (Result.FAILED, None, "")
    assert outcome.p_value == pytest.approx(2 * 0.5**20)  # Holm over the class and its segment.


def test_a_row_counts_in_its_class_and_in_each_of_its_segments() -> None:
    row = PairedRow(
        "1", "cat", True, True, Source.AUDITED, segments={"app": "shop", "country": "de"}
    )

    outcomes = judge([row])

    assert {group: outcome.rows for group, outcome in outcomes.items()} == {
        ("Class", "cat"): 1,
        ("Segment app", "shop"): 1,
        ("Segment country", "de"): 1,
    }


def test_a_rejection_at_just_the_level_counts() -> None:
    # Six broken of twenty, alone: 1 in 64; twice that by Holm for the class and its segment.
    comparison = Comparison(tuple(rows(20, broken=6)), policy=Policy(level=2 / 64))

    assert [o.result for o in GroupsGate().judge(comparison)] == [Result.FAILED] * 2
    stricter = Comparison(tuple(rows(20, broken=6)), policy=Policy(level=2 / 64 - 1e-9))
    assert [o.result for o in GroupsGate().judge(stricter)] == [Result.PASSED] * 2


def test_a_large_drop_that_chance_explains_does_not_fail() -> None:
    outcome = judge(rows(20, broken=4))["Class", "cat"]

    assert outcome.value == pytest.approx(-0.2)
    assert outcome.p_value is not None
    assert outcome.p_value > 0.05
    assert outcome.result is Result.PASSED


def test_under_twenty_rows_are_not_enough_and_say_how_many_more() -> None:
    outcome = judge(rows(19, broken=19))["Class", "cat"]

    assert outcome.result is Result.NOT_ENOUGH
    assert outcome.more_rows_needed == 1
    assert "cat" in outcome.note


def test_many_groups_raise_the_bar_for_each() -> None:
    suspect = rows(25, label="dog", broken=5)  # Alone: 1 in 32.

    alone = judge(suspect)["Class", "dog"]
    among_many = judge(suspect, *(rows(25, label=f"kind {n}") for n in range(20)))["Class", "dog"]

    assert alone.p_value is not None
    assert among_many.p_value is not None
    assert alone.p_value < 0.07 < among_many.p_value


def test_groups_too_small_to_test_do_not_raise_the_bar() -> None:
    suspect = rows(25, label="dog", broken=8)
    small = [rows(5, label=f"kind {n}", app=f"app {n}") for n in range(60)]

    assert judge(suspect, *small)["Class", "dog"].result is Result.FAILED


def test_flagged_rows_do_not_count() -> None:
    assert judge(rows(60, broken=60, source=Source.FLAGGED)) == {}


def test_a_segment_key_named_class_is_not_taken_for_the_class() -> None:
    row = PairedRow("1", "cat", True, True, Source.FROZEN, segments={"class": "cat"})

    assert [*judge([row])] == [("Class", "cat"), ("Segment class", "cat")]


def test_equal_models_rarely_fail_any_of_many_groups() -> None:
    chance = random.Random(5)
    failed = 0
    for _ in range(100):
        drawn = tuple(
            PairedRow(
                "i", f"kind {n % 15}", chance.random() < 0.8, chance.random() < 0.8, Source.FROZEN
            )
            for n in range(15 * 25)
        )
        failed += any(
            outcome.result is Result.FAILED for outcome in GroupsGate().judge(Comparison(drawn))
        )

    assert failed / 100 <= 0.05
