"""The chain over the event log, and what it notices."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from events.models import Chain, Event
from events.recording import record
from events.sealing import forget_events, seal_events, verify_events
from jobs.clock import SetClock
from tests.threads import at_once

PROJECT = 7


@dataclass
class Subject:
    """What an event is about, as far as the log cares."""

    pk: int
    project_id: int = PROJECT
    _meta = Event._meta


@pytest.fixture
def _log(db: None, clock: SetClock) -> None:
    write(6, clock)
    seal_events()


def write(count: int, clock: SetClock, project_id: int = PROJECT) -> None:
    for number in range(count):
        record("item.queued", subject=Subject(number, project_id), at=clock.at, number=number)
        clock.advance(timedelta(milliseconds=1))


def tamper(statement: str, *values: str | int) -> None:
    """Change the table behind the product's back."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.usefixtures("_log")
def test_an_untouched_log_holds() -> None:
    assert verify_events(PROJECT) is None
    assert [event.position for event in Event.objects.sealed(PROJECT)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("_log")
def test_lines_sealed_later_continue_the_chain(clock: SetClock) -> None:
    write(3, clock)

    assert seal_events() == 3

    assert verify_events(PROJECT) is None
    assert Chain.objects.get(project_id=PROJECT).position == 9


@pytest.mark.usefixtures("_log")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("data", '{"number":8}'),
        ("name", "item.queuee"),
        ("subject_id", 17),
        ("actor_id", 1),
        ("at", "2026-03-02 09:00:00.002001+00:00"),
        ("digest", "0" * 64),
    ],
)
def test_a_changed_byte_is_found_where_it_is(column: str, value: str | int) -> None:
    tamper(f"UPDATE events_event SET {column} = %s WHERE position = 3", value)

    broken = verify_events(PROJECT)

    assert broken is not None
    assert broken.position == 3


@pytest.mark.usefixtures("_log")
@pytest.mark.parametrize("position", [1, 3, 6])
def test_a_dropped_line_is_found_where_it_was_also_at_the_end(position: int) -> None:
    tamper("DELETE FROM events_event WHERE position = %s", position)

    broken = verify_events(PROJECT)

    assert broken is not None
    assert (broken.position, broken.reason[:7]) == (position, "missing")


@pytest.mark.usefixtures("_log")
def test_two_lines_that_changed_places_are_found() -> None:
    tamper("UPDATE events_event SET position = 100 WHERE position = 2")
    tamper("UPDATE events_event SET position = 2 WHERE position = 4")
    tamper("UPDATE events_event SET position = 4 WHERE position = 100")

    broken = verify_events(PROJECT)

    assert broken is not None
    assert broken.position == 2


@pytest.mark.usefixtures("_log")
def test_two_contents_that_changed_places_are_found() -> None:
    tamper("UPDATE events_event SET subject_id = 5 - subject_id WHERE position IN (3, 4)")

    broken = verify_events(PROJECT)

    assert broken is not None
    assert broken.position == 3


@pytest.mark.usefixtures("_log")
def test_the_whole_log_gone_is_found() -> None:
    tamper("DELETE FROM events_event")

    assert verify_events(PROJECT) is not None


@pytest.mark.usefixtures("_log")
def test_a_line_slipped_in_at_the_end_is_not_part_of_the_chain() -> None:
    tamper("UPDATE events_chain SET position = 5")

    broken = verify_events(PROJECT)

    assert broken is not None
    assert "last digest" in broken.reason


@pytest.mark.usefixtures("_log")
def test_the_command_says_that_the_log_holds(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_events")

    assert "Project 7: 6 events hold, 0 not yet sealed." in capsys.readouterr().out


@pytest.mark.usefixtures("_log")
def test_the_command_fails_and_names_the_broken_line(
    capsys: pytest.CaptureFixture[str], clock: SetClock
) -> None:
    write(2, clock, project_id=8)
    seal_events()
    tamper("UPDATE events_event SET name = 'item.lost' WHERE position = 4")

    with pytest.raises(CommandError, match="1 projects"):
        call_command("verify_events")

    printed = capsys.readouterr()
    assert "Project 7: line 4" in printed.err
    assert "Project 8: 2 events hold" in printed.out


@pytest.mark.usefixtures("_log")
def test_a_forgotten_project_leaves_no_chain_behind() -> None:
    forget_events(project_id=PROJECT)

    assert not Event.objects.filter(project_id=PROJECT).exists()
    assert not Chain.objects.filter(project_id=PROJECT).exists()


@pytest.mark.usefixtures("_log")
def test_events_cannot_be_changed_or_deleted_through_the_product() -> None:
    with pytest.raises(TypeError, match="append-only"):
        Event.objects.filter(position=1).update(name="item.lost")
    with pytest.raises(TypeError, match="append-only"):
        Event.objects.filter(position=1).delete()


@pytest.mark.django_db(transaction=True)
def test_two_sealers_and_two_writers_at_once_make_one_chain(clock: SetClock) -> None:
    start = clock.at
    has_ended = threading.Event()

    def seal_until_the_end() -> None:
        while not has_ended.is_set():
            seal_events()

    def write_much() -> None:
        for number in range(150):
            with transaction.atomic():
                record("item.queued", subject=Subject(number), at=start, number=number)
                record("item.resolved", subject=Subject(number), at=start, number=number)

    def write_and_end() -> None:
        at_once(write_much, write_much)
        has_ended.set()

    at_once(seal_until_the_end, seal_until_the_end, write_and_end)
    seal_events()

    assert verify_events(PROJECT) is None
    assert Event.objects.sealed(PROJECT).count() == 600
    assert not Event.objects.unsealed().exists()


@pytest.mark.django_db(transaction=True)
def test_a_line_committed_late_gets_its_place_after_those_sealed_before(clock: SetClock) -> None:
    start = clock.at
    written, sealed = threading.Event(), threading.Event()

    def hold_a_transaction() -> None:
        with transaction.atomic():
            record("item.queued", subject=Subject(1), at=start)
            written.set()
            if connection.vendor == "postgresql":  # SQLite lets nobody else write meanwhile.
                sealed.wait(20)

    def write_and_seal() -> None:
        written.wait(20)
        record("item.queued", subject=Subject(2), at=start)
        seal_events()
        sealed.set()

    at_once(hold_a_transaction, write_and_seal)
    seal_events()

    assert verify_events(PROJECT) is None
    in_order = [event.subject_id for event in Event.objects.sealed(PROJECT)]
    assert in_order == ([2, 1] if connection.vendor == "postgresql" else [1, 2])
