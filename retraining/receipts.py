"""Tell agents, with proof, that their case is answered right now; take it back where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet

from events.recording import record
from feedback import issues
from feedback.flagging import decide_flag
from feedback.models import Flag, Issue
from labeling.flag_verdicts import judge_flags
from labeling.models import Item
from projects.errors import Conflict, Refused
from projects.models import Deployment, ModelVersion, User
from retraining.eligible import dataset_of
from retraining.evaluation_rows import recorded_answers
from retraining.live_line import hold_live_line, standing_versions
from retraining.model_answers import AnsweringModel, ModelAnswer
from retraining.models import DatasetRow, Receipt, RegressionCase
from retraining.regression_cases import StandingCase, as_standing, cases_for, keep_accepted_flags

CASES_AT_ONCE = 100

Report = Callable[[int, int], None]  # How many cases are done, of how many.


class LineMoved(Exception):
    """Another version went live meanwhile: what was computed says nothing about it."""


def send_receipts(*, line: Deployment, model: AnsweringModel, at: datetime, report: Report) -> int:
    """A receipt for every open case that the deployed version answers right; returns how many.

    Its answers are recomputed here, from the stored version, on those very cases. Raises LineMoved
    when another version has gone live.
    """
    project = line.version.project
    keep_accepted_flags(at=at, project=project)
    told = set(_standing_receipts(line.version).values_list("flag_id", flat=True))
    waiting = [
        case
        for case in cases_for(project)
        if case.flag.state in {Flag.State.OPEN, Flag.State.STILL_WRONG} and case.flag.pk not in told
    ]
    learned = _learned_answers(line.version, waiting)
    sent = 0
    for done, (case, answer) in enumerate(_answered(waiting, model), start=1):
        is_learned = learned.get(case.item.pk) == answer.label
        sent += _send(case, answer, line=line, is_learned=is_learned, at=at)
        report(done, len(waiting))
    return sent


def revoke_receipts(
    *, line: Deployment, model: AnsweringModel | None, at: datetime, report: Report
) -> int:
    """Open again what the live version answers wrong and a version rolled back had fixed.

    What was right when it was flagged, as is known by now, is declined by rule instead.
    `model` is the live version, or None for an external one: what that recorded has to show it.
    Raises LineMoved when another version has gone live.
    """
    receipts = list(_doubtful(line))
    answers = _labels_now([receipt.flag for receipt in receipts], line.version, model)
    revoked = 0
    for done, (receipt, label) in enumerate(zip(receipts, answers, strict=True), start=1):
        revoked += _revoke(receipt, label, line=line, at=at)
        report(done, len(receipts))
    return revoked


@transaction.atomic
def mark_still_wrong(*, receipt: Receipt, by: User, at: datetime, note: str = "") -> None:
    """The agent says that it is not fixed: the flag and its issue are open again."""
    if receipt.flag.agent_id != by.pk:
        raise Refused("Only the agent who flagged this can say that it is still wrong.")
    if not decide_flag(
        flag=receipt.flag,
        state=Flag.State.STILL_WRONG,
        at=at,
        by=by,
        version=receipt.version,
        reason=note.strip(),
    ):
        raise Conflict("This flag is not marked as fixed any more. Reload the page.")
    mark_seen(receipt=receipt, at=at)


def mark_seen(*, receipt: Receipt, at: datetime) -> None:
    """The agent has read it; only the first time counts."""
    Receipt.objects.filter(pk=receipt.pk, seen_at=None).update(seen_at=at)


def plain_sentence(receipt: Receipt) -> str:
    """What the agent can paste to the customer, about this case alone."""
    return (
        f"Thank you for reporting this. It was answered as “{receipt.old_answer}” by mistake; "
        f"it is now answered as “{receipt.new_answer}”."
    )


def customer_sentence(receipt: Receipt) -> str:
    """The same, with a claim about similar cases where it is shown to hold."""
    sentence = plain_sentence(receipt)
    if claims_similar_cases(receipt):
        sentence += " Similar cases that we checked are answered right as well."
    return sentence


def claims_similar_cases(receipt: Receipt) -> bool:
    """Whether cases of the same issue that the version never learned from are all right now."""
    cases = RegressionCase.objects.standing(receipt.project).filter(
        flag__issue=receipt.flag.issue_id, item__use=Item.Use.EVALUATION
    )
    held_out = set(cases.values_list("flag_id", flat=True))
    right = Receipt.objects.filter(
        version=receipt.version, revoked_at=None, flag__in=held_out, flag__state=Flag.State.FIXED
    )
    return bool(held_out) and held_out == set(right.values_list("flag_id", flat=True))


def _doubtful(line: Deployment) -> QuerySet[Receipt]:
    """Receipts of versions that no longer lead to the live one."""
    return (
        Receipt.objects.filter(
            project_id=line.project_id, revoked_at=None, flag__state=Flag.State.FIXED
        )
        .exclude(version__in=standing_versions(line.version.project))
        .select_related("flag__issue", "flag__regression_case__item", "version")
        .order_by("pk")
    )


def _labels_now(
    flags: list[Flag], version: ModelVersion, model: AnsweringModel | None
) -> list[str | None]:
    """What the live version says to each flag's input; None where nobody knows."""
    if model is not None:
        answers = model.answer([flag.regression_case.item.input for flag in flags])
        return [answer.label for answer in answers]
    recorded = recorded_answers(version, {flag.identity for flag in flags})
    return [recorded.get(flag.identity) for flag in flags]


