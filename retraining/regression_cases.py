"""Accepted flags are kept as tests: no later champion should answer them wrong again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery

from events.recording import record
from feedback.models import Flag
from labeling.models import Item
from projects.models import Project
from retraining.models import RegressionCase

OnKept = Callable[[Flag], None]
MOST_AT_ONCE = 1000  # A tick stays short; the next one takes the rest.


@dataclass(frozen=True)
class StandingCase:
    """A regression case with the answer that is right today."""

    case: RegressionCase
    truth_id: int
    right_answer: str

    @property
    def flag(self) -> Flag:
        return self.case.flag

    @property
    def item(self) -> Item:
        return self.case.item

    @property
    def is_held_out(self) -> bool:
        return self.case.item.use == Item.Use.EVALUATION


def keep_accepted_flags(
    *,
    at: datetime,
    project: Project | None = None,
    on_kept: OnKept = lambda flag: None,
) -> int:
    """Make a case of every flag whose input's ground truth is another class than was flagged.

    `on_kept` is called in the transaction of each new case.
    """
    flags = Flag.objects.open().filter(regression_case=None).exclude(identity="")
    if project is not None:
        flags = flags.filter(project=project)
    return sum(
        _keep(flag_id=flag_id, project_id=project_id, item_id=item_id, at=at, on_kept=on_kept)
        for flag_id, project_id, item_id in _accepted(flags)
    )


def cases_for(project: Project) -> list[StandingCase]:
    """The cases that hold today: the flag stands, and the ground truth still contradicts it."""
    return [as_standing(case) for case in RegressionCase.objects.standing(project).order_by("pk")]


def as_standing(case: RegressionCase) -> StandingCase:
    """The case with its current right answer; for cases that stand."""
    truth = case.item.truth
    if truth is None or truth.answer is None:
        raise ValueError(f"Case {case.pk} does not stand: its item has no accepted class.")
    return StandingCase(case, truth.pk, truth.answer.name)


def _accepted(flags: QuerySet[Flag]) -> list[tuple[int, int, int]]:
    """Those with an item that is resolved with another class: flag, project and item."""
    settled = Item.objects.filter(
        project=OuterRef("project"),
        identity=OuterRef("identity"),
        state=Item.State.RESOLVED,
        truth__answer__isnull=False,
        truth__answer__retired_at=None,
    )
    return list(
        flags.annotate(
            settled_item_id=Subquery(settled.values("pk")[:1]),
            right_answer=Subquery(settled.values("truth__answer__name")[:1]),
        )
        .filter(settled_item_id__isnull=False)
        .exclude(right_answer=F("output"))
        .order_by("pk")
        .values_list("pk", "project_id", "settled_item_id")[:MOST_AT_ONCE]
    )


@transaction.atomic
def _keep(*, flag_id: int, project_id: int, item_id: int, at: datetime, on_kept: OnKept) -> bool:
    case, is_new = RegressionCase.objects.get_or_create(
        flag_id=flag_id,
        defaults={"project_id": project_id, "item_id": item_id, "created_at": at},
    )
    if is_new:
        record("regression_case.kept", subject=case, at=at, flag=flag_id)
        on_kept(case.flag)
    return is_new
