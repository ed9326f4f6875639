"""Which column a person most likely means, and what they must say themselves."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from feedback.models import Import
from feedback.table_reading import read_table
from labeling.import_forms import MappingForm
from labeling.import_plan import PARTS, Column, columns_of, guess
from projects.errors import Invalid

KIND = Import.Kind


def columns(*names: str) -> list[Column]:
    return [Column(name, "x") for name in names]


def guessed(kind: str, part: str, found: list[Column]) -> str:
    return guess(next(p for p in PARTS[kind] if p.name == part), found)


@pytest.mark.parametrize(
    ("kind", "part", "names", "expected"),
    [
        (KIND.PREDICTIONS, "output", ("a", "Prediction"), "Prediction"),
        (KIND.PREDICTIONS, "external_id", ("key", "text"), "key"),
        (KIND.PREDICTIONS, "customer_ref", ("text", " Customer "), " Customer "),
        (KIND.PREDICTIONS, "confidence", ("text", "scores"), ""),
        (KIND.TRAINING, "label", ("intent", "label"), "intent"),
        (KIND.TRAINING, "label", ("text", "labels"), ""),
        (KIND.EVALUATION, "input", ("no", "query"), "query"),
    ],
)
def test_a_column_is_guessed_by_names_it_often_has(
    kind: str, part: str, names: tuple[str, ...], expected: str
) -> None:
    assert guessed(kind, part, columns(*names)) == expected


def test_without_a_known_name_the_longest_cells_are_the_input() -> None:
    found = [Column("a", "12"), Column("b", "where is my parcel"), Column("c", "web")]

    assert guessed(KIND.TRAINING, "input", found) == "b"
    assert guessed(KIND.TRAINING, "input", []) == ""


def test_a_column_shows_its_first_cell_that_holds_something() -> None:
    table = read_table(b"a,b,c\n,x,\n1,y,\n", file_name="rows.csv")

    assert columns_of(table) == [Column("a", "1"), Column("b", "x"), Column("c", "")]


def sent(**fields: str) -> MappingForm:
    query = QueryDict(mutable=True)
    query.update(fields)
    return MappingForm(query)


def test_columns_that_were_not_chosen_are_left_out() -> None:
    form = sent(field_input="q", field_label="a", field_trained_on_column="", field_other="x")

    assert form.chosen(KIND.TRAINING) == {"input": "q", "label": "a"}


def test_what_is_needed_and_missing_is_named_in_the_words_of_the_page() -> None:
    with pytest.raises(Invalid, match="The input, The model's answer"):
        sent(field_external_id="id").chosen(KIND.PREDICTIONS)
