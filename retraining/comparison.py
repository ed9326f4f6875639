"""A stored evaluation as a lead reads it: which cases broke, and how often each model is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labeling.models import Item
from retraining.case_answers import read_case_answers
from retraining.case_reviews import newest_reviews, review_of
from retraining.gates.base import Review
from retraining.models import CaseReview, Evaluation, GateResult, RegressionCase

MOST_BROKEN = 50
RESULT_ORDER: dict[str, int] = {
    GateResult.Result.FAILED: 0,
    GateResult.Result.NOT_ENOUGH: 1,
    GateResult.Result.PASSED: 2,
}
GATE_ORDER = {"overall": 0, "regression": 1}


@dataclass(frozen=True)
class BrokenCase:
    """The live model answers it right and the new one wrong."""

    case_id: int
    item: Item
    right_answer: str
    champion_answer: str
    challenger_answer: str
    is_pinned: bool
    prediction_id: int | None
    said: CaseReview | None

    @property
    def review(self) -> Review:
        return review_of(self.said)


@dataclass(frozen=True)
class Accuracy:
    """How often a model is right on one kind of evaluation row."""

    source: str
    challenger: dict[str, Any]
    champion: dict[str, Any]


def gates_red_first(evaluation: Evaluation) -> list[GateResult]:
    """What failed, then what lacks evidence, then what passed, then what is waived.

    Within each the word on the whole comes first, and the many classes and segments last.
    """
    gates = evaluation.gates.select_related("waived_by")
    return sorted(
        gates,
        key=lambda g: (
            g.waived_by_id is not None,
            RESULT_ORDER[g.result],
            GATE_ORDER.get(g.slug, len(GATE_ORDER)),
            g.name,
            g.group,
        ),
    )


def broken_cases(evaluation: Evaluation) -> list[BrokenCase]:
    """From the stored answers: those that wait for a reviewer first, then by age."""
    broken = {a.case_id: a for a in read_case_answers(evaluation) if a.is_broken}
    reviews = newest_reviews(broken.values())
    cases = RegressionCase.objects.filter(project=evaluation.project_id, pk__in=broken)
    found = [
        BrokenCase(
            case_id=case.pk,
            item=case.item,
            right_answer=broken[case.pk].right_answer,
            champion_answer=broken[case.pk].champion or "",
            challenger_answer=broken[case.pk].challenger,
            is_pinned=case.is_pinned,
            prediction_id=case.flag.prediction_id,
            said=reviews.get(case.pk),
        )
        for case in cases.select_related("item", "flag").order_by("-is_pinned", "pk")
    ]
    return sorted(found, key=lambda case: case.review is not Review.WAITING)[:MOST_BROKEN]


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
