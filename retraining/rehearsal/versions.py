"""Batches through their real path: propose, approve, train in a process, gate, promote."""

from __future__ import annotations

import time
from collections import Counter

from feedback.models import Import
from jobs.clock import SetClock
from jobs.registry import load_worker_jobs
from jobs.running import drain_jobs
from labeling.importing import RowResult, store_labeled_rows
from labeling.models import Item
from labeling.row_imports import COUNTED_AS
from projects.errors import Conflict
from projects.models import ModelVersion
from retraining import batches, promotion, proposing
from retraining.models import Batch, GateResult
from retraining.open_models import OpenModel, open_version
from retraining.rehearsal.corpus import LabeledRow
from retraining.rehearsal.inputs import labeled_inputs
from retraining.rehearsal.stage import Stage
from retraining.revisions import newest_revision

TRY_EVERY = 0.5
TRIES = 600


def import_rows(
    *, stage: Stage, rows: list[LabeledRow], use: str, name: str, clock: SetClock
) -> int:
    """A team's own training or test set; returns how many rows were taken."""
    kind = Import.Kind.TRAINING if use == Item.Use.TRAIN else Import.Kind.EVALUATION
    imported = Import.objects.create(
        project=stage.project,
        kind=kind,
        file_name=name,
        state=Import.State.DONE,
        by=stage.owner,
        created_at=clock.at,
        ended_at=clock.at,
    )
    inputs = labeled_inputs(stage.project, rows, at=clock.at)
    counts = Counter(
        answer.result
        for chunk in store_labeled_rows(imported=imported, rows=inputs, use=use, at=clock.at)
        for answer in chunk
    )
    counted = {name: counts[result] for result, name in COUNTED_AS.items()}
    Import.objects.filter(pk=imported.pk).update(next_row=len(rows), **counted)
    return counts[RowResult.ACCEPTED]


def first_version(*, stage: Stage, clock: SetClock) -> OpenModel:
    """The first version is a batch of the imported rows, without a champion to compare with."""
    batch = proposing.propose_import_batch(project=stage.project, at=clock.at, by=stage.owner)
    return open_version(train_and_promote(stage=stage, batch=batch, clock=clock))


def train(*, stage: Stage, batch: Batch, clock: SetClock) -> Batch:
    """Approve and let the trainer's process run to its end; raises Conflict where it failed."""
    load_worker_jobs()
    batches.approve_batch(batch=batch, revision=newest_revision(batch), by=stage.lead, at=clock.at)
    batch = _when_ended(batch, stage)
    if batch.state != Batch.State.EVALUATED or batch.version is None:
        raise Conflict(f"The training ended as {batch.state}: {batch.error}")
    return batch


def _when_ended(batch: Batch, stage: Stage) -> Batch:
    """Run the jobs here; beside a running product its trainer may have taken ours."""
    for _ in range(TRIES):
        drain_jobs(stage.project.pk)
        batch = Batch.objects.select_related("version").get(pk=batch.pk)
        if batch.state not in {Batch.State.APPROVED, Batch.State.TRAINING}:
            break
        time.sleep(TRY_EVERY)
    return batch


def promote_if_nothing_failed(*, stage: Stage, batch: Batch, clock: SetClock) -> bool:
    """The lead confirms what has not enough evidence; a failed gate stops it."""
    failed = GateResult.objects.filter(evaluation__batch=batch, result=GateResult.Result.FAILED)
    if failed.exists():
        return False
    promotion.promote(batch=batch, by=stage.lead, at=clock.at, confirm_not_enough=True)
    drain_jobs(stage.project.pk)
    return True


def train_and_promote(*, stage: Stage, batch: Batch, clock: SetClock) -> ModelVersion:
    trained = train(stage=stage, batch=batch, clock=clock)
    if not promote_if_nothing_failed(stage=stage, batch=trained, clock=clock):
        raise Conflict("The first version failed a gate.")
    if trained.version is None:
        raise Conflict("The batch has no version.")
    return trained.version
