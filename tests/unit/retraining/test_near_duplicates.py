"""Training rows too close to evaluation rows are found, all of them and no others."""

from __future__ import annotations

import random

import pytest

from retraining.near_duplicates import Row, find_near_duplicates, shingles_of

LONG = "please tell me why my parcel has been waiting at the depot in hamburg since last monday"


def near(text: str, other: str) -> bool:
    return bool(find_near_duplicates([Row(1, text)], of=[Row(2, other)]))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Where is my parcel?", "where is my  parcel"),
        (LONG, LONG + "!"),
        (LONG, LONG.replace("monday", "mondays")),
        ("OK", "ok."),
        ("?", "?"),
    ],
)
def test_what_differs_in_case_marks_or_a_letter_of_many_is_near(text: str, other: str) -> None:
    assert near(text, other)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("where is my parcel", "where is my invoice"),
        (LONG, LONG.replace("hamburg", "munich").replace("monday", "friday")),
        ("yes", "no"),
        ("?", "!"),
    ],
)
def test_what_says_something_else_is_not_near(text: str, other: str) -> None:
    assert not near(text, other)


def test_the_closest_of_several_is_named_with_its_similarity() -> None:
    others = [Row(7, LONG + " and tuesday"), Row(8, LONG + "."), Row(9, "nothing alike")]

    (found,) = find_near_duplicates([Row(1, LONG)], of=others)

    assert (found.key, found.other, found.similarity) == (1, 8, 1.0)


def test_another_context_is_another_input() -> None:
    rows = [Row(1, "yes please", ("shop",))]

    assert find_near_duplicates(rows, of=[Row(2, "yes please", ("bank",))]) == []
    assert find_near_duplicates(rows, of=[Row(2, "yes, please", ("shop",))]) != []


def test_the_filter_finds_exactly_what_comparing_all_pairs_finds() -> None:
    chance = random.Random(3)
    words = ["parcel", "refund", "order", "late", "card", "blocked", "where", "is", "my", "please"]
    texts = [" ".join(chance.choices(words, k=chance.randint(3, 14))) for _ in range(120)]
    edited = [text[:-1] if chance.random() < 0.5 else text + "s" for text in texts[:60]]
    rows = [Row(number, text) for number, text in enumerate(texts)]
    others = [Row(1000 + number, text) for number, text in enumerate(edited)]

    found = {one.key for one in find_near_duplicates(rows, of=others)}

    assert found == {
        row.key for row in rows if any(jaccard(row.text, o.text) >= 0.9 for o in others)
    }
    assert 10 < len(found) < len(rows)


def jaccard(a: str, b: str) -> float:
    one, two = shingles_of(a), shingles_of(b)
    return len(one & two) / len(one | two)
