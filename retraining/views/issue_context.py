"""What the page of one issue shows."""

from __future__ import annotations

from collections import Counter, defaultdict

from feedback.issues import is_fixed_since
from feedback.models import Flag, Issue
from feedback.words import issue_words, severity_words, wanted_words
from labeling.models import Item
from projects.models import Project, Role, User
from projects.task_types import TASK_TYPES
from retraining.stories import MOST_FLAGS, story_of_issue

MOST_OTHERS = 100
DECIDERS = {Role.REVIEWER, Role.LEAD}
Context = dict[str, object]


def issue_context(
    issue: Issue, *, project: Project, reader: User, roles: frozenset[Role]
) -> tuple[Context, list[str]]:
    """For feedback/issue_page.html, and the identities whose answers it shows."""
    flags = list(
        issue.flags.exclude(state=Flag.State.WITHDRAWN)
        .select_related("prediction__version", "suggested")
        .order_by("created_at")[:MOST_FLAGS]
    )
    by_input: dict[str, list[Flag]] = defaultdict(list)
    for flag in flags:
        if flag.prediction:
            by_input[flag.identity].append(flag)
    items = Item.objects.filter(project=project, identity__in=by_input).select_related("truth")
    known = {item.identity: item for item in items.select_related("truth__answer")}
    words, tone = issue_words(issue)
    answered_by = {flag.prediction.version for flag in flags if flag.prediction}
    past = {version.pk for version in answered_by if is_fixed_since(issue, version)}
    rows: list[Context] = [
        {
            **_row(theirs, known.get(identity)),
            "can_join": Role.AGENT in roles and _is_news(theirs, reader, past),
        }
        for identity, theirs in by_input.items()
    ]
    next_to_join = next((row for row in rows if row["can_join"]), None)
    can_decide = bool(roles & DECIDERS) and issue.state != Issue.State.MERGED
    context: Context = {
        "project": project,
        "task_type": TASK_TYPES[project.task_type],
        "issue": {
            "number": issue.number,
            "title": issue.title,
            "state_words": words,
            "tone": tone,
            "merged_into_number": issue.merged_into.number if issue.merged_into else None,
        },
        "summary": _summary(flags),
        "fixed_in": issue.fixed_by if past and Role.AGENT in roles else "",
        "timeline": story_of_issue(issue, flags),
        "inputs": [{**row, "has_key": row is next_to_join} for row in rows],
        "others": _others(issue) if can_decide else [],
        "can_decide": can_decide,
        "can_decline": can_decide and any(flag.state in OPEN for flag in flags),
    }
    return context, list(by_input)


def _is_news(flags: list[Flag], reader: User, past: set[int]) -> bool:
    """Whether "me too" adds anything: neither to one's own flag, nor to what is fixed since."""
    newest = flags[-1].prediction
    is_own = reader.pk in {flag.agent_id for flag in flags}
    return newest is not None and newest.version_id not in past and not is_own


OPEN = {Flag.State.OPEN, Flag.State.STILL_WRONG}


def _summary(flags: list[Flag]) -> str:
    agents = len({flag.agent_id for flag in flags})
    customers = len(_customers(flags))
    fixed = sum(flag.state == Flag.State.FIXED for flag in flags)
    parts = [
        _count(len(flags), "flag") + f" by {_count(agents, 'agent')}",
        _count(customers, "customer"),
        severity_words(max((flag.severity for flag in flags), default=None)),
        f"{fixed} of {len(flags)} fixed" if fixed else "",
    ]
    return ", ".join(part for part in parts if part) + "."


def _row(flags: list[Flag], item: Item | None) -> Context:
    """One input, with the flags on it."""
    newest = flags[-1]
    wanted = Counter(wanted_words(flag) for flag in flags if wanted_words(flag))
    words, tone = _item_words(item)
    return {
        "input": newest.prediction.input if newest.prediction else None,
        "prediction_pk": newest.prediction_id,
        "output": newest.output,
        "suggested_words": wanted.most_common(1)[0][0] if wanted else "",
        "flag_count": len(flags),
        "customer_count": len(_customers(flags)),
        "state_words": words,
        "tone": tone,
        "last_at": newest.created_at,
    }


def _item_words(item: Item | None) -> tuple[str, str]:
    if item is None:
        return "not queued yet", ""
    if item.state == Item.State.DISPUTED:
        return "with a reviewer", "warn"
    if item.truth is None:
        return "being labeled", "info"
    return f"it is {item.truth.answer.name if item.truth.answer else 'none of the classes'}", "good"


def _others(issue: Issue) -> list[Issue]:
    """What it could be merged into, newest first."""
    others = Issue.objects.filter(project=issue.project_id).exclude(pk=issue.pk)
    return list(others.exclude(state=Issue.State.MERGED).order_by("-number")[:MOST_OTHERS])


def _customers(flags: list[Flag]) -> set[str]:
    return {f.prediction.customer_ref for f in flags if f.prediction and f.prediction.customer_ref}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
