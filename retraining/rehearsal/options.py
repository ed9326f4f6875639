"""What a rehearsal is asked to play, checked before anything is built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from projects.errors import Invalid

SOURCES = ("flagged", "uncertain", "audit")
CLEAN_TRAFFIC = 1_600
DRIFTED_TRAFFIC = 4_000
HELD_OUT_SHARE = 0.25  # Of the rows, for the report's test set, where no file is given.
ACCEPT_AT = 3  # Items that name a class before the lead accepts it.


@dataclass(frozen=True)
class RehearsalOptions:
    """The command's options; shares are between 0 and 1, counts are rows or items."""

    data: Path | None
    input_column: str = "input"
    label_column: str = "label"
    segment_columns: tuple[str, ...] = ()
    test: Path | None = None
    new_class_count: int = 0
    new_classes: tuple[str, ...] = ()
    new_share: float = 0.15
    typos: float = 0.2
    base: int = 40
    frozen: int = 10
    labels: int = 400
    mix: dict[str, float] = field(
        default_factory=lambda: {"flagged": 0.5, "uncertain": 0.25, "audit": 0.25}
    )
    annotators: tuple[float, ...] = (0.95, 0.88, 0.80)
    overlap: int = 3
    flag_recall: float = 0.3
    false_flags: float = 0.02
    seed: int = 0
    digits: bool = False

    def check(self) -> None:
        """Raise Invalid with what to change."""
        if self.digits == (self.data is not None):
            raise Invalid("Give --data FILE, or --digits, and not both.")
        self._check_shares()
        if abs(sum(self.mix.values()) - 1) > 0.001:
            raise Invalid("The shares of --mix must add up to 1.")
        if not 1 <= self.overlap <= len(self.annotators):
            raise Invalid("--overlap needs as many --annotators, or more.")
        if min(self.base, self.frozen, self.labels) < 1:
            raise Invalid("--base, --frozen and --labels are at least 1.")
        if self.new_class_count < 0:
            raise Invalid("--new-classes is a number of classes, 0 or more.")

    def _check_shares(self) -> None:
        given: dict[str, Iterable[float]] = {
            "--new-share": [self.new_share],
            "--typos": [self.typos],
            "--flag-recall": [self.flag_recall],
            "--false-flags": [self.false_flags],
            "--annotators": self.annotators,
            "--mix": self.mix.values(),
        }
        for option, shares in given.items():
            if wrong := [share for share in shares if not 0 <= share <= 1]:
                raise Invalid(f"{option} takes numbers between 0 and 1, not {wrong[0]:g}.")

    def wanted(self, source: str) -> int:
        """Items of a source among the labels; what rounding leaves goes to uncertain."""
        if source != "uncertain":
            return round(self.labels * self.mix[source])
        return self.labels - self.wanted("flagged") - self.wanted("audit")


def parse_mix(raw: str) -> dict[str, float]:
    """`flagged=0.5,uncertain=0.25,audit=0.25`; a source left out has no share."""
    mix = dict.fromkeys(SOURCES, 0.0)
    for part in raw.split(","):
        name, _, share = part.partition("=")
        if name.strip() not in mix:
            raise Invalid(f"--mix knows {', '.join(SOURCES)}, not {name.strip()!r}.")
        mix[name.strip()] = _share(share, option="--mix")
    return mix


def parse_annotators(raw: str) -> tuple[float, ...]:
    return tuple(_share(part, option="--annotators") for part in raw.split(","))


def _share(raw: str, *, option: str) -> float:
    try:
        return float(raw)
    except ValueError:
        raise Invalid(f"{option}: {raw!r} is not a number.") from None
