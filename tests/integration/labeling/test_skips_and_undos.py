"""What an annotator takes back or passes on, also from a page that was left open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.models import Event
from jobs.clock import SetClock
from labeling import annotating, claims, settlement
from labeling.answers import Answer, class_answer
from labeling.models import Annotation, GroundTruth, Item, Lease, Skip, Slot
from labeling.queueing import queue_input, requeue_item
from projects.errors import Conflict
from projects.models import User
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=2)


@pytest.fixture
def item(team: Team, clock: SetClock) -> Item:
    return queue_input(
        project=team.project,
        value={"text": "where is my parcel"},
        source="flag",
        reference=1,
        at=clock.at,
    )


def give(team: Team, person: User, clock: SetClock) -> Lease:
    lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    assert lease is not None
    return lease


def said(team: Team, name: str) -> Answer:
    return class_answer(team.project, name)


def answer(team: Team, person: User, name: str, clock: SetClock) -> Annotation:
    lease = give(team, person, clock)
    return annotating.submit_annotation(lease=lease, answer=said(team, name), at=clock.at)


def skip(lease: Lease, clock: SetClock, reason: str = Skip.Reason.UNCLEAR) -> Skip:
    return annotating.skip_item(lease=lease, reason=reason, note="hm", at=clock.at)


def lapse(team: Team, clock: SetClock) -> None:
    clock.advance(team.queue.lease_length + SECOND)
    claims.free_expired_slots(at=clock.at)


def truth_of(item: Item) -> tuple[str, str]:
    fresh = Item.objects.select_related("truth__answer").get(pk=item.pk)
    return fresh.state, fresh.truth.answer.name if fresh.truth and fresh.truth.answer else ""


def test_a_skip_from_a_page_left_open_gives_back_the_place_held_since(
    team: Team, item: Item, clock: SetClock
) -> None:
    left_open = give(team, team.bob, clock)
    lapse(team, clock)
    assert give(team, team.bob, clock).item_id == item.pk

    skip(left_open, clock)

    assert not Slot.objects.filter(annotator=team.bob).exists()
    assert claims.lease_next_slot(queue=team.queue, annotator=team.bob, at=clock.at) is None


def test_a_skip_from_a_page_left_open_takes_no_place_from_who_has_it_now(
    clock: SetClock,
) -> None:
    team = make_team(at=clock.at)
    item = queue_input(
        project=team.project, value={"text": "a"}, source="flag", reference=1, at=clock.at
    )
    left_open = give(team, team.bob, clock)
    lapse(team, clock)
    held = give(team, team.beth, clock)

    skip(left_open, clock)

    slot = Slot.objects.get(item=item)
    assert (slot.annotator, slot.fence) == (team.beth, held.fence)


def test_a_skip_from_a_page_of_an_earlier_round_gives_back_no_place_of_this_one(
    team: Team, item: Item, clock: SetClock
) -> None:
    left_open = give(team, team.bob, clock)
    lapse(team, clock)
    answer(team, team.beth, "delivery", clock)
    answer(team, team.bill, "delivery", clock)
    item.refresh_from_db()
    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")
    held = give(team, team.bob, clock)

    skip(left_open, clock)

    assert give(team, team.bob, clock) == held


def test_a_skip_sent_twice_is_one_skip_and_one_event(
    team: Team, item: Item, clock: SetClock
) -> None:
    lease = give(team, team.bob, clock)

    first, second = skip(lease, clock), skip(lease, clock, Skip.Reason.BROKEN)

    assert first == second
    assert Skip.objects.get().reason == Skip.Reason.UNCLEAR
    assert Event.objects.filter(name="item.skipped").count() == 1


def test_the_event_of_a_skip_holds_its_reason_and_none_of_the_persons_words(
    team: Team, item: Item, clock: SetClock
) -> None:
    skip(give(team, team.bob, clock), clock)

    event = Event.objects.get(name="item.skipped")
    assert (event.actor_id, event.data) == (team.bob.pk, {"reason": "unclear"})


def test_who_skipped_an_item_is_asked_again_in_its_next_round(
    team: Team, item: Item, clock: SetClock
) -> None:
    skip(give(team, team.bob, clock), clock)
    answer(team, team.beth, "delivery", clock)
    answer(team, team.bill, "delivery", clock)
    item.refresh_from_db()

    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")

    assert give(team, team.bob, clock).round == 2


def test_an_answer_taken_back_cannot_be_taken_back_again(
    team: Team, item: Item, clock: SetClock
) -> None:
    given = answer(team, team.bob, "delivery", clock)
    annotating.undo_annotation(annotation=given, at=clock.at)

    with pytest.raises(Conflict, match="undone already"):
        annotating.undo_annotation(annotation=given, at=clock.at)

    assert Annotation.objects.filter(undoes=given).count() == 1


def test_what_took_an_answer_back_cannot_be_taken_back_itself(
    team: Team, item: Item, clock: SetClock
) -> None:
    given = answer(team, team.bob, "delivery", clock)
    annotating.undo_annotation(annotation=given, at=clock.at)

    with pytest.raises(Conflict, match="undone already"):
        annotating.undo_annotation(annotation=Annotation.objects.get(undoes=given), at=clock.at)


@pytest.mark.parametrize(("sealed_round", "is_kept"), [(0, False), (1, True)])
def test_an_answer_is_final_once_an_approved_batch_holds_its_round(
    team: Team, item: Item, clock: SetClock, sealed_round: int, is_kept: bool
) -> None:
    given = answer(team, team.bob, "delivery", clock)
    Item.objects.update(sealed_round=sealed_round)

    if is_kept:
        with pytest.raises(Conflict, match="approved batch"):
            annotating.undo_annotation(annotation=given, at=clock.at)
    else:
        annotating.undo_annotation(annotation=given, at=clock.at)

    assert Annotation.objects.answers().filter(pk=given.pk).exists() is is_kept


def test_an_answer_of_an_earlier_round_stays(team: Team, item: Item, clock: SetClock) -> None:
    given = answer(team, team.bob, "delivery", clock)
    answer(team, team.beth, "delivery", clock)
    item.refresh_from_db()
    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")

    with pytest.raises(Conflict, match="new round"):
        annotating.undo_annotation(annotation=given, at=clock.at)

    assert set(Slot.objects.filter(item=item, round=2).values_list("state", flat=True)) == {"open"}


def test_taking_back_an_answer_nobody_needed_changes_no_result(clock: SetClock) -> None:
    team = make_team(at=clock.at)
    item = queue_input(
        project=team.project, value={"text": "a"}, source="flag", reference=1, at=clock.at
    )
    late = give(team, team.bob, clock)
    lapse(team, clock)
    answer(team, team.beth, "delivery", clock)
    surplus = annotating.submit_annotation(lease=late, answer=said(team, "refund"), at=clock.at)

    assert annotating.undo_annotation(annotation=surplus, at=clock.at) is None

    assert truth_of(item) == (Item.State.RESOLVED, "delivery")
    assert not Annotation.objects.answers().filter(pk=surplus.pk).exists()


def test_a_place_taken_back_is_held_for_a_whole_lease_from_then(
    team: Team, item: Item, clock: SetClock
) -> None:
    given = answer(team, team.bob, "delivery", clock)
    clock.advance(timedelta(hours=3))

    lease = annotating.undo_annotation(annotation=given, at=clock.at)

    assert lease is not None
    slot = Slot.objects.get(pk=lease.slot_id)
    assert (slot.annotator, slot.fence) == (team.bob, lease.fence)
    assert slot.lease_until == clock.at + team.queue.lease_length


def test_the_lease_of_an_answer_taken_back_gives_it_no_second_time(
    team: Team, item: Item, clock: SetClock
) -> None:
    old = give(team, team.bob, clock)
    given = annotating.submit_annotation(lease=old, answer=said(team, "delivery"), at=clock.at)
    annotating.undo_annotation(annotation=given, at=clock.at)

    again = annotating.submit_annotation(lease=old, answer=said(team, "delivery"), at=clock.at)

    assert again == given
    assert Slot.objects.get(annotator=team.bob).state == Slot.State.LEASED


def test_undo_and_answer_of_one_person_does_not_decide_what_the_reviewer_was_to_decide(
    team: Team, item: Item, clock: SetClock
) -> None:
    given = answer(team, team.bob, "refund", clock)
    for person in (team.beth, team.bill, team.olga):
        skip(give(team, person, clock), clock)
    assert truth_of(item) == (Item.State.DISPUTED, "")

    lease = annotating.undo_annotation(annotation=given, at=clock.at)
    assert lease is not None
    annotating.submit_annotation(lease=lease, answer=said(team, "refund"), at=clock.at)

    assert truth_of(item) == (Item.State.DISPUTED, "")


def test_after_an_undo_the_places_that_the_reviewer_closed_are_open_again(
    team: Team, item: Item, clock: SetClock
) -> None:
    given = answer(team, team.bob, "refund", clock)
    for person in (team.beth, team.bill, team.olga):
        skip(give(team, person, clock), clock)
    item.refresh_from_db()
    settlement.adjudicate(item=item, answer=said(team, "delivery"), reviewer=team.rita, at=clock.at)

    annotating.undo_annotation(annotation=given, at=clock.at)

    states = Slot.objects.filter(item=item).order_by("number").values_list("state", flat=True)
    assert sorted(states) == ["leased", "open"]
    assert truth_of(item) == (Item.State.OPEN, "")
    assert GroundTruth.objects.history(item.pk).count() == 2
