"""There is exactly one champion, however many promote at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from jobs import clock
from jobs.models import Job
from projects.errors import Conflict
from projects.models import Deployment
from retraining import promotion, receipt_jobs
from retraining.models import Batch
from tests.people import Team, make_team
from tests.trained import make_evaluated_batch, make_trained_version

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 6


def promote_together(team: Team, batches: list[Batch]) -> list[str]:
    """What became of each promotion."""
    start = threading.Barrier(len(batches))

    def attempt(batch: Batch) -> str:
        try:
            start.wait(30)
            promotion.promote(batch=batch, by=team.lena, at=clock.now())
        except Conflict:
            return "refused"
        finally:
            connection.close()
        return "promoted"

    with ThreadPoolExecutor(len(batches)) as pool:
        return sorted(pool.map(attempt, batches))


def test_of_many_versions_one_is_promoted() -> None:
    team = make_team(at=clock.now())
    batches = [
        make_evaluated_batch(
            team, make_trained_version(team, f"v{number}", at=clock.now()), at=clock.now()
        )
        for number in range(2, 2 + AT_ONCE)
    ]

    ends = promote_together(team, batches)

    assert ends == ["promoted"] + ["refused"] * (AT_ONCE - 1)
    lines = Deployment.objects.filter(project=team.project).order_by("sequence")
    assert [line.sequence for line in lines] == [1, 2]
    promoted = Batch.objects.get(state=Batch.State.PROMOTED)
    assert promoted.version == lines[1].version
    assert Batch.objects.filter(state=Batch.State.EVALUATED).count() == AT_ONCE - 1
    assert Job.objects.filter(kind=receipt_jobs.SEND_RECEIPTS).count() == 1


def test_one_batch_is_promoted_once() -> None:
    team = make_team(at=clock.now())
    version = make_trained_version(team, "v2", at=clock.now())
    batch = make_evaluated_batch(team, version, at=clock.now())

    ends = promote_together(team, [Batch.objects.get(pk=batch.pk) for _ in range(AT_ONCE)])

    assert ends == ["promoted"] + ["refused"] * (AT_ONCE - 1)
    assert Deployment.objects.filter(version=version).count() == 1
