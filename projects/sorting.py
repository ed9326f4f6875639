"""Tables that sort by a link in their head: only by what the page declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict  # noqa: TID251  The page's own address, as it was asked for.


@dataclass(frozen=True)
class Column:
    """A column; without a field it does not sort."""

    title: str
    field: str = ""
    is_numeric: bool = False


@dataclass(frozen=True)
class Head:
    """The parameters of components/_sort.html."""

    title: str
    url: str
    is_numeric: bool
    order: str | None


@dataclass(frozen=True)
class Sorting:
    order_by: str
    heads: list[Head]


def sorting_of(columns: Sequence[Column], query: QueryDict, *, default: str) -> Sorting:
    """The order that the address asks for by `sort`; anything not declared is the default."""
    asked = query.get("sort", default)
    fields = {column.field for column in columns if column.field}
    order_by = asked if asked.removeprefix("-") in fields else default
    return Sorting(order_by, [_head(column, query, order_by) for column in columns])


def _head(column: Column, query: QueryDict, order_by: str) -> Head:
    is_this = bool(column.field) and order_by.removeprefix("-") == column.field
    is_descending = order_by.startswith("-")
    url = ""
    if column.field:
        changed = query.copy()
        changed.pop("page", None)
        changed["sort"] = column.field if is_this and is_descending else f"-{column.field}"
        url = f"?{changed.urlencode()}"
    order = None if not is_this else "descending" if is_descending else "ascending"
    return Head(column.title, url, column.is_numeric, order)
