"""Items on which answers differ, as the reviewer sees them: grouped, and without names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from labeling.models import Annotation, Item
from projects.models import LabelClass, Project


@dataclass(frozen=True)
class GivenAnswer:
    """One thing that some annotators said; `label_class` is None for "none of these"."""

    label_class: LabelClass | None
    proposed_name: str
    count: int


def given_answers(item: Item) -> list[GivenAnswer]:
    """Most first; equal counts by class and name, for the order must not tell who came first."""
    answers = Annotation.objects.counting(item_id=item.pk, round_number=item.round)
    counts = Counter(
        (answer.answer, answer.proposed_name) for answer in answers.select_related("answer")
    )
    grouped = [GivenAnswer(said, name, count) for (said, name), count in counts.items()]
    return sorted(grouped, key=_place)


def _place(given: GivenAnswer) -> tuple[int, int, str]:
    return -given.count, given.label_class.pk if given.label_class else 0, given.proposed_name


def next_disputed(project: Project) -> Item | None:
    return Item.objects.disputed(project).first()
