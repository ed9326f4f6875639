"""What "My flags" shows: every flag with what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch

from feedback.models import Flag, FlagDecision, Issue
from feedback.querysets import FlagQuerySet
from feedback.words import flag_words, reason_words, wanted_words
from projects.models import Project, User
from projects.task_types import TASK_TYPES
from retraining.models import Receipt
from retraining.receipts import mark_seen
from retraining.stories import receipt_view

Context = dict[str, object]


@dataclass(frozen=True)
class FlagTab:
    name: str
    title: str
    states: tuple[str, ...]

    def of(self, flags: FlagQuerySet) -> FlagQuerySet:
        """The flags under this tab, with all that their rows need."""
        shown = flags.filter(state__in=self.states) if self.states else flags
        receipts = Receipt.objects.filter(revoked_at=None).order_by("-pk")
        return shown.prefetch_related(
            Prefetch("receipts", receipts.select_related("version", "project")),
            Prefetch("decisions", FlagDecision.objects.order_by("-pk")),
        )


TABS = (
    FlagTab("open", "Open", (Flag.State.OPEN, Flag.State.STILL_WRONG)),
    FlagTab("fixed", "Fixed", (Flag.State.FIXED,)),
    FlagTab("declined", "Declined", (Flag.State.DECLINED,)),
    FlagTab("all", "All", ()),
)
NEXT_WORDS: dict[str, str] = {
    Issue.State.NEW: "It goes to the people who label",
    Issue.State.LABELING: "People are labeling it",
    Issue.State.AWAITING_RETRAIN: "People agreed with you that it is wrong; a new model will learn",
    Issue.State.REOPENED: "It is open again",
}


def flag_tab(asked: str) -> FlagTab:
    """All, unless the address names another."""
    return next((tab for tab in TABS if tab.name == asked), TABS[-1])


def flag_tabs(agent: User, project: Project, current: FlagTab) -> list[Context]:
    by_state = Flag.objects.filter(agent=agent, project=project).values_list("state")
    counts = dict(by_state.annotate(count=Count("pk")))
    return [
        {
            "title": tab.title,
            "count": sum(counts.get(state, 0) for state in tab.states or counts),
            "url": f"?state={tab.name}",
            "is_current": tab == current,
        }
        for tab in TABS
    ]


def my_flags_context(flags: Sequence[Flag], *, project: Project, at: datetime) -> Context:
    """For feedback/my_flags_page.html; what is shown here counts as read."""
    rows = [_row(flag, project) for flag in flags]
    for flag in flags:
        for receipt in flag.receipts.all():
            if receipt.seen_at is None:
                mark_seen(receipt=receipt, at=at)
    return {"project": project, "task_type": TASK_TYPES[project.task_type], "flags": rows}


def _row(flag: Flag, project: Project) -> Context:
    words, tone = flag_words(flag.state)
    receipt = next(iter(flag.receipts.all()), None)
    decision = next(iter(flag.decisions.all()), None)
    is_open = flag.state in {Flag.State.OPEN, Flag.State.STILL_WRONG}
    if receipt:
        receipt.flag = flag
    return {
        "code": flag.code,
        "input": flag.prediction.input if flag.prediction else None,
        "output": flag.output,
        "prediction_pk": flag.prediction_id,
        "external_id": flag.external_id,
        "reason_words": reason_words(flag),
        "answer_words": wanted_words(flag),
        "created_at": flag.created_at,
        "state_words": words,
        "tone": tone,
        "issue_number": flag.issue.number if flag.issue else None,
        "next_words": NEXT_WORDS.get(flag.issue.state, "") if flag.issue and is_open else "",
        "decline_reason": decision.reason if decision and decision.state == flag.state else "",
        "receipt": receipt_view(receipt, is_own=True) if receipt else None,
        "is_new": bool(receipt and receipt.seen_at is None),
        "can_withdraw": is_open,
    }
