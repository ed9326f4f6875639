"""The loop under every order of its steps that Hypothesis can think of.

`STATE_MACHINE_EXAMPLES=500 pytest tests/integration/state_machine` runs for longer.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.integration.state_machine.labeling_rules import LabelingMachine
from tests.integration.state_machine.loop_rules import LoopMachine
from tests.integration.state_machine.stage import play

EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "10"))
LONG = settings(
    max_examples=EXAMPLES,
    stateful_step_count=60,
    deadline=None,
    derandomize="STATE_MACHINE_EXAMPLES" not in os.environ,  # The same runs in every check.
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.django_db
@pytest.mark.timeout(120 + 5 * EXAMPLES)
def test_labeling_keeps_its_promises_in_any_order_of_its_steps() -> None:
    play(LabelingMachine, LONG)


@pytest.mark.django_db
@pytest.mark.timeout(120 + 5 * EXAMPLES)
def test_the_whole_loop_keeps_its_promises_in_any_order_of_its_steps() -> None:
    play(LoopMachine, LONG)
