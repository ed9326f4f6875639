"""What a page says after an action: that it was done, or why it was refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest  # noqa: TID251  The type of a front door's argument.

from projects.errors import Conflict, DomainError


@contextmanager
def telling(
    request: HttpRequest, done: str, *, refusals: tuple[type[DomainError], ...] = (Conflict,)
) -> Iterator[None]:
    """Do the action inside; the next page says `done`, or the refusal's own words."""
    try:
        yield
    except refusals as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
