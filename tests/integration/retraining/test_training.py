"""From an approved batch to an evaluated version, with the real trainer process."""

from __future__ import annotations

import pytest

from jobs.clock import SetClock
from jobs.models import Job
from jobs.running import drain_jobs
from retraining import batches
from retraining.models import Batch, Evaluation
from retraining.proposing import propose_by_person
from retraining.revisions import newest_revision
from tests.history import label_topics
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def approved(team: Team, clock: SetClock) -> Batch:
    batch = propose_by_person(project=team.project, by=team.lena, at=clock.at)
    return batches.approve_batch(
        batch=batch, revision=newest_revision(batch), by=team.lena, at=clock.at
    )


def fresh(batch: Batch) -> Batch:
    return Batch.objects.select_related("version", "dataset", "job", "project").get(pk=batch.pk)


def test_an_approved_batch_becomes_one_version_with_its_evidence(
    team: Team, clock: SetClock
) -> None:
    label_topics(team.project, {"refund": 12, "billing": 12, "delivery": 12}, at=clock.at)
    label_topics(team.project, {"refund": 5, "billing": 5}, at=clock.at, use="evaluation")

    batch = approved(team, clock)
    drain_jobs()

    batch = fresh(batch)
    assert (batch.state, batch.error) == (Batch.State.EVALUATED, "")
    assert batch.version is not None
    assert batch.version.name == "v2"
    assert batch.version.approved_hash == newest_revision(batch).hash
    assert batch.version.manifest["facts"]["classes"] == {
        "billing": 12, "delivery": 12, "refund": 12,
    }  # fmt: skip
    assert batch.job is not None
    assert batch.job.state == Job.State.DONE
    assert "Dataset 1: 36 rows." in batch.job.log
    assert Evaluation.objects.get().summary["challenger"]["flagged"]["rows"] == 10
