"""What a model says, and what anything that answers like a model provides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from projects.task_types.base import Input


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model says to one input."""

    label: str
    confidence: float
    scores: dict[str, float]


class AnsweringModel(Protocol):
    """A stored version, opened."""

    def answer(self, values: Sequence[Input]) -> list[ModelAnswer]:
        """One answer for each input, in their order."""
        ...
