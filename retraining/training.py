"""From an approved revision to an evaluated version, in one of three ends; workers only.

Every step can be repeated: a dataset version is folded once per batch, a model version is made
once per approved hash, and the last write of each checks that the run still owns its job.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.db import IntegrityError, transaction

from events.recording import record
from jobs.crash_points import crash_point
from jobs.errors import JobCancelled, JobFailed
from jobs.running import JobRun
from projects.files import store_file
from projects.models import ModelVersion, Project, StoredFile
from retraining.batches import may_be_compared, move_batch
from retraining.datasets import fold_batch, read_manifest
from retraining.evaluating import Compared, compare, store_evaluation
from retraining.live_line import hold_live_line
from retraining.model_files import signing_keys
from retraining.models import Batch, BatchRevision, DatasetVersion, Evaluation
from retraining.program_runs import Finished, Program, finished_programs
from retraining.programs.contract import MODEL, RESULT, TrainResult, TrainSpec, read_message
from retraining.revisions import difference_of
from retraining.signatures import Manifest, sign

STATE = Batch.State
MODEL_TYPE = "application/x-skops"
NUMBERED = re.compile(r"v(\d+)")
FOLDED, TRAINED, COMPARED = 10, 70, 99  # Per cent of the whole, as a person waits for them.


def train_batch(*, run: JobRun, batch_id: int) -> None:
    """Train and evaluate; the second time it does what the first left over."""
    batch = _begin(run, batch_id)
    if batch is None:
        return
    try:
        version = batch.version or _make_version(run, batch)
        compared = compare(
            run=run, project=batch.project, challenger=version, share=(TRAINED, COMPARED)
        )
        _finish(run, batch, compared)
    except JobCancelled as error:
        _give_up(run, batch, STATE.CANCELLED, str(error))
        raise
    except JobFailed as error:
        _give_up(run, batch, STATE.FAILED, str(error))
        raise


def evaluate_again(*, run: JobRun, batch_id: int) -> None:
    """Compare a version that was made before with today's champion."""
    batch = _access(batch_id)
    if batch.version is None or not may_be_compared(batch):
        return
    compared = compare(run=run, project=batch.project, challenger=batch.version, share=(0, 99))
    with transaction.atomic():
        run.hold()
        hold_live_line(batch.project_id)
        if not may_be_compared(_access(batch_id)):  # It was promoted meanwhile.
            return
        at = run.now()
        evaluation = store_evaluation(batch=batch, compared=compared, at=at)
        move_batch(batch=batch, state=STATE.EVALUATED, at=at)
        record("batch.evaluated_again", subject=batch, at=at, evaluation=evaluation.pk)


def _access(batch_id: int) -> Batch:
    return Batch.objects.select_related(
        "project", "version", "dataset", "approved_revision__parent", "approved_revision__champion"
    ).get(pk=batch_id)


@transaction.atomic
def _begin(run: JobRun, batch_id: int) -> Batch | None:
    """Move it to training, unless it has ended or its revision no longer stands."""
    run.hold()
    batch = _access(batch_id)
    if batch.state == STATE.TRAINING:
        return batch  # An earlier run died; this one goes on.
    if batch.state != STATE.APPROVED or batch.approved_revision is None:
        return None
    difference = difference_of(batch.approved_revision)
    if not difference.holds:
        said = " ".join(difference.sentences)
        error = f"It changed after its approval, so it did not start. {said}"
        move_batch(batch=batch, state=STATE.CANCELLED, at=run.now(), error=error)
        return None
    move_batch(batch=batch, state=STATE.TRAINING, at=run.now())
    return batch


def _make_version(run: JobRun, batch: Batch) -> ModelVersion:
    revision = _revision(batch)
    known = ModelVersion.objects.filter(project=batch.project, approved_hash=revision.hash).first()
    if known is not None:
        return _adopt(run, batch, known)
    run.progress(0, 100, "Folding the dataset.")
    dataset = fold_batch(batch=batch, at=run.now(), hold=run.hold)
    run.append_log(f"Dataset {dataset.number}: {dataset.row_count} rows.")
    run.progress(FOLDED, 100)
    with finished_programs(run, [_program(revision, dataset)], share=(FOLDED, TRAINED)) as ends:
        (finished,) = ends
        result = read_message(finished.folder / RESULT, TrainResult)
        content = (finished.folder / MODEL).read_bytes()
        manifest = _manifest(batch, dataset, content, result, finished)
    stored = store_file(content=content, media_type=MODEL_TYPE, at=run.now(), project=batch.project)
    return _store_version(run, batch, dataset, manifest, stored)


