"""Count what a rehearsal came to; only here are the true labels compared with anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from feedback.models import Flag, Issue, Prediction
from labeling.models import Annotation, Item
from monitoring.accuracy import audited_accuracy, audited_answers, flagged_accuracy
from projects.models import Project
from projects.versions import find_champion
from retraining.evaluation_rows import evaluation_rows
from retraining.models import Batch, GateResult, Receipt
from retraining.open_models import OpenModel
from retraining.recounting import evaluation_inputs, rows_equal_to_evaluation
from retraining.rehearsal.figures import RehearsalFigures
from retraining.rehearsal.options import RehearsalOptions
from retraining.rehearsal.splitting import Parts
from retraining.rehearsal.traffic import Message


def count(
    *,
    project: Project,
    parts: Parts,
    options: RehearsalOptions,
    truths: dict[str, str],
    batch: Batch,
    is_promoted: bool,
    before: OpenModel,
    after: OpenModel,
    drifted: Sequence[Message],
    test: Sequence[Message],
    drift_at: datetime,
    seconds: float,
    peak_memory_mb: float,
) -> RehearsalFigures:
    """Everything that `--json` promises."""
    asked = Item.objects.filter(project=project, queue__isnull=False)
    settled = asked.filter(state=Item.State.RESOLVED, truth__answer__isnull=False)
    audited = audited_accuracy(audited_answers(project, since=drift_at, version=before.version))
    rows = evaluation_rows(project)
    wrong, untrue = _check_receipts(project, after, truths)
    champion = find_champion(project)
    return RehearsalFigures(
        seed=options.seed,
        rows=sum(map(len, [parts.base, parts.frozen, parts.clean, parts.drifted, parts.test])),
        classes=len(parts.known_classes) + len(parts.new_classes),
        new_classes=list(parts.new_classes),
        true_accuracy_before=share_right(before, test),
        true_accuracy_after=share_right(after, test),
        true_production_accuracy=_production_accuracy(project, drift_at, truths),
        audited_accuracy={
            "estimate": audited.value,
            "low": audited.low,
            "high": audited.high,
        },
        flagged_accuracy=flagged_accuracy(project, version=before.version).value,
        labels=asked.count(),
        annotations=Annotation.objects.answers().filter(project=project).count(),
        ground_truths=settled.count(),
        ground_truth_accuracy=_truth_accuracy(settled, truths),
        evaluation_rows=len(rows),
        audited_evaluation_rows=sum(row.source == "audited" for row in rows),
        dataset_rows=_dataset_rows(batch),
        trained_on_evaluation_rows=rows_equal_to_evaluation(
            project=project, evaluation_inputs=evaluation_inputs(project)
        ),
        flags=Flag.objects.filter(project=project).count(),
        issues=Issue.objects.filter(project=project).count(),
        receipts=Receipt.objects.filter(project=project).count(),
        receipts_wrong=wrong,
        receipts_untrue=untrue,
        gates=_gates(batch),
        promoted=is_promoted,
        champion=champion.name if champion else "",
        seconds=round(seconds, 1),
        peak_memory_mb=round(peak_memory_mb, 1),
        notes=list(parts.notes),
    )


def share_right(model: OpenModel, rows: Sequence[Message]) -> float:
    """The model's accuracy by the true labels."""
    answers = model.answer([row.value for row in rows])
    right = sum(answer.label == row.label for answer, row in zip(answers, rows, strict=True))
    return right / len(rows)


def _production_accuracy(project: Project, since: datetime, truths: dict[str, str]) -> float:
    recorded = Prediction.objects.filter(project=project, occurred_at__gt=since)
    rows = list(recorded.values_list("identity", "output"))
    return sum(truths[identity] == output for identity, output in rows) / len(rows)


def _truth_accuracy(settled: QuerySet[Item], truths: dict[str, str]) -> float:
    rows = list(settled.values_list("identity", "truth__answer__name"))
    return sum(truths[identity] == name for identity, name in rows) / max(1, len(rows))


def _check_receipts(project: Project, model: OpenModel, truths: dict[str, str]) -> tuple[int, int]:
    """Receipts whose answer, recomputed, is not the ground truth; and those that are untrue."""
    receipts = list(
        Receipt.objects.filter(project=project).select_related(
            "flag__regression_case__item__truth__answer"
        )
    )
    items = [receipt.flag.regression_case.item for receipt in receipts]
    answers = model.answer([item.input for item in items]) if items else []
    wrong = untrue = 0
    for item, answer in zip(items, answers, strict=True):
        truth = item.truth.answer.name if item.truth and item.truth.answer else ""
        wrong += answer.label != truth
        untrue += answer.label != truths[item.identity]
    return wrong, untrue


def _dataset_rows(batch: Batch) -> dict[str, int]:
    if batch.dataset is None:
        return {"base": 0, "added": 0}
    added = batch.dataset.added_count
    return {"base": batch.dataset.row_count - added, "added": added}


def _gates(batch: Batch) -> list[dict[str, object]]:
    results = GateResult.objects.filter(evaluation__batch=batch).order_by("id")
    return [
        {
            "name": f"{gate.name} {gate.group}".strip(),
            "value": gate.value,
            "bound": gate.bound,
            "result": gate.result,
        }
        for gate in results
    ]
