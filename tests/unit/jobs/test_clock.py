"""The one clock."""

from datetime import timedelta

from jobs import clock as the_clock


def test_a_set_clock_moves_only_when_it_is_moved(clock: the_clock.SetClock) -> None:
    before = the_clock.now()

    clock.advance(timedelta(minutes=5))

    assert the_clock.now() - before == timedelta(minutes=5)
