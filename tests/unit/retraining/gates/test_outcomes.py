"""What all gates say together."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining.gates import judge
from retraining.gates.base import (
    Comparison,
    PairedRow,
    RegressionCase,
    Review,
    Source,
    find_failed,
    find_unsure,
)

ROWS = st.builds(
    PairedRow,
    item_id=st.text(max_size=3),
    label=st.sampled_from(["cat", "dog"]),
    champion_right=st.booleans(),
    challenger_right=st.booleans(),
    source=st.sampled_from(Source),
    probability=st.floats(1e-6, 1),
    segments=st.dictionaries(st.sampled_from(["app", "class"]), st.text(max_size=2), max_size=2),
)
CASES = st.builds(
    RegressionCase,
    case_id=st.text(max_size=3),
    champion_right=st.booleans(),
    challenger_right=st.booleans(),
    is_pinned=st.booleans(),
    is_held_out=st.booleans(),
    review=st.sampled_from(Review),
)


@given(st.lists(ROWS, max_size=60), st.lists(CASES, max_size=20))
def test_outcomes_are_plain_json_whatever_comes_in(
    rows: list[PairedRow], cases: list[RegressionCase]
) -> None:
    outcomes = judge(Comparison(tuple(rows), tuple(cases)))

    stored = json.dumps([outcome.as_json() for outcome in outcomes], allow_nan=False)

    assert [entry["result"] for entry in json.loads(stored)] == [o.result for o in outcomes]


def test_what_blocks_and_what_is_to_be_confirmed_are_told_apart() -> None:
    rows = tuple(
        PairedRow(str(n), "cat", True, False, Source.AUDITED, segments={"app": "x" * (n < 10)})
        for n in range(60)
    )

    outcomes = judge(Comparison(rows))

    assert {(o.slug, o.name) for o in find_failed(outcomes)} == {
        ("overall", "No worse overall"),
        ("groups", "Class"),
        ("groups", "Segment app"),
    }
    assert {o.name for o in find_unsure(outcomes)} == {"Segment app", "Broken share"}


@pytest.mark.parametrize("probability", [0.0, 1.5, float("nan")])
def test_a_row_with_a_probability_that_is_none_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        PairedRow("1", "cat", True, True, Source.AUDITED, probability)
