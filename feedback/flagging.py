"""Flag a prediction, take the flag back, and decide what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from events.recording import record
from feedback import issues
from feedback.models import Flag, FlagDecision, Prediction, Sighting
from projects.errors import Conflict, Invalid
from projects.models import LabelClass, ModelVersion, Project, User

DECIDED_BY_RULE = "The accepted answer is the one the model gave."


@dataclass(frozen=True)
class Report:
    """What an agent says about a prediction."""

    reason: str
    suggested: LabelClass | None = None
    proposed_name: str = ""
    severity: int = Flag.Severity.LITTLE
    note: str = ""
    ticket_url: str = ""


@transaction.atomic
def flag_prediction(*, prediction: Prediction, agent: User, report: Report, at: datetime) -> Flag:
    """Store the flag in its input's issue; the same agent's second one on it is the first one."""
    if report.suggested and report.suggested.name == prediction.output:
        raise Invalid(f"The model already answered {prediction.output!r}: suggest another class.")
    existing = Flag.objects.filter(agent=agent, prediction=prediction).first()
    if existing:
        return existing
    note_sighting(project=prediction.project, user=agent, identity=prediction.identity, at=at)
    flag = Flag(
        project=prediction.project,
        agent=agent,
        prediction=prediction,
        external_id=prediction.external_id,
        identity=prediction.identity,
        output=prediction.output,
        created_at=at,
        **vars(report),
    )
    flag.issue = issues.issue_for(prediction=prediction, report_name=_wanted(report), at=at)
    try:
        with transaction.atomic():
            flag.save()
    except IntegrityError:
        return Flag.objects.get(agent=agent, prediction=prediction)
    record("flag.created", subject=flag, at=at, actor=agent, issue=flag.issue.pk)
    issues.note_new_flag(issue=flag.issue, prediction=prediction, at=at)
    return flag


@transaction.atomic
def flag_unseen_id(
    *, project: Project, external_id: str, agent: User, report: Report, at: datetime
) -> Flag:
    """A flag on an id that has not arrived: it waits and attaches when the prediction does."""
    if not external_id.strip():
        raise Invalid("Give the id of the prediction.")
    flag, is_new = Flag.objects.get_or_create(
        project=project,
        agent=agent,
        external_id=external_id,
        prediction=None,
        defaults={"created_at": at, **vars(report)},
    )
    if is_new:
        record("flag.created", subject=flag, at=at, actor=agent)
    return flag


@transaction.atomic
def attach_waiting_flags(*, predictions: list[Prediction], at: datetime) -> int:
    """Attach flags that came before their predictions."""
    by_id = {(p.project_id, p.external_id): p for p in predictions}
    waiting = Flag.objects.select_for_update().filter(
        prediction=None,
        project_id__in={project_id for project_id, _ in by_id},
        external_id__in=[external_id for _, external_id in by_id],
    )
    attached = 0
    for flag in waiting:
        prediction = by_id.get((flag.project_id, flag.external_id))
        if prediction is None:
            continue
        flag.prediction = prediction
        flag.identity, flag.output = prediction.identity, prediction.output
        wanted = flag.suggested.name if flag.suggested else flag.proposed_name
        flag.issue = issues.issue_for(prediction=prediction, report_name=wanted, at=at)
        flag.save()
        record("flag.attached", subject=flag, at=at, issue=flag.issue.pk)
        issues.note_new_flag(issue=flag.issue, prediction=prediction, at=at)
        attached += 1
    return attached


def withdraw_flag(*, flag: Flag, at: datetime) -> None:
    """Take a flag back, while nothing has been decided about it."""
    if not decide_flag(flag=flag, state=Flag.State.WITHDRAWN, at=at, by=flag.agent):
        raise Conflict("This flag has been decided already; it can no longer be withdrawn.")


@transaction.atomic
def decide_flag(
    *,
    flag: Flag,
    state: str,
    at: datetime,
    by: User | None = None,
    version: ModelVersion | None = None,
    reason: str = "",
) -> bool:
    """Move the flag and keep the decision; False where the move is not a legal one."""
    sources = [source for source, targets in MOVES.items() if state in targets]
    moved = Flag.objects.filter(pk=flag.pk, state__in=sources).update(state=state)
    if not moved:
        return False
    flag.state = state
    FlagDecision.objects.create(
        flag=flag, state=state, reason=reason, by=by, version=version, at=at
    )
    record("flag.decided", subject=flag, at=at, actor=by, state=state)
    if flag.issue_id:
        issues.settle_issue(issue_id=flag.issue_id, at=at)
    return True


MOVES: dict[str, set[str]] = {
    Flag.State.OPEN: {Flag.State.FIXED, Flag.State.DECLINED, Flag.State.WITHDRAWN},
    Flag.State.STILL_WRONG: {Flag.State.FIXED, Flag.State.DECLINED, Flag.State.WITHDRAWN},
    Flag.State.FIXED: {Flag.State.STILL_WRONG, Flag.State.OPEN},
    Flag.State.DECLINED: {Flag.State.OPEN},
    Flag.State.WITHDRAWN: set(),
}


def note_sighting(*, project: Project, user: User, identity: str, at: datetime) -> None:
    """Remember that this person was shown the model's answer to this input."""
    note_sightings(project=project, user=user, identities=[identity], at=at)


def note_sightings(*, project: Project, user: User, identities: list[str], at: datetime) -> None:
    """Remember every row of a list that showed the model's answer."""
    Sighting.objects.bulk_create(
        [
            Sighting(project=project, user=user, identity=identity, at=at)
            for identity in dict.fromkeys(identities)
        ],
        ignore_conflicts=True,
    )


def _wanted(report: Report) -> str:
    return report.suggested.name if report.suggested else report.proposed_name
