"""What a condition of a trigger looks at, and what every condition provides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from retraining.coverage import Coverage

Parameters = Mapping[str, Any]  # One entry of a trigger's conditions, as stored in JSON.


@dataclass(frozen=True)
class Situation:
    """The project at one moment, measured once for all conditions."""

    at: datetime
    coverage: Coverage
    since: datetime  # When the last batch was proposed; before the first, the project's start.
    since_words: str  # What happened then: "batch 2 was proposed".
    asked_by: str = ""  # The person who asks for a batch now, if one does.
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether a condition holds, as a sentence with its values."""

    holds: bool
    sentence: str


class Condition(Protocol):
    """A kind of condition; pure: what it looks at comes in as the situation."""

    slug: str
    title: str

    def clean(self, parameters: Parameters) -> dict[str, Any]:
        """The parameters as they are stored; raises Invalid with what to do."""
        ...

    def describe(self, parameters: Parameters) -> str:
        """The rule as part of a sentence: `30 days have passed`."""
        ...

    def check(self, parameters: Parameters, situation: Situation) -> Verdict: ...
