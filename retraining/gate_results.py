"""Gate outcomes as rows: stored with an evaluation, and again when people judged its cases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from events.recording import record
from retraining.gates import GateOutcome
from retraining.models import Evaluation, GateResult

NO_WAIVER = {"waived_by": None, "waiver_reason": "", "waived_at": None}


def store_outcomes(evaluation: Evaluation, outcomes: Iterable[GateOutcome]) -> None:
    GateResult.objects.bulk_create(
        GateResult(
            project_id=evaluation.project_id,
            evaluation=evaluation,
            slug=outcome.slug,
            name=outcome.name,
            group=outcome.group,
            **_measured(outcome),
        )
        for outcome in outcomes
    )


def replace_outcomes(
    evaluation: Evaluation, slug: str, outcomes: Iterable[GateOutcome], *, at: datetime
) -> None:
    """Bring one gate's rows to these outcomes; a waiver falls with the figures it was given for."""
    standing = {(row.name, row.group): row for row in evaluation.gates.filter(slug=slug)}
    new = []
    for outcome in outcomes:
        row = standing.pop((outcome.name, outcome.group), None)
        if row is None:
            new.append(outcome)
        elif _differs(row, outcome):
            GateResult.objects.filter(pk=row.pk).update(**_measured(outcome), **NO_WAIVER)
            record(
                "gate.judged_again",
                subject=row,
                at=at,
                evaluation=evaluation.pk,
                result=outcome.result,
                before=row.result,
                waiver_fell=row.waived_by_id is not None,
            )
    store_outcomes(evaluation, new)
    evaluation.gates.filter(pk__in=[row.pk for row in standing.values()]).delete()


def _differs(row: GateResult, outcome: GateOutcome) -> bool:
    measured = _measured(outcome)
    del measured["details"]  # JSON gives lists back for tuples.
    return any(getattr(row, name) != value for name, value in measured.items())


def _measured(outcome: GateOutcome) -> dict[str, object]:
    return {
        "rows": outcome.rows,
        "value": outcome.value,
        "low": outcome.low,
        "high": outcome.high,
        "bound": outcome.bound,
        "result": outcome.result,
        "more_rows_needed": outcome.more_rows_needed or 0,
        "note": outcome.note,
        "details": outcome.as_json(),
    }
