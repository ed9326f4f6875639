"""Each process killed without warning comes back, and the whole is ready again by itself."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.stack import Stack

pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize(
    "name", ["web", "predictor", "worker", "trainer", "sweep", "beat", "broker"]
)
def test_after_a_kill_and_a_restart_the_whole_is_ready_again(stack: Stack, name: str) -> None:
    stack.kill(name)
    assert not stack.is_alive(name)

    stack.restart(name)

    stack.wait_ready()


def test_without_a_broker_pages_are_still_served(stack: Stack) -> None:
    stack.kill("broker")

    with urllib.request.urlopen(f"{stack.base_url}/healthz", timeout=10) as answer:
        alive = answer.status
    with pytest.raises(urllib.error.HTTPError) as not_ready:
        urllib.request.urlopen(f"{stack.base_url}/readyz", timeout=10)
    words = not_ready.value.read().decode()
    not_ready.value.close()
    stack.restart("broker")

    assert alive == 200
    assert "NOT  broker" in words
    assert "ok   database" in words
