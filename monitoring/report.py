"""What the people who pay for the model want to know, as figures and plain sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from feedback.models import Flag, FlagDecision, Issue
from labeling.models import Annotation
from monitoring.accuracy import WINDOW, audited_accuracy, audited_answers, find_unmeasured
from monitoring.intervals import Estimate
from monitoring.models import AccuracyPoint
from projects.models import Deployment, Project

TOP_ISSUES = 5
WORST_FIRST: list[str] = ["-customer_count", "-flag_count", "number"]


@dataclass(frozen=True)
class TopIssue:
    number: int
    title: str
    state: str
    flags: int
    customers: int


@dataclass(frozen=True)
class Report:
    """One page: is it getting better, are customers helped, what does it cost."""

    at: datetime
    since: datetime  # Flags, answers and versions are of all time; accuracy is of WINDOW.
    accuracy: Estimate
    target: float
    first_point: AccuracyPoint | None
    flags: int
    flags_fixed: int
    flags_open: int
    median_days_to_fix: float | None
    top_issues: list[TopIssue]
    answers_given: int
    people_labeling: int
    labeling_hours: float
    versions_live: int
    # The live version, where none of the audited answers is its own.
    unmeasured: Deployment | None

    @property
    def accuracy_sentence(self) -> str:
        """Better, worse or too early to say: only what the interval supports."""
        if self.accuracy.value is None:
            days = f"the last {WINDOW.days} days"
            return f"There are no audited answers of {days}, so nothing can be said."
        return f"{self._judge(self.accuracy.value)}{unmeasured_words(self.unmeasured)}"

    def _judge(self, share: float) -> str:
        figure = (
            f"{share:.0%} of answers are right "
            f"(between {self.accuracy.low:.0%} and {self.accuracy.high:.0%}, "
            f"from {counted(self.accuracy.rows, 'audited answer')} of the last {WINDOW.days} days)"
        )
        if self.accuracy.low >= self.target:
            return f"{figure}: above the target of {self.target:.0%}."
        if self.accuracy.high < self.target:
            return f"{figure}: below the target of {self.target:.0%}."
        return f"{figure}: it is too early to say on which side of {self.target:.0%}."

    @property
    def fixes_sentence(self) -> str:
        since = f"since {self.since:%-d %B %Y}"
        if not self.flags:
            return f"Nobody has flagged a wrong answer {since}."
        fixed = f"{self.flags_fixed} of {counted(self.flags, 'flag')} {since} "
        fixed += "is fixed" if self.flags_fixed == 1 else "are fixed"
        if self.median_days_to_fix is None:
            return f"{fixed}."
        return f"{fixed}; half of them within {self.median_days_to_fix:.1f} days of the flag."

    @property
    def cost_sentence(self) -> str:
        people = counted(self.people_labeling, "person", "people")
        return (
            f"Since {self.since:%-d %B %Y}, {people} gave {counted(self.answers_given, 'answer')} "
            f"in {self.labeling_hours:.1f} hours, and {counted(self.versions_live, 'version')} "
            "went live."
        )


def counted(count: int, noun: str, several: str = "") -> str:
    """`1 version`, `3 versions`, `2 people`."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"


def unmeasured_words(line: Deployment | None) -> str:
    """A sentence to follow a figure, or nothing."""
    if line is None:
        return ""
    return f" None of these answers is of {line.version.name}, live since {line.at:%-d %B}."


def build_report(*, project: Project, at: datetime) -> Report:
    """The report over all there is, accuracy over WINDOW."""
    flags = Flag.objects.filter(project=project)
    annotations = Annotation.objects.answers().filter(project=project)
    seconds = [s for s in annotations.values_list("seconds", flat=True) if s is not None]
    audited = audited_answers(project, since=at - WINDOW, until=at)
    champions = Deployment.objects.champions(project.pk).order_by()
    return Report(
        at=at,
        since=project.created_at,
        accuracy=audited_accuracy(audited),
        target=project.accuracy_target,
        first_point=AccuracyPoint.objects.filter(project=project).first(),
        flags=flags.count(),
        flags_fixed=flags.filter(state=Flag.State.FIXED).count(),
        flags_open=flags.open().count(),
        median_days_to_fix=_median_days_to_fix(project),
        top_issues=_top_issues(project),
        answers_given=annotations.count(),
        people_labeling=annotations.values("annotator").distinct().count(),
        labeling_hours=sum(seconds) / 3600,
        versions_live=champions.values("version").distinct().count(),
        unmeasured=find_unmeasured(project, audited),
    )


def _median_days_to_fix(project: Project) -> float | None:
    """Of the flags that are fixed now; one that was fixed twice counts by the last time."""
    decisions = FlagDecision.objects.filter(
        flag__project=project, flag__state=Flag.State.FIXED, state=Flag.State.FIXED
    )
    fixed = decisions.order_by("at", "pk").values_list("flag_id", "flag__created_at", "at")
    days = {flag: (at - flagged_at) / timedelta(days=1) for flag, flagged_at, at in fixed}
    return median(days.values()) if days else None


def _top_issues(project: Project) -> list[TopIssue]:
    counted = Issue.objects.of(project).order_by(*WORST_FIRST)
    names = ("number", "title", "state", "flag_count", "customer_count")
    return [TopIssue(*row) for row in counted.values_list(*names)[:TOP_ISSUES]]
