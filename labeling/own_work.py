"""What a person answered, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from labeling.models import Annotation, Item
from projects.models import Project, User

SURPLUS = "Kept, but it was not needed any more: others had settled this item."
TAKEN_BACK = "You have taken this answer back."


def own_answers(*, annotator: User, project: Project) -> QuerySet[Annotation]:
    """Newest first, with what the page shows; undone ones are there too."""
    return (
        Annotation.objects.filter(annotator=annotator, project=project, undoes=None)
        .select_related("answer", "item__truth__answer", "item__queue")
        .prefetch_related("undone_by")
        .order_by("-at", "-pk")
    )


def note_on(annotation: Annotation) -> str:
    """What its author is told at once, where the answer decides nothing."""
    return "" if annotation.counts else SURPLUS


def is_undone(annotation: Annotation) -> bool:
    return bool(annotation.undone_by.all())


def can_be_undone(annotation: Annotation) -> bool:
    """Until the batch that holds it is approved, and within the same round."""
    item = annotation.item
    return (
        not is_undone(annotation)
        and item.sealed_round < annotation.round == item.round
        and item.state != Item.State.WITHDRAWN
    )


@dataclass(frozen=True)
class Agreement:
    """How often the accepted answer was this person's, where others answered too."""

    agreed: int
    judged: int


def agreement(*, annotator: User, project: Project) -> Agreement:
    judged = Annotation.objects.answers().filter(
        annotator=annotator,
        project=project,
        slot__isnull=False,
        item__truth__isnull=False,
        item__truth__round=F("round"),
        item__queue__overlap__gt=1,
    )
    same = Q(answer=F("item__truth__answer")) | Q(is_outside=True, item__truth__is_outside=True)
    return Agreement(judged.filter(same).count(), judged.count())
