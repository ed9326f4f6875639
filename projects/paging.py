"""Long lists in pages, without counting them to the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict  # noqa: TID251  The page's own address, as it was asked for.

PAGE_SIZE = 50
LAST_PAGE = 1000  # Deeper pages are a question for a filter.

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[M]):
    """Some rows, and the addresses of the pages beside them."""

    rows: list[M]
    previous_url: str | None
    next_url: str | None
    shown: str

    @property
    def links(self) -> dict[str, object]:
        """The parameters of components/_pages.html."""
        return {
            "previous_url": self.previous_url,
            "next_url": self.next_url,
            "shown": self.shown,
        }


def page_of(rows: QuerySet[M], query: QueryDict, *, size: int = PAGE_SIZE) -> Page[M]:
    """The page that the address asks for by `page`; anything odd is the first."""
    asked = query.get("page", "1")
    number = min(max(int(asked), 1), LAST_PAGE) if asked.isdecimal() and len(asked) < 9 else 1
    first = (number - 1) * size
    found = list(rows[first : first + size + 1])
    held = found[:size]
    return Page(
        rows=held,
        previous_url=_page_url(query, number - 1) if number > 1 else None,
        next_url=_page_url(query, number + 1) if len(found) > size else None,
        shown=f"{first + 1:,} to {first + len(held):,}" if held else "",
    )


def _page_url(query: QueryDict, number: int) -> str:
    changed = query.copy()
    changed["page"] = str(number)
    return f"?{changed.urlencode()}"
