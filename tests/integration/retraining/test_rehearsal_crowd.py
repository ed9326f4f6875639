"""Simulated annotators answer until nothing is left; the reviewer and the lead do the rest."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from pathlib import Path

import pytest

from jobs.clock import SetClock
from labeling.models import Annotation, ClassProposal, GroundTruth, Item
from labeling.queueing import queue_input
from projects.models import User
from retraining.rehearsal.crowd import ALL, SECONDS_PER_ANSWER, Crowd
from retraining.rehearsal.options import RehearsalOptions
from retraining.rehearsal.stage import Stage, set_stage

pytestmark = pytest.mark.django_db

OPTIONS = RehearsalOptions(data=Path("a.csv"), annotators=(0.9, 0.9, 0.9), overlap=2)
Says = Callable[[int, Item], str]


@pytest.fixture
def stage(clock: SetClock) -> Stage:
    return set_stage(options=OPTIONS, classes=["billing", "delivery", "refund"], at=clock.at)


def queue(stage: Stage, clock: SetClock, truths: Mapping[str, str]) -> None:
    for text in truths:
        queue_input(
            project=stage.project, value={"text": text}, source="flag", reference=1, at=clock.at
        )


def work(
    stage: Stage,
    clock: SetClock,
    truths: Mapping[str, str],
    *,
    says: Says | None = None,
    people: Container[int] = ALL,
) -> list[int]:
    """How many answers there were after each round."""
    told: list[int] = []
    crowd = Crowd(
        stage=stage,
        clock=clock,
        says=says or (lambda person, item: truths[item.input["text"]]),
        truth=lambda item: truths[item.input["text"]],
    )
    crowd.work_until_done(told.append, people=people)
    return told


def answers_of(person: User) -> int:
    return Annotation.objects.answers().filter(annotator=person).count()


def test_everything_queued_is_answered_by_as_many_as_its_overlap(
    stage: Stage, clock: SetClock
) -> None:
    truths = {"late": "delivery", "the bill": "billing", "money": "refund"}
    queue(stage, clock, truths)

    told = work(stage, clock, truths)

    settled = {
        item.input["text"]: item.truth.answer.name
        for item in Item.objects.all()
        if item.truth and item.truth.answer
    }
    assert settled == truths
    assert Annotation.objects.answers().count() == 6
    assert told[-1] == 6


def test_an_answer_takes_its_seconds_on_the_clock(stage: Stage, clock: SetClock) -> None:
    queue(stage, clock, {"late": "delivery"})
    start = clock.at

    work(stage, clock, {"late": "delivery"})

    assert (clock.at - start).total_seconds() == 2 * SECONDS_PER_ANSWER
    assert set(Annotation.objects.values_list("seconds", flat=True)) == {SECONDS_PER_ANSWER}


def test_what_they_cannot_agree_on_the_reviewer_decides_by_the_truth(
    stage: Stage, clock: SetClock
) -> None:
    truths = {"late": "delivery"}
    queue(stage, clock, truths)

    work(stage, clock, truths, says=lambda person, item: ["billing", "refund", "refund"][person])

    truth = GroundTruth.objects.get(answer__isnull=False)
    assert truth.answer is not None
    assert (truth.method, truth.answer.name) == (GroundTruth.Method.REVIEWER, "delivery")


def test_only_the_chosen_people_work(stage: Stage, clock: SetClock) -> None:
    truths = {"late": "delivery", "the bill": "billing"}
    queue(stage, clock, truths)

    told = work(stage, clock, truths, people={1})

    assert [answers_of(person) for person in stage.annotators] == [0, 2, 0]
    assert told[-1] == 2
    assert Item.objects.filter(state=Item.State.OPEN).count() == 2


def test_nothing_queued_is_done_at_once(stage: Stage, clock: SetClock) -> None:
    assert work(stage, clock, {}) == [0]


def test_a_class_that_three_items_name_is_accepted_and_those_items_answered_with_it(
    stage: Stage, clock: SetClock
) -> None:
    truths = {f"scam {number}": "fraud" for number in range(3)}
    queue(stage, clock, truths)

    work(stage, clock, truths)

    proposal = ClassProposal.objects.get()
    assert (proposal.state, proposal.by) == (ClassProposal.State.ACCEPTED, stage.lead)
    for item in Item.objects.all():
        assert item.truth is not None
        assert item.truth.answer == proposal.label_class
        assert item.round == 2


def test_a_class_that_two_items_name_stays_a_proposal(stage: Stage, clock: SetClock) -> None:
    truths = {f"scam {number}": "fraud" for number in range(2)}
    queue(stage, clock, truths)

    work(stage, clock, truths)

    assert ClassProposal.objects.get().state == ClassProposal.State.PROPOSED
    assert not stage.project.classes.filter(name="fraud").exists()
    assert {item.truth.proposed_name for item in Item.objects.all() if item.truth} == {"fraud"}
