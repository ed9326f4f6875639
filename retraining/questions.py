"""What a client asks the predictor: read from JSON, with clear reasons for what is wrong."""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings

from feedback.prediction_body import PredictionBody, check_depth, convert_body, holds_nul
from projects.errors import DomainError, Invalid, TooLarge

FIELDS = {"external_id", "input", "segments", "customer_ref", "context"}
UNANSWERED = "?"  # Stands for version and answer until the model has spoken.


def decode_json(raw: bytes) -> Any:
    """Any JSON value; raises Invalid with what to do."""
    if len(raw) > settings.MAX_PREDICT_BYTES:
        raise TooLarge(
            f"The body has {len(raw)} bytes; MAX_PREDICT_BYTES is {settings.MAX_PREDICT_BYTES}."
        )
    try:
        return msgspec.json.decode(raw)
    except UnicodeDecodeError as error:
        raise Invalid("The body is not UTF-8; encode it as UTF-8.") from error
    except msgspec.DecodeError as error:
        hint = " JSON has no NaN or Infinity." if b"NaN" in raw or b"Infinity" in raw else ""
        raise Invalid(f"The body is not JSON: {error}.{hint}") from error
    except RecursionError as error:
        raise Invalid("The body is nested too deeply.") from error


def read_questions(raw: bytes) -> tuple[list[Any], bool]:
    """The questions, and whether they came as a list."""
    value = decode_json(raw)
    if not isinstance(value, list):
        return [value], False
    if not value:
        raise Invalid("The list is empty: send at least one question.")
    if len(value) > settings.MAX_PREDICT_INPUTS:
        raise TooLarge(
            f"The list has {len(value)} questions; "
            f"MAX_PREDICT_INPUTS is {settings.MAX_PREDICT_INPUTS}."
        )
    return value, True


def read_question(value: Any) -> PredictionBody | DomainError:
    """A prediction that still lacks its answer; or why it cannot be asked."""
    if not isinstance(value, dict):
        return Invalid("A question is an object with external_id and input.")
    unknown = sorted(str(name) for name in value.keys() - FIELDS)
    if unknown:
        return Invalid(f"{unknown[0]}: unknown field. Known are: {', '.join(sorted(FIELDS))}.")
    try:
        check_depth(value.get("context"))
        if holds_nul(value):
            return Invalid("The question holds a NUL character; remove it.")
        return convert_body({**value, "model_version": UNANSWERED, "output": UNANSWERED})
    except Invalid as error:
        return error
    except RecursionError:  # What was decoded in C can be too deep to be walked here.
        return Invalid("The question is nested too deeply.")
