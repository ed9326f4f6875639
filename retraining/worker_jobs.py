"""Job functions that need the models' libraries: loaded by workers, never by the web process."""

from __future__ import annotations

from jobs.registry import job
from jobs.running import JobRun
from projects.models import Deployment, ModelVersion
from retraining import batches, demo_rebuild, receipt_jobs, receipts, training
from retraining.demo import rebuilding
from retraining.open_models import OpenModel, open_version


@job(batches.TRAIN)
def train(run: JobRun, *, batch_id: int) -> None:
    """Train and evaluate an approved revision."""
    training.train_batch(run=run, batch_id=batch_id)


@job(batches.EVALUATE)
def evaluate(run: JobRun, *, batch_id: int) -> None:
    """Compare a version that was made before with today's champion."""
    training.evaluate_again(run=run, batch_id=batch_id)


@job(receipt_jobs.SEND_RECEIPTS)
def send_receipts(run: JobRun, *, deployment_id: int) -> None:
    """Of a version that went live, and of flags accepted since; none if it is live no longer."""
    line = Deployment.objects.select_related("version__project").get(pk=deployment_id)
    model = _open(line.version)
    if model is None or Deployment.objects.current(line.project_id) != line:
        return
    try:
        receipts.send_receipts(line=line, model=model, at=run.now(), report=run.progress)
    except receipts.LineMoved:
        run.append_log("Another version went live; its own job sends the rest.")


@job(receipt_jobs.REVOKE_RECEIPTS)
def revoke_receipts(run: JobRun, *, deployment_id: int) -> None:
    """After a rollback, by what is live now: it may have changed again since."""
    project_id = Deployment.objects.get(pk=deployment_id).project_id
    while line := Deployment.objects.current(project_id):
        try:
            receipts.revoke_receipts(
                line=line, model=_open(line.version), at=run.now(), report=run.progress
            )
        except receipts.LineMoved:
            continue
        return


@job(demo_rebuild.REBUILD)
def reset_demo(run: JobRun) -> None:
    """Drop the demo's projects and build them again, in a process with a clock of its own."""
    rebuilding.rebuild_demo(report=run.progress)


def _open(version: ModelVersion) -> OpenModel | None:
    return None if version.kind == ModelVersion.Kind.EXTERNAL else open_version(version)
