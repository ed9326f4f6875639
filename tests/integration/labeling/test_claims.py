"""Which slot a person is given next, and at what cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feedback.flagging import note_sighting
from jobs.clock import SetClock
from labeling import annotating, claims, next_slot
from labeling.answers import Answer, class_answer
from labeling.models import Annotation, Item, Lease, Queue, Skip, Slot
from labeling.queueing import queue_input
from projects.errors import Conflict
from projects.models import User
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=2)


@pytest.fixture
def said(team: Team) -> Answer:
    return class_answer(team.project, "delivery")


def put(team: Team, clock: SetClock, *texts: str) -> list[Item]:
    """Queue them, one second apart."""
    items = []
    for text in texts:
        clock.advance(SECOND)
        items.append(
            queue_input(
                project=team.project,
                value={"text": text},
                source="flag",
                reference=1,
                at=clock.at,
            )
        )
    return items


def find(team: Team, person: User, clock: SetClock) -> Lease | None:
    return claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)


def give(team: Team, person: User, clock: SetClock) -> Lease:
    lease = find(team, person, clock)
    assert lease is not None
    return lease


def skip(lease: Lease, clock: SetClock) -> None:
    annotating.skip_item(lease=lease, reason=Skip.Reason.UNCLEAR, at=clock.at)


def test_items_come_in_the_order_in_which_they_were_queued(
    team: Team, clock: SetClock, said: Answer
) -> None:
    items = put(team, clock, "one", "two", "three")

    given = []
    lease: Lease | None = give(team, team.bob, clock)
    while lease:
        given.append(lease.item_id)
        _, lease = annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)

    assert given == [item.pk for item in items]


def test_many_items_queued_in_the_same_moment_all_come_once(
    team: Team, clock: SetClock, said: Answer
) -> None:
    for number in range(12):
        queue_input(
            project=team.project,
            value={"text": f"message {number}"},
            source="flag",
            reference=number,
            at=clock.at,
        )

    given = []
    lease: Lease | None = give(team, team.bob, clock)
    while lease:
        given.append(lease.item_id)
        _, lease = annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)

    assert sorted(given) == sorted(Item.objects.values_list("pk", flat=True))


def test_a_skipped_item_does_not_come_back_with_a_look_at_the_whole_queue(
    team: Team, clock: SetClock
) -> None:
    *_, third = put(team, clock, "one", "two", "three")
    skip(give(team, team.bob, clock), clock)
    skip(give(team, team.bob, clock), clock)
    clock.advance(claims.RESCAN)

    assert give(team, team.bob, clock).item_id == third.pk


def test_an_item_that_lapsed_comes_back_to_the_same_person_with_the_next_whole_look(
    team: Team, clock: SetClock, said: Answer
) -> None:
    first, *_ = put(team, clock, "one", "two", "three")
    give(team, team.bob, clock)
    clock.advance(team.queue.lease_length + SECOND)
    claims.free_expired_slots(at=clock.at)

    assert give(team, team.bob, clock).item_id == first.pk


def test_an_item_that_opens_behind_a_person_waits_for_them_a_short_while(
    team: Team, clock: SetClock, said: Answer
) -> None:
    put(team, clock, "one", "two", "three", "four")
    annotating.submit_annotation(lease=give(team, team.bob, clock), answer=said, at=clock.at)
    lease = give(team, team.bob, clock)
    early = queue_input(
        project=team.project,
        value={"text": "urgent"},
        source="flag",
        reference=9,
        at=clock.at - timedelta(days=1),
    )
    _, onward = annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)
    assert onward is not None
    assert onward.item_id != early.pk

    clock.advance(claims.RESCAN)
    _, after = annotating.submit_and_lease_next(lease=onward, answer=said, at=clock.at)

    assert after is not None
    assert after.item_id == early.pk


def test_the_look_onward_starts_behind_the_slot_given_last(
    team: Team, clock: SetClock, said: Answer
) -> None:
    put(team, clock, "one", "two", "three", "four")
    lease: Lease | None = give(team, team.bob, clock)
    for _ in range(3):
        assert lease is not None
        trail = next_slot.find_trail(queue=team.queue, annotator=team.bob, at=clock.at)
        assert trail is not None
        assert trail.slot_id == trail.held_slot_id == lease.slot_id
        _, lease = annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)


def test_nothing_is_said_only_after_a_look_at_the_whole_queue(
    team: Team, clock: SetClock, said: Answer
) -> None:
    put(team, clock, "one")
    lease = give(team, team.bob, clock)
    early = queue_input(
        project=team.project,
        value={"text": "urgent"},
        source="flag",
        reference=9,
        at=clock.at - timedelta(days=1),
    )

    _, after = annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)

    assert after is not None
    assert after.item_id == early.pk


def test_in_a_blind_queue_who_saw_the_answer_is_not_given_the_item(
    team: Team, clock: SetClock, said: Answer
) -> None:
    _, seen, third = put(team, clock, "one", "two", "three")
    note_sighting(project=team.project, user=team.bob, identity=seen.identity, at=clock.at)
    lease = give(team, team.bob, clock)

    _, after = annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)

    assert after is not None
    assert after.item_id == third.pk


def test_in_an_open_queue_nobody_is_left_out_for_what_they_saw(
    team: Team, clock: SetClock, said: Answer
) -> None:
    Queue.objects.update(is_blind=False)
    team.queue.refresh_from_db()
    _, seen = put(team, clock, "one", "two")
    note_sighting(project=team.project, user=team.bob, identity=seen.identity, at=clock.at)
    lease = give(team, team.bob, clock)

    _, after = annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)

    assert after is not None
    assert after.item_id == seen.pk


def test_after_an_undo_the_item_taken_back_comes_before_the_one_that_waits(
    team: Team, clock: SetClock, said: Answer
) -> None:
    first, _ = put(team, clock, "one", "two")
    annotation, waiting = annotating.submit_and_lease_next(
        lease=give(team, team.bob, clock), answer=said, at=clock.at
    )
    assert waiting is not None
    clock.advance(SECOND)
    annotating.undo_annotation(annotation=annotation, at=clock.at)

    back = give(team, team.bob, clock)
    _, then = annotating.submit_and_lease_next(lease=back, answer=said, at=clock.at)

    assert back.item_id == first.pk
    assert then == waiting


def test_a_person_who_answered_the_item_under_another_lease_cannot_skip_it(
    team: Team, clock: SetClock, said: Answer
) -> None:
    put(team, clock, "one")
    lapsed = give(team, team.bob, clock)
    clock.advance(team.queue.lease_length + SECOND)
    claims.free_expired_slots(at=clock.at)
    annotating.submit_annotation(lease=give(team, team.bob, clock), answer=said, at=clock.at)

    with pytest.raises(Conflict, match="has your answer already"):
        skip(lapsed, clock)


def test_submit_and_next_takes_few_queries(team: Team, clock: SetClock, said: Answer) -> None:
    put(team, clock, *(f"message {number}" for number in range(6)))
    for person in (team.beth, team.bob):
        annotating.submit_and_lease_next(lease=give(team, person, clock), answer=said, at=clock.at)
    lease = Lease.objects.select_related("queue", "annotator").get(
        pk=give(team, team.bob, clock).pk
    )

    with CaptureQueriesContext(connection) as waits_for_others:
        annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)
    lease = Lease.objects.select_related("queue", "annotator").get(
        pk=give(team, team.beth, clock).pk
    )
    with CaptureQueriesContext(connection) as settles:
        annotating.submit_and_lease_next(lease=lease, answer=said, at=clock.at)

    assert len(_work(waits_for_others)) <= 10
    assert len(_work(settles)) <= 16


def _work(captured: CaptureQueriesContext) -> list[str]:
    sent = [query["sql"].strip() for query in captured.captured_queries]
    return [sql for sql in sent if not sql.startswith(("SAVEPOINT", "RELEASE"))]


def test_the_next_slot_is_found_through_the_index_of_open_slots(
    team: Team, clock: SetClock, said: Answer
) -> None:
    for number in range(60):
        put(team, clock, f"message {number}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as captured:
        annotating.submit_and_lease_next(
            lease=give(team, team.bob, clock), answer=said, at=clock.at
        )
    looks = [
        sql
        for sql in _work(captured)
        if "order_key" in sql and "ORDER BY" in sql and "COALESCE" in sql
    ]

    assert len(looks) == 2  # The look at the whole queue, and the look onward.
    for sql in looks:
        plan = _plan(sql)
        assert "slot_open" in plan
        assert "sort" not in plan.lower().replace("b-tree for order by", "sort")


def _plan(sql: str) -> str:
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_every_open_slot_belongs_to_an_open_item_after_a_dispute(
    team: Team, clock: SetClock, said: Answer
) -> None:
    put(team, clock, "one")
    for person in (team.bob, team.beth, team.bill):
        skip(give(team, person, clock), clock)

    assert Item.objects.get().state == Item.State.DISPUTED  # Olga alone is left for two slots.
    assert not Slot.objects.filter(state=Slot.State.OPEN).exists()


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL plans by statistics, and here there are none"
)
@pytest.mark.parametrize("asked", ["answers", "counting", "claimable"])
def test_sqlite_finds_an_items_answers_by_the_item_and_reads_no_others(
    team: Team, asked: str
) -> None:
    answers = {
        "answers": Annotation.objects.answers().filter(item_id=1, round=1),
        "counting": Annotation.objects.counting(item_id=1, round_number=1),
        "claimable": claims.claimable_by(queue=team.queue, annotator=team.bob),
    }

    plan = answers[asked].explain()

    assert "undo" not in plan.replace("undone_once (undoes_id=?)", "")
