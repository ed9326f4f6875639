"""From an input to its ground truth, through the real functions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.clock import SetClock
from labeling import annotating, claims, class_proposals, settlement
from labeling.answers import Answer, class_answer, outside_answer
from labeling.models import Annotation, ClassProposal, GroundTruth, Item, Lease, Skip, Slot
from labeling.queueing import queue_input
from projects.errors import Conflict
from projects.models import User
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=3)


def put(team: Team, text: str, clock: SetClock) -> Item:
    return queue_input(
        project=team.project, value={"text": text}, source="flag", reference=1, at=clock.at
    )


def lease(team: Team, person: User, clock: SetClock) -> Lease:
    given = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    assert given is not None
    return given


def answer(team: Team, person: User, name: str, clock: SetClock) -> Annotation:
    return annotating.submit_annotation(
        lease=lease(team, person, clock), answer=class_answer(team.project, name), at=clock.at
    )


def test_two_of_three_equal_answers_settle_the_item(team: Team, clock: SetClock) -> None:
    item = put(team, "where is my parcel", clock)

    answer(team, team.bob, "delivery", clock)
    answer(team, team.beth, "delivery", clock)
    answer(team, team.bill, "refund", clock)

    item.refresh_from_db()
    assert item.state == Item.State.RESOLVED
    assert item.truth is not None
    assert item.truth.answer is not None
    assert item.truth.answer.name == "delivery"
    assert item.truth.confidence == pytest.approx(2 / 3)


def test_an_item_waits_for_all_its_slots(team: Team, clock: SetClock) -> None:
    item = put(team, "where is my parcel", clock)

    answer(team, team.bob, "delivery", clock)
    answer(team, team.beth, "delivery", clock)

    item.refresh_from_db()
    assert item.state == Item.State.OPEN


def test_three_different_answers_go_to_the_reviewer(team: Team, clock: SetClock) -> None:
    item = put(team, "where is my parcel", clock)
    for person, name in [(team.bob, "delivery"), (team.beth, "refund"), (team.bill, "billing")]:
        answer(team, person, name, clock)
    item.refresh_from_db()
    assert item.state == Item.State.DISPUTED

    truth = settlement.adjudicate(
        item=item, answer=class_answer(team.project, "refund"), reviewer=team.rita, at=clock.at
    )

    assert truth.method == GroundTruth.Method.REVIEWER
    item.refresh_from_db()
    assert item.truth == truth


def test_an_annotator_is_not_given_the_same_item_twice(team: Team, clock: SetClock) -> None:
    put(team, "where is my parcel", clock)
    answer(team, team.bob, "delivery", clock)

    assert claims.lease_next_slot(queue=team.queue, annotator=team.bob, at=clock.at) is None


def test_a_person_who_comes_back_gets_the_slot_they_hold(team: Team, clock: SetClock) -> None:
    put(team, "where is my parcel", clock)
    first = lease(team, team.bob, clock)

    again = lease(team, team.bob, clock)

    assert again == first


def test_a_late_answer_still_counts_while_a_slot_is_free(team: Team, clock: SetClock) -> None:
    put(team, "where is my parcel", clock)
    given = lease(team, team.bob, clock)
    clock.advance(timedelta(hours=1))
    claims.free_expired_slots(at=clock.at)

    late = annotating.submit_annotation(
        lease=given, answer=class_answer(team.project, "delivery"), at=clock.at
    )

    assert late.counts


def test_a_late_answer_without_a_free_slot_is_kept_as_surplus(team: Team, clock: SetClock) -> None:
    put(team, "where is my parcel", clock)
    given = lease(team, team.bob, clock)
    clock.advance(timedelta(hours=1))
    claims.free_expired_slots(at=clock.at)
    for person in (team.beth, team.bill, team.olga):
        answer(team, person, "delivery", clock)

    late = annotating.submit_annotation(
        lease=given, answer=class_answer(team.project, "refund"), at=clock.at
    )

    assert not late.counts
    assert Annotation.objects.filter(pk=late.pk).exists()


def test_the_same_answer_twice_is_one_annotation(team: Team, clock: SetClock) -> None:
    put(team, "where is my parcel", clock)
    given = lease(team, team.bob, clock)
    said = class_answer(team.project, "delivery")

    first = annotating.submit_annotation(lease=given, answer=said, at=clock.at)
    second = annotating.submit_annotation(lease=given, answer=said, at=clock.at)

    assert first == second


def test_another_answer_under_the_same_lease_is_a_conflict(team: Team, clock: SetClock) -> None:
    put(team, "where is my parcel", clock)
    given = lease(team, team.bob, clock)
    annotating.submit_annotation(
        lease=given, answer=class_answer(team.project, "delivery"), at=clock.at
    )

    with pytest.raises(Conflict, match="answered this item already"):
        annotating.submit_annotation(
            lease=given, answer=class_answer(team.project, "refund"), at=clock.at
        )


def test_undo_takes_the_slot_back_and_the_truth_away(team: Team, clock: SetClock) -> None:
    item = put(team, "where is my parcel", clock)
    answer(team, team.bob, "delivery", clock)
    answer(team, team.beth, "delivery", clock)
    last = answer(team, team.bill, "delivery", clock)

    given = annotating.undo_annotation(annotation=last, at=clock.at)

    item.refresh_from_db()
    assert given is not None
    assert item.state == Item.State.OPEN
    assert item.truth is None
    newest = GroundTruth.objects.history(item.pk).last()
    assert newest is not None
    assert newest.method == GroundTruth.Method.NONE
    assert Slot.objects.get(pk=given.slot_id).annotator == team.bill


def test_after_an_undo_another_answer_settles_the_item_anew(team: Team, clock: SetClock) -> None:
    item = put(team, "where is my parcel", clock)
    answer(team, team.bob, "delivery", clock)
    answer(team, team.beth, "refund", clock)
    last = answer(team, team.bill, "delivery", clock)
    given = annotating.undo_annotation(annotation=last, at=clock.at)
    assert given is not None

    annotating.submit_annotation(
        lease=given, answer=class_answer(team.project, "refund"), at=clock.at
    )

    item.refresh_from_db()
    assert item.truth is not None
    assert item.truth.answer is not None
    assert item.truth.answer.name == "refund"


def test_a_skipped_item_is_not_shown_again_but_stays_for_others(
    team: Team, clock: SetClock
) -> None:
    put(team, "where is my parcel", clock)
    annotating.skip_item(
        lease=lease(team, team.bob, clock), reason=Skip.Reason.UNCLEAR, at=clock.at
    )

    assert claims.lease_next_slot(queue=team.queue, annotator=team.bob, at=clock.at) is None
    assert claims.lease_next_slot(queue=team.queue, annotator=team.beth, at=clock.at) is not None


def test_when_too_few_people_are_left_the_reviewer_decides(team: Team, clock: SetClock) -> None:
    item = put(team, "where is my parcel", clock)
    answer(team, team.bob, "delivery", clock)

    for person in (team.beth, team.bill):
        annotating.skip_item(
            lease=lease(team, person, clock), reason=Skip.Reason.UNCLEAR, at=clock.at
        )

    item.refresh_from_db()
    assert item.state == Item.State.DISPUTED


def test_an_accepted_class_opens_the_items_that_were_outside(team: Team, clock: SetClock) -> None:
    item = put(team, "my drone is stuck", clock)
    for person in (team.bob, team.beth, team.bill):
        annotating.submit_annotation(
            lease=lease(team, person, clock),
            answer=outside_answer(team.project, "Drone help"),
            at=clock.at,
        )
    item.refresh_from_db()
    assert item.truth is not None
    assert item.truth.is_outside

    class_proposals.accept_class(proposal=ClassProposal.objects.get(), by=team.lena, at=clock.at)

    item.refresh_from_db()
    assert (item.state, item.round, item.truth_id) == (Item.State.OPEN, 2, None)
    assert claims.claimable_by(queue=team.queue, annotator=team.bob).count() == 3


def test_a_proposed_name_that_is_a_class_is_that_class(team: Team) -> None:
    assert outside_answer(team.project, "  Refund ") == class_answer(team.project, "refund")


def test_none_of_these_without_a_name_is_an_answer(team: Team) -> None:
    assert outside_answer(team.project) == Answer(None, "")
