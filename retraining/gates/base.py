"""What gates compare, how each answers, and what every gate provides."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Result(StrEnum):
    """The three answers of a gate; only `failed` blocks."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ENOUGH = "not enough"


class Source(StrEnum):
    """Where an evaluation row comes from; flagged rows are shown and never gated on."""

    AUDITED = "audited"
    FROZEN = "frozen"
    FLAGGED = "flagged"


class Review(StrEnum):
    """What a reviewer said about a broken regression case."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class PairedRow:
    """One evaluation row answered by both models; a drawn row is audited though also flagged."""

    item_id: str
    label: str
    champion_right: bool
    challenger_right: bool
    source: Source
    probability: float = 1.0
    segments: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise ValueError(f"Item {self.item_id} was drawn with probability {self.probability}.")

    @property
    def difference(self) -> int:
        return int(self.challenger_right) - int(self.champion_right)


@dataclass(frozen=True, slots=True)
class RegressionCase:
    """An accepted flag kept as a test; held out when its item's use is evaluation."""

    case_id: str
    champion_right: bool
    challenger_right: bool
    is_pinned: bool = False
    is_held_out: bool = False
    review: Review = Review.WAITING

    @property
    def is_broken(self) -> bool:
        return self.champion_right and not self.challenger_right


@dataclass(frozen=True, slots=True)
class Policy:
    """The margins and minimums of a project's gates."""

    margin: float = 0.02
    level: float = 0.05
    least_rows: int = 50
    group_drop: float = 0.10
    least_group_rows: int = 20
    broken_share: float = 0.02


@dataclass(frozen=True, slots=True)
class Comparison:
    """Challenger against champion on the same rows."""

    rows: tuple[PairedRow, ...] = ()
    cases: tuple[RegressionCase, ...] = ()
    policy: Policy = Policy()

    @property
    def gated_rows(self) -> list[PairedRow]:
        return [row for row in self.rows if row.source is not Source.FLAGGED]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows shown apart beside an outcome."""

    name: str
    rows: int
    value: float | None
    low: float | None
    high: float | None
    result: Result | None  # None: shown, never gated on.


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """One measured condition; `value`, `low`, `high` and `bound` are on the same scale."""

    slug: str
    name: str
    group: str
    rows: int
    value: float | None
    low: float | None
    high: float | None
    bound: float
    result: Result
    more_rows_needed: int | None = None  # None: none, or more than can sensibly be told.
    waiting: int = 0  # Cases that a reviewer has to judge before they count.
    note: str = ""
    p_value: float | None = None
    parts: tuple[Part, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON column: no NaN, no infinity."""
        return dataclasses.asdict(self)


class Gate(Protocol):
    """A named, measured condition between challenger and champion."""

    slug: str
    title: str

    def judge(self, comparison: Comparison) -> list[GateOutcome]: ...


def find_failed(outcomes: Iterable[GateOutcome]) -> list[GateOutcome]:
    """Those that block until waived with a reason."""
    return [outcome for outcome in outcomes if outcome.result is Result.FAILED]


def find_unsure(outcomes: Iterable[GateOutcome]) -> list[GateOutcome]:
    """Those the lead confirms in the same click."""
    return [outcome for outcome in outcomes if outcome.result is Result.NOT_ENOUGH]
