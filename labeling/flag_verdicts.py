"""What an accepted answer means for the flags on that input."""

from __future__ import annotations

from datetime import datetime

from feedback import flagging, issues
from feedback.models import Flag, Issue
from labeling.models import Item


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
