"""What the report shows: a question, one plain sentence, the figures behind it."""

from __future__ import annotations

from datetime import datetime

from feedback.models import Issue
from feedback.words import issue_words
from monitoring.accuracy import WINDOW, accuracy_by_segment, audited_answers
from monitoring.report import Report
from monitoring.series import happenings_of, points_of
from monitoring.views.words import GROUP_HEADS, group_row, interval_words, tone_of, value_words
from projects.models import Deployment, Project

Context = dict[str, object]


def report_context(project: Project, report: Report) -> Context:
    """For monitoring/report_page.html."""
    key = next(iter(project.segment_keys), "")
    return {
        "project": project,
        "until_words": f"up to {report.at:%-d %B %Y}",
        "parts": [_accuracy(report), _fixes(report), _cost(report)],
        "points": points_of(project),
        "target": report.target,
        "events": happenings_of(project),
        "issues": _issues(project, [top.number for top in report.top_issues]),
        "fairness": _fairness(project, key, report.at) if key else [],
        "fairness_values": GROUP_HEADS,
        "fairness_key": key,
        "window_days": WINDOW.days,
        "trail": _trail(project),
    }


def _accuracy(report: Report) -> Context:
    first = report.first_point
    stats: list[Context] = [
        {
            "value": value_words(report.accuracy),
            "interval": interval_words(report.accuracy),
            "caption": f"right answers, from random draws of the last {WINDOW.days} days",
        },
        {"value": f"{report.target:.2f}", "caption": "target"},
    ]
    if first is not None:
        caption = f"on {first.day:%-d %B}, when measuring began"
        interval = f"{first.low:.2f} to {first.high:.2f}"
        stats.append({"value": f"{first.estimate:.2f}", "interval": interval, "caption": caption})
    return {
        "question": "Is it getting better?",
        "sentence": report.accuracy_sentence,
        "tone": tone_of(report.accuracy, report.target).replace("none", ""),
        "stats": stats,
    }


def _fixes(report: Report) -> Context:
    days = report.median_days_to_fix
    stats: list[Context] = [
        {"value": f"{report.flags_fixed:,}", "caption": "flags fixed"},
        {"value": f"{report.flags_open:,}", "caption": "flags open"},
    ]
    if days is not None:
        stats.append({"value": f"{days:.1f}", "caption": "days from flag to fix, half are faster"})
    return {
        "question": "Are customers helped?",
        "sentence": report.fixes_sentence,
        "tone": "",
        "stats": stats,
    }


def _cost(report: Report) -> Context:
    return {
        "question": "What does it cost?",
        "sentence": report.cost_sentence,
        "tone": "",
        "stats": [],
    }


def _issues(project: Project, numbers: list[int]) -> list[Context]:
    """Those that hit most customers, in the report's order."""
    found = Issue.objects.of(project).filter(number__in=numbers).select_related("fixed_in")
    rows = {issue.number: issue for issue in found}
    shown = []
    for issue in (rows[number] for number in numbers if number in rows):
        words, tone = issue_words(issue)
        shown.append(
            {
                "number": issue.number,
                "title": issue.title,
                "customer_count": getattr(issue, "customer_count", 0),
                "state_words": words,
                "tone": tone,
            }
        )
    return shown


def _fairness(project: Project, key: str, at: datetime) -> list[Context]:
    answers = audited_answers(project, since=at - WINDOW, until=at)
    groups = accuracy_by_segment(answers, key)
    return [group_row(group, project.accuracy_target) for group in groups]


def _trail(project: Project) -> list[Context]:
    """Which version went live when, and who decided it."""
    lines = Deployment.objects.champions(project.pk).select_related("version", "by")[:10]
    return [
        {
            "who": str(line.by or "Setright"),
            "at": line.at,
            "words": f"made {line.version.name} the live model"
            + (f": {line.reason}" if line.reason else ""),
            "url": "",
        }
        for line in lines
    ]
