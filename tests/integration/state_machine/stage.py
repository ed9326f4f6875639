"""The team that every run starts from: made once per test, and rolled back to after each run."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from events.sealing import seal_events
from tests.conftest import START
from tests.integration.state_machine.labeling_rules import LabelingMachine
from tests.people import make_team

# Under this key the parcel with number 3 is held out; all other texts are for training.
IDENTITY_KEY = f"{45:064x}"


def play(machine: type[LabelingMachine], using: settings) -> None:
    """Run the machine from one and the same stage; raises what it finds."""
    team = make_team(at=START)
    team.project.identity_key = IDENTITY_KEY
    team.project.save(update_fields=["identity_key"])
    seal_events()
    staged = type(machine.__name__, (machine,), {"team": team})
    run_state_machine_as_test(staged, settings=using)
