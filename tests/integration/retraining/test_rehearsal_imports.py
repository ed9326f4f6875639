"""What a rehearsal brings in is counted as any import is."""

from __future__ import annotations

import pytest

from feedback.models import Import
from jobs.clock import SetClock
from labeling.models import Item
from retraining.rehearsal.corpus import LabeledRow
from retraining.rehearsal.stage import Stage
from retraining.rehearsal.versions import import_rows
from tests.people import make_team

pytestmark = pytest.mark.django_db


def test_an_import_of_a_rehearsal_shows_what_became_of_its_rows(clock: SetClock) -> None:
    team = make_team(at=clock.at)
    stage = Stage(
        project=team.project,
        queue=team.queue,
        owner=team.olga,
        lead=team.lena,
        reviewer=team.rita,
        agents=[team.ada],
        annotators=[team.bob],
    )
    rows = [LabeledRow("money back", "refund"), LabeledRow("my invoice", "billing")]

    import_rows(stage=stage, rows=rows, use=Item.Use.TRAIN, name="base.csv", clock=clock)
    import_rows(stage=stage, rows=rows[:1], use=Item.Use.EVALUATION, name="test.csv", clock=clock)

    base, test = Import.objects.order_by("pk")
    assert (base.accepted, base.refused) == (2, 0)
    assert (test.accepted, test.refused) == (0, 1)
