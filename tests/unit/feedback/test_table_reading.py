"""Files of rows are read whole, row by row, or refused with what to do."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from feedback.table_reading import Row, read_table
from projects.errors import Invalid


def rows(content: bytes, name: str = "file.csv") -> list[Row]:
    return list(read_table(content, file_name=name).rows())


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)


@given(
    table=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5).filter(
        lambda table: any(a.strip() or b.strip() for a, b in table)
    ),
    delimiter=st.sampled_from(",;\t|"),
)
def test_what_a_csv_writer_wrote_is_read_back(table: list[tuple[str, str]], delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *table])

    read = rows(out.getvalue().encode())

    wanted = [{"text": a, "label": b} for a, b in table if a.strip() or b.strip()]
    assert [row.fields for row in read] == wanted
    assert not any(row.problem for row in read)


@given(content=st.binary(max_size=200), name=st.sampled_from(["a.csv", "a.jsonl", "a.json"]))
def test_any_bytes_are_read_or_refused_in_words(content: bytes, name: str) -> None:
    try:
        read = rows(content, name)
    except Invalid:
        return  # Refused in words: nothing else may come out.
    assert all(row.fields or row.problem for row in read)


def test_rows_carry_the_line_they_begin_on() -> None:
    read = rows(b'text,label\n"two\nlines",a\n\nlast,b\n')

    assert [row.line for row in read] == [2, 5]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert read_table(b"\xef\xbb\xbftext,label\na,b\n", file_name="a.csv").columns[0] == "text"


def test_a_row_with_too_few_or_too_many_cells_is_a_problem_of_its_own() -> None:
    read = rows(b"text,label\na\nb,c\nd,e,f\n")

    assert [row.problem for row in read] == [
        "1 cells where the header has 2",
        "",
        "3 cells where the header has 2",
    ]


def test_a_quote_that_is_never_closed_is_told_by_its_line() -> None:
    read = rows(b'text,label\na,b\n"c,d\ne,f\n')

    assert read[0].problem == ""
    assert read[1].line == 3
    assert "never closed, so nothing was read from here on" in read[1].problem


def test_a_cell_over_the_bound_is_a_problem_of_its_own(settings: LazySettings) -> None:
    settings.MAX_LINE_BYTES = 10

    read = rows(b"text,label\n" + b"x" * 11 + b",b\nshort,c\n")

    assert [row.problem for row in read] == [
        "a cell is longer than 10 bytes, the bound of a line.",
        "",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"text,label\n", "header and no rows"),
        (b"text,label\nM\xfcnchen,a\n", "not UTF-8: byte 0xfc in line 2"),
        ("text,label\n".encode("utf-16"), "UTF-16"),
    ],
    ids=["nothing", "blank", "only a mark", "only a header", "latin-1", "utf-16"],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, expected: str) -> None:
    with pytest.raises(Invalid, match=expected):
        read_table(content, file_name="a.csv")


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    table = read_table(b"text,class\na,b\n", file_name="a.csv")

    with pytest.raises(Invalid, match=r"no column 'label'\. Its columns are: text, class"):
        table.check_columns(["text", "label"])


def test_a_column_that_is_there_twice_is_refused_where_it_is_wanted() -> None:
    table = read_table(b"text,label,label\na,b,c\n", file_name="a.csv")

    table.check_columns(["text"])
    with pytest.raises(Invalid, match="more than one column 'label'"):
        table.check_columns(["label"])


def test_json_lines_are_read_with_a_problem_for_each_bad_one() -> None:
    read = rows(b'{"text": "a"}\n\n[1]\n{"text":\n{"text": "b", "n": 1}\n', "a.jsonl")

    assert [(row.line, row.fields) for row in read if not row.problem] == [
        (1, {"text": "a"}),
        (5, {"text": "b", "n": 1}),
    ]
    assert [row.line for row in read if row.problem] == [3, 4]


def test_columns_of_json_lines_are_those_of_all_the_first_rows() -> None:
    table = read_table(b'{"text": "a"}\n{"label": "b"}\n', file_name="a.jsonl")

    assert table.columns == ["text", "label"]


def test_one_json_array_is_read_like_lines() -> None:
    content = json.dumps([{"text": "a"}, {"text": "b"}], indent=1).encode()

    assert [row.fields["text"] for row in rows(content, "a.json")] == ["a", "b"]
