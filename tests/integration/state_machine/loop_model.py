"""The loop after labeling as plain Python: what was shown, approved, learned and live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

PROPOSED, APPROVED, TRAINING = "proposed", "approved", "training"
EVALUATED, FAILED, CANCELLED = "evaluated", "failed", "cancelled"
REJECTED, PROMOTED, NOT_PROMOTED = "rejected", "promoted", "not promoted"
UNDECIDED = {PROPOSED, APPROVED, TRAINING, EVALUATED}

# As the domain's page draws it; the first state comes from none.
GRAPH = {
    "": {PROPOSED},
    PROPOSED: {APPROVED, REJECTED, CANCELLED},
    APPROVED: {TRAINING, FAILED, CANCELLED},
    TRAINING: {EVALUATED, FAILED, CANCELLED},
    FAILED: {APPROVED},
    EVALUATED: {PROMOTED, NOT_PROMOTED},
    NOT_PROMOTED: {EVALUATED},
    PROMOTED: {EVALUATED},
}

Row = tuple[int, str]  # A ground truth's id, and its class.
Rows = Mapping[int, Row]  # By item.


@dataclass(frozen=True)
class Shown:
    """A revision as a lead read it."""

    pk: int
    digest: str
    rows: Rows
    retired: frozenset[int]
    champion: str


@dataclass
class Proposal:
    """A batch."""

    pk: int
    shown: list[Shown]
    state: str = PROPOSED
    approved: Shown | None = None
    version: str = ""

    @property
    def standing(self) -> Shown:
        return self.approved or self.shown[-1]

    def find_shown(self, digest: str) -> Shown | None:
        return next((shown for shown in reversed(self.shown) if shown.digest == digest), None)


@dataclass(frozen=True)
class Learned:
    """What a version was trained on: its rows, and every truth of its dataset and the parents'."""

    rows: Rows = field(default_factory=dict)
    ever: frozenset[int] = frozenset()

    def grown(self, shown: Shown) -> Learned:
        kept = {item: row for item, row in self.rows.items() if row[0] not in shown.retired}
        twice = kept.keys() & shown.rows.keys()
        assert not twice, "an input would be learned twice"
        added = {truth for truth, _ in shown.rows.values()}
        return Learned({**kept, **shown.rows}, self.ever | added)

    @property
    def classes(self) -> set[str]:
        return {name for _, name in self.rows.values()}


@dataclass
class Loop:
    """One project's batches, versions and line of champions."""

    live: list[str]  # Every deployment.
    standing: list[str]  # Those that led to the champion, without what was rolled back.
    learned: dict[str, Learned] = field(default_factory=dict)  # By version.
    by_hash: dict[str, str] = field(default_factory=dict)  # The version of an approved content.
    proposals: dict[int, Proposal] = field(default_factory=dict)

    @property
    def champion(self) -> str:
        return self.standing[-1]

    @property
    def waiting(self) -> Proposal | None:
        return next(self.in_state(PROPOSED), None)

    def in_state(self, *states: str) -> Iterator[Proposal]:
        return (each for each in self.proposals.values() if each.state in states)

    def may_be_compared(self, proposal: Proposal) -> bool:
        """Also a promoted version that was rolled back."""
        if proposal.state == PROMOTED:
            return proposal.version not in self.standing
        return proposal.state in {EVALUATED, NOT_PROMOTED}

    def learned_by(self, version: str) -> Learned:
        return self.learned.get(version, Learned())

    def taken(self, besides: Proposal | None) -> set[int]:
        """Truths that are in the champion's dataset, or in a batch that is still undecided."""
        others = [each for each in self.in_state(*UNDECIDED) if each is not besides]
        spoken_for = {truth for each in others for truth, _ in each.standing.rows.values()}
        return spoken_for | self.learned_by(self.champion).ever

    def outcome_of(self, shown: Shown) -> Learned:
        return self.learned_by(shown.champion).grown(shown)

    def next_name(self) -> str:
        return f"v{max(int(name[1:]) for name in {*self.live, *self.learned}) + 1}"

    def promote(self, proposal: Proposal) -> None:
        proposal.state = PROMOTED
        self.live.append(proposal.version)
        self.standing.append(proposal.version)

    def roll_back(self) -> None:
        self.standing.pop()
        self.live.append(self.champion)
