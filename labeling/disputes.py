"""Items on which answers differ, as the reviewer sees them: grouped, and without names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from labeling.models import Annotation, Item
from projects.models import LabelClass, Project


@dataclass(frozen=True)
class GivenAnswer:
    """One thing that some annotators said; `label_class` is None for "none of these"."""

    label_class: LabelClass | None
    proposed_name: str
    count: int

    @property
    def is_outside(self) -> bool:
        return self.label_class is None


def given_answers(item: Item) -> list[GivenAnswer]:
    """Most first; equal counts by class and name, for the order must not tell who came first."""
    return given_answers_of([item])[item.pk]


def given_answers_of(items: Collection[Item]) -> dict[int, list[GivenAnswer]]:
    """The same for each of some items, by its id."""
    counts: dict[int, Counter[tuple[LabelClass | None, str]]] = {i.pk: Counter() for i in items}
    for answer in Annotation.objects.counting_of(items).select_related("answer"):
        counts[answer.item_id][answer.answer, answer.proposed_name] += 1
    return {item_id: _grouped(said) for item_id, said in counts.items()}


def _grouped(counts: Counter[tuple[LabelClass | None, str]]) -> list[GivenAnswer]:
    grouped = [GivenAnswer(said, name, count) for (said, name), count in counts.items()]
    return sorted(grouped, key=_place)


def _place(given: GivenAnswer) -> tuple[int, int, str]:
    return -given.count, given.label_class.pk if given.label_class else 0, given.proposed_name


def next_disputed(project: Project) -> Item | None:
    return Item.objects.disputed(project).first()
