"""What the predictor is asked is read within its bounds, and each fault is told by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import Settings

from feedback.prediction_body import MOST_LEVELS, PredictionBody
from projects.errors import DomainError, Invalid, TooLarge
from retraining.questions import decode_json, read_question, read_questions

QUESTION: dict[str, Any] = {"external_id": "p-1", "input": "where is my parcel"}


def refusal_of(question: object) -> str:
    read = read_question(question)
    assert isinstance(read, DomainError)
    return read.message


def nested(levels: int, inside: object = 1) -> dict[str, object]:
    """So many objects, one in the other."""
    value = inside
    for _ in range(levels):
        value = {"a": value}
    assert isinstance(value, dict)
    return value


def test_a_body_of_just_the_bound_is_read(settings: Settings) -> None:
    settings.MAX_PREDICT_BYTES = 10

    assert decode_json(b'"12345678"') == "12345678"


def test_a_body_of_one_byte_more_is_refused_with_both_numbers(settings: Settings) -> None:
    settings.MAX_PREDICT_BYTES = 10

    with pytest.raises(TooLarge, match="has 11 bytes; MAX_PREDICT_BYTES is 10"):
        decode_json(b'"123456789"')


def test_one_question_is_no_list() -> None:
    assert read_questions(json.dumps(QUESTION).encode()) == ([QUESTION], False)


def test_a_list_of_one_is_still_a_list() -> None:
    assert read_questions(json.dumps([QUESTION]).encode()) == ([QUESTION], True)


def test_a_list_of_just_the_bound_is_read(settings: Settings) -> None:
    settings.MAX_PREDICT_INPUTS = 3

    assert read_questions(b"[1, 2, 3]") == ([1, 2, 3], True)


def test_a_list_of_one_more_is_refused_with_both_numbers(settings: Settings) -> None:
    settings.MAX_PREDICT_INPUTS = 3

    with pytest.raises(TooLarge, match="has 4 questions; MAX_PREDICT_INPUTS is 3"):
        read_questions(b"[1, 2, 3, 4]")


@pytest.mark.parametrize("raw", [b'{"confidence": Infinity}', b"-Infinity", b"[NaN]"])
def test_numbers_that_json_has_not_are_named(raw: bytes) -> None:
    with pytest.raises(Invalid, match="JSON has no NaN or Infinity"):
        decode_json(raw)


def test_other_faults_of_json_do_not_speak_of_numbers() -> None:
    with pytest.raises(Invalid) as refused:
        decode_json(b"{'external_id': 1}")

    assert "NaN" not in refused.value.message


def test_a_question_with_everything_is_read_as_it_was_sent() -> None:
    read = read_question(
        {
            **QUESTION,
            "segments": {"country": "de", "orders": 3},
            "customer_ref": "c-7",
            "context": {"channel": "mail"},
        }
    )

    assert isinstance(read, PredictionBody)
    assert (read.external_id, read.input) == ("p-1", "where is my parcel")
    assert read.segments == {"country": "de", "orders": 3}
    assert (read.customer_ref, read.context) == ("c-7", {"channel": "mail"})


@pytest.mark.parametrize("question", [None, 7, "where is my parcel", [QUESTION], True])
def test_what_is_no_object_is_no_question(question: object) -> None:
    assert "object with external_id and input" in refusal_of(question)


@pytest.mark.parametrize("name", ["output", "model_version", "confidence", "scores", "occurred_at"])
def test_what_only_the_model_and_the_clock_say_cannot_be_sent(name: str) -> None:
    assert refusal_of({**QUESTION, name: "x"}).startswith(f"{name}: unknown field.")


def test_of_several_unknown_fields_the_first_by_name_is_told_beside_the_known() -> None:
    said = refusal_of({**QUESTION, "zone": 1, "colour": 2})

    assert said == (
        "colour: unknown field. Known are: context, customer_ref, external_id, input, segments."
    )


@pytest.mark.parametrize("missing", ["external_id", "input"])
def test_a_missing_field_is_named(missing: str) -> None:
    question = {name: value for name, value in QUESTION.items() if name != missing}

    assert missing in refusal_of(question)


@pytest.mark.parametrize(
    "holding",
    [
        {"customer_ref": "c\x00"},
        {"segments": {"coun\x00try": "de"}},
        {"segments": {"country": "d\x00e"}},
        {"context": {"a": [{"b": "\x00"}]}},
        {"context": {"a": {"\x00": 1}}},
    ],
)
def test_a_nul_is_found_wherever_it_stands(holding: dict[str, object]) -> None:
    assert "NUL" in refusal_of({**QUESTION, **holding})


def test_a_context_of_just_the_most_levels_is_read() -> None:
    read = read_question({**QUESTION, "context": nested(MOST_LEVELS)})

    assert isinstance(read, PredictionBody)


def test_a_context_of_one_level_more_is_refused() -> None:
    assert "at most 50 levels" in refusal_of({**QUESTION, "context": nested(MOST_LEVELS + 1)})


@pytest.mark.parametrize("field", ["input", "segments", "external_id", "customer_ref"])
def test_a_field_nested_beyond_reading_is_refused_as_a_question(field: str) -> None:
    deep = nested(600, inside="\x00")

    assert refusal_of({**QUESTION, field: deep})
