"""What an annotator or reviewer can say about an item."""

from __future__ import annotations

from dataclasses import dataclass

from projects.classes import access_class, clean_class_name
from projects.models import LabelClass, Project
from projects.task_types.text_classification import canonical_text

NONE_OF_THESE = "none of these"


@dataclass(frozen=True)
class Answer:
    """One class, or "none of these" with the name the person would give it."""

    label_class: LabelClass | None = None
    proposed_name: str = ""

    @property
    def is_outside(self) -> bool:
        return self.label_class is None

    @property
    def fields(self) -> dict[str, object]:
        """The columns of an annotation or a ground truth."""
        return {
            "answer": self.label_class,
            "is_outside": self.is_outside,
            "proposed_name": self.proposed_name,
        }


def class_answer(project: Project, name: str) -> Answer:
    return Answer(access_class(project, name))


def outside_answer(project: Project, proposed_name: str = "") -> Answer:
    """None of these; a proposed name that is a class already is that class."""
    name = clean_class_name(proposed_name) if proposed_name.strip() else ""
    known = {canonical_text(c.name): c for c in project.classes.filter(retired_at=None)}
    if name and canonical_text(name) in known:
        return Answer(known[canonical_text(name)])
    return Answer(None, name)
