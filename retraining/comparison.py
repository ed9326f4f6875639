"""A stored evaluation as a lead reads it: which cases broke, and how often each model is right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from labeling.models import Item
from projects.files import read_file
from retraining.models import Evaluation, GateResult, RegressionCase

MOST_BROKEN = 50
RESULT_ORDER: dict[str, int] = {
    GateResult.Result.FAILED: 0,
    GateResult.Result.NOT_ENOUGH: 1,
    GateResult.Result.PASSED: 2,
}


@dataclass(frozen=True)
class BrokenCase:
    """The live model answers it right and the new one wrong."""

    item: Item
    right_answer: str
    champion_answer: str
    challenger_answer: str
    is_pinned: bool
    prediction_id: int | None


@dataclass(frozen=True)
class Accuracy:
    """How often a model is right on one kind of evaluation row."""

    source: str
    challenger: dict[str, Any]
    champion: dict[str, Any]


def gates_red_first(evaluation: Evaluation) -> list[GateResult]:
    """What failed and is not waived, then what failed, then what lacks evidence."""
    gates = evaluation.gates.select_related("waived_by")
    return sorted(
        gates,
        key=lambda g: (g.waived_by_id is not None, RESULT_ORDER[g.result], g.name, g.group),
    )


def broken_cases(evaluation: Evaluation) -> list[BrokenCase]:
    """From the stored answers, by the cases' age."""
    lines = {line["case"]: line for line in _answers(evaluation) if _is_broken(line)}
    cases = RegressionCase.objects.filter(project=evaluation.project_id, pk__in=lines)
    found = cases.select_related("item", "flag").order_by("-is_pinned", "pk")[:MOST_BROKEN]
    return [
        BrokenCase(
            item=case.item,
            right_answer=lines[case.pk]["label"],
            champion_answer=lines[case.pk]["champion"],
            challenger_answer=lines[case.pk]["challenger"],
            is_pinned=case.is_pinned,
            prediction_id=case.flag.prediction_id,
        )
        for case in found
    ]


def accuracies(evaluation: Evaluation) -> list[Accuracy]:
    """By where the rows come from; sources without a row are left out."""
    summary = evaluation.summary
    challenger, champion = summary.get("challenger", {}), summary.get("champion", {})
    return [
        Accuracy(source, challenger[source], champion.get(source, {}))
        for source in ("audited", "frozen", "flagged")
        if challenger.get(source, {}).get("rows")
    ]


def cases_mended(evaluation: Evaluation) -> int:
    """Cases the new model answers right: as many receipts, or nearly so."""
    return int(evaluation.summary.get("cases", {}).get("challenger_right", 0))


def _answers(evaluation: Evaluation) -> list[dict[str, Any]]:
    if evaluation.answers_id is None:
        return []
    lines = read_file(evaluation.answers_id).splitlines()
    return [line for line in map(json.loads, lines) if "case" in line]


def _is_broken(line: dict[str, Any]) -> bool:
    return bool(line["champion"] == line["label"] != line["challenger"])
