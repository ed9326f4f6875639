"""Killed at a named point and started again, an approved batch ends once, with one version."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from events.models import Event
from jobs import clock as the_clock
from jobs.clock import SetClock
from jobs.models import Job
from jobs.running import drain_jobs
from labeling.models import Item
from projects.models import ModelVersion
from retraining.lost_batches import end_lost_batches
from retraining.models import Batch, DatasetVersion, Evaluation
from retraining.proposing import propose_by_person
from retraining.revisions import newest_revision
from tests.children import dies_in_child
from tests.history import label_topics
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db(transaction=True)

APPROVE = """
from jobs import clock
from projects.models import User
from retraining import batches
from retraining.models import Batch
from retraining.revisions import newest_revision
batch = Batch.objects.get()
batches.approve_batch(
    batch=batch, revision=newest_revision(batch), by=User.objects.get(username="lena"),
    at=clock.now(),
)
"""
WORK = """
from jobs.models import Job
from jobs.running import run_job
run_job(Job.objects.get(kind="retraining.train").pk)
"""


@pytest.fixture
def team(clock: SetClock) -> Team:
    # The children read the real clock; a lease of theirs runs out when this one moves on.
    clock.at = datetime.now(the_clock.UTC) - timedelta(minutes=5)
    return make_team(at=clock.at)


@pytest.fixture
def batch(team: Team, clock: SetClock) -> Batch:
    label_topics(team.project, {"billing": 8, "delivery": 8}, at=clock.at)
    label_topics(team.project, {"billing": 2}, at=clock.at, use="evaluation")
    return propose_by_person(project=team.project, by=team.lena, at=clock.at)


def later(clock: SetClock) -> None:
    clock.at = datetime.now(the_clock.UTC) + timedelta(minutes=2)


def test_killed_before_the_approval_is_stored_nothing_has_happened(
    batch: Batch, tmp_path: Path
) -> None:
    dies_in_child(APPROVE, at="approve", folder=tmp_path)

    batch.refresh_from_db()
    assert (batch.state, batch.approved_revision) == (Batch.State.PROPOSED, None)
    assert not Job.objects.filter(kind="retraining.train").exists()
    assert not Item.objects.filter(sealed_round__gt=0).exists()


def test_killed_after_the_approval_the_training_waits_for_the_sweep(
    batch: Batch, clock: SetClock, tmp_path: Path
) -> None:
    dies_in_child(APPROVE, at="approved", folder=tmp_path)
    later(clock)

    drain_jobs()

    batch.refresh_from_db()
    assert batch.state == Batch.State.EVALUATED


@pytest.mark.parametrize("point", ["train model", "train end"])
def test_killed_in_training_the_next_worker_ends_it_once(
    batch: Batch, team: Team, clock: SetClock, tmp_path: Path, point: str
) -> None:
    exec(APPROVE)  # As the child does, in this process.
    dies_in_child(WORK, at=point, folder=tmp_path)
    batch.refresh_from_db()
    assert batch.state == Batch.State.TRAINING
    later(clock)

    drain_jobs()
    end_lost_batches(at=clock.at)

    batch.refresh_from_db()
    assert (batch.state, batch.error) == (Batch.State.EVALUATED, "")
    trained = ModelVersion.objects.filter(kind=ModelVersion.Kind.TRAINED)
    assert [version.approved_hash for version in trained] == [newest_revision(batch).hash]
    assert (DatasetVersion.objects.count(), Evaluation.objects.count()) == (1, 1)
    assert Event.objects.filter(name="batch.evaluated").count() == 1


def test_a_batch_whose_worker_died_for_good_fails_with_the_reason(
    batch: Batch, clock: SetClock
) -> None:
    exec(APPROVE)
    Job.objects.update(state=Job.State.RUNNING, attempt=3, lease_until=clock.at)
    Batch.objects.update(state=Batch.State.TRAINING)
    later(clock)

    drain_jobs()
    end_lost_batches(at=clock.at)

    batch.refresh_from_db()
    assert (batch.state, batch.error) == (Batch.State.FAILED, "The worker died three times.")
