"""Many answers to one item become one: the majority rule."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

A = TypeVar("A", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Settled(Generic[A]):
    """More than half of the filled slots say the same."""

    answer: A
    confidence: float
    votes: Mapping[A, int]


@dataclass(frozen=True, slots=True)
class Undecided(Generic[A]):
    """Every slot is filled and no answer has more than half: a reviewer decides."""

    votes: Mapping[A, int]


@dataclass(frozen=True, slots=True)
class Waiting(Generic[A]):
    """Slots are still open or leased."""

    votes: Mapping[A, int]
    missing: int


def settle_by_majority(
    answers: Sequence[A], *, slots: int
) -> Settled[A] | Undecided[A] | Waiting[A]:
    """The answer that more than half of the filled slots gave, once no slot is left to fill.

    `slots` counts the item's slots of this round that are not withdrawn; surplus is not passed in.
    The confidence is the share of the votes.
    """
    votes = Counter(answers)
    missing = max(slots - len(answers), 0)
    if missing or not answers:
        return Waiting(votes=votes, missing=missing)
    answer, most = votes.most_common(1)[0]
    if 2 * most > len(answers):
        return Settled(answer=answer, confidence=most / len(answers), votes=votes)
    return Undecided(votes=votes)
