"""A team's labeled history, read from CSV or JSONL."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from feedback.prediction_body import check_is_flat
from projects.classes import clean_class_name
from projects.errors import Invalid


@dataclass(frozen=True, slots=True)
class LabeledRow:
    """One input with its true class; an image's input is its bytes."""

    input: str | bytes
    label: str
    segments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corpus:
    """The rows of a file, and how many were left out for want of an input or a label."""

    rows: tuple[LabeledRow, ...]
    left_out: int = 0


Record = tuple[int, Mapping[str, object]]  # The line it stands on, and its fields.


def read_corpus(
    path: Path, *, input_column: str, label_column: str, segment_columns: Sequence[str] = ()
) -> Corpus:
    """Read the named columns; raises Invalid with the line and what to do."""
    readers = {".csv": _read_csv, ".jsonl": _read_jsonl, ".ndjson": _read_jsonl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Invalid(f"{path.name} is neither .csv nor .jsonl.")
    columns = (input_column, label_column, *segment_columns)
    rows: list[LabeledRow] = []
    left_out = 0
    for line, record in reader(path):
        _check_columns(record, columns, name=path.name, line=line)
        try:
            row = _read_row([_clean(record[column]) for column in columns], segment_columns)
        except Invalid as error:
            raise Invalid(f"{path.name}, line {line}: {error.message}") from error
        if row:
            rows.append(row)
        else:
            left_out += 1
    if not rows:
        raise Invalid(f"{path.name} has no row with an input and a label.")
    return Corpus(tuple(rows), left_out)


def _read_row(cells: Sequence[str], segment_columns: Sequence[str]) -> LabeledRow | None:
    """Input, label and segments; None where one of the first two is empty."""
    text, label, *segments = cells
    if not text.strip() or not label.strip():
        return None
    _check_texts(cells)
    return LabeledRow(
        text, clean_class_name(label), dict(zip(segment_columns, segments, strict=True))
    )


def drop_duplicates(
    rows: Iterable[LabeledRow],
    *,
    canonical: Callable[[str | bytes], str],
    seen: set[str] | None = None,
) -> list[LabeledRow]:
    """The first row of every input; `seen` collects canonical inputs over several calls."""
    known = set() if seen is None else seen
    kept = []
    for row in rows:
        form = canonical(row.input)
        if form not in known:
            known.add(form)
            kept.append(row)
    return kept


def _read_csv(path: Path) -> Iterator[Record]:
    reader = csv.DictReader(_lines(path), strict=True)
    try:
        _check_header(reader.fieldnames or [], name=path.name)
        for record in reader:
            yield reader.line_num, record
    except csv.Error as error:
        raise Invalid(f"{path.name}, line {reader.line_num + 1}: {error}.") from error


def _check_header(columns: Sequence[str], *, name: str) -> None:
    """Of two columns of one name only the last would be read."""
    twice = [column for column in columns if column and columns.count(column) > 1]
    if twice:
        raise Invalid(f"{name} has more than one column {twice[0]!r}. Rename or remove one.")


def _read_jsonl(path: Path) -> Iterator[Record]:
    for line, text in enumerate(_lines(path), start=1):
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{path.name}, line {line} is not JSON: {error}.") from error
        if not isinstance(record, dict):
            raise Invalid(f"{path.name}, line {line} is not a JSON object.")
        yield line, record


def _lines(path: Path) -> Iterator[str]:
    """Lines of text with their ends, so that a quoted field keeps its own."""
    try:
        with path.open("rb") as handle:
            for number, raw in enumerate(handle, start=1):
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                if "\x00" in text:
                    raise Invalid(f"{path.name}, line {number} holds a NUL character.")
                yield text
    except UnicodeDecodeError:
        raise Invalid(
            f"{path.name}, line {number} is not UTF-8. Save the file as UTF-8 and try again."
        ) from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error


def _check_columns(
    record: Mapping[str, object], columns: Sequence[str], *, name: str, line: int
) -> None:
    missing = [column for column in columns if column not in record]
    if missing:
        there = ", ".join(str(key) for key in record if key) or "none"
        raise Invalid(f"{name}, line {line} has no column {missing[0]!r}. It has: {there}.")


def _check_texts(texts: Iterable[str]) -> None:
    """What the product would refuse too: JSON has escapes for more than can be stored."""
    for text in texts:
        if "\x00" in text:
            raise Invalid("it holds a NUL character; remove it.")
        if len(text) > settings.MAX_TEXT_CHARACTERS:
            raise Invalid(
                f"a text of {len(text)} characters; MAX_TEXT_CHARACTERS is "
                f"{settings.MAX_TEXT_CHARACTERS}."
            )
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise Invalid("it holds half a character, a lone surrogate; remove it.") from error


def _clean(value: object) -> str:
    """Numbers and truth values as they are written in JSON; nothing as an empty text."""
    if value is None:
        return ""
    check_is_flat(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
