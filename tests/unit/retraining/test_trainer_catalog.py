"""Parameters come from a closed set: within their bounds, of their kind, and no others."""

from __future__ import annotations

import pytest

from projects.errors import Invalid
from retraining.trainer_catalog import IMAGE, TEXT, Choice, Number

SHARE = Number(0.5, 0.0, 2.0)
COUNT = Number(2, 1, 3, is_whole=True)
SIDE = Choice(8, (8, 16))


@pytest.mark.parametrize("value", [0.0, 2.0, 1, 0.25])
def test_a_number_from_bound_to_bound_is_taken(value: float) -> None:
    assert SHARE.clean("share", value) == value


@pytest.mark.parametrize(
    "value",
    [-0.001, 2.001, float("nan"), float("inf"), True, "1", None, [1]],
)
def test_a_number_beyond_its_bounds_or_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(Invalid, match=r"share must be a number from 0 to 2\."):
        SHARE.clean("share", value)


@pytest.mark.parametrize("value", [0, 4, 2.0, 1.5, True, "2", None])
def test_a_whole_number_is_whole(value: object) -> None:
    with pytest.raises(Invalid, match=r"words must be a whole number from 1 to 3\."):
        COUNT.clean("words", value)


@pytest.mark.parametrize("value", [1, 2, 3])
def test_a_whole_number_from_bound_to_bound_is_taken(value: int) -> None:
    assert COUNT.clean("words", value) == value


@pytest.mark.parametrize("value", [9, 8.0, "8", True, None])
def test_a_choice_is_one_of_its_options_and_of_their_kind(value: object) -> None:
    with pytest.raises(Invalid, match=r"side must be one of 8, 16\."):
        SIDE.clean("side", value)


def test_what_is_not_given_has_its_default() -> None:
    assert IMAGE.clean_parameters({"side": 16}) == {
        "side": 16,
        "landmarks": 400,
        "reach": 1.0,
        "inverse_penalty": 100.0,
        "balance": 1.0,
    }


def test_of_several_unknown_parameters_the_first_by_name_is_told_beside_the_known() -> None:
    with pytest.raises(Invalid) as refused:
        TEXT.clean_parameters({"zeal": 1, "depth": 2})

    assert refused.value.message == (
        "Words and characters, logistic regression has no parameter 'depth'. Choose from: "
        "inverse_penalty, word_share, longest_words, longest_characters, most_features, balance."
    )
