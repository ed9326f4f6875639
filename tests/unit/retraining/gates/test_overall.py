"""The overall gate."""

import pytest

from retraining.gates.base import Comparison, GateOutcome, PairedRow, Policy, Result, Source
from retraining.gates.overall import OverallGate, measure
from retraining.gates.paired import paired_difference


def rows(
    count: int, *, mended: int = 0, broken: int = 0, source: Source = Source.AUDITED
) -> list[PairedRow]:
    """`count` rows of which some are mended and some broken; the rest both models answer right."""
    made = []
    for number in range(count):
        champion = number >= mended
        challenger = not mended <= number < mended + broken
        made.append(
            PairedRow(f"{source}-{number}", "cat", champion, challenger, source, probability=0.1)
        )
    return made


def judge(*parts: list[PairedRow], margin: float = 0.02) -> GateOutcome:
    together = tuple(row for part in parts for row in part)
    [outcome] = OverallGate().judge(Comparison(together, policy=Policy(margin=margin)))
    return outcome


def test_a_challenger_that_mends_and_breaks_nothing_passes() -> None:
    outcome = judge(rows(200, mended=20))

    assert outcome.result is Result.PASSED
    assert outcome.value == pytest.approx(0.1)
    assert outcome.low is not None
    assert outcome.low > outcome.bound == -0.02


def test_a_challenger_that_breaks_many_fails() -> None:
    assert judge(rows(200, broken=20)).result is Result.FAILED


def test_a_small_loss_within_the_margin_still_passes() -> None:
    assert judge(rows(4_000, broken=30, mended=10)).result is Result.PASSED


def test_an_interval_over_the_margin_is_not_enough_and_says_how_many_more() -> None:
    outcome = judge(rows(100, broken=3, mended=3))

    assert outcome.result is Result.NOT_ENOUGH
    assert outcome.more_rows_needed is not None
    assert str(outcome.more_rows_needed) in outcome.note


def test_under_fifty_rows_are_not_enough_however_clear() -> None:
    assert judge(rows(49, broken=49)).result is Result.NOT_ENOUGH
    assert judge(rows(50, broken=50)).result is Result.FAILED


def test_no_rows_ask_for_the_least_number() -> None:
    outcome = judge()

    assert (outcome.result, outcome.value, outcome.more_rows_needed) == (
        Result.NOT_ENOUGH,
        None,
        50,
    )


def test_flagged_rows_are_shown_and_never_gated_on() -> None:
    outcome = judge(rows(200, mended=20), rows(300, broken=300, source=Source.FLAGGED))

    assert outcome.result is Result.PASSED
    assert outcome.rows == 200
    flagged = next(part for part in outcome.parts if part.name == "flagged")
    assert (flagged.rows, flagged.value, flagged.result) == (300, -1.0, None)


def test_audited_and_frozen_rows_are_shown_apart_and_decided_together() -> None:
    outcome = judge(rows(40, mended=4), rows(900, mended=9, source=Source.FROZEN))

    assert [(part.name, part.rows, part.result) for part in outcome.parts] == [
        ("audited", 40, Result.NOT_ENOUGH),
        ("frozen", 900, Result.PASSED),
    ]
    assert (outcome.rows, outcome.result) == (940, Result.PASSED)


def test_a_large_frozen_set_cannot_hide_traffic_that_got_worse() -> None:
    outcome = judge(rows(100, broken=20), rows(4_000, mended=400, source=Source.FROZEN))

    assert outcome.value is not None
    assert outcome.value > 0
    assert outcome.result is Result.FAILED
    assert "audited" in outcome.note


def test_a_wider_margin_lets_the_same_rows_pass() -> None:
    lost = rows(400, broken=8)

    assert judge(lost, margin=0.01).result is not Result.PASSED
    assert judge(lost, margin=0.05).result is Result.PASSED


def test_no_more_rows_are_asked_for_where_the_difference_sits_on_the_margin() -> None:
    outcome = judge(rows(100, broken=2))

    assert (outcome.result, outcome.more_rows_needed) == (Result.NOT_ENOUGH, None)
    assert outcome.note == "The difference sits on the margin; more labels will hardly tell."


@pytest.mark.parametrize(("count", "missing"), [(30, 20), (49, 1)])
def test_few_clear_rows_are_asked_up_to_the_least_number(count: int, missing: int) -> None:
    outcome = judge(rows(count, mended=count))

    assert (outcome.result, outcome.more_rows_needed) == (Result.NOT_ENOUGH, missing)
    assert outcome.note == f"About {missing} more audited evaluation rows are needed to tell."


def test_every_part_that_got_worse_is_named() -> None:
    outcome = judge(rows(100, broken=30), rows(100, broken=30, source=Source.FROZEN))

    assert outcome.note == "Worse by more than the margin on the audited and the frozen rows."
    assert outcome.more_rows_needed is None


def test_a_part_with_few_rows_does_not_fail_the_whole_by_itself() -> None:
    outcome = judge(rows(40, broken=10), rows(4_000, mended=400, source=Source.FROZEN))

    assert [part.result for part in outcome.parts] == [Result.NOT_ENOUGH, Result.PASSED]
    assert outcome.result is Result.PASSED


def test_a_pass_has_nothing_to_explain() -> None:
    outcome = judge(rows(200, mended=20))

    assert (outcome.note, outcome.more_rows_needed) == ("", None)


def test_sources_without_rows_are_not_shown() -> None:
    outcome = judge(rows(60, source=Source.FROZEN))

    assert [part.name for part in outcome.parts] == ["frozen"]


def test_a_lower_bound_on_the_margin_itself_does_not_pass() -> None:
    difference = paired_difference(rows(400, broken=4), level=0.05)
    assert difference is not None

    on_it = Policy(margin=-difference.low)
    below_it = Policy(margin=-difference.low + 1e-9)

    assert measure(difference, on_it) is Result.NOT_ENOUGH
    assert measure(difference, below_it) is Result.PASSED


def test_an_upper_bound_on_the_margin_itself_does_not_fail() -> None:
    difference = paired_difference(rows(400, broken=80), level=0.05)
    assert difference is not None

    on_it = Policy(margin=-difference.high)
    above_it = Policy(margin=-difference.high - 1e-9)

    assert measure(difference, on_it) is Result.NOT_ENOUGH
    assert measure(difference, above_it) is Result.FAILED
