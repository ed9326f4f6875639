"""The loop under every order of its steps that Hypothesis can think of.

`STATE_MACHINE_EXAMPLES=500 pytest tests/integration/state_machine` runs for longer.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.state_machine.labeling_rules import LabelingMachine
from tests.integration.state_machine.stage import make_stage

EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "35"))
LONG = settings(
    max_examples=EXAMPLES,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.django_db
@pytest.mark.timeout(120 + 5 * EXAMPLES)
def test_labeling_keeps_its_promises_in_any_order_of_its_steps() -> None:
    team = make_stage()

    run_state_machine_as_test(lambda: LabelingMachine(team), settings=LONG)
