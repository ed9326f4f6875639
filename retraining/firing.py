"""Whether a trigger fires, why, and when it would have fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from labeling.models import GroundTruth, Item
from projects.errors import Invalid
from projects.models import Deployment, Project
from retraining.coverage import Coverage, NewTruth, coverage_of, progress_of
from retraining.models import Batch, CoverageQuota, Trigger
from retraining.triggers import CONDITIONS, Situation, Verdict, clean_condition
from retraining.triggers.base import Parameters

DRY_RUN_DAYS = 90


@dataclass(frozen=True)
class Firing:
    """How a trigger stands: its conditions with their values, and whether it fires now."""

    trigger_id: int
    verdicts: tuple[Verdict, ...]
    holds: bool
    cooling_until: datetime | None  # It holds back until then, whatever its conditions say.

    @property
    def fires(self) -> bool:
        return self.holds and self.cooling_until is None

    @property
    def explanation(self) -> list[str]:
        """The conditions that hold, each as a sentence with its values."""
        return [verdict.sentence for verdict in self.verdicts if verdict.holds]


def situation_of(project: Project, *, at: datetime) -> Situation:
    """What conditions look at, now."""
    since, words = _last_turn(project)
    return Situation(at=at, coverage=coverage_of(project, at=at), since=since, since_words=words)


def evaluate_trigger(trigger: Trigger, situation: Situation) -> Firing:
    """Check every condition, also those that no longer matter: the page shows them all."""
    verdicts = tuple(_check(condition, situation) for condition in trigger.conditions)
    return Firing(
        trigger_id=trigger.pk,
        verdicts=verdicts,
        holds=_join(trigger, verdicts),
        cooling_until=_cooling_until(trigger, at=situation.at),
    )


def describe_trigger(trigger: Trigger) -> str:
    """The rule as one sentence: `When all quotas are met, or 30 days have passed`."""
    parts = [_describe(condition) for condition in trigger.conditions]
    joint = ", or " if trigger.join == Trigger.Join.ANY else ", and "
    return f"When {joint.join(parts)}" if parts else "Never: it has no conditions"


def dry_run(trigger: Trigger, *, at: datetime, days: int = DRY_RUN_DAYS) -> list[datetime]:
    """When it would have fired over stored history, had every batch it proposed been promoted.

    It looks once a day, and now, at the ground truths that people gave until then.
    """
    project = trigger.project
    history = _history(project)
    quotas = list(project.quotas.select_related("label_class"))
    day = max(at - timedelta(days=days), project.created_at)
    since, words = day, "the first day looked at"
    fired: list[datetime] = []
    while True:
        new = [truth for truth in history if since < truth.at <= day]
        situation = Situation(day, _coverage_then(quotas, new, day), since, words)
        is_cool = not fired or day - fired[-1] >= timedelta(hours=trigger.cool_down_hours)
        if is_cool and evaluate_conditions(trigger, situation):
            fired.append(day)
            since, words = day, "it fired last"
        if day >= at:
            return fired
        day = min(day + timedelta(days=1), at)


def evaluate_conditions(trigger: Trigger, situation: Situation) -> bool:
    """Whether the conditions hold together, whatever the cool-down."""
    return _join(trigger, [_check(condition, situation) for condition in trigger.conditions])


def _check(condition: Parameters, situation: Situation) -> Verdict:
    """A stored condition that cannot be read never holds, says so, and stops nobody else's."""
    try:
        fine = clean_condition(condition)
    except Invalid as error:
        return Verdict(False, f"it cannot be read, so it never holds: {error.message}")
    return CONDITIONS[fine["kind"]].check(fine, situation)


def _describe(condition: Parameters) -> str:
    try:
        fine = clean_condition(condition)
    except Invalid:
        return "a condition holds that cannot be read"
    return CONDITIONS[fine["kind"]].describe(fine)


def _join(trigger: Trigger, verdicts: Sequence[Verdict]) -> bool:
    if not verdicts:
        return False
    join = any if trigger.join == Trigger.Join.ANY else all
    return join(verdict.holds for verdict in verdicts)


def _cooling_until(trigger: Trigger, *, at: datetime) -> datetime | None:
    if trigger.fired_at is None:
        return None
    until = trigger.fired_at + timedelta(hours=trigger.cool_down_hours)
    return until if at < until else None


def _last_turn(project: Project) -> tuple[datetime, str]:
    """The last time something was retrained, or was about to be."""
    turns = [(project.created_at, "the project began")]
    if line := Deployment.objects.current(project.pk):
        turns.append((line.at, f"{line.version.name} went live"))
    if batch := Batch.objects.filter(project=project).order_by("-number").first():
        turns.append((batch.proposed_at, f"batch {batch.number} was proposed"))
    return max(turns)


def _history(project: Project) -> list[NewTruth]:
    rows = Item.objects.settled(project).filter(use=Item.Use.TRAIN)
    by_people = rows.exclude(truth__method=GroundTruth.Method.IMPORT)
    columns = by_people.values_list("truth__answer_id", "segments", "truth__at")
    return [NewTruth(*row) for row in columns]


def _coverage_then(
    quotas: Sequence[CoverageQuota], truths: Sequence[NewTruth], at: datetime
) -> Coverage:
    progress = tuple(progress_of(quota, truths, at=at) for quota in quotas)
    return Coverage(quotas=progress, new_count=len(truths), eligible_count=len(truths))
