"""Find a recorded answer, as one types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from feedback.finding import MOST_COUNTED, filters_of, find_answers, flags_on
from feedback.flagging import note_sightings
from feedback.models import Flag, Prediction
from jobs import clock
from projects.models import Role
from projects.paging import page_of
from projects.policies import members, policy
from projects.rendering import render_part
from projects.requests import ProjectRequest
from projects.sorting import Column, Head, sorting_of
from projects.task_types import TASK_TYPES

COLUMNS = (
    Column("Asked"),
    Column("Answer"),
    Column("Sure", "confidence", is_numeric=True),
    Column("Version"),
    Column("Customer"),
    Column("Flags"),
    Column("When", "occurred_at"),
)


@policy(members(Role.AGENT, Role.REVIEWER, Role.LEAD, Role.ENGINEER))
@require_GET
def prediction_find(request: ProjectRequest, slug: str) -> HttpResponse:
    at, asked = clock.now(), request.GET.dict()
    found = find_answers(project=request.project, asked=asked, at=at)
    sorting = sorting_of(COLUMNS, request.GET, default="-occurred_at")
    page = page_of(found.order_by(sorting.order_by, "-pk"), request.GET)
    note_sightings(
        project=request.project,
        user=request.user,
        identities=[prediction.identity for prediction in page.rows],
        at=at,
    )
    context = {
        **_frame(request, asked),
        "columns": sorting.heads,
        "rows": _rows(page.rows, request.user.pk),
        "total": _total(found[: MOST_COUNTED + 1].count()),
        **page.links,
    }
    return render_part(request, "feedback/find_page.html#results", context)


def give_back(
    request: ProjectRequest, marked: Iterable[Prediction], *, problem: str
) -> HttpResponse:
    """A flag that was refused, as it was sent: its answers are marked, its fields filled."""
    shown = list(marked)
    note_sightings(
        project=request.project,
        user=request.user,
        identities=[prediction.identity for prediction in shown],
        at=clock.now(),
    )
    context = {
        **_frame(request, {"q": request.POST.get("external_id", "")}),
        "columns": [Head(column.title, "", column.is_numeric, None) for column in COLUMNS],
        "rows": _rows(shown, request.user.pk),
        "problem": problem,
        "sent": request.POST,
    }
    return render(request, "feedback/find_page.html", context, status=422)


def _frame(request: ProjectRequest, asked: Mapping[str, str]) -> dict[str, object]:
    return {
        "project": request.project,
        "task_type": TASK_TYPES[request.project.task_type],
        "q": asked.get("q", ""),
        "can_flag": Role.AGENT in request.roles,
        "filters": filters_of(project=request.project, asked=asked),
        "reasons": Flag.Reason.choices,
    }


def _rows(predictions: list[Prediction], person_id: int) -> list[dict[str, object]]:
    flaggers = flags_on(predictions)
    return [
        {
            "prediction": prediction,
            "version_name": prediction.version.name,
            "flag_count": len(flaggers[prediction.pk]),
            "is_mine": person_id in flaggers[prediction.pk],
        }
        for prediction in predictions
    ]


def _total(count: int) -> str:
    return f"more than {MOST_COUNTED:,}" if count > MOST_COUNTED else f"{count:,}"
