"""Killed around the commit of an answer: it is kept whole or not at all; again is a repeat."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from events.models import Event
from jobs import clock as the_clock
from jobs.clock import SetClock
from labeling.annotating import submit_annotation
from labeling.answers import Answer, class_answer
from labeling.claims import lease_next_slot
from labeling.models import Annotation, GroundTruth, Item, Lease, Slot
from labeling.queueing import queue_input
from tests.children import dies_in_child
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db(transaction=True)

SUBMIT = """
from jobs import clock
from labeling.annotating import submit_annotation
from labeling.answers import class_answer
from labeling.models import Lease
lease = Lease.objects.get()
submit_annotation(
    lease=lease, answer=class_answer(lease.queue.project, "billing"), at=clock.now()
)
"""


@pytest.fixture
def team(clock: SetClock) -> Team:
    clock.at = datetime.now(the_clock.UTC)  # The children read the real clock.
    return make_team(at=clock.at)


@pytest.fixture
def lease(team: Team, clock: SetClock) -> Lease:
    queue_input(
        project=team.project, value={"text": "my invoice"}, source="flag", reference=1, at=clock.at
    )
    lease = lease_next_slot(queue=team.queue, annotator=team.bob, at=clock.at)
    assert lease is not None
    return lease


@pytest.fixture
def billing(team: Team) -> Answer:
    return class_answer(team.project, "billing")


def test_killed_before_the_commit_nothing_is_kept_and_the_lease_still_works(
    lease: Lease, billing: Answer, clock: SetClock, tmp_path: Path
) -> None:
    dies_in_child(SUBMIT, at="submit", folder=tmp_path)

    kept = Annotation.objects.count() + GroundTruth.objects.count()
    told = Event.objects.filter(name="annotation.submitted").count()
    slot_state = Slot.objects.get().state
    again = submit_annotation(lease=lease, answer=billing, at=clock.at)

    assert (kept, told, slot_state) == (0, 0, Slot.State.LEASED)
    assert again.counts
    assert Item.objects.get().state == Item.State.RESOLVED


def test_killed_after_the_commit_the_same_answer_again_is_a_repeat(
    lease: Lease, billing: Answer, clock: SetClock, tmp_path: Path
) -> None:
    dies_in_child(SUBMIT, at="submitted", folder=tmp_path)

    stored = Annotation.objects.get()
    again = submit_annotation(lease=lease, answer=billing, at=clock.at)

    assert again == stored
    assert (Annotation.objects.count(), GroundTruth.objects.count()) == (1, 1)
    assert Event.objects.filter(name="annotation.submitted").count() == 1
