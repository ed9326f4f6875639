"""Issues: find or open one for an input, merge, decline, and follow its flags."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from events.recording import record
from feedback.models import Flag, Issue, IssueInput, Prediction
from projects.errors import Conflict, Invalid
from projects.models import Deployment, ModelVersion, Project, User

STATE = Issue.State

MOVES: dict[str, set[str]] = {
    STATE.NEW: {STATE.LABELING, STATE.AWAITING_RETRAIN, STATE.FIXED, STATE.DECLINED, STATE.MERGED},
    STATE.LABELING: {STATE.AWAITING_RETRAIN, STATE.FIXED, STATE.DECLINED, STATE.MERGED},
    STATE.AWAITING_RETRAIN: {STATE.LABELING, STATE.FIXED, STATE.DECLINED, STATE.MERGED},
    STATE.WAITING: {STATE.LABELING, STATE.DECLINED, STATE.MERGED},
    STATE.FIXED: {STATE.REOPENED},
    STATE.DECLINED: {STATE.REOPENED},
    STATE.REOPENED: {
        STATE.LABELING,
        STATE.AWAITING_RETRAIN,
        STATE.FIXED,
        STATE.DECLINED,
        STATE.MERGED,
    },
    STATE.MERGED: set(),
}


def issue_for(*, prediction: Prediction, report_name: str, at: datetime) -> Issue:
    """The issue of this input, held; a new one if it has none."""
    known = IssueInput.objects.filter(
        project_id=prediction.project_id, identity=prediction.identity
    ).first()
    if known:
        return hold_issue(known.issue_id)
    try:
        with transaction.atomic():
            issue = _open_issue(prediction.project, _title(prediction, report_name), at)
            IssueInput.objects.create(
                project_id=prediction.project_id, issue=issue, identity=prediction.identity
            )
            return issue
    except IntegrityError:
        # Another agent flagged the same input, or took the same number, at the same moment.
        return issue_for(prediction=prediction, report_name=report_name, at=at)


def hold_issue(issue_id: int) -> Issue:
    """The issue, locked until the transaction ends; of a merged one, the one it went into.

    Whoever changes flags of an issue holds it first: a merge moves them all at once.
    """
    issue = Issue.objects.select_for_update(no_key=True).get(pk=issue_id)
    return hold_issue(issue.merged_into_id) if issue.merged_into_id else issue


def hold_issue_of(flag: Flag) -> Issue | None:
    """The issue the flag is in now, held; None for a flag that waits for its prediction."""
    now_in = Flag.objects.filter(pk=flag.pk).values_list("issue_id", flat=True).first()
    return hold_issue(now_in) if now_in else None


def move_issue(*, issue: Issue, state: str, at: datetime, by: User | None = None) -> bool:
    """Change the state if that is a legal move from where the issue is now."""
    sources = [source for source, targets in MOVES.items() if state in targets]
    moved = Issue.objects.filter(pk=issue.pk, state__in=sources).update(state=state, changed_at=at)
    if moved:
        issue.state = state
        record("issue.moved", subject=issue, at=at, actor=by, state=state)
    return bool(moved)


@transaction.atomic
def merge_issues(*, issue: Issue, into: Issue, at: datetime, by: User) -> None:
    """Move all flags and inputs of one issue into another; later flags follow."""
    if issue.project_id != into.project_id or issue.pk == into.pk:
        raise Invalid("Choose another issue of the same project to merge into.")
    both = Issue.objects.filter(pk__in=[issue.pk, into.pk]).order_by("pk")
    states = {held.pk: held.state for held in both.select_for_update(no_key=True)}
    if states[into.pk] == STATE.MERGED:
        raise Conflict("That issue has been merged itself; choose the one it went into.")
    if states[into.pk] in {STATE.FIXED, STATE.DECLINED}:
        raise Conflict(f"That issue is {states[into.pk]} already; choose one that is still open.")
    if not move_issue(issue=issue, state=STATE.MERGED, at=at, by=by):
        raise Conflict(f"An issue that is {issue.state} cannot be merged. Reload the page.")
    Flag.objects.filter(issue=issue).update(issue=into)
    IssueInput.objects.filter(issue=issue).update(issue=into)
    Issue.objects.filter(pk=issue.pk).update(merged_into=into)
    record("issue.merged", subject=issue, at=at, actor=by, into=into.pk)
    settle_issue(issue_id=into.pk, at=at)


@transaction.atomic
def rename_issue(*, issue: Issue, title: str, at: datetime, by: User) -> None:
    """Give the issue words that people recognise."""
    cleaned = " ".join(title.split())[:200]
    if not cleaned:
        raise Invalid("Give the issue a title.")
    if Issue.objects.filter(pk=issue.pk).exclude(title=cleaned).update(title=cleaned):
        record("issue.renamed", subject=issue, at=at, actor=by)


def note_new_flag(*, issue: Issue, prediction: Prediction, at: datetime) -> None:
    """A flag on an ended issue reopens it only if the fixing version, or a later one, answered."""
    has_ended = issue.state in {STATE.DECLINED, STATE.FIXED}
    if has_ended and not is_fixed_since(issue, prediction.version):
        move_issue(issue=issue, state=STATE.REOPENED, at=at)


def is_fixed_since(issue: Issue, version: ModelVersion) -> bool:
    """Whether an answer of that version is of the time before the fix: one more flag is no news."""
    return issue.state == STATE.FIXED and not _deployed_since(version, issue.fixed_in)


def settle_issue(*, issue_id: int, at: datetime) -> None:
    """Fixed when one flag is fixed and the rest have ended; declined when none is fixed."""
    issue = hold_issue(issue_id)
    states = set(Flag.objects.filter(issue=issue).values_list("state", flat=True))
    ended = {Flag.State.FIXED, Flag.State.DECLINED, Flag.State.WITHDRAWN}
    if not states or states - ended:
        if issue.state in {STATE.FIXED, STATE.DECLINED} and Flag.State.STILL_WRONG in states:
            move_issue(issue=issue, state=STATE.REOPENED, at=at)
        return
    if Flag.State.FIXED in states:
        move_issue(issue=issue, state=STATE.FIXED, at=at)
    else:
        move_issue(issue=issue, state=STATE.DECLINED, at=at)


def mark_fixed_in(*, issue_ids: Iterable[int], version: ModelVersion) -> None:
    """Name the version that fixed the issue, once its flags are settled."""
    Issue.objects.filter(pk__in=list(issue_ids), state=STATE.FIXED).update(fixed_in=version)


def _deployed_since(version: ModelVersion, fixing: ModelVersion | None) -> bool:
    if fixing is None:
        return True
    order = dict(
        Deployment.objects.champions(version.project_id)
        .order_by("sequence")
        .values_list("version_id", "sequence")
    )
    return order.get(version.pk, 0) >= order.get(fixing.pk, 0)


def _open_issue(project: Project, title: str, at: datetime) -> Issue:
    last = Issue.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    issue = Issue.objects.create(
        project=project, number=last + 1, title=title, created_at=at, changed_at=at
    )
    record("issue.opened", subject=issue, at=at)
    return issue


def _title(prediction: Prediction, wanted: str) -> str:
    if wanted:
        return f"{wanted} goes to {prediction.output}"[:200]
    return f"{prediction.output} is wrong"[:200]
