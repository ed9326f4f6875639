"""Read a CSV or JSON lines file row by row: clear errors for the file, and one for each bad row."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings

from projects.errors import Invalid

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS = ",;\t|"
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
SAMPLE_ROWS = 100  # Looked at to learn which columns a file without a header has.


@dataclass(frozen=True)
class Row:
    """One row by column name, or why it could not be read."""

    line: int
    fields: dict[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A readable file: its columns, and its rows as often as they are asked for."""

    content: bytes
    columns: list[str]
    delimiter: str  # Empty for JSON lines.

    def rows(self) -> Iterator[Row]:
        return self._csv_rows() if self.delimiter else _json_rows(self.content)

    def check_columns(self, wanted: Collection[str]) -> None:
        """Raise Invalid unless every wanted column is there, once."""
        for name in wanted:
            if name not in self.columns:
                there = ", ".join(self.columns[:50])
                raise Invalid(f"The file has no column {name!r}. Its columns are: {there}.")
            if self.columns.count(name) > 1:
                raise Invalid(f"The file has more than one column {name!r}; rename one of them.")

    def _csv_rows(self) -> Iterator[Row]:
        reader = _csv_reader(self.content, self.delimiter)
        next(reader)  # The header.
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, {}, _not_csv(error))
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(self.columns):
                yield Row(line, {}, f"{len(cells)} cells where the header has {len(self.columns)}")
                continue
            yield Row(line, dict(zip(self.columns, cells, strict=True)))


def read_table(content: bytes, *, file_name: str) -> Table:
    """The file's columns and rows; raises Invalid when it cannot be read at all."""
    plain = content.removeprefix(codecs.BOM_UTF8)
    _check_encoding(plain)
    if not plain or plain.isspace():
        raise Invalid("The file is empty.")
    if _is_json(plain, file_name):
        return Table(plain, _json_columns(plain), delimiter="")
    delimiter = _delimiter(plain)
    try:
        header = next(_csv_reader(plain, delimiter))
    except csv.Error as error:
        raise Invalid(f"The first line is no CSV header: {error}.") from error
    table = Table(plain, [name.strip() for name in header], delimiter)
    if next(table.rows(), None) is None:
        raise Invalid("The file has a header and no rows.")
    return table


def _check_encoding(content: bytes) -> None:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Invalid("The file is UTF-16. Save it as UTF-8 and send it again.")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f"The file is not UTF-8: byte {content[error.start]:#x} in line {line}. "
            "Save it as UTF-8 and send it again."
        ) from error


def _is_json(content: bytes, file_name: str) -> bool:
    return file_name.lower().endswith(JSON_ENDINGS) or content.lstrip()[:1] in {b"{", b"["}


def _delimiter(content: bytes) -> str:
    header = content.lstrip().split(b"\n", 1)[0].decode()
    return max(DELIMITERS, key=header.count)


def _csv_reader(content: bytes, delimiter: str) -> Reader:
    csv.field_size_limit(settings.MAX_LINE_BYTES)
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    return csv.reader(text, delimiter=delimiter, strict=True)


def _not_csv(error: csv.Error) -> str:
    if str(error) == "unexpected end of data":  # All that follows was read as one cell.
        return (
            "the line is not CSV: a quote opens here and is never closed, "
            "so nothing was read from here on."
        )
    if str(error).startswith("field larger"):
        return f"a cell is longer than {settings.MAX_LINE_BYTES:,} bytes, the bound of a line."
    return f"the line is not CSV: {error}"


def _json_columns(content: bytes) -> list[str]:
    names: dict[str, None] = {}
    for row in islice(_json_rows(content), SAMPLE_ROWS):
        names.update(dict.fromkeys(row.fields))
    if not names:
        raise Invalid("The file holds no JSON objects; it must have one in every line.")
    return list(names)


def _json_rows(content: bytes) -> Iterator[Row]:
    """Lines, or the members of one array; these are numbered as if each were a line."""
    if content.lstrip().startswith(b"["):
        for line, fields in enumerate(_json_array(content), 1):
            yield Row(line, fields)
        return
    for line, raw in enumerate(io.BytesIO(content), 1):
        if raw.isspace():
            continue
        try:
            yield Row(line, msgspec.json.decode(raw, type=dict[str, Any]))
        except msgspec.ValidationError:
            yield Row(line, {}, "the line is not a JSON object")
        except (msgspec.DecodeError, RecursionError) as error:
            yield Row(line, {}, f"the line is not JSON: {error}")


def _json_array(content: bytes) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(content, type=list[dict[str, Any]])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"The file is not a JSON array of objects: {error}.") from error
