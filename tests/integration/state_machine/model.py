"""What labeling should do, in plain Python: the state machine compares it with what it did.

Written from the promises and not from the code: no database, no queries, one dictionary an item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

OPEN, LEASED, FILLED, WITHDRAWN = "open", "leased", "filled", "withdrawn"
DISPUTED, RESOLVED = "disputed", "resolved"
NONE_OF_THESE = "none of these"

Vote = str  # The name of a class, or NONE_OF_THESE.


@dataclass
class Place:
    number: int
    state: str = OPEN
    annotator: str = ""
    until: datetime | None = None
    fence: int = 0

    def give(self, annotator: str, until: datetime) -> None:
        self.state, self.annotator, self.until = LEASED, annotator, until
        self.fence += 1

    def free(self) -> None:
        self.state, self.annotator, self.until = OPEN, "", None
        self.fence += 1

    def withdraw(self) -> None:
        self.state, self.annotator, self.until = WITHDRAWN, "", None


@dataclass
class Given:
    """A lease: it never changes."""

    pk: int
    item: int
    round: int
    number: int
    fence: int
    annotator: str


@dataclass
class Said:
    """An answer under a lease; `number` is the slot it fills, 0 for surplus."""

    pk: int
    given: Given
    vote: Vote
    name: str
    number: int
    is_undone: bool = False


@dataclass
class Thing:
    """An item."""

    pk: int
    identity: str
    use: str
    overlap: int
    state: str = OPEN
    round: int = 1
    sealed_round: int = 0
    places: list[Place] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    skipped: set[tuple[int, str]] = field(default_factory=set)
    truth: Vote = ""
    truth_name: str = ""

    def open_round(self) -> None:
        self.state, self.truth, self.truth_name = OPEN, "", ""
        self.places = [Place(number) for number in range(1, self.overlap + 1)]

    def standing(self) -> list[Said]:
        """Answers of this round that were not undone."""
        return [s for s in self.said if s.given.round == self.round and not s.is_undone]

    def in_state(self, state: str) -> list[Place]:
        return [place for place in self.places if place.state == state]

    def place_of(self, given: Given) -> Place | None:
        """The place under the lease, while the lease holds it."""
        for place in self.places:
            is_same = (self.round, place.number, place.fence) == (
                given.round,
                given.number,
                given.fence,
            )
            if is_same and place.state == LEASED:
                return place
        return None


@dataclass
class Model:
    overlap: int
    lease: timedelta
    annotators: set[str]
    things: dict[int, Thing] = field(default_factory=dict)
    givens: list[Given] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)  # Who was shown the model's answer.

    def queue(self, pk: int, identity: str, use: str) -> None:
        """The same input is the same item, whatever brought it."""
        if pk not in self.things:
            thing = Thing(pk, identity, use, self.overlap)
            thing.open_round()
            self.things[pk] = thing

    def all_said(self) -> Iterator[Said]:
        for thing in self.things.values():
            yield from thing.said

    # Claims

    def may_have(self, thing: Thing, annotator: str) -> bool:
        """Never twice within a round, and nothing whose answer they were shown."""
        if thing.state != OPEN or not thing.in_state(OPEN):
            return False
        holds = any(place.annotator == annotator for place in thing.places)
        has_said = any(said.given.annotator == annotator for said in thing.standing())
        has_skipped = (thing.round, annotator) in thing.skipped
        return not (holds or has_said or has_skipped or (annotator, thing.identity) in self.seen)

    def held_by(self, annotator: str, at: datetime) -> set[tuple[int, int]]:
        """Item and number of the places this person holds."""
        return {
            (thing.pk, place.number)
            for thing in self.things.values()
            for place in thing.in_state(LEASED)
            if place.annotator == annotator and place.until and place.until >= at
        }

    def give(self, given: Given, at: datetime) -> None:
        place = self.things[given.item].places[given.number - 1]
        place.give(given.annotator, at + self.lease)
        self.givens.append(given)

    def release(self, given: Given) -> bool:
        """The place they hold of this item goes back, under whichever lease they hold it."""
        thing = self.things[given.item]
        if thing.round != given.round:
            return False
        mine = [p for p in thing.in_state(LEASED) if p.annotator == given.annotator]
        for place in mine:
            place.free()
        return bool(mine)

    def expire(self, at: datetime) -> None:
        for thing in self.things.values():
            for place in thing.in_state(LEASED):
                if place.until and place.until < at:
                    place.free()

    # Answers

    def find_said(self, given: Given) -> Said | None:
        """The answer under this lease, undone or not."""
        return next((s for s in self.things[given.item].said if s.given.pk == given.pk), None)

    def choose_place(self, given: Given) -> Place | None:
        """What an answer would fill now; None makes it surplus."""
        thing = self.things[given.item]
        if thing.state != OPEN or thing.round != given.round:
            return None
        mine = [place for place in thing.places if place.annotator == given.annotator]
        if own := thing.place_of(given):
            return own
        if any(place.state == FILLED for place in mine):
            return None
        return next(iter(mine), None) or next(iter(thing.in_state(OPEN)), None)

    def submit(self, given: Given, pk: int, vote: Vote, name: str) -> Said:
        place = self.choose_place(given)
        said = Said(pk, given, vote, name, place.number if place else 0)
        if place:
            place.state, place.annotator, place.until = FILLED, given.annotator, None
        thing = self.things[given.item]
        thing.said.append(said)
        self.settle(thing)
        return said

    def skip(self, given: Given) -> None:
        thing = self.things[given.item]
        thing.skipped.add((given.round, given.annotator))
        self.release(given)
        self.settle(thing)

    def can_undo(self, said: Said) -> bool:
        thing = self.things[said.given.item]
        is_open_round = thing.round == said.given.round > thing.sealed_round
        return is_open_round and not said.is_undone

    def undo(self, said: Said, at: datetime) -> Place | None:
        """The place it filled, which is the annotator's again; None for a surplus answer."""
        said.is_undone = True
        if not said.number:
            return None
        thing = self.things[said.given.item]
        place = thing.places[said.number - 1]
        place.give(said.given.annotator, at + self.lease)
        for closed in thing.in_state(WITHDRAWN):
            closed.state = OPEN
        thing.state, thing.truth, thing.truth_name = OPEN, "", ""
        return place

    # Settlement

    def settle(self, thing: Thing) -> None:
        unfinished = len(thing.in_state(OPEN)) + len(thing.in_state(LEASED))
        if thing.state != OPEN or (unfinished and not self.is_beyond_reach(thing)):
            return
        counting = [said for said in thing.standing() if said.number]
        votes = Counter(said.vote for said in counting)
        winner, most = votes.most_common(1)[0] if votes else ("", 0)
        if unfinished or 2 * most <= len(counting):
            thing.state = DISPUTED
            for place in thing.in_state(OPEN):
                place.withdraw()
            return
        names = [said.name for said in counting if said.vote == winner and said.name]
        self.accept(thing, winner, Counter(names).most_common(1)[0][0] if names else "")

    def accept(self, thing: Thing, vote: Vote, name: str) -> None:
        for place in thing.places:
            if place.state in {OPEN, LEASED}:
                place.withdraw()
        thing.state, thing.truth, thing.truth_name = RESOLVED, vote, name

    def is_beyond_reach(self, thing: Thing) -> bool:
        """Somebody passed, nobody holds it, and too few are left who may still answer."""
        passed = {annotator for number, annotator in thing.skipped if number == thing.round}
        if not passed or thing.in_state(LEASED):
            return False
        answered = {said.given.annotator for said in thing.standing()}
        saw = {annotator for annotator, identity in self.seen if identity == thing.identity}
        left = self.annotators - passed - answered - saw
        return len(left) < len(thing.in_state(OPEN))

    def settle_passed_on(self) -> None:
        """Who may still answer changes without an answer, too."""
        for thing in self.things.values():
            if any(number == thing.round for number, _ in thing.skipped):
                self.settle(thing)

    def requeue(self, thing: Thing) -> None:
        thing.round += 1
        thing.open_round()
