"""Which rows of a history play which part."""

from collections import Counter
from typing import Any

import pytest

from projects.errors import Invalid
from projects.task_types.text_classification import canonical_text
from retraining.rehearsal.corpus import LabeledRow
from retraining.rehearsal.splitting import Parts, Wanted, split_history


def canonical(value: str | bytes) -> str:
    return canonical_text(str(value))


def history(classes: int, each: int, *, prefix: str = "row") -> list[LabeledRow]:
    return [
        LabeledRow(f"{prefix} {number} of kind {label}", f"kind {label:02}")
        for label in range(classes)
        for number in range(each)
    ]


def split(rows: list[LabeledRow], *, test: list[LabeledRow] | None = None, **wanted: Any) -> Parts:
    chosen = Wanted(**{"new_class_count": 2, "typos": 0.0, **wanted})
    return split_history(rows, wanted=chosen, canonical=canonical, test=test)


@pytest.fixture(scope="module")
def large() -> Parts:
    return split(history(22, 450), test=history(22, 60, prefix="test"))


def new_share(rows: list[LabeledRow], parts: Parts) -> float:
    return sum(row.label in parts.new_classes for row in rows) / len(rows)


def test_enough_rows_give_the_full_traffic(large: Parts) -> None:
    assert (len(large.clean), len(large.drifted), large.notes) == (1_600, 4_000, ())


def test_every_known_class_gives_its_base_and_frozen_rows(large: Parts) -> None:
    assert set(Counter(row.label for row in large.base).values()) == {40}
    assert set(Counter(row.label for row in large.frozen).values()) == {10}
    assert {row.label for row in large.base} == set(large.known_classes)


def test_new_classes_come_with_the_drift_and_not_before(large: Parts) -> None:
    before = [*large.base, *large.frozen, *large.clean]

    assert len(large.new_classes) == 2
    assert not {row.label for row in before} & set(large.new_classes)
    assert new_share(large.drifted, large) == pytest.approx(0.15)


def test_the_test_set_is_drawn_like_the_drifted_traffic(large: Parts) -> None:
    assert len(large.test) == 800  # 120 rows of new classes are 15 % of it.
    assert new_share(large.test, large) == pytest.approx(0.15)


def test_no_row_plays_two_parts(large: Parts) -> None:
    rows = [*large.base, *large.frozen, *large.clean, *large.drifted, *large.test]

    assert len({row.input for row in rows}) == len(rows)


def test_without_a_test_file_a_quarter_of_each_class_is_held_out() -> None:
    parts = split(history(12, 100), new_class_count=0, base=10, frozen=5)

    assert Counter(row.label for row in parts.test) == Counter(
        {f"kind {label:02}": 25 for label in range(12)}
    )


def test_fewer_rows_shrink_both_traffics_in_proportion_and_say_so() -> None:
    parts = split(history(10, 200), test=history(10, 20, prefix="test"))

    assert len(parts.drifted) / len(parts.clean) == pytest.approx(2.5, abs=0.02)
    assert new_share(parts.drifted, parts) == pytest.approx(0.15, abs=0.01)
    assert str(len(parts.drifted)) in parts.notes[0]


def test_equal_inputs_are_dropped_before_anything_else() -> None:
    rows = history(10, 100)
    shouted = [LabeledRow(str(row.input).upper(), "kind 00") for row in rows]

    plain = split(rows, test=history(10, 20, prefix="test"))
    doubled = split(rows + shouted, test=history(10, 20, prefix="test") + shouted)

    assert doubled == plain


def test_a_class_with_few_rows_gives_base_and_frozen_in_proportion() -> None:
    rows = history(10, 100) + [LabeledRow(f"rare {n}", "rare") for n in range(10)]

    parts = split(rows, test=history(10, 20, prefix="test"), new_class_names=("kind 00",))

    assert sum(row.label == "rare" for row in parts.base) == 8
    assert sum(row.label == "rare" for row in parts.frozen) == 2
    assert "1 classes have fewer" in parts.notes[-1]


def test_the_same_seed_gives_the_same_parts_and_another_others() -> None:
    rows = history(10, 100)

    assert split(rows, seed=4, typos=0.5) == split(rows, seed=4, typos=0.5)
    assert split(rows, seed=4).base != split(rows, seed=5).base


def test_the_order_of_the_file_changes_only_which_rows_are_drawn() -> None:
    rows = history(10, 100)

    assert split(rows, seed=4).new_classes == split(rows[::-1], seed=4).new_classes


def test_named_classes_are_the_new_ones() -> None:
    parts = split(history(10, 100), new_class_names=("kind 03", "kind 07"))

    assert parts.new_classes == ("kind 03", "kind 07")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"new_class_names": ("kind 99",)}, "'kind 99' cannot be a new class"),
        ({"new_class_count": 9}, "at least two must stay known"),
        ({"new_class_count": 900}, "at least two must stay known"),
        ({"base": 90, "frozen": 20}, "Nothing is left for traffic"),
    ],
)
def test_what_cannot_be_split_says_why(wanted: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        split(history(10, 100), **wanted)


def test_test_rows_of_other_classes_only_are_refused() -> None:
    with pytest.raises(Invalid, match="shares no class"):
        split(history(10, 100), test=[LabeledRow("text", "unheard of")])


def test_mistyped_rows_are_a_share_of_drifted_and_test_rows_and_of_no_others() -> None:
    clean, typed = split(history(10, 100), typos=0.0), split(history(10, 100), typos=0.5)

    assert (clean.base, clean.frozen, clean.clean) == (typed.base, typed.frozen, typed.clean)
    for before, after in ((clean.drifted, typed.drifted), (clean.test, typed.test)):
        changed = sum(a.input != b.input for a, b in zip(before, after, strict=True))
        assert 0.3 <= changed / len(before) <= 0.5


def test_without_new_classes_no_traffic_is_new_and_it_is_said() -> None:
    parts = split(history(10, 100), new_class_count=0)

    assert parts.new_classes == ()
    assert parts.drifted
    assert "No class is new" in parts.notes[-1]
