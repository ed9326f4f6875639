"""What became of a person's answers, on their own page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from jobs.clock import SetClock
from labeling import annotating, claims
from labeling.answers import Answer, class_answer, outside_answer
from labeling.models import Annotation, Item, Lease
from labeling.own_work import agreement
from labeling.queueing import queue_input, requeue_item
from projects.models import User
from tests.flagged import settle_input
from tests.pages import Pages, text_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

MINE = reverse("labeling:annotation-mine", kwargs={"slug": "intents"})


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=3)


def put(team: Team, clock: SetClock, text: str = "my drone is lost") -> Item:
    return queue_input(
        project=team.project, value={"text": text}, source="flag", reference=1, at=clock.at
    )


def give(team: Team, person: User, clock: SetClock) -> Lease:
    lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    assert lease is not None
    return lease


def answer(team: Team, person: User, name: str, clock: SetClock) -> Annotation:
    known = team.project.classes.filter(name=name).exists()
    said = class_answer(team.project, name) if known else outside_answer(team.project, name)
    return annotating.submit_annotation(lease=give(team, person, clock), answer=said, at=clock.at)


def others_say(team: Team, clock: SetClock, *names: str) -> None:
    for person, name in zip((team.beth, team.bill), names, strict=True):
        answer(team, person, name, clock)


def page(team: Team) -> str:
    return text_of(Pages(team.bob).get(MINE))


@pytest.mark.parametrize(
    ("mine", "others", "outcome"),
    [
        ("delivery", (), "waits for others"),
        ("delivery", ("billing", "refund"), "with the reviewer"),
        ("delivery", ("delivery", "refund"), "agreed"),
        ("delivery", ("refund", "refund"), "result: refund"),
        ("delivery", ("toys", "drones"), "result: none of these"),
        ("toys", ("drones", "drones"), "agreed"),
    ],
)
def test_the_page_says_what_became_of_an_answer(
    team: Team, clock: SetClock, mine: str, others: tuple[str, ...], outcome: str
) -> None:
    put(team, clock)
    answer(team, team.bob, mine, clock)
    if others:
        others_say(team, clock, *others)

    assert outcome in page(team)


def test_an_answer_taken_back_says_so_and_offers_no_second_undo(
    team: Team, clock: SetClock
) -> None:
    put(team, clock)
    annotating.undo_annotation(annotation=answer(team, team.bob, "delivery", clock), at=clock.at)

    shown = page(team)

    assert "taken back" in shown
    assert "Undo" not in shown
    assert "answers that stand 0" in shown


def test_an_answer_of_an_earlier_round_was_asked_again(team: Team, clock: SetClock) -> None:
    item = put(team, clock)
    answer(team, team.bob, "delivery", clock)
    others_say(team, clock, "delivery", "delivery")
    item.refresh_from_db()

    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")

    shown = page(team)
    assert "asked again" in shown
    assert "Undo" not in shown


def test_an_answer_that_came_too_late_was_kept_and_not_needed(clock: SetClock) -> None:
    team = make_team(at=clock.at)
    put(team, clock)
    late = give(team, team.bob, clock)
    clock.advance(team.queue.lease_length + timedelta(seconds=1))
    claims.free_expired_slots(at=clock.at)
    answer(team, team.beth, "delivery", clock)

    annotating.submit_annotation(
        lease=late, answer=class_answer(team.project, "delivery"), at=clock.at
    )

    assert "kept, not needed" in page(team)


def test_an_answer_in_an_approved_batch_offers_no_undo(team: Team, clock: SetClock) -> None:
    put(team, clock)
    answer(team, team.bob, "delivery", clock)
    assert "Undo" in page(team)

    Item.objects.update(sealed_round=1)

    assert "Undo" not in page(team)


def test_the_page_is_of_one_person_and_one_project(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    put(team, clock, "asked here")
    put(other, clock, "asked there")
    answer(team, team.beth, "delivery", clock)
    lease = give(other, team.bob, clock)
    annotating.submit_annotation(
        lease=lease, answer=class_answer(other.project, "delivery"), at=clock.at
    )

    shown = page(team)

    assert "asked" not in shown
    assert "answers that stand 0" in shown


def test_agreement_is_over_answers_that_others_gave_too_and_that_are_settled(
    team: Team, clock: SetClock
) -> None:
    for text, mine, others in [
        ("a", "delivery", ("delivery", "refund")),
        ("b", "delivery", ("refund", "refund")),
        ("c", "toys", ("drones", "pets")),
        ("d", "delivery", ("billing", "refund")),
    ]:
        put(team, clock, text)
        answer(team, team.bob, mine, clock)
        others_say(team, clock, *others)

    counted = agreement(annotator=team.bob, project=team.project)

    assert (counted.agreed, counted.judged) == (2, 3)
    assert "agree with the result, of 3 that others answered too 67%" in page(team)


def test_nobody_agrees_with_themselves_where_one_answer_is_enough(clock: SetClock) -> None:
    team = make_team(at=clock.at)
    put(team, clock)
    answer(team, team.bob, "delivery", clock)

    assert agreement(annotator=team.bob, project=team.project).judged == 0
    assert "agree with" not in page(team)


def test_an_answer_is_judged_by_the_result_of_its_own_round(team: Team, clock: SetClock) -> None:
    item = put(team, clock)
    answer(team, team.bob, "delivery", clock)
    others_say(team, clock, "delivery", "delivery")
    item.refresh_from_db()
    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")
    settle_input(team, "my drone is lost", "refund", at=clock.at)

    assert agreement(annotator=team.bob, project=team.project).judged == 0


def test_none_of_these_is_an_answer_whether_or_not_a_name_goes_with_it() -> None:
    assert Answer().fields == {"answer": None, "is_outside": True, "proposed_name": ""}
    assert Answer(None, "toys").is_outside
