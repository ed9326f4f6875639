"""What a lead reads about a batch is measured, and says when something is wrong."""

from __future__ import annotations

import pytest

from jobs.clock import SetClock
from labeling import annotating, claims
from labeling.answers import class_answer
from labeling.models import Guideline, Item, ItemSource
from labeling.queueing import queue_input
from projects.models import User
from retraining.batch_checks import Check, checks_of, size_of, source_counts
from retraining.batch_review import people_behind
from retraining.models import Batch
from retraining.proposing import propose_by_person
from retraining.revisions import difference_of, newest_revision
from tests.history import label_input, label_topics, texts_of
from tests.pages import Pages, text_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=3)


def propose(team: Team, clock: SetClock) -> Batch:
    return propose_by_person(project=team.project, by=team.lena, at=clock.at)


def checks(batch: Batch) -> dict[str, Check]:
    revision = newest_revision(batch)
    found = checks_of(revision, difference_of(revision), people_behind(revision))
    return {check.title: check for check in found}


def test_a_row_counts_for_the_first_of_its_sources(team: Team, clock: SetClock) -> None:
    (flagged, *_) = label_topics(team.project, {"refund": 2}, at=clock.at, source="flag")
    label_topics(team.project, {"billing": 3}, at=clock.at, source="audit")
    ItemSource.objects.create(
        project=team.project, item=flagged, kind="audit", reference=9, at=clock.at
    )

    revision = newest_revision(propose(team, clock))

    assert source_counts(revision) == {"from flags": 2, "from audits": 3}
    assert (size_of(revision).before, size_of(revision).after) == (0, 5)


def test_a_held_out_row_in_a_batch_would_be_seen(team: Team, clock: SetClock) -> None:
    (item, _) = label_topics(team.project, {"refund": 2}, at=clock.at)
    batch = propose(team, clock)
    assert checks(batch)["No row is held out for measuring"].result == "passed"

    Item.objects.filter(pk=item.pk).update(use=Item.Use.EVALUATION)

    check = checks(batch)["No row is held out for measuring"]
    assert (check.result, check.value) == ("failed", "1 of 2")


def test_two_guidelines_behind_one_batch_are_told(team: Team, clock: SetClock) -> None:
    first, second = texts_of(team.project, "refund", use="train", count=2)
    label_input(team.project, first, "refund", at=clock.at)
    Guideline.objects.create(project=team.project, number=2, text="Anew", at=clock.at)
    label_input(team.project, second, "refund", at=clock.at)

    check = checks(propose(team, clock))["One guideline"]

    assert (check.result, check.value) == ("warn", "versions 1, 2")


def answered_by(team: Team, clock: SetClock, *answers: tuple[User, str]) -> None:
    """A row for training that these people answer, each so."""
    (text,) = texts_of(team.project, "refund", use="train", count=1)
    queue_input(project=team.project, value={"text": text}, source="flag", reference=1, at=clock.at)
    for person, name in answers:
        lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
        assert lease is not None
        annotating.submit_annotation(
            lease=lease, answer=class_answer(team.project, name), at=clock.at
        )


def test_a_row_that_three_answered_alike_rests_on_no_one_alone(team: Team, clock: SetClock) -> None:
    answered_by(team, clock, (team.bob, "refund"), (team.beth, "refund"), (team.bill, "refund"))

    check = checks(propose(team, clock))["No person alone decided most of it"]

    assert (check.result, check.value) == ("passed", "no label rests on one person")


def test_a_batch_that_rests_on_one_person_alone_is_told(clock: SetClock) -> None:
    team = make_team(at=clock.at, overlap=1)
    answered_by(team, clock, (team.bob, "refund"))

    check = checks(propose(team, clock))["No person alone decided most of it"]

    assert (check.result, check.value) == ("warn", "Bob: 100% of the rows")


def test_little_agreement_is_told(team: Team, clock: SetClock) -> None:
    answered_by(team, clock, (team.bob, "refund"), (team.beth, "refund"), (team.bill, "billing"))

    check = checks(propose(team, clock))["Agreement"]

    assert (check.result, check.value) == ("warn", "67% of 3 answers")


def test_the_page_shows_what_was_measured(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2, "billing": 3}, at=clock.at)
    batch = propose(team, clock)

    shown = text_of(Pages(team.lena).get(f"/p/{team.project.slug}/batches/{batch.number}"))

    assert "training rows 0 → 5" in shown
    assert "0 of 5" in shown
    assert "Approve 5 rows" in shown
