"""Whoever is shown what the model or somebody else said of an input is not asked blindly."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.request import Request

from feedback.flagging import note_sightings
from jobs import clock
from projects.api.requests import person_of, project_of


def note_seen(request: Request, identities: Iterable[str]) -> None:
    """For the person who is signed in, or who made the key."""
    note_sightings(
        project=project_of(request),
        user=person_of(request),
        identities=list(identities),
        at=clock.now(),
    )