def _program(revision: BatchRevision, dataset: DatasetVersion) -> Program:
    manifest = read_manifest(dataset)
    files = manifest.files
    spec = TrainSpec(
        trainer=revision.trainer,
        shards=tuple(files),
        parameters=revision.parameters,
        seed=int(revision.hash[:8], 16),
        superseded=manifest.superseded,
    )
    return Program(name="train", title="Trainer", spec=spec, files=files)


def _manifest(
    batch: Batch,
    dataset: DatasetVersion,
    content: bytes,
    result: TrainResult,
    finished: Finished,
) -> Manifest:
    """Signed: what it is, what it was made of, and what that took."""
    facts = {
        "approved_hash": _revision(batch).hash,
        "batch": batch.number,
        "dataset": dataset.number,
        "dataset_digest": dataset.manifest_id,
        "rows": result.rows,
        "classes": result.classes,
        "parameters": result.parameters,
        "seed": result.seed,
        "environment": result.environment,
        "seconds": result.seconds,
        "peak_memory_mb": finished.end.peak_memory_mb,
        "is_network_off": finished.end.is_network_off,
    }
    return sign(
        content,
        trainer=result.trainer,
        facts=facts,
        key_id=settings.ARTIFACT_KEY_ID,
        keys=signing_keys(),
    )


def _store_version(
    run: JobRun,
    batch: Batch,
    dataset: DatasetVersion,
    manifest: Manifest,
    stored: StoredFile,
) -> ModelVersion:
    """At most one per approved hash: a second run finds the first one's."""
    digest = _revision(batch).hash
    try:
        with transaction.atomic():
            run.hold()
            Project.objects.select_for_update().get(pk=batch.project_id)
            version = ModelVersion.objects.create(
                project=batch.project,
                name=next_name(batch.project),
                kind=ModelVersion.Kind.TRAINED,
                artifact=stored,
                manifest=manifest,
                approved_hash=digest,
                dataset_id=dataset.pk,
                created_at=run.now(),
            )
            Batch.objects.filter(pk=batch.pk).update(version=version)
            record("version.trained", subject=version, at=run.now(), batch=batch.pk)
            crash_point("train model")
    except IntegrityError:
        version = ModelVersion.objects.get(project=batch.project, approved_hash=digest)
        return _adopt(run, batch, version)
    batch.version = version
    return version


@transaction.atomic
def _adopt(run: JobRun, batch: Batch, version: ModelVersion) -> ModelVersion:
    """The same content was trained before: it is the same version."""
    run.hold()
    Batch.objects.filter(pk=batch.pk).update(version=version, dataset_id=version.dataset_id)
    batch.version = version
    run.append_log(f"The same rows were trained before: this is {version.name}.")
    return version


@transaction.atomic
def _finish(run: JobRun, batch: Batch, compared: Compared) -> Evaluation:
    run.hold()
    at = run.now()
    evaluation = store_evaluation(batch=batch, compared=compared, at=at)
    if not move_batch(batch=batch, state=STATE.EVALUATED, at=at, error=""):
        raise JobCancelled("The batch ended before its evaluation did.")
    crash_point("train end")
    return evaluation


@transaction.atomic
def _give_up(run: JobRun, batch: Batch, state: str, error: str) -> None:
    run.hold()
    move_batch(batch=batch, state=state, at=run.now(), error=error)


def next_name(project: Project) -> str:
    """`v3` after `v2`; names given from outside count too."""
    names = ModelVersion.objects.filter(project=project).values_list("name", flat=True)
    numbers = [int(match[1]) for name in names if (match := NUMBERED.fullmatch(name))]
    return f"v{max(numbers, default=0) + 1}"


def _revision(batch: Batch) -> BatchRevision:
    if batch.approved_revision is None:
        raise ValueError(f"Batch {batch.pk} has no approved revision.")
    return batch.approved_revision
