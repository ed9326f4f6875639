"""What people say about regression cases: which may never break, and which breaks count.

A gate's word on the cases of an open comparison follows at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from events.recording import record
from labeling.models import Item
from projects.errors import Conflict, Invalid, NotFound
from projects.models import Project, User
from retraining.case_answers import CaseAnswer, read_case_answers
from retraining.gate_results import replace_outcomes
from retraining.gates import GATES, Comparison
from retraining.gates.base import RegressionCase as GatedCase
from retraining.gates.base import Review
from retraining.live_line import hold_live_line
from retraining.models import Batch, CaseReview, Evaluation, RegressionCase

GATE = "regression"
_REVIEWS = {
    CaseReview.Verdict.COUNTS.value: Review.CONFIRMED,
    CaseReview.Verdict.EXCUSED.value: Review.EXCUSED,
}


def review_case(
    *, batch: Batch, case: RegressionCase, verdict: str, by: User, at: datetime, reason: str = ""
) -> CaseReview:
    """Say whether the wrong answer that the batch's version gives to a case counts against it.

    It holds for every later comparison too, as long as the ground truth and that answer are these.
    """
    if verdict == CaseReview.Verdict.EXCUSED and not reason.strip():
        raise Invalid("Say why this case does not count.")
    answers = read_case_answers(_reviewable(batch))
    with transaction.atomic():
        hold_live_line(batch.project_id)
        evaluation = _reviewable(batch)
        answer = _broken(case, answers)
        review = CaseReview.objects.create(
            project_id=batch.project_id,
            case=case,
            truth_id=answer.truth_id,
            answer=answer.challenger,
            verdict=verdict,
            reason=reason.strip(),
            by=by,
            at=at,
        )
        record(
            "regression_case.reviewed",
            subject=case,
            at=at,
            actor=by,
            batch=batch.pk,
            review=review.pk,
            verdict=verdict,
        )
        judge_cases(evaluation, answers, at=at)
    return review


def pin_case(
    *, case: RegressionCase, is_pinned: bool, by: User, at: datetime, reason: str = ""
) -> None:
    """A pinned case blocks a promotion on its own; taking a pin away needs a reason."""
    if not is_pinned and not reason.strip():
        raise Invalid("Say why this case may break from now on.")
    changed = RegressionCase.objects.filter(pk=case.pk).exclude(is_pinned=is_pinned)
    with transaction.atomic():
        hold_live_line(case.project_id)
        if changed.update(is_pinned=is_pinned, unpin_reason="" if is_pinned else reason.strip()):
            name = "regression_case.pinned" if is_pinned else "regression_case.unpinned"
            record(name, subject=case, at=at, actor=by)
            for evaluation in _open_evaluations(case.project):
                judge_cases(evaluation, read_case_answers(evaluation), at=at)
    case.is_pinned = is_pinned


def access_case(project: Project, case_id: int) -> RegressionCase:
    cases = RegressionCase.objects.filter(project=project).select_related("item", "flag")
    case = cases.filter(pk=case_id).first()
    if case is None:
        raise NotFound("There is no such regression case in this project.")
    return case


def judge_cases(evaluation: Evaluation, answers: Sequence[CaseAnswer], *, at: datetime) -> None:
    """The regression gate's word with today's pins and reviews; needs the live line held."""
    if evaluation.champion_id is None:
        return
    outcomes = GATES[GATE].judge(Comparison(cases=gated_cases(answers)))
    replace_outcomes(evaluation, GATE, outcomes, at=at)


def gated_cases(answers: Iterable[CaseAnswer]) -> tuple[GatedCase, ...]:
    """The compared cases for the gate, with what people said about them until now."""
    compared = [answer for answer in answers if answer.champion is not None]
    cases = RegressionCase.objects.select_related("item").in_bulk(a.case_id for a in compared)
    reviews = newest_reviews(compared)
    return tuple(
        GatedCase(
            case_id=str(answer.case_id),
            champion_right=answer.champion == answer.right_answer,
            challenger_right=answer.challenger == answer.right_answer,
            is_pinned=cases[answer.case_id].is_pinned,
            is_held_out=cases[answer.case_id].item.use == Item.Use.EVALUATION,
            review=review_of(reviews.get(answer.case_id)),
        )
        for answer in compared
        if answer.case_id in cases
    )


def newest_reviews(answers: Iterable[CaseAnswer]) -> Mapping[int, CaseReview]:
    """By case, where the broken case was judged for this ground truth and this wrong answer."""
    broken = {answer.case_id: answer for answer in answers if answer.is_broken}
    reviews = CaseReview.objects.filter(case__in=broken).select_related("by").order_by("pk")
    return {
        review.case_id: review
        for review in reviews
        if (review.truth_id, review.answer)
        == (broken[review.case_id].truth_id, broken[review.case_id].challenger)
    }


def review_of(review: CaseReview | None) -> Review:
    return Review.WAITING if review is None else _REVIEWS[review.verdict]


def waiting_cases(project: Project) -> Mapping[int, int]:
    """By number of an open batch, how many broken cases wait for a reviewer."""
    waiting: dict[int, int] = {}
    for evaluation in _open_evaluations(project):
        told = evaluation.gates.filter(slug=GATE).values_list("details__waiting", flat=True)
        if count := sum(number or 0 for number in told):
            waiting[evaluation.batch.number] = count
    return waiting


def _open_evaluations(project: Project) -> list[Evaluation]:
    """The newest of each batch that waits for a decision."""
    evaluated = Batch.objects.filter(project=project, state=Batch.State.EVALUATED)
    found = Evaluation.objects.filter(batch__in=evaluated).select_related("batch").order_by("pk")
    return list({evaluation.batch_id: evaluation for evaluation in found}.values())


def _reviewable(batch: Batch) -> Evaluation:
    found = [one for one in _open_evaluations(batch.project) if one.batch_id == batch.pk]
    if not found:
        raise Conflict("This batch does not wait for a decision: nothing of it is to be judged.")
    return found[0]


def _broken(case: RegressionCase, answers: Iterable[CaseAnswer]) -> CaseAnswer:
    answer = next((a for a in answers if a.case_id == case.pk and a.is_broken), None)
    if answer is None:
        raise Conflict("The new model does not break this case.")
    if answer.truth_id != Item.objects.values_list("truth_id", flat=True).get(pk=case.item_id):
        raise Conflict("The right answer to this case has changed since. Compare the models again.")
    return answer
