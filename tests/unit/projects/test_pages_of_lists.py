"""Long lists in pages, tables that sort, closed lists of plug-ins, and a request to copy."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

import pytest
from django.http import QueryDict

from projects.errors import Invalid
from projects.registry import Registry
from projects.requests import is_row_id
from projects.sorting import Column, sorting_of
from projects.task_types import TASK_TYPES

COLUMNS = (Column("Name"), Column("Size", "size", is_numeric=True), Column("When", "at"))


def asked(query: str) -> QueryDict:
    return QueryDict(query)


@pytest.mark.parametrize(
    ("query", "order_by"),
    [
        ("", "-at"),
        ("sort=size", "size"),
        ("sort=-size", "-size"),
        ("sort=name", "-at"),
        ("sort=", "-at"),
        ("sort=--size", "-at"),
        ("sort=owner__password", "-at"),
    ],
)
def test_a_table_sorts_only_by_what_it_declares(query: str, order_by: str) -> None:
    assert sorting_of(COLUMNS, asked(query), default="-at").order_by == order_by


def test_a_head_sorts_downwards_first_and_turns_round_when_pressed_again() -> None:
    plain, size, when = sorting_of(COLUMNS, asked("q=x&page=3"), default="-at").heads
    assert (plain.url, plain.order) == ("", None)
    assert (size.url, size.order, size.is_numeric) == ("?q=x&sort=-size", None, True)
    assert (when.url, when.order) == ("?q=x&sort=at", "descending")

    *_, upwards = sorting_of(COLUMNS, asked("sort=at"), default="-at").heads
    assert (upwards.url, upwards.order) == ("?sort=-at", "ascending")


@pytest.mark.parametrize(
    ("raw", "is_one"),
    [
        ("1", True),
        ("9" * 18, True),
        ("9" * 19, False),
        ("", False),
        ("-1", False),
        ("1.0", False),
        ("\u00b2", False),
        (" 1", False),
    ],
)
def test_a_rows_id_is_a_number_that_a_database_takes(raw: str, is_one: bool) -> None:
    assert is_row_id(raw) is is_one


@dataclass(frozen=True)
class Plug:
    slug: str
    title: str = ""


def test_a_registry_gives_what_it_knows_in_its_order_and_names_it_otherwise() -> None:
    known: Registry[Plug] = Registry("trainer", [Plug("b"), Plug("a")])

    assert [plug.slug for plug in known] == ["b", "a"]
    assert known["a"] == Plug("a")
    assert ("a" in known, "c" in known) == (True, False)
    with pytest.raises(Invalid, match=r"no trainer named 'c'\. Choose one of: a, b\."):
        known["c"]


def test_two_plug_ins_do_not_share_a_slug() -> None:
    with pytest.raises(ValueError, match="Two trainers share a slug"):
        Registry("trainer", [Plug("a"), Plug("a", "other")])


@pytest.mark.parametrize(
    ("raw", "text"),
    [("hello", "hello"), ({"text": " a\nb "}, " a\nb "), ("x" * 10, "x" * 10)],
)
def test_a_text_is_stored_as_it_was_sent(raw: object, text: str) -> None:
    assert TASK_TYPES["text"].clean(raw, longest=10) == {"text": text}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "not empty"),
        (" \n", "not empty"),
        (None, "not empty"),
        (7, "not empty"),
        ({}, "not empty"),
        ({"text": ["a"]}, "not empty"),
        ("a\x00", "NUL"),
        ("x" * 11, "11 characters; MAX_TEXT_CHARACTERS is 10"),
    ],
    ids=repr,
)
def test_what_is_no_text_is_refused_in_words(raw: object, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        TASK_TYPES["text"].clean(raw, longest=10)


@pytest.mark.parametrize("raw", ["a" * 63, "A" * 64, "g" * 64, "", None, {"image": 7}], ids=repr)
def test_what_is_no_digest_names_no_picture(raw: object) -> None:
    with pytest.raises(Invalid, match="POST the file to /files first"):
        TASK_TYPES["image"].clean(raw, longest=10)


def test_a_picture_is_named_by_its_digest_alone() -> None:
    digest = "0123456789abcdef" * 4
    image = TASK_TYPES["image"]

    assert image.clean(digest, longest=1) == image.clean({"image": digest, "x": 1}, longest=1)
    assert image.canonical({"image": digest}) == digest
    assert image.excerpt({"image": digest}) == "image 0123456789ab"


def test_an_excerpt_is_one_line_of_bounded_length() -> None:
    text = TASK_TYPES["text"]

    assert text.excerpt({"text": " a\n\tb  c "}) == "a b c"
    assert len(text.excerpt({"text": "word " * 100})) == 200


def test_the_example_of_every_kind_of_task_can_be_sent_as_it_is() -> None:
    assert json.loads(shlex.split(shlex.quote(json.dumps(TASK_TYPES["text"].example)))[0])
    for task_type in TASK_TYPES:
        assert task_type.title
