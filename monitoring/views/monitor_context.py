"""What the monitor shows."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from feedback.draws import plan_in_force
from monitoring.accuracy import (
    WINDOW,
    AuditedAnswer,
    accuracy_by_segment,
    accuracy_by_version,
    audited_accuracy,
    audited_answers,
    find_unmeasured,
    flagged_accuracy,
)
from monitoring.forms import AuditPlanForm
from monitoring.intervals import Estimate
from monitoring.report import unmeasured_words
from monitoring.series import below_since, draws_of, happenings_of, points_of
from monitoring.views.words import GROUP_HEADS, group_row, interval_words, value_words
from projects.models import Project, Role

Context = dict[str, object]
NONE_WORDS = "nothing to say yet: no drawn answer has its truth"


def monitor_context(
    project: Project, *, roles: frozenset[Role], form: AuditPlanForm | None, at: datetime
) -> Context:
    """For monitoring/monitor_page.html."""
    answers = audited_answers(project, since=at - WINDOW, until=at)
    audited, target = audited_accuracy(answers), project.accuracy_target
    flagged = flagged_accuracy(project, since=at - WINDOW)
    find_url = reverse("feedback:prediction-find", kwargs={"slug": project.slug})
    return {
        "project": project,
        "can_decide": Role.LEAD in roles,
        "audited": _audited(audited, find_url) if audited.value is not None else None,
        "none_words": NONE_WORDS,
        "flagged": _flagged(flagged, find_url) if flagged.value is not None else None,
        "target": target,
        "target_words": f"{target:.2f}",
        "points": points_of(project),
        "events": happenings_of(project),
        "segments": _segments(project, answers),
        "alerts": _alerts(project, audited, answers),
        "quiet": [],
        **_plan(project, form, at),
    }


def _audited(estimate: Estimate, find_url: str) -> Context:
    return {
        "value_words": value_words(estimate),
        "interval_words": interval_words(estimate),
        "caption": f"audited, what customers get ({estimate.rows:,} answers)",
        "url": f"{find_url}?kind=audited",
    }


def _flagged(estimate: Estimate, find_url: str) -> Context:
    return {
        "value_words": value_words(estimate),
        "caption": "of flagged answers, not an accuracy: flags seek out errors "
        f"({estimate.rows:,} answers)",
        "url": f"{find_url}?kind=flagged",
    }


def _segments(project: Project, answers: list[AuditedAnswer]) -> list[Context]:
    """One table per declared segment, and one by version where there are several."""
    groups = {key: accuracy_by_segment(answers, key) for key in project.segment_keys}
    versions = accuracy_by_version(answers)
    if len(versions) > 1:
        groups["version"] = versions
    return [
        {
            "key": key,
            "values": GROUP_HEADS,
            "rows": [group_row(group, project.accuracy_target) for group in found],
        }
        for key, found in groups.items()
        if found
    ]


def _alerts(project: Project, audited: Estimate, answers: list[AuditedAnswer]) -> list[Context]:
    """Said only when the whole interval is under the target."""
    target = project.accuracy_target
    if audited.value is None or audited.high >= target:
        return []
    points = points_of(project)
    return [
        {
            "kind": "Accuracy",
            "tone": "bad",
            "since": below_since(points, target) or (points[-1].at if points else None),
            "title": f"Below {target:.2f}, with 95% confidence",
            "text": f"Between {audited.low:.2f} and {audited.high:.2f} of the answers are right."
            + unmeasured_words(find_unmeasured(project, answers)),
        }
    ]


def _plan(project: Project, form: AuditPlanForm | None, at: datetime) -> Context:
    plan = plan_in_force(project, at=at)
    rate, draws = plan.rate if plan else 0.0, draws_of(project)
    return {
        "plan": {
            "rate_words": f"{rate:.1%} of the answers are drawn at random",
            "drawn_count": draws.drawn,
            "waiting_count": draws.waiting,
        },
        "plan_form": form or AuditPlanForm(initial={"percent": round(rate * 100, 3)}),
    }
