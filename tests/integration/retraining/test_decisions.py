"""Approve, reject, cancel, send back: what a decision on a batch does and refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.models import Event
from jobs.clock import SetClock
from jobs.models import Job
from labeling.models import Item
from projects.errors import Conflict, Invalid
from projects.identity import identity_of, use_of
from projects.versions import deploy, external_version
from retraining import batches
from retraining.models import Batch
from retraining.proposing import propose_by_person
from retraining.revisions import difference_of, newest_revision, refresh_batch
from tests.history import correct, label_input, label_topics, texts_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def batch(team: Team, clock: SetClock) -> Batch:
    label_topics(team.project, {"refund": 3, "billing": 2}, at=clock.at)
    return propose_by_person(project=team.project, by=team.lena, at=clock.at)


def row_item(batch: Batch) -> Item:
    return Item.objects.get(pk=newest_revision(batch).rows.order_by("pk").values("item")[:1])


def approve(batch: Batch, team: Team, clock: SetClock) -> Batch:
    return batches.approve_batch(
        batch=batch, revision=newest_revision(batch), by=team.lena, at=clock.at
    )


def test_approval_starts_one_training_on_its_own_lane(
    batch: Batch, team: Team, clock: SetClock
) -> None:
    approved = approve(batch, team, clock)

    job = Job.objects.get(kind="retraining.train")
    assert (approved.state, approved.job, job.lane) == (Batch.State.APPROVED, job, "training")
    assert job.arguments == {"batch_id": batch.pk}


def test_the_same_approval_twice_is_one(batch: Batch, team: Team, clock: SetClock) -> None:
    approve(batch, team, clock)

    approve(batch, team, clock)

    assert Job.objects.filter(kind="retraining.train").count() == 1


def test_approved_rows_can_no_longer_be_undone(batch: Batch, team: Team, clock: SetClock) -> None:
    approve(batch, team, clock)

    rows = Item.objects.filter(pk__in=newest_revision(batch).rows.values("item"))
    assert {item.sealed_round for item in rows} == {1}


def test_a_correction_between_reading_and_approving_refuses(
    batch: Batch, team: Team, clock: SetClock
) -> None:
    correct(row_item(batch), "delivery", at=clock.at)

    with pytest.raises(Conflict, match="Corrected since: 1 row") as refused:
        approve(batch, team, clock)

    assert refused.value.details["corrected"] == [
        {"item_id": row_item(batch).pk, "was": "refund", "now": "delivery"}
    ]
    batch.refresh_from_db()
    assert batch.state == Batch.State.PROPOSED
    assert not Job.objects.exists()


def test_another_live_version_refuses(batch: Batch, team: Team, clock: SetClock) -> None:
    version = external_version(team.project, "other", at=clock.at)
    deploy(version=version, expected=team.version, cause="promotion", at=clock.at, by=team.lena)

    with pytest.raises(Conflict, match="live version was v1 and is other now"):
        approve(batch, team, clock)


def test_an_erased_row_refuses(batch: Batch, team: Team, clock: SetClock) -> None:
    revision = newest_revision(batch)
    revision.rows.order_by("pk")[0].delete()

    with pytest.raises(Conflict, match="erased"):
        approve(batch, team, clock)


def test_newer_rows_wait_and_do_not_refuse(batch: Batch, team: Team, clock: SetClock) -> None:
    revision = newest_revision(batch)
    for text in texts_of(team.project, "delivery", use="train", count=2):
        label_input(team.project, text, "delivery", at=clock.at)
    assert difference_of(revision).newer_count == 2

    approved = approve(batch, team, clock)

    assert approved.approved_revision == revision
    assert revision.rows.count() == 5


def test_an_older_revision_that_still_holds_may_be_approved(
    batch: Batch, team: Team, clock: SetClock
) -> None:
    read = newest_revision(batch)
    text = texts_of(team.project, "delivery", use="train", count=1)[0]
    label_input(team.project, text, "delivery", at=clock.at)
    refresh_batch(batch=batch, by=team.lena, at=clock.at)

    approved = batches.approve_by_hash(batch=batch, digest=read.hash, by=team.lena, at=clock.at)

    assert approved.approved_revision == read


def test_a_refresh_takes_the_newer_rows_under_another_hash(
    batch: Batch, team: Team, clock: SetClock
) -> None:
    before = newest_revision(batch)
    text = texts_of(team.project, "delivery", use="train", count=1)[0]
    label_input(team.project, text, "delivery", at=clock.at)

    after = refresh_batch(batch=batch, by=team.lena, at=clock.at)

    assert (after.number, after.rows.count()) == (2, 6)
    assert after.hash != before.hash


def test_a_refresh_is_told_as_the_work_of_who_asked_for_it(
    batch: Batch, team: Team, clock: SetClock
) -> None:
    text = texts_of(team.project, "delivery", use="train", count=1)[0]
    label_input(team.project, text, "delivery", at=clock.at)

    refresh_batch(batch=batch, by=team.olga, at=clock.at)

    told = Event.objects.filter(name="batch.revised").order_by("pk")
    assert [event.actor_id for event in told] == [team.lena.pk, team.olga.pk]


def test_a_refresh_without_news_is_the_same_revision(
    batch: Batch, team: Team, clock: SetClock
) -> None:
    before = newest_revision(batch)

    assert refresh_batch(batch=batch, by=team.lena, at=clock.at) == before
    assert batch.revisions.count() == 1


def test_the_hash_follows_from_the_content_alone(batch: Batch, team: Team, clock: SetClock) -> None:
    before = newest_revision(batch)
    batches.reject_batch(batch=batch, reason="No", by=team.lena, at=clock.at)

    second = propose_by_person(project=team.project, by=team.lena, at=clock.at)

    assert newest_revision(second).hash == before.hash


def test_a_rejection_needs_a_reason(batch: Batch, team: Team, clock: SetClock) -> None:
    with pytest.raises(Invalid, match="Say why"):
        batches.reject_batch(batch=batch, reason="  ", by=team.lena, at=clock.at)


def test_a_rejected_batch_cannot_be_approved(batch: Batch, team: Team, clock: SetClock) -> None:
    batches.reject_batch(batch=batch, reason="No", by=team.lena, at=clock.at)

    with pytest.raises(Conflict, match="is rejected already"):
        approve(batch, team, clock)


def test_cancelling_before_the_start_ends_batch_and_job(
    batch: Batch, team: Team, clock: SetClock
) -> None:
    approve(batch, team, clock)

    cancelled = batches.cancel_batch(batch=batch, by=team.lena, at=clock.at)

    assert cancelled.state == Batch.State.CANCELLED
    assert Job.objects.get().state == Job.State.CANCELLED


def test_rows_sent_back_are_labeled_anew_and_leave_the_batch(
    batch: Batch, team: Team, clock: SetClock
) -> None:
    item = row_item(batch)

    revision = batches.send_back_rows(batch=batch, item_ids=[item.pk], by=team.lena, at=clock.at)

    item.refresh_from_db()
    assert (item.state, item.round) == (Item.State.OPEN, 2)
    assert (revision.number, revision.rows.count()) == (2, 4)


def test_rows_too_close_to_an_evaluation_row_are_left_out_and_counted(
    team: Team, clock: SetClock
) -> None:
    text = next(
        text
        for text in texts_of(team.project, "billing", use="train", count=60)
        if texts_with_use(team, text + "!") == "evaluation"
    )
    label_input(team.project, text + "!", "billing", at=clock.at)
    label_input(team.project, text, "billing", at=clock.at)
    label_topics(team.project, {"refund": 2}, at=clock.at)

    batch = propose_by_person(project=team.project, by=team.lena, at=clock.at)

    revision = newest_revision(batch)
    dropped = revision.dropped.get()
    assert (dropped.item.input["text"], dropped.similarity) == (text, 1.0)
    assert revision.rows.count() == 2


def texts_with_use(team: Team, text: str) -> str:
    return use_of(team.project, identity=identity_of(team.project, {"text": text}))


def test_every_move_of_a_batch_is_a_legal_one(batch: Batch, clock: SetClock) -> None:
    for state in Batch.State.values:
        if state not in batches.MOVES[Batch.State.PROPOSED]:
            assert not batches.move_batch(batch=batch, state=state, at=clock.at)

    assert set(batches.MOVES) == set(Batch.State.values)


def test_waiting_long_changes_nothing(batch: Batch, team: Team, clock: SetClock) -> None:
    clock.advance(timedelta(days=40))

    assert approve(batch, team, clock).state == Batch.State.APPROVED
