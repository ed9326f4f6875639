"""What every task type provides."""

from collections.abc import Mapping
from typing import Any, Protocol

Input = Mapping[str, Any]  # What is stored as JSON on a prediction or an item.


class TaskType(Protocol):
    """A kind of task; `slug` is stored, `template` shows one input."""

    slug: str
    title: str
    template: str
    example: object  # An input as it is sent, to copy.
    fields: tuple[str, ...]  # What an input that is sent as an object may hold: one of them.

    def clean(self, raw: object, *, longest: int) -> dict[str, Any]:
        """The input as it is stored; raises Invalid with what to do."""
        ...

    def canonical(self, value: Input) -> str:
        """Equal for two inputs exactly when they are the same input."""
        ...

    def excerpt(self, value: Input) -> str:
        """One line for lists and search."""
        ...
