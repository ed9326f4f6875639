"""The team that every run starts from: made once per test, and rolled back to after each run."""

from __future__ import annotations

from events.sealing import seal_events
from tests.conftest import START
from tests.people import Team, make_team

# Under this key the fourth of the machines' parcels is held out; all else is for training.
IDENTITY_KEY = f"{45:064x}"


def make_stage() -> Team:
    team = make_team(at=START)
    team.project.identity_key = IDENTITY_KEY
    team.project.save(update_fields=["identity_key"])
    seal_events()
    return team
