"""Change the live version: promote, decide against it, waive a gate, roll back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from events.recording import record
from jobs.crash_points import crash_point
from projects.errors import Conflict, Invalid
from projects.models import Deployment, ModelVersion, Project, User
from projects.versions import deploy
from retraining.batches import move_batch
from retraining.live_line import find_rollback_target, hold_live_line
from retraining.model_files import check_model_file
from retraining.models import Batch, Evaluation, GateResult
from retraining.receipt_jobs import REVOKE_RECEIPTS, SEND_RECEIPTS, add_receipt_job
from retraining.trial_opening import try_to_open


def promote(
    *, batch: Batch, by: User, at: datetime, confirm_not_enough: bool = False
) -> Deployment:
    """Make the evaluated version the champion, and let its receipts be sent.

    A failed gate blocks until it is waived; one without enough evidence is confirmed in the same
    click. The evaluation must have been against today's champion.
    """
    version = _challenger(batch)
    check_model_file(version)  # Reads the whole file: before the transaction, not in it.
    with transaction.atomic():
        champion = hold_live_line(batch.project_id)
        decided = Batch.objects.get(pk=batch.pk)
        _move(decided, Batch.State.PROMOTED, by=by, at=at)
        evaluation = _judged(decided, champion)
        unsure = _check_gates(evaluation, confirm_not_enough=confirm_not_enough)
        if unsure:
            Batch.objects.filter(pk=batch.pk).update(confirmed_gates=unsure)
            record("batch.confirmed", subject=batch, at=at, actor=by, gates=unsure)
        line = deploy(
            version=version,
            expected=champion,
            cause=Deployment.Cause.PROMOTION if champion else Deployment.Cause.FIRST,
            at=at,
            by=by,
        )
        add_receipt_job(SEND_RECEIPTS, line, at=at)
        crash_point("promote")
    batch.state = decided.state
    return line


def roll_back(*, project: Project, by: User, at: datetime, reason: str) -> Deployment:
    """Make the champion before this one live again, at once, if its model still opens.

    What that unfixes is opened again by a job, and the same agents are told.
    """
    if not reason.strip():
        raise Invalid("Say why the live version is rolled back.")
    before = Deployment.objects.current(project.pk)
    target = find_rollback_target(project)
    if before is None or target is None:
        raise Conflict("There is no earlier live version to go back to.")
    try_to_open(target)  # Some seconds: before the transaction, not in it.
    with transaction.atomic():
        hold_live_line(project.pk)
        if Deployment.objects.current(project.pk) != before:
            raise Conflict("The live version has changed meanwhile. Reload and decide again.")
        line = deploy(
            version=target,
            expected=before.version,
            cause=Deployment.Cause.ROLLBACK,
            at=at,
            by=by,
            reason=reason.strip(),
        )
        add_receipt_job(REVOKE_RECEIPTS, line, at=at)
        crash_point("roll back")
    return line


@transaction.atomic
def do_not_promote(*, batch: Batch, by: User, at: datetime, reason: str) -> None:
    """Leave the champion as it is; the batch's rows are free for another batch."""
    if not reason.strip():
        raise Invalid("Say why this version is not promoted.")
    _move(batch, Batch.State.NOT_PROMOTED, by=by, at=at, reason=reason.strip())


@transaction.atomic
def waive_gate(*, gate: GateResult, by: User, at: datetime, reason: str) -> None:
    """Let a failed gate no longer block; the reason stays beside it."""
    if not reason.strip():
        raise Invalid("Give the reason why this gate does not matter here.")
    if not _newest(gate.evaluation.batch) == gate.evaluation:
        raise Conflict("This gate belongs to an older evaluation. Reload the page.")
    waived = GateResult.objects.filter(
        pk=gate.pk,
        result=GateResult.Result.FAILED,
        waived_by=None,
        evaluation__batch__state=Batch.State.EVALUATED,
    ).update(waived_by=by, waiver_reason=reason.strip(), waived_at=at)
    if not waived:
        raise Conflict("Only a failed gate of an evaluated batch can be waived, once.")
    record("gate.waived", subject=gate, at=at, actor=by, evaluation=gate.evaluation_id)


def find_blocking_gates(evaluation: Evaluation) -> list[GateResult]:
    """Failed and not waived."""
    return list(evaluation.gates.filter(result=GateResult.Result.FAILED, waived_by=None))


def find_unsure_gates(evaluation: Evaluation) -> list[GateResult]:
    """Those without enough evidence, which a promotion confirms."""
    return list(evaluation.gates.filter(result=GateResult.Result.NOT_ENOUGH))


def _move(batch: Batch, state: str, *, by: User, at: datetime, **changes: object) -> None:
    decided = {"decided_by": by, "decided_at": at, **changes}
    if not move_batch(batch=batch, state=state, at=at, by=by, **decided):
        batch.refresh_from_db(fields=["state"])
        raise Conflict(f"This batch is {batch.state}; only an evaluated one can be decided.")


def _challenger(batch: Batch) -> ModelVersion:
    if batch.version is None:
        raise Conflict("This batch has no trained version yet.")
    return batch.version


def _judged(batch: Batch, champion: ModelVersion | None) -> Evaluation:
    """The evaluation that this promotion rests on."""
    evaluation = _newest(batch)
    if evaluation is None:
        raise Conflict("This batch has not been evaluated. Evaluate it first.")
    if evaluation.champion != champion:
        raise Conflict(
            "The live version has changed since this evaluation. Evaluate again, then decide."
        )
    return evaluation


def _newest(batch: Batch) -> Evaluation | None:
    return batch.evaluations.select_related("champion").order_by("-pk").first()


def _check_gates(evaluation: Evaluation, *, confirm_not_enough: bool) -> list[int]:
    """The ids of the gates that lack evidence; raises Conflict where one blocks."""
    blocking = find_blocking_gates(evaluation)
    if blocking:
        raise Conflict(f"Failed: {_names(blocking)}. Waive each with a reason, or do not promote.")
    unsure = find_unsure_gates(evaluation)
    if unsure and not confirm_not_enough:
        raise Conflict(
            f"Not enough evidence for: {_names(unsure)}. Confirm this to promote all the same.",
            gates=[gate.pk for gate in unsure],
        )
    return [gate.pk for gate in unsure]


def _names(gates: Iterable[GateResult]) -> str:
    return ", ".join(f"{gate.name} {gate.group}".strip() for gate in gates)
