"""Which rows a batch may take, which count as new, and what a revision pins of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.models import Event
from feedback.models import Import
from jobs.clock import SetClock
from labeling.models import GroundTruth, ItemSource
from labeling.queueing import requeue_item, withdraw_truth
from projects.errors import Conflict, NotFound
from projects.identity import EVALUATION, TRAIN
from projects.versions import deploy, external_version, find_champion
from retraining import batches
from retraining.batches import cancel_batch, reject_batch
from retraining.datasets import fold_batch
from retraining.eligible import champion_dataset, eligible_items, new_items
from retraining.models import Batch, BatchRevision
from retraining.proposing import propose_by_person
from retraining.revisions import (
    access_revision,
    difference_of,
    hash_of,
    newest_revision,
    refresh_batch,
    retired_truths,
)
from tests.flagged import settle_input, text_of_use
from tests.history import label_input, label_topics, texts_of
from tests.people import Team, make_team
from tests.trained import make_trained_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def propose(team: Team, clock: SetClock) -> Batch:
    return propose_by_person(project=team.project, by=team.lena, at=clock.at)


def approve(batch: Batch, team: Team, clock: SetClock) -> Batch:
    return batches.approve_batch(
        batch=batch, revision=newest_revision(batch), by=team.lena, at=clock.at
    )


def train_live(team: Team, clock: SetClock) -> None:
    """All that is eligible becomes the dataset of a version that goes live."""
    batch = approve(propose(team, clock), team, clock)
    dataset = fold_batch(batch=batch, at=clock.at, hold=lambda: None)
    version = make_trained_version(team, f"trained {dataset.number}", at=clock.at)
    version.dataset_id = dataset.pk
    version.save()
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.PROMOTED)
    deploy(
        version=version,
        expected=find_champion(team.project),
        cause="promotion",
        at=clock.at,
        by=None,
    )


def counts(team: Team) -> tuple[int, int]:
    """How many rows are eligible, and how many of them are new."""
    return eligible_items(team.project).count(), new_items(team.project).count()


@pytest.mark.parametrize(
    ("state", "eligible"),
    [
        (Batch.State.PROPOSED, 0),
        (Batch.State.APPROVED, 0),
        (Batch.State.TRAINING, 0),
        (Batch.State.EVALUATED, 0),
        (Batch.State.FAILED, 2),
        (Batch.State.CANCELLED, 2),
        (Batch.State.REJECTED, 2),
        (Batch.State.NOT_PROMOTED, 2),
    ],
)
def test_rows_of_a_batch_are_spoken_for_until_it_has_ended_and_never_new_again(
    team: Team, clock: SetClock, state: str, eligible: int
) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    batch = approve(propose(team, clock), team, clock)
    Batch.objects.filter(pk=batch.pk).update(state=state)

    assert counts(team) == (eligible, 0)


def test_a_batchs_own_rows_are_not_held_against_it(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    batch = propose(team, clock)

    assert eligible_items(team.project, besides=batch).count() == 2


def test_what_the_live_version_was_trained_on_is_not_taken_again(
    team: Team, clock: SetClock
) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    train_live(team, clock)
    label_topics(team.project, {"billing": 1}, at=clock.at)

    assert counts(team) == (1, 1)


def test_what_only_a_version_that_was_left_was_trained_on_can_be_taken_again(
    team: Team, clock: SetClock
) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    train_live(team, clock)
    deploy(
        version=team.version,
        expected=find_champion(team.project),
        cause="rollback",
        at=clock.at,
        by=None,
    )

    assert champion_dataset(team.project) is None
    assert counts(team) == (2, 0)


def test_of_an_undecided_batch_the_newest_revision_speaks_for_its_rows(
    team: Team, clock: SetClock
) -> None:
    item, *_ = label_topics(team.project, {"refund": 2}, at=clock.at)
    batch = propose(team, clock)
    withdraw_truth(item=item, at=clock.at)
    refresh_batch(batch=batch, by=team.lena, at=clock.at)
    settle_input(team, item.input["text"], "billing", at=clock.at)

    assert [row.pk for row in eligible_items(team.project)] == [item.pk]


def test_of_an_approved_batch_the_approved_revision_speaks_for_its_rows(
    team: Team, clock: SetClock
) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    batch = propose(team, clock)
    first = newest_revision(batch)
    (fresh,) = label_topics(team.project, {"billing": 1}, at=clock.at)
    refresh_batch(batch=batch, by=team.lena, at=clock.at)

    batches.approve_batch(batch=batch, revision=first, by=team.lena, at=clock.at)

    assert [row.pk for row in eligible_items(team.project)] == [fresh.pk]


def test_another_projects_batch_speaks_for_none_of_our_rows(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    for one in (team, other):
        label_topics(one.project, {"refund": 2}, at=clock.at)
    propose(other, clock)

    assert (counts(team), counts(other)) == ((2, 2), (0, 0))


@pytest.mark.parametrize(
    ("kind", "mapping", "new"),
    [
        (Import.Kind.TRAINING, {"trained_on": True}, 0),
        (Import.Kind.TRAINING, {"trained_on": False}, 2),
        (Import.Kind.TRAINING, {}, 2),
    ],
)
def test_imported_rows_are_new_unless_the_live_model_was_trained_on_them(
    team: Team, clock: SetClock, kind: str, mapping: dict[str, bool], new: int
) -> None:
    made = Import.objects.create(
        project=team.project, kind=kind, file_name="a.csv", mapping=mapping, created_at=clock.at
    )
    items = label_topics(
        team.project,
        {"refund": 2},
        at=clock.at,
        source=ItemSource.Kind.IMPORT,
        method=GroundTruth.Method.IMPORT,
    )
    ItemSource.objects.filter(item__in=items).update(reference=made.pk)

    assert counts(team) == (2, new)


def test_a_flag_whose_number_is_that_of_an_import_is_not_taken_for_it(
    team: Team, clock: SetClock
) -> None:
    made = Import.objects.create(
        project=team.project,
        kind=Import.Kind.TRAINING,
        file_name="a.csv",
        mapping={"trained_on": True},
        created_at=clock.at,
    )
    items = label_topics(team.project, {"refund": 2}, at=clock.at, source=ItemSource.Kind.FLAG)
    ItemSource.objects.filter(item__in=items).update(reference=made.pk)

    assert counts(team) == (2, 2)


def test_rows_of_the_parent_that_no_longer_stand_are_retired(team: Team, clock: SetClock) -> None:
    reopened, corrected, kept = label_topics(team.project, {"refund": 3}, at=clock.at)
    (of_retired,) = label_topics(team.project, {"billing": 1}, at=clock.at)
    train_live(team, clock)
    for item in (reopened, corrected, kept, of_retired):
        item.refresh_from_db()
    gone = sorted(item.truth.pk for item in (reopened, corrected, of_retired) if item.truth)
    requeue_item(item=reopened, at=clock.at, by=None, reason="doubt")
    requeue_item(item=corrected, at=clock.at, by=None, reason="doubt")
    settle_input(team, corrected.input["text"], "delivery", at=clock.at)
    team.project.classes.filter(name="billing").update(retired_at=clock.at)

    assert retired_truths(champion_dataset(team.project)) == gone


def test_without_a_parent_nothing_is_retired() -> None:
    assert retired_truths(None) == []


def test_a_revision_names_the_classes_of_its_rows_and_of_its_parent_in_the_projects_order(
    team: Team, clock: SetClock
) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    train_live(team, clock)
    label_topics(team.project, {"billing": 1}, at=clock.at)

    assert newest_revision(propose(team, clock)).classes == ["billing", "refund"]


def test_a_retired_class_of_the_parent_is_not_among_the_classes(
    team: Team, clock: SetClock
) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    train_live(team, clock)
    label_topics(team.project, {"billing": 1}, at=clock.at)
    team.project.classes.filter(name="refund").update(retired_at=clock.at)

    assert newest_revision(propose(team, clock)).classes == ["billing"]


def test_a_revision_pins_parent_champion_and_trainer(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    train_live(team, clock)
    label_topics(team.project, {"billing": 1}, at=clock.at)

    revision = newest_revision(propose(team, clock))

    assert revision.parent == champion_dataset(team.project)
    assert revision.champion == find_champion(team.project)
    assert (revision.number, revision.trainer) == (1, "text")


@pytest.mark.parametrize(
    "changes", [{"trainer": "image"}, {"parameters": {"balance": 0.5}}, {"classes": ["refund"]}]
)
def test_the_hash_is_over_everything_that_is_pinned(
    team: Team, clock: SetClock, changes: dict[str, object]
) -> None:
    label_topics(team.project, {"refund": 1, "billing": 1}, at=clock.at)
    revision = newest_revision(propose(team, clock))
    assert hash_of(revision) == revision.hash

    for name, value in changes.items():
        setattr(revision, name, value)

    assert hash_of(revision) != revision.hash


def test_a_row_less_changes_the_hash(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    revision = newest_revision(propose(team, clock))

    revision.rows.earliest("pk").delete()

    assert hash_of(revision) != revision.hash
    assert not difference_of(revision).holds
    assert difference_of(revision).sentences[0] == "Rows of it were erased."


def test_what_has_changed_is_told_in_sentences(team: Team, clock: SetClock) -> None:
    item, *_ = label_topics(team.project, {"refund": 2, "billing": 1}, at=clock.at)
    revision = newest_revision(propose(team, clock))
    requeue_item(item=item, at=clock.at, by=None, reason="doubt")
    settle_input(team, item.input["text"], "delivery", at=clock.at)
    team.project.classes.filter(name="billing").update(retired_at=clock.at)
    second = external_version(team.project, "v2", at=clock.at)
    deploy(version=second, expected=team.version, cause="promotion", at=clock.at, by=None)
    fresh = texts_of(team.project, "refund", use="train", count=4)[3]
    label_input(team.project, fresh, "refund", at=clock.at)

    difference = difference_of(revision)

    assert not difference.holds
    assert difference.sentences == [
        "Corrected since: 1 row, the first from 'refund' to 'delivery'.",
        "Retired since: billing.",
        "The live version was v1 and is v2 now.",
        "Newer, for the next batch: 2 rows.",
    ]


def test_a_row_whose_answer_was_withdrawn_is_told_as_corrected_to_none(
    team: Team, clock: SetClock
) -> None:
    item, *_ = label_topics(team.project, {"refund": 2}, at=clock.at)
    revision = newest_revision(propose(team, clock))

    requeue_item(item=item, at=clock.at, by=None, reason="doubt")

    (correction,) = difference_of(revision).corrected
    assert (correction.item_id, correction.was, correction.now) == (item.pk, "refund", "")
    assert "from 'refund' to 'no answer'" in difference_of(revision).sentences[0]


def test_a_row_dropped_as_too_close_is_not_told_as_newer(team: Team, clock: SetClock) -> None:
    stem = "please tell me why my parcel has been waiting at the depot since last monday"
    label_topics(team.project, {"billing": 1}, at=clock.at)
    for use in (TRAIN, EVALUATION):
        settle_input(team, text_of_use(team.project, use, stem), "delivery", at=clock.at)

    revision = newest_revision(propose(team, clock))

    assert revision.rows.count() == 1
    assert revision.dropped.count() == 1
    assert difference_of(revision).newer_count == 0


def test_a_refresh_of_a_decided_batch_is_refused(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    batch = propose(team, clock)
    reject_batch(batch=batch, reason="Too few", by=team.lena, at=clock.at)

    with pytest.raises(Conflict, match="Batch 1 is rejected: it can no longer change"):
        refresh_batch(batch=batch, by=team.lena, at=clock.at)


def test_a_refresh_that_would_leave_nothing_is_refused_and_leaves_the_revision(
    team: Team, clock: SetClock
) -> None:
    (item,) = label_topics(team.project, {"refund": 1}, at=clock.at)
    batch = propose(team, clock)
    requeue_item(item=item, at=clock.at, by=None, reason="doubt")

    with pytest.raises(Conflict, match="Reject it instead"):
        refresh_batch(batch=batch, by=team.lena, at=clock.at)

    assert BatchRevision.objects.count() == 1


def test_a_refresh_without_news_leaves_no_trace(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    batch = propose(team, clock)
    events = Event.objects.count()

    refresh_batch(batch=batch, by=team.lena, at=clock.at + timedelta(hours=1))

    assert (BatchRevision.objects.count(), Event.objects.count()) == (1, events)


def test_a_revision_is_found_by_its_hash_in_its_own_batch_alone(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    label_topics(team.project, {"refund": 1}, at=clock.at)
    label_topics(other.project, {"billing": 1}, at=clock.at)
    ours, theirs = propose(team, clock), propose(other, clock)
    digest = newest_revision(ours).hash

    assert access_revision(ours, digest) == newest_revision(ours)
    with pytest.raises(Conflict, match="no such revision"):
        access_revision(theirs, digest)


def test_a_batch_without_a_revision_says_so(team: Team, clock: SetClock) -> None:
    batch = Batch.objects.create(
        project=team.project, number=7, cause=Batch.Cause.PERSON, proposed_at=clock.at
    )

    with pytest.raises(NotFound, match="Batch 7 has no revision"):
        newest_revision(batch)


def test_rows_of_a_cancelled_batch_go_into_the_next_one(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 2}, at=clock.at)
    cancel_batch(batch=propose(team, clock), by=team.lena, at=clock.at)

    assert newest_revision(propose(team, clock)).rows.count() == 2
