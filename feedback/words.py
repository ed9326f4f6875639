"""Flags and issues in the words their pages use, each with the tone of its badge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedback.models import Flag, Issue

if TYPE_CHECKING:  # It asks here what was wanted.
    from feedback.flagging import Report

Words = tuple[str, str]

_FLAG: dict[str, Words] = {
    Flag.State.OPEN: ("open", "info"),
    Flag.State.FIXED: ("fixed", "good"),
    Flag.State.STILL_WRONG: ("still wrong", "bad"),
    Flag.State.DECLINED: ("declined", "warn"),
    Flag.State.WITHDRAWN: ("taken back", ""),
}
_ISSUE: dict[str, Words] = {
    Issue.State.NEW: ("new", "info"),
    Issue.State.LABELING: ("being labeled", "info"),
    Issue.State.AWAITING_RETRAIN: ("waits for a new model", "warn"),
    Issue.State.FIXED: ("fixed", "good"),
    Issue.State.DECLINED: ("declined", ""),
    Issue.State.WAITING: ("waits for the agent", "warn"),
    Issue.State.REOPENED: ("open again", "bad"),
    Issue.State.MERGED: ("merged", ""),
}
_SEVERITY: dict[int, str] = {
    Flag.Severity.LITTLE: "hurts a little",
    Flag.Severity.MUCH: "hurts a lot",
    Flag.Severity.STOPPER: "stops the customer",
}


def flag_words(state: str) -> Words:
    return _FLAG[state]


def issue_words(issue: Issue) -> Words:
    words, tone = _ISSUE[issue.state]
    return (f"{words} in {issue.fixed_by}" if issue.fixed_by else words), tone


def reason_words(flag: Flag) -> str:
    return str(Flag.Reason(flag.reason).label)


def wanted_words(said: Flag | Report) -> str:
    """What the agent says it should have been, or nothing."""
    return said.suggested.name if said.suggested else said.proposed_name


def severity_words(severity: int | None) -> str:
    """What the agent chose, as part of a sentence."""
    return _SEVERITY[severity] if severity else ""
