"""The ticks of the sweep do not stop each other."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jobs import registry, sweeping
from jobs.clock import SetClock

pytestmark = pytest.mark.django_db


def test_a_tick_that_fails_is_named_and_stops_no_other(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[datetime] = []

    def fails(at: datetime) -> None:
        raise KeyError("days")

    every = timedelta(seconds=5)
    ticks = {
        "a": registry.PeriodicFunction("a", every, fails),
        "b": registry.PeriodicFunction("b", every, ran.append),
    }
    monkeypatch.setattr(sweeping, "TICKS", ticks)

    with pytest.raises(ExceptionGroup) as raised:
        sweeping.sweep(clock.at)

    assert ran == [clock.at]
    assert raised.value.exceptions[0].__notes__ == ["In the tick a."]


@pytest.mark.django_db(transaction=True)
def test_every_tick_works_as_the_sweep_runs_it_outside_a_transaction(clock: SetClock) -> None:
    """What needs a transaction opens one; in the other tests there is one already."""
    assert set(sweeping.run_ticks(clock.at)) == set(registry.TICKS)
