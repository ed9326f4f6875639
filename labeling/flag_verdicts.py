"""What an accepted answer means for the flags on that input."""

from __future__ import annotations

from datetime import datetime

from django.db.models import OuterRef, Subquery

from feedback import flagging, issues
from feedback.models import Flag, FlagDecision, Issue
from labeling.models import Item

WITHDRAWN_TRUTH = "The accepted answer was taken back; the item is being labeled again."


def judge_flags(*, item: Item, at: datetime) -> None:
    """Decline flags whose flagged answer was right after all; move their issues on."""
    truth = item.truth
    if truth is None:
        return
    flags = Flag.objects.open().filter(project_id=item.project_id, identity=item.identity)
    if not flags.exists():  # Far cheaper than reading none of them, and most inputs have none.
        return
    for flag in flags.select_related("issue"):
        if truth.answer is not None and truth.answer.name == flag.output:
            flagging.decide_flag(
                flag=flag, state=Flag.State.DECLINED, at=at, reason=flagging.DECIDED_BY_RULE
            )
        elif flag.issue is not None:
            issues.move_issue(issue=flag.issue, state=Issue.State.AWAITING_RETRAIN, at=at)


def withdraw_verdicts(*, item: Item, at: datetime) -> None:
    """The truth no longer stands: what it declined is open again, and is being labeled."""
    flags = Flag.objects.filter(project_id=item.project_id, identity=item.identity)
    if not flags.exists():
        return
    newest = FlagDecision.objects.filter(flag=OuterRef("pk")).order_by("-id").values("reason")[:1]
    by_rule = flags.alias(why=Subquery(newest)).filter(why=flagging.DECIDED_BY_RULE)
    for flag in by_rule.filter(state=Flag.State.DECLINED):
        flagging.decide_flag(flag=flag, state=Flag.State.OPEN, at=at, reason=WITHDRAWN_TRUTH)
    for flag in flags.open().select_related("issue"):
        if flag.issue is None:
            continue
        if flag.issue.state == Issue.State.DECLINED:
            issues.move_issue(issue=flag.issue, state=Issue.State.REOPENED, at=at)
        issues.move_issue(issue=flag.issue, state=Issue.State.LABELING, at=at)
