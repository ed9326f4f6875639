"""What an endpoint's request carries once its policy has been checked."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from projects.errors import Invalid
from projects.models import Project, User

Given = TypeVar("Given", bound=Serializer[Any])

LARGEST_PAGE = 200
USUAL_PAGE = 50


def project_of(request: Request) -> Project:
    """The project of the address."""
    project: Project = request.project  # type: ignore[attr-defined]  # HasPolicy puts it there.
    return project


def person_of(request: Request) -> User:
    """The person who is signed in, or who made the key."""
    return cast(User, request.user)  # No policy lets a visitor come this far.


def checked(given: Given) -> dict[str, Any]:
    """The body's fields; DRF answers 400 with the problems by field."""
    _check_names(given)
    given.is_valid(raise_exception=True)
    fields: dict[str, Any] = given.validated_data
    return fields


def _check_names(given: Serializer[Any]) -> None:
    """DRF drops what it does not know; a misspelt field would be lost without a word."""
    sent = given.initial_data
    unknown = sorted(set(sent) - set(given.fields)) if isinstance(sent, dict) else []
    if unknown:
        known = ", ".join(given.fields) or "none"
        raise ValidationError({name: [f"Unknown field. Known are: {known}."] for name in unknown})


def page_size(request: Request) -> int:
    raw = request.query_params.get("limit", str(USUAL_PAGE))
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 6 and 1 <= int(raw) <= LARGEST_PAGE):
        raise Invalid(f"limit must be a number from 1 to {LARGEST_PAGE}.")
    return int(raw)
