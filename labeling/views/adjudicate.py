"""The reviewer settles items on which the answers differ."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from feedback.flagging import note_sighting
from jobs import clock
from labeling.access import access_item
from labeling.disputes import GivenAnswer, given_answers, next_disputed
from labeling.forms import NAMED_NONE, NONE_VALUE, AnswerForm, problem_of
from labeling.guidelines import newest_guideline
from labeling.models import Item
from labeling.settlement import adjudicate, send_back
from labeling.views.work_context import Context, choices_of
from projects.classes import accepted_classes
from projects.errors import Conflict
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest
from projects.task_types import TASK_TYPES
from projects.telling import telling

REVIEWERS = members(Role.REVIEWER)
NEXT = "labeling:item-next_disputed"


@policy(REVIEWERS)
@require_GET
def item_next_disputed(request: ProjectRequest, slug: str) -> HttpResponseBase:
    item = next_disputed(request.project)
    if item is None:
        return render(request, "labeling/nothing_disputed.html", {"project": request.project})
    return redirect("labeling:item-adjudicate", slug=slug, code=item.code)


@policy(REVIEWERS)
@require_http_methods(["GET", "POST"])
def item_adjudicate(request: ProjectRequest, slug: str, code: UUID) -> HttpResponseBase:
    item = access_item(request.project, code)
    if request.method == "GET":
        return _show(request, item)
    classes = accepted_classes(request.project)
    form = AnswerForm(request.POST, project=request.project, classes=classes)
    if not form.is_valid():
        return _show(request, item, problem=problem_of(form), status=422)
    with telling(request, "Settled"):
        adjudicate(item=item, answer=form.given, reviewer=request.user, at=clock.now())
    return redirect(NEXT, slug=slug)


@policy(REVIEWERS)
@require_POST
def item_requeue(request: ProjectRequest, slug: str, code: UUID) -> HttpResponseBase:
    """Ask other people; what was said so far is kept and does not count."""
    with telling(request, "Sent back to be answered again"):
        item = access_item(request.project, code)
        send_back(item=item, reviewer=request.user, at=clock.now())
    return redirect(NEXT, slug=slug)


def _show(
    request: ProjectRequest, item: Item, *, problem: str = "", status: int = 200
) -> HttpResponse:
    if item.state != Item.State.DISPUTED:
        raise Conflict("This item is settled, or is being answered again. Go on to the next one.")
    note_sighting(
        project=request.project, user=request.user, identity=item.identity, at=clock.now()
    )
    context: Context = {
        "project": request.project,
        "queue": item.queue,
        "task_type": TASK_TYPES[request.project.task_type],
        "item": item,
        "waiting_count": Item.objects.disputed(request.project).count(),
        "answers": [_choice(a, n) for n, a in enumerate(given_answers(item), start=1)],
        "choices": choices_of(accepted_classes(request.project)),
        "none_value": NONE_VALUE,
        "guideline": newest_guideline(request.project),
        "problem": problem,
    }
    return render(request, "labeling/adjudicate_page.html", context, status=status)


def _choice(answer: GivenAnswer, number: int) -> Context:
    named = f"{NAMED_NONE}{answer.proposed_name}" if answer.proposed_name else NONE_VALUE
    return {
        "value": answer.label_class.pk if answer.label_class else named,
        "title": answer.label_class.name if answer.label_class else "None of these",
        "note": f"proposed: {answer.proposed_name}" if answer.proposed_name else "",
        "count": answer.count,
        "key": str(number) if number <= 9 else "",
    }
