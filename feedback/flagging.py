"""Flag a prediction, take the flag back, and decide what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from events.recording import record
from feedback import issues
from feedback.models import Flag, FlagDecision, Issue, Prediction, Sighting
from feedback.querysets import FlagQuerySet
from feedback.words import wanted_words
from projects.errors import Conflict, Invalid
from projects.models import LabelClass, ModelVersion, Project, User

FLAGGED_DIRECTLY = "The same agent flagged the answer itself."
DECIDED_BY_RULE = "The accepted answer is the one the model gave."
MOST_OVERDUE = 100  # Of one look; the next one takes the rest.


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
    if wanted_words(report) == prediction.output:
        raise Invalid(f"The model already answered {prediction.output!r}: suggest another class.")
    existing = Flag.objects.filter(agent=agent, prediction=prediction).first()
    if existing:
        return _flag_again(existing, report, at=at)
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
    flag.issue = issues.issue_for(prediction=prediction, report_name=wanted_words(report), at=at)
    try:
        with transaction.atomic():
            flag.save()
    except IntegrityError:
        return Flag.objects.get(agent=agent, prediction=prediction)
    record("flag.created", subject=flag, at=at, actor=agent, issue=flag.issue.pk)
    issues.note_new_flag(issue=flag.issue, prediction=prediction, at=at)
    return flag


@transaction.atomic
def flag_together(
    *, predictions: Iterable[Prediction], agent: User, report: Report, at: datetime
) -> list[Flag]:
    """One report on several predictions: all are flagged, or none."""
    return [
        flag_prediction(prediction=prediction, agent=agent, report=report, at=at)
        for prediction in predictions
    ]


def say_me_too(*, prediction: Prediction, agent: User, at: datetime) -> Flag:
    """The newest flag of others on this input, once more from this agent; their note stays theirs.

    Where they suggested what this prediction already says, only the reason is repeated.
    """
    theirs = find_others(prediction=prediction, agent=agent).order_by("-pk").first()
    if theirs is None:
        raise Conflict("Nobody has flagged this yet. Flag it yourself.")
    report = Report(
        reason=theirs.reason,
        suggested=theirs.suggested,
        proposed_name=theirs.proposed_name,
        severity=theirs.severity,
    )
    if wanted_words(report) == prediction.output:
        report = replace(report, suggested=None, proposed_name="")
    return flag_prediction(prediction=prediction, agent=agent, report=report, at=at)


def find_others(*, prediction: Prediction, agent: User) -> FlagQuerySet:
    """Flags of other people on the same input that still stand."""
    same = Flag.objects.filter(project=prediction.project_id, identity=prediction.identity)
    standing = same.exclude(state=Flag.State.WITHDRAWN).exclude(agent=agent)
    return standing.select_related("suggested")


@transaction.atomic
def decline_open_flags(*, issue: Issue, by: User, at: datetime, reason: str) -> int:
    """Decline an issue: every open flag in it, with the reason each agent will read."""
    if not reason.strip():
        raise Invalid("Say why; every agent who flagged it reads this.")
    flags = Flag.objects.open().filter(issue=issue)
    declined = sum(
        decide_flag(flag=flag, state=Flag.State.DECLINED, at=at, by=by, reason=reason.strip())
        for flag in flags
    )
    if not declined:
        raise Conflict("No flag in this issue is open any more. Reload the page.")
    return declined


@transaction.atomic
def flag_unseen_id(
    *, project: Project, external_id: str, agent: User, report: Report, at: datetime
) -> Flag:
    """A flag on an id that has not arrived: it waits and attaches when the prediction does."""
    if not external_id.strip():
        raise Invalid("Give the id of the answer.")
    flag, is_new = Flag.objects.get_or_create(
        project=project,
        agent=agent,
        external_id=external_id,
        prediction=None,
        defaults={"created_at": at, **vars(report)},
    )
    if not is_new:
        return _flag_again(flag, report, at=at)
    record("flag.created", subject=flag, at=at, actor=agent)
    return flag


@transaction.atomic
def attach_waiting_flags(*, predictions: list[Prediction], at: datetime) -> int:
    """Attach flags that came before their predictions."""
    by_id = {(p.project_id, p.external_id): p for p in predictions}
    waiting = Flag.objects.select_for_update().filter(
        prediction=None,
        state=Flag.State.OPEN,
        project_id__in={project_id for project_id, _ in by_id},
        external_id__in=[external_id for _, external_id in by_id],
    )
    attached = 0
    for flag in waiting:
        prediction = by_id.get((flag.project_id, flag.external_id))
        if prediction is None:
            continue
        if Flag.objects.filter(agent=flag.agent_id, prediction=prediction).exists():
            decide_flag(
                flag=flag, state=Flag.State.WITHDRAWN, at=at, by=flag.agent, reason=FLAGGED_DIRECTLY
            )
            continue
        flag.prediction = prediction
        flag.identity, flag.output = prediction.identity, prediction.output
        flag.issue = issues.issue_for(prediction=prediction, report_name=wanted_words(flag), at=at)
        flag.save()
        record("flag.attached", subject=flag, at=at, issue=flag.issue.pk)
        issues.note_new_flag(issue=flag.issue, prediction=prediction, at=at)
        attached += 1
    return attached


def attach_overdue_flags(*, at: datetime) -> int:
    """Attach flags that still wait although their prediction is there."""
    known = Prediction.objects.filter(
        project=OuterRef("project"), external_id=OuterRef("external_id")
    )
    open_ones = Flag.objects.filter(prediction=None, state=Flag.State.OPEN)
    overdue = open_ones.filter(Exists(known)).exclude(external_id="")
    wanted = Q()
    for project_id, external_id in overdue.values_list("project", "external_id")[:MOST_OVERDUE]:
        wanted |= Q(project=project_id, external_id=external_id)
    if not wanted:
        return 0
    predictions = Prediction.objects.filter(wanted).select_related("project", "version")
    return attach_waiting_flags(predictions=list(predictions.order_by("occurred_at")), at=at)


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
    issue = issues.hold_issue_of(flag)
    sources = [source for source, targets in MOVES.items() if state in targets]
    moved = Flag.objects.filter(pk=flag.pk, state__in=sources).update(state=state)
    if not moved:
        return False
    flag.state = state
    FlagDecision.objects.create(
        flag=flag, state=state, reason=reason, by=by, version=version, at=at
    )
    record("flag.decided", subject=flag, at=at, actor=by, state=state)
    if issue:
        issues.settle_issue(issue_id=issue.pk, at=at)
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


def _flag_again(flag: Flag, report: Report, *, at: datetime) -> Flag:
    """A flag that was taken back stands again, as it is told now; one that stands stays."""
    issues.hold_issue_of(flag)
    back = Flag.objects.filter(pk=flag.pk, state=Flag.State.WITHDRAWN)
    if not back.update(state=Flag.State.OPEN, routed_at=None, **vars(report)):
        return flag
    flag.refresh_from_db()
    FlagDecision.objects.create(flag=flag, state=Flag.State.OPEN, by=flag.agent, at=at)
    record("flag.renewed", subject=flag, at=at, actor=flag.agent)
    if flag.issue and flag.prediction:
        issues.note_new_flag(issue=flag.issue, prediction=flag.prediction, at=at)
    return flag
