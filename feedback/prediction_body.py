"""What a sent prediction looks like: decoded and validated line by line, with clear reasons."""

from __future__ import annotations

from datetime import datetime, timedelta
from datetime import timezone as fixed
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from feedback.inputs import InputReader
from projects.errors import Invalid
from projects.models import Project

EARLIEST = datetime(1970, 1, 1, tzinfo=fixed.utc)
CLOCK_SKEW = timedelta(days=1)  # A later time would stand above everything newer in every list.
MOST_SEGMENTS = 50
LONGEST_SEGMENT = 120
MOST_EXACT = 2**53  # Whole numbers up to here are the same as floats and as integers.
UNKNOWN_FIELD = "Object contains unknown field"  # How msgspec says it.
MOST_LEVELS = 50  # Databases store more of them than Python reads again.

Share = Annotated[float, Meta(ge=0, le=1)]
SegmentValue = Annotated[str, Meta(max_length=LONGEST_SEGMENT)] | int | float | bool | None


class PredictionBody(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One prediction as it is sent; anything else about it belongs into `context`."""

    external_id: Annotated[str, Meta(min_length=1, max_length=200)]
    model_version: Annotated[str, Meta(min_length=1, max_length=80)]
    input: str | dict[str, Any]
    output: Annotated[str, Meta(min_length=1, max_length=120)]
    confidence: Share | None = None
    scores: dict[str, Share] | None = None
    segments: dict[Annotated[str, Meta(min_length=1, max_length=80)], SegmentValue] = {}
    context: dict[str, Any] = {}
    customer_ref: Annotated[str, Meta(max_length=200)] = ""
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None


class BodyReader:
    """Reads the bodies of one project; raises Invalid with a reason for a bad one."""

    def __init__(self, project: Project, *, at: datetime) -> None:
        self.read_input = InputReader(project, at=at).read
        self.latest = at + CLOCK_SKEW
        self._decode = msgspec.json.Decoder(PredictionBody).decode

    def read(self, content: bytes | PredictionBody) -> tuple[PredictionBody, bytes]:
        """The cleaned body and its canonical bytes: equal exactly when the bodies are."""
        body = self.decode(content) if isinstance(content, bytes) else content
        body.input = self.read_input(body.input)
        if body.segments:
            body.segments = _as_texts(body.segments)
        check_depth(body.context)
        if body.occurred_at is not None and not EARLIEST <= body.occurred_at <= self.latest:
            raise Invalid("occurred_at must lie between 1970 and tomorrow; check the clock.")
        if not body.external_id.strip() or not body.model_version.strip():
            raise Invalid("external_id and model_version must not be blank.")
        canonical = msgspec.json.encode(body, order="deterministic")
        if b"\\u0000" in canonical and holds_nul(msgspec.to_builtins(body)):
            raise Invalid("the line holds a NUL character; remove it and send the line again.")
        return body, canonical

    def decode(self, raw: bytes) -> PredictionBody:
        try:
            return self._decode(raw)
        except msgspec.ValidationError as error:
            raise Invalid(explain(error)) from error
        except UnicodeDecodeError as error:
            raise Invalid("the line is not UTF-8; encode the file as UTF-8.") from error
        except msgspec.DecodeError as error:
            raise Invalid(_not_json(raw, error)) from error
        except RecursionError as error:
            raise Invalid("the line is nested too deeply.") from error


def convert_body(fields: dict[str, Any]) -> PredictionBody:
    """The body of fields that were read from somewhere else than JSON."""
    try:
        return msgspec.convert(fields, PredictionBody)
    except msgspec.ValidationError as error:
        raise Invalid(explain(error)) from error


def explain(error: msgspec.ValidationError) -> str:
    """Which field it is, first; then what was expected of it."""
    what, _, where = str(error).partition(" - at ")
    field = where.strip("`").removeprefix("$").removeprefix(".")
    if what.startswith(UNKNOWN_FIELD):
        what = f"{what}. Known are: {', '.join(sorted(PredictionBody.__struct_fields__))}."
    return f"{field}: {what}" if field else what


def holds_nul(value: object) -> bool:
    """Whether any text or name in a decoded value has a NUL, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(holds_nul(part) for part in value)


def check_depth(value: object) -> None:
    """Raise Invalid for what could be stored, and not be read again."""
    if _is_deeper(value, MOST_LEVELS):
        raise Invalid(f"context is nested too deeply; at most {MOST_LEVELS} levels are kept.")


def check_segments(texts: dict[str, str]) -> None:
    """Raise Invalid for a value that is too long to group by."""
    if too_long := [key for key, text in texts.items() if len(text) > LONGEST_SEGMENT]:
        raise Invalid(f"{too_long[0]}: a segment has at most {LONGEST_SEGMENT} characters.")


def check_is_flat(cell: object) -> None:
    """Raise Invalid for an object or a list, whose text would be nothing that anybody wrote."""
    if isinstance(cell, dict | list):
        kind = "an object" if isinstance(cell, dict) else "a list"
        raise Invalid(f"{kind} stands where a text is expected.")


def _is_deeper(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_is_deeper(part, levels - 1) for part in value.values())
    return isinstance(value, list) and (
        levels == 0 or any(_is_deeper(part, levels - 1) for part in value)
    )


def _as_texts(segments: dict[str, Any]) -> dict[str, Any]:
    if len(segments) > MOST_SEGMENTS:
        raise Invalid(f"segments has {len(segments)} entries; at most {MOST_SEGMENTS} are kept.")
    texts = {key: _as_text(value) for key, value in segments.items() if value is not None}
    check_segments(texts)
    return texts


def _as_text(value: SegmentValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < MOST_EXACT:
        return str(int(value))
    return str(value)


def _not_json(raw: bytes, error: msgspec.DecodeError) -> str:
    if b"NaN" in raw or b"Infinity" in raw:
        return "JSON has no NaN or Infinity; leave the field out or send null."
    if b"\x00" in raw:
        return "the line holds a NUL byte; remove it and send the line again."
    return f"the line is not a JSON object: {error}"