def _learned_answers(version: ModelVersion, cases: list[StandingCase]) -> dict[int, str]:
    """By item: the right answer that the version was trained with, where it was."""
    rows = DatasetRow.objects.standing(dataset_of(version)).filter(
        item__in=[case.item.pk for case in cases], truth__answer__isnull=False
    )
    return dict(rows.values_list("item_id", "truth__answer__name"))


def _answered(
    cases: list[StandingCase], model: AnsweringModel
) -> Iterator[tuple[StandingCase, ModelAnswer]]:
    remaining = iter(cases)
    while chunk := list(islice(remaining, CASES_AT_ONCE)):
        yield from zip(chunk, model.answer([case.item.input for case in chunk]), strict=True)


@transaction.atomic
def _send(
    case: StandingCase, answer: ModelAnswer, *, line: Deployment, is_learned: bool, at: datetime
) -> bool:
    """Against the ground truth of this moment, while this version is live."""
    _hold(line)
    item = Item.objects.lock(case.item.pk)
    now = RegressionCase.objects.standing(item.project).filter(pk=case.case.pk).first()
    if now is None or as_standing(now).right_answer != answer.label:
        return False
    if _standing_receipts(line.version).filter(flag=now.flag).exists():
        return False  # Another run of this job sent it; the agent may have contradicted since.
    if not decide_flag(flag=now.flag, state=Flag.State.FIXED, at=at, version=line.version):
        return False
    receipt = _write(now.flag, answer, version=line.version, is_learned=is_learned, at=at)
    if now.flag.issue_id is not None:
        issues.mark_fixed_in(issue_ids=[now.flag.issue_id], version=line.version)
    record("receipt.sent", subject=receipt, at=at, flag=now.flag.pk, version=line.version_id)
    return True


def _write(
    flag: Flag, answer: ModelAnswer, *, version: ModelVersion, is_learned: bool, at: datetime
) -> Receipt:
    """A version that is live again sends the receipt that its rollback took back, as a new one."""
    receipt, _ = Receipt.objects.update_or_create(
        flag=flag,
        version=version,
        defaults={
            "project_id": flag.project_id,
            "old_answer": flag.output,
            "new_answer": answer.label,
            "new_confidence": answer.confidence,
            "is_learned": is_learned,
            "sent_at": at,
            "seen_at": None,
            "revoked_at": None,
        },
    )
    return receipt


@transaction.atomic
def _revoke(receipt: Receipt, label: str | None, *, line: Deployment, at: datetime) -> bool:
    _hold(line)
    item = Item.objects.lock(receipt.flag.regression_case.item_id)
    truth = item.truth.answer.name if item.truth and item.truth.answer else None
    was_right = truth == receipt.flag.output
    if truth is not None and truth == label and not was_right:
        return False  # It is answered right by this version, too.
    if not Receipt.objects.filter(pk=receipt.pk, revoked_at=None).update(revoked_at=at):
        return False
    issue = issues.hold_issue_of(receipt.flag)
    reason = f"{receipt.version.name} was rolled back; {line.version.name} is live again."
    decide_flag(
        flag=receipt.flag, state=Flag.State.OPEN, at=at, version=line.version, reason=reason
    )
    if issue is not None:
        issues.move_issue(issue=issue, state=Issue.State.REOPENED, at=at)
    if was_right:
        judge_flags(item=item, at=at)
    record("receipt.revoked", subject=receipt, at=at, flag=receipt.flag_id, version=line.version_id)
    return True


def _standing_receipts(version: ModelVersion) -> QuerySet[Receipt]:
    """Those of the version that no rollback took back."""
    return Receipt.objects.filter(version=version, revoked_at=None)


def _hold(line: Deployment) -> ModelVersion:
    """Nobody changes the live version until the transaction ends; raises LineMoved if one has."""
    hold_live_line(line.project_id)
    if Deployment.objects.current(line.project_id) != line:
        raise LineMoved(line.version.name)
    return line.version
