"""What the annotator did, what became of it, and a late undo."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from labeling.models import Annotation, Item
from labeling.own_work import Agreement, agreement, can_be_undone, is_undone, own_answers
from labeling.views.work_context import Context
from projects.models import Role
from projects.paging import page_of
from projects.policies import members, policy
from projects.requests import ProjectRequest
from projects.task_types import TASK_TYPES


@policy(members(Role.ANNOTATOR))
@require_GET
def annotation_mine(request: ProjectRequest, slug: str) -> HttpResponse:
    mine = own_answers(annotator=request.user, project=request.project)
    page = page_of(mine, request.GET)
    counts = agreement(annotator=request.user, project=request.project)
    context: Context = {
        "project": request.project,
        "task_type": TASK_TYPES[request.project.task_type],
        "stats": _stats(mine.filter(undone_by=None).count(), counts),
        "answers": [_row(annotation) for annotation in page.rows],
        **page.links,
    }
    return render(request, "labeling/my_work_page.html", context)


def _stats(given: int, counts: Agreement) -> list[Context]:
    stats: list[Context] = [{"value": f"{given:,}", "caption": "answers that stand"}]
    if counts.judged:
        share = f"{counts.agreed / counts.judged:.0%}"
        caption = f"agree with the result, of {counts.judged:,} that others answered too"
        stats.append({"value": share, "caption": caption})
    return stats


def _row(annotation: Annotation) -> Context:
    words, tone = _outcome(annotation)
    return {
        "code": annotation.code,
        "input": annotation.item.input,
        "answer": annotation.answer.name if annotation.answer else "None of these",
        "proposed_name": annotation.proposed_name,
        "at": annotation.at,
        "outcome": words,
        "tone": tone,
        "can_undo": can_be_undone(annotation),
    }


def _outcome(annotation: Annotation) -> tuple[str, str]:
    """What became of the answer; the result is told, for this person has given theirs."""
    item, truth = annotation.item, annotation.item.truth
    if is_undone(annotation):
        return "taken back", ""
    if not annotation.counts:
        return "kept, not needed", ""
    if item.round != annotation.round:
        return "asked again", ""
    if item.state == Item.State.DISPUTED:
        return "with the reviewer", "info"
    if truth is None:
        return "waits for others", ""
    if truth.answer_id == annotation.answer_id:
        return "agreed", "good"
    return f"result: {truth.answer.name if truth.answer else 'none of these'}", "warn"
