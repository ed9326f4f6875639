"""Texts as thumbs type them."""

from hypothesis import given
from hypothesis import strategies as st

from retraining.chance import seeded_chance
from retraining.rehearsal.corpus import LabeledRow
from retraining.rehearsal.typos import mistype, mistype_share

LONG = "the quick brown fox jumps over the lazy dog " * 200


def test_about_twelve_of_a_hundred_letters_slip() -> None:
    letters = "x" * 20_000

    typed = mistype(letters, chance=seeded_chance(1), share=0.12)

    # A drop takes one, a double adds one, a swap of equal letters shows nothing.
    assert abs(len(typed) - len(letters)) < 200


def test_each_kind_of_slip_happens() -> None:
    seen = {mistype("ab", chance=seeded_chance(n), share=0.9) for n in range(100)}

    assert {"b", "a", "ba", "aab", "abb", "aabb"} <= seen


@given(st.text(alphabet="0123456789 .,!?-", max_size=40), st.integers(0, 99))
def test_only_letters_slip(text: str, seed: int) -> None:
    assert mistype(text, chance=seeded_chance(seed), share=1.0) == text


@given(st.text(max_size=60), st.integers(0, 99))
def test_no_character_comes_from_elsewhere(text: str, seed: int) -> None:
    assert set(mistype(text, chance=seeded_chance(seed), share=0.5)) <= set(text)


def test_nothing_slips_at_a_share_of_nothing() -> None:
    assert mistype(LONG, chance=seeded_chance(2), share=0.0) == LONG


def test_exactly_the_asked_share_of_rows_is_mistyped_and_the_rest_untouched() -> None:
    rows = [LabeledRow(f"{LONG}{number}", "a", {"app": "x"}) for number in range(50)]

    typed = mistype_share(rows, share=0.2, chance=seeded_chance(3))

    assert sum(a != b for a, b in zip(rows, typed, strict=True)) == 10
    assert all(row.segments == {"app": "x"} for row in typed)


def test_images_stay_as_they_are() -> None:
    rows = [LabeledRow(b"png", "a")] * 5

    assert mistype_share(rows, share=1.0, chance=seeded_chance(4)) == rows


@given(st.text(alphabet="ab", min_size=1, max_size=2), st.integers(0, 500))
def test_a_short_text_never_becomes_empty(text: str, seed: int) -> None:
    [row] = mistype_share([LabeledRow(text, "a")], share=1.0, chance=seeded_chance(seed))

    assert row.input
