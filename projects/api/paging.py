"""Pages of the newest rows, by a cursor that only this server makes."""

from __future__ import annotations

from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from projects.errors import Invalid
from projects.requests import is_row_id


class NumberedPages(CursorPagination):
    """DRF's own hands what a cursor says to the database unread; ours are always numbers."""

    page_size = 50

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not is_row_id(str(cursor.position)):
            raise Invalid("This cursor is not one of ours. Begin again without it.")
        return cursor
