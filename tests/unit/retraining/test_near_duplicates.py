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


ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"  # No shingle of it stands twice.


@pytest.mark.parametrize(("letters", "is_near"), [(28, True), (27, False)])
def test_nine_tenths_of_the_shingles_are_just_enough(letters: int, is_near: bool) -> None:
    # A letter more at the end: n - 1 shingles shared of n + 2, so 27 of 30 and 26 of 29.
    text, longer = ALPHABET[:letters], ALPHABET[: letters + 1]

    assert near(text, longer) is is_near
    assert near(longer, text) is is_near


def test_the_similarity_is_the_share_of_all_shingles() -> None:
    (found,) = find_near_duplicates([Row(1, ALPHABET[:28])], of=[Row(2, ALPHABET[:29])])

    assert found.similarity == 27 / 30


def test_another_threshold_is_kept_as_exactly() -> None:
    # "abcd" and "abce" share 2 of 6 shingles: _ab and abc, of those bcd, cd_, bce and ce_.
    row, other = Row(1, "abcd"), Row(2, "abce")

    assert find_near_duplicates([row], of=[other], threshold=2 / 6) != []
    assert find_near_duplicates([row], of=[other], threshold=2 / 6 + 0.001) == []


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Straße gesperrt", "STRASSE GESPERRT"),
        ("ﬁle not found", "file not found"),
        ("where\u00a0is\tmy\nparcel", "where is my parcel"),
        ("\u0915\u0939\u093e\u0901 \u0939\u0948", "\u0915\u0939\u093e\u0901 \u0939\u0948!"),
        ("包裹在哪里", "包裹在哪里。"),
        ("😀", "😀 "),
        ("a", "A."),
    ],
)
def test_writing_the_same_otherwise_is_near_in_every_script(text: str, other: str) -> None:
    assert near(text, other)


@pytest.mark.parametrize(("text", "other"), [("😀", "😢"), ("a", "b"), ("?", "??"), ("包", "裹")])
def test_the_shortest_texts_are_told_apart(text: str, other: str) -> None:
    assert not near(text, other)


def test_of_equally_close_ones_the_first_is_named() -> None:
    others = [Row(9, LONG), Row(3, LONG + "!"), Row(5, LONG)]

    (found,) = find_near_duplicates([Row(1, LONG)], of=others)

    assert found.other == 9


def test_every_near_row_is_named_in_the_order_of_the_rows() -> None:
    rows = [Row(4, LONG), Row(2, "nothing alike"), Row(3, LONG + ".")]

    found = find_near_duplicates(rows, of=[Row(7, LONG)])

    assert [one.key for one in found] == [4, 3]


def test_nothing_is_near_to_nothing() -> None:
    assert find_near_duplicates([], of=[Row(1, LONG)]) == []
    assert find_near_duplicates([Row(1, LONG)], of=[]) == []


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
