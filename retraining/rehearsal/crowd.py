"""Simulated annotators, reviewer and lead, who work through the real functions."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import timedelta

from jobs.clock import SetClock
from labeling import annotating, claims, class_proposals, settlement
from labeling.answers import Answer, outside_answer
from labeling.models import Item, Lease
from projects.classes import find_class
from projects.models import User
from retraining.rehearsal.options import ACCEPT_AT
from retraining.rehearsal.stage import Stage

ALL = range(1_000)
SECONDS_PER_ANSWER = 4.0  # Only moves the clock: nobody's speed is measured here.


@dataclass(frozen=True)
class Crowd:
    """`says(person, item)` is the name of the class that this person would give."""

    stage: Stage
    clock: SetClock
    says: Callable[[int, Item], str]
    truth: Callable[[Item], str]

    def work_until_done(
        self, progress: Callable[[int], None], *, people: Container[int] = ALL
    ) -> None:
        """These annotators answer in turn until nothing is left to give and nothing disputed."""
        chosen = [(n, p) for n, p in enumerate(self.stage.annotators) if n in people]
        answered = 0
        while True:
            busy = [self._answer_one(n, person) for n, person in chosen]
            answered += sum(busy)
            progress(answered)
            self._accept_new_classes()
            if not any(busy) and not self._adjudicate():
                return

    def _answer_one(self, number: int, person: User) -> bool:
        lease = claims.lease_next_slot(queue=self.stage.queue, annotator=person, at=self.clock.at)
        if lease is None:
            return False
        self.clock.advance(timedelta(seconds=SECONDS_PER_ANSWER))
        annotating.submit_annotation(
            lease=lease,
            answer=self._answer(self.says(number, _item_of(lease))),
            at=self.clock.at,
            seconds=SECONDS_PER_ANSWER,
        )
        return True

    def _adjudicate(self) -> int:
        """The reviewer, who is right, decides what the annotators could not."""
        disputed = list(Item.objects.disputed(self.stage.project))
        for item in disputed:
            settlement.adjudicate(
                item=item,
                answer=self._answer(self.truth(item)),
                reviewer=self.stage.reviewer,
                at=self.clock.at,
            )
        return len(disputed)

    def _accept_new_classes(self) -> None:
        for waiting in class_proposals.waiting_proposals(self.stage.project):
            if waiting.item_count >= ACCEPT_AT:
                class_proposals.accept_class(
                    proposal=waiting.proposal, by=self.stage.lead, at=self.clock.at
                )

    def _answer(self, name: str) -> Answer:
        """The class, or before it is accepted "none of these" with its name."""
        found = find_class(self.stage.project, name)
        return Answer(found) if found else outside_answer(self.stage.project, name)


def _item_of(lease: Lease) -> Item:
    return Item.objects.get(pk=lease.item_id)
