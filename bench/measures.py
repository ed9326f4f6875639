"""What a bench module returns: a figure beside its floor, and whether it keeps its bound."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Better(StrEnum):
    MORE = "at least"
    LESS = "at most"


@dataclass(frozen=True)
class Measure:
    """One figure. With a floor the bound is for the ratio `value / floor`, else for the value."""

    name: str
    value: float
    unit: str
    bound: float | None = None  # None: shown, and judged by nobody.
    better: Better = Better.MORE
    floor: float | None = None  # The same work in the barest way, measured in the same run.
    floor_name: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def is_kept(self) -> bool | None:
        """None where there is no bound to keep."""
        if self.bound is None:
            return None
        judged = self.value if self.ratio is None else self.ratio
        return judged >= self.bound if self.better is Better.MORE else judged <= self.bound

    @property
    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio, "is_kept": self.is_kept}
