"""What an annotator is told of a queue: how much is done, what waits, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jobs.clock import UTC, SetClock
from labeling import annotating, claims, desk
from labeling.answers import class_answer
from labeling.models import Annotation, Item, Lease, Queue, Skip
from labeling.queueing import queue_input
from projects.models import User
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def put(team: Team, text: str, *, at: datetime) -> Item:
    return queue_input(
        project=team.project, value={"text": text}, source="flag", reference=1, at=at
    )


def give(team: Team, person: User, *, at: datetime) -> Lease:
    lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=at)
    assert lease is not None
    return lease


def answer(team: Team, person: User, *, at: datetime) -> Annotation:
    return annotating.submit_annotation(
        lease=give(team, person, at=at), answer=class_answer(team.project, "refund"), at=at
    )


def second_queue(team: Team, *, at: datetime) -> Queue:
    return Queue.objects.create(project=team.project, slug="second", name="Second", created_at=at)


def done_today(team: Team, person: User, *, at: datetime) -> int:
    return desk.answers_today(annotator=person, queue=team.queue, at=at)


def test_answers_count_for_the_day_from_its_first_moment(team: Team) -> None:
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    for number in range(3):
        put(team, f"message {number}", at=midnight - timedelta(days=1))
    for at in (midnight - timedelta(microseconds=1), midnight, midnight + SECOND):
        answer(team, team.bob, at=at)

    assert done_today(team, team.bob, at=midnight + timedelta(hours=23)) == 2


def test_what_others_answered_or_was_taken_back_is_not_ones_own_work_of_the_day(
    team: Team, clock: SetClock
) -> None:
    for number in range(3):
        put(team, f"message {number}", at=clock.at)
    answer(team, team.bob, at=clock.at)
    answer(team, team.beth, at=clock.at)
    annotating.undo_annotation(annotation=answer(team, team.bob, at=clock.at), at=clock.at)

    assert done_today(team, team.bob, at=clock.at) == 1


def test_each_queue_counts_its_own_answers(team: Team, clock: SetClock) -> None:
    put(team, "message", at=clock.at)
    answer(team, team.bob, at=clock.at)
    other = second_queue(team, at=clock.at)

    assert desk.answers_today(annotator=team.bob, queue=other, at=clock.at) == 0


def test_the_queue_that_kept_somebody_waiting_longest_is_served_first(
    team: Team, clock: SetClock
) -> None:
    second = second_queue(team, at=clock.at)
    put(team, "new", at=clock.at)
    old = put(team, "old", at=clock.at - timedelta(hours=1))
    Item.objects.filter(pk=old.pk).update(queue=second)
    old.slots.update(queue=second)

    assert desk.next_queue(project=team.project, annotator=team.bob) == second


def test_a_queue_whose_items_are_for_others_is_not_served_first(
    team: Team, clock: SetClock
) -> None:
    second = second_queue(team, at=clock.at)
    put(team, "old", at=clock.at - timedelta(hours=1))
    lease = give(team, team.bob, at=clock.at)
    annotating.skip_item(lease=lease, reason=Skip.Reason.UNCLEAR, at=clock.at)
    new = put(team, "new", at=clock.at)
    new.slots.update(queue=second)

    assert desk.next_queue(project=team.project, annotator=team.bob) == second
    assert desk.next_queue(project=team.project, annotator=team.beth) == team.queue


def test_where_nothing_waits_the_first_queue_says_so(team: Team, clock: SetClock) -> None:
    second_queue(team, at=clock.at)

    assert desk.next_queue(project=team.project, annotator=team.bob) == team.queue


def test_a_project_without_a_queue_has_none_to_serve(team: Team) -> None:
    team.project.routing_rules.all().delete()
    team.queue.delete()

    assert desk.next_queue(project=team.project, annotator=team.bob) is None


def test_what_waits_counts_the_item_at_hand(team: Team, clock: SetClock) -> None:
    for number in range(3):
        put(team, f"message {number}", at=clock.at)

    counted = desk.tally(lease=give(team, team.bob, at=clock.at), at=clock.at)

    assert (counted.done, counted.waiting, counted.is_bounded) == (0, 3, False)


def test_an_open_page_holds_its_item_for_three_leases_and_not_a_moment_longer(
    team: Team, clock: SetClock
) -> None:
    put(team, "message", at=clock.at)
    lease = give(team, team.bob, at=clock.at)
    longest = 3 * team.queue.lease_length

    held_until = desk.keep_lease(lease=lease, at=lease.given_at + longest)
    held_longer = desk.keep_lease(lease=lease, at=lease.given_at + longest + SECOND)

    assert (held_until, held_longer) == (lease.given_at + 4 * team.queue.lease_length, None)


def test_a_page_left_open_does_not_hold_what_has_passed_on(team: Team, clock: SetClock) -> None:
    put(team, "message", at=clock.at)
    lease = give(team, team.bob, at=clock.at)
    claims.release_place(lease=lease)

    assert desk.keep_lease(lease=lease, at=clock.at) is None


@pytest.mark.parametrize(("seconds", "is_freed"), [(0, False), (1, True)])
def test_an_item_is_taken_back_only_after_the_last_moment_of_its_lease(
    team: Team, clock: SetClock, seconds: int, is_freed: bool
) -> None:
    put(team, "message", at=clock.at)
    give(team, team.bob, at=clock.at)

    clock.advance(team.queue.lease_length + timedelta(seconds=seconds))

    assert claims.free_expired_slots(at=clock.at) == int(is_freed)


def test_who_comes_back_at_the_last_moment_of_a_lease_still_has_it(
    team: Team, clock: SetClock
) -> None:
    put(team, "message", at=clock.at)
    lease = give(team, team.bob, at=clock.at)

    clock.advance(team.queue.lease_length)

    assert give(team, team.bob, at=clock.at) == lease


def test_an_item_is_due_its_queues_hours_after_it_was_queued(team: Team, clock: SetClock) -> None:
    put(team, "message", at=clock.at - timedelta(hours=5))
    lease = give(team, team.bob, at=clock.at)

    assert desk.due_at(lease) == clock.at + timedelta(hours=72 - 5)


def test_an_item_held_by_another_says_when_it_comes_free(team: Team, clock: SetClock) -> None:
    put(team, "message", at=clock.at)
    give(team, team.beth, at=clock.at)

    why = desk.why_empty(queue=team.queue, annotator=team.bob)

    assert (why.kind, why.held_count) == ("held", 1)
    assert why.first_free_at == clock.at + team.queue.lease_length
