"""Every step of labeling in any order, each compared with the model as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import TypeVar

import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from events.sealing import seal_events, verify_events
from feedback import flagging
from feedback.models import Flag, Prediction
from jobs import clock
from labeling import annotating, claims, class_proposals, queueing, routing, settlement
from labeling.answers import Answer, class_answer, outside_answer
from labeling.models import Annotation, ClassProposal, Item, Lease, Skip
from projects.creating import give_role, take_role
from projects.errors import Conflict
from projects.models import Membership, ModelVersion, Role, User
from tests.conftest import START
from tests.flagged import make_prediction
from tests.integration.state_machine import checks
from tests.integration.state_machine.model import (
    DISPUTED,
    NONE_OF_THESE,
    RESOLVED,
    Given,
    Model,
    Said,
    Thing,
)
from tests.people import Team

TEXTS = [f"where is parcel {number}" for number in range(4)]
OUTPUTS = ["delivery", "billing"]
NAMES = ["Drone help", "Tax"]
AGENTS = st.sampled_from(["ada", "alan", "olga"])
EVERYBODY = ["bob", "beth", "bill", "olga"]
ANNOTATORS = st.sampled_from(EVERYBODY)
PICK = st.integers(0, 1_000)
# Often enough the same, so that items settle; the first class is what most flags complain of.
ANSWERS = st.sampled_from(
    ["delivery", "delivery", "delivery", "refund", "none: Drone help", "none: Tax", "none: "]
)
STEPS = st.sampled_from([1, 29, 31, 300, 601]).map(lambda seconds: timedelta(seconds=seconds))

Any_ = TypeVar("Any_")


def pick(among: Sequence[Any_], number: int) -> Any_:
    return among[number % len(among)]


class LabelingMachine(RuleBasedStateMachine):
    """One run in a transaction of its own, which is rolled back at the end."""

    team: Team  # Set by the stage.

    def __init__(self) -> None:
        super().__init__()
        self.around = ExitStack()
        self.around.enter_context(transaction.atomic())
        self.clock = self.around.enter_context(clock.set_to(START))

    def teardown(self) -> None:
        try:
            if hasattr(self, "model"):
                self.check_at_the_end()
        finally:
            transaction.set_rollback(True)
            self.around.close()

    def check_at_the_end(self) -> None:
        checks.events_are_complete(self.team.project)
        connection.check_constraints()
        self.seal()

    @initialize(overlap=st.integers(1, 3))
    def begin(self, overlap: int) -> None:
        self.start(overlap)

    def start(self, overlap: int) -> None:
        self.team.queue.overlap = overlap
        self.team.queue.save(update_fields=["overlap"])
        self.model = Model(overlap, self.team.queue.lease_length, set(EVERYBODY))
        self.predictions: dict[tuple[str, str], Prediction] = {}
        self.flags: dict[tuple[str, int], Flag] = {}
        for text in TEXTS[:2]:
            self.queue(text=text, urgent=False)

    # Flags and queueing

    @rule(text=st.sampled_from(TEXTS), output=st.sampled_from(OUTPUTS), agent=AGENTS)
    def flag(self, text: str, output: str, agent: str) -> None:
        if (text, output) not in self.predictions:
            version = self.live_version()
            made = make_prediction(self.team, text, output, at=self.clock.at, version=version)
            self.predictions[text, output] = made
        prediction = self.predictions[text, output]
        flag = flagging.flag_prediction(
            prediction=prediction,
            agent=self.person(agent),
            report=flagging.Report(reason=Flag.Reason.WRONG_CLASS),
            at=self.clock.at,
        )
        known = self.flags.setdefault((agent, prediction.pk), flag)
        assert known == flag
        self.model.seen.add((agent, prediction.identity))

    @rule()
    def route(self) -> None:
        routing.route_new_flags(at=self.clock.at)
        for item in Item.objects.all():
            self.model.queue(item.pk, item.identity, item.use)
        assert not Flag.objects.unrouted().exists()

    @rule(text=st.sampled_from(TEXTS), urgent=st.booleans())
    def queue(self, text: str, urgent: bool) -> None:
        item = queueing.queue_input(
            project=self.team.project,
            value={"text": text},
            source="audit",
            reference=1,
            at=self.clock.at - timedelta(days=urgent),
        )
        self.model.queue(item.pk, item.identity, item.use)

    @precondition(lambda self: self.flags)
    @rule(number=PICK)
    def withdraw_flag(self, number: int) -> None:
        flag = Flag.objects.get(pk=pick(list(self.flags.values()), number).pk)
        if flag.state in {Flag.State.OPEN, Flag.State.STILL_WRONG}:
            flagging.withdraw_flag(flag=flag, at=self.clock.at)
        else:
            with pytest.raises(Conflict):
                flagging.withdraw_flag(flag=flag, at=self.clock.at)

    # Leases

    @rule(annotator=ANNOTATORS)
    def claim(self, annotator: str) -> None:
        if annotator not in self.model.annotators:
            return
        lease = claims.lease_next_slot(
            queue=self.team.queue, annotator=self.person(annotator), at=self.clock.at
        )
        self.check_given(annotator, lease)

    @precondition(lambda self: self.model.givens)
    @rule(number=PICK)
    def renew(self, number: int) -> None:
        given = pick(self.model.givens, number)
        until = claims.renew_lease(lease=self.lease(given), at=self.clock.at)
        place = self.thing(given).place_of(given)
        assert bool(until) == bool(place)
        if place:
            place.until = until

    @precondition(lambda self: self.model.givens)
    @rule(number=PICK)
    def release(self, number: int) -> None:
        given = pick(self.model.givens, number)
        released = claims.release_place(lease=self.lease(given))
        assert released == self.model.release(given)

    def wait(self, step: timedelta) -> None:
        self.clock.advance(step)

    def expire(self) -> None:
        claims.free_expired_slots(at=self.clock.at)
        self.model.expire(self.clock.at)

    # Answers

    @precondition(lambda self: self.model.givens)
    @rule(number=PICK, words=ANSWERS)
    def submit(self, number: int, words: str) -> None:
        """In time, late, twice, or with another answer than before."""
        given, answer = pick(self.model.givens, number), self.answer(words)
        lease = self.lease(given)
        if self.is_refused(given, answer):
            with pytest.raises(Conflict):
                annotating.submit_annotation(lease=lease, answer=answer, at=self.clock.at)
            return
        annotation = annotating.submit_annotation(lease=lease, answer=answer, at=self.clock.at)
        self.note_submitted(given, answer, annotation)

    @rule(annotator=ANNOTATORS, words=ANSWERS)
    def work(self, annotator: str, words: str) -> None:
        """Take the next item and answer it: what people do most of the time."""
        self.claim(annotator=annotator)
        mine = [given for given in self.model.givens if given.annotator == annotator]
        holding = [given for given in mine if self.thing(given).place_of(given)]
        if holding:
            self.submit(number=self.model.givens.index(holding[-1]), words=words)

    @rule(late=ANNOTATORS, other=ANNOTATORS, words=ANSWERS)
    def answer_late(self, late: str, other: str, words: str) -> None:
        """One holds an item for too long; it goes to another; then the answer comes."""
        self.claim(annotator=late)
        mine = [given for given in self.model.givens if given.annotator == late]
        self.walk_away(step=self.model.lease + timedelta(seconds=1))
        self.claim(annotator=other)
        if mine:
            self.submit(number=self.model.givens.index(mine[-1]), words=words)

    @rule(words=st.lists(ANSWERS, min_size=4, max_size=4))
    def everybody_works(self, words: list[str]) -> None:
        for annotator, said in zip(EVERYBODY, words, strict=True):
            if self.has_work_for(annotator):
                self.work(annotator=annotator, words=said)

    @rule(annotator=ANNOTATORS)
    def pass_on(self, annotator: str) -> None:
        """Take the next item and skip it."""
        self.claim(annotator=annotator)
        mine = [given for given in self.model.givens if given.annotator == annotator]
        if mine:
            self.skip(number=self.model.givens.index(mine[-1]), reason=Skip.Reason.UNCLEAR)

    @rule()
    def everybody_passes(self) -> None:
        for annotator in EVERYBODY:
            if self.has_work_for(annotator):
                self.pass_on(annotator=annotator)

    @rule(step=STEPS)
    def walk_away(self, step: timedelta) -> None:
        """Time passes, and what was held too long is open again."""
        self.wait(step=step)
        self.expire()

    @precondition(lambda self: self.model.givens)
    @rule(number=PICK, words=ANSWERS)
    def submit_and_go_on(self, number: int, words: str) -> None:
        given, answer = self.newest(number), self.answer(words)
        if self.is_refused(given, answer):
            return
        annotation, lease = annotating.submit_and_lease_next(
            lease=self.lease(given), answer=answer, at=self.clock.at
        )
        self.note_submitted(given, answer, annotation)
        self.check_given(given.annotator, lease)

    @precondition(lambda self: self.model.givens)
    @rule(number=PICK, reason=st.sampled_from(list(Skip.Reason)))
    def skip(self, number: int, reason: str) -> None:
        given = pick(self.model.givens, number)
        thing, lease = self.thing(given), self.lease(given)
        of_round = [s for s in thing.said if s.given.round == given.round and not s.is_undone]
        if any(said.given.annotator == given.annotator for said in of_round):
            with pytest.raises(Conflict):
                annotating.skip_item(lease=lease, reason=reason, at=self.clock.at)
            return
        annotating.skip_item(lease=lease, reason=reason, at=self.clock.at)
        self.model.skip(given)

    @precondition(lambda self: any(self.model.all_said()))
    @rule(number=PICK)
    def undo(self, number: int) -> None:
        said = pick(list(self.model.all_said()), number)
        annotation = Annotation.objects.get(pk=said.pk)
        if not self.model.can_undo(said):
            with pytest.raises(Conflict):
                annotating.undo_annotation(annotation=annotation, at=self.clock.at)
            return
        lease = annotating.undo_annotation(annotation=annotation, at=self.clock.at)
        place = self.model.undo(said, self.clock.at)
        assert bool(lease) == bool(place)
        if lease and place:
            assert lease.fence == place.fence
            self.model.givens.append(self.given(lease))

    # Reviewer, lead and the passing of time

    @precondition(lambda self: self.model.things)
    @rule(number=PICK, words=ANSWERS)
    def adjudicate(self, number: int, words: str) -> None:
        thing, answer = self.some_thing(number, DISPUTED), self.answer(words)
        item = Item.objects.get(pk=thing.pk)
        rita, at = self.team.rita, self.clock.at
        if thing.state != DISPUTED:
            with pytest.raises(Conflict):
                settlement.adjudicate(item=item, answer=answer, reviewer=rita, at=at)
            return
        settlement.adjudicate(item=item, answer=answer, reviewer=rita, at=at)
        self.model.accept(thing, *self.vote(answer))

    @precondition(lambda self: self.model.things)
    @rule(number=PICK)
    def send_back(self, number: int) -> None:
        thing = self.some_thing(number, DISPUTED)
        item = Item.objects.get(pk=thing.pk)
        if thing.state != DISPUTED:
            with pytest.raises(Conflict):
                settlement.send_back(item=item, reviewer=self.team.rita, at=self.clock.at)
            return
        settlement.send_back(item=item, reviewer=self.team.rita, at=self.clock.at)
        self.model.requeue(thing)

    @precondition(lambda self: self.model.things)
    @rule(number=PICK)
    def requeue(self, number: int) -> None:
        self.requeue_thing(self.some_thing(number, RESOLVED))

    def requeue_thing(self, thing: Thing) -> None:
        item, rita = Item.objects.get(pk=thing.pk), self.team.rita
        if thing.state != RESOLVED:
            with pytest.raises(Conflict):
                queueing.requeue_item(item=item, at=self.clock.at, by=rita, reason="policy")
            return
        queueing.requeue_item(item=item, at=self.clock.at, by=rita, reason="policy")
        self.model.requeue(thing)

    @rule(name=st.sampled_from(NAMES), is_accepted=st.booleans())
    def decide_class(self, name: str, is_accepted: bool) -> None:
        proposal = ClassProposal.objects.filter(name=name).first()
        if proposal is None or proposal.state != ClassProposal.State.PROPOSED:
            return
        lena, at = self.team.lena, self.clock.at
        if not is_accepted:
            class_proposals.decline_class(proposal=proposal, by=lena, at=at)
            return
        class_proposals.accept_class(proposal=proposal, by=lena, at=at)
        for thing in self.model.things.values():
            if (thing.state, thing.truth, thing.truth_name) == (RESOLVED, NONE_OF_THESE, name):
                self.model.requeue(thing)

    @rule(annotator=st.sampled_from(["bob", "beth", "bill"]))
    def change_role(self, annotator: str) -> None:
        project, person = self.team.project, self.person(annotator)
        if annotator in self.model.annotators:
            held = Membership.objects.get(project=project, user=person, role=Role.ANNOTATOR)
            take_role(membership=held, at=self.clock.at, by=self.team.olga)
        else:
            give_role(
                project=project,
                user=person,
                role=Role.ANNOTATOR,
                at=self.clock.at,
                by=self.team.olga,
            )
        self.model.annotators ^= {annotator}

    @rule()
    def settle_passed_on(self) -> None:
        settlement.settle_passed_on(at=self.clock.at)
        self.model.settle_passed_on()

    @rule()
    def seal(self) -> None:
        seal_events()
        assert verify_events(self.team.project.pk) is None

    # What must hold after every step

    @invariant()
    def keeps_its_promises(self) -> None:
        if hasattr(self, "model"):
            stored = checks.Stored.of(self.team.project)
            checks.labeling_is_as_modelled(stored, self.model)
            checks.promises_are_kept(stored, self.model.overlap)
            checks.flags_follow_the_truth(stored)

    # Helpers

    def live_version(self) -> ModelVersion:
        return self.team.version

    def person(self, name: str) -> User:
        found: User = getattr(self.team, name)
        return found

    def lease(self, given: Given) -> Lease:
        return Lease.objects.select_related("queue", "annotator").get(pk=given.pk)

    def given(self, lease: Lease) -> Given:
        name, number = lease.annotator.username, lease.slot.number
        return Given(lease.pk, lease.item_id, lease.round, number, lease.fence, name)

    def thing(self, given: Given) -> Thing:
        return self.model.things[given.item]

    def some_thing(self, number: int, state: str) -> Thing:
        """One in that state if there is one: the rarer case is the one worth trying."""
        things = list(self.model.things.values())
        return pick([thing for thing in things if thing.state == state] or things, number)

    def newest(self, number: int) -> Given:
        """One that may still hold: old ones are for `submit`."""
        return pick(self.model.givens[-4:], number)

    def answer(self, words: str) -> Answer:
        if words.startswith("none: "):
            return outside_answer(self.team.project, words.removeprefix("none: "))
        return class_answer(self.team.project, words)

    def vote(self, answer: Answer) -> tuple[str, str]:
        return (answer.label_class.name if answer.label_class else NONE_OF_THESE), (
            answer.proposed_name
        )

    def is_refused(self, given: Given, answer: Answer) -> bool:
        """Another answer under a lease that has one."""
        said = self.model.find_said(given)
        return said is not None and (said.vote, said.name) != self.vote(answer)

    def note_submitted(self, given: Given, answer: Answer, annotation: Annotation) -> Said:
        earlier = self.model.find_said(given)
        if earlier:
            assert annotation.pk == earlier.pk
            return earlier
        said = self.model.submit(given, annotation.pk, *self.vote(answer))
        assert annotation.counts == bool(said.number)
        return said

    def has_work_for(self, annotator: str) -> bool:
        """As the model sees it; that a claim sees the same is what `claim` is for."""
        things = self.model.things.values()
        has_some = bool(self.model.held_by(annotator, self.clock.at))
        return has_some or any(self.model.may_have(thing, annotator) for thing in things)

    def check_given(self, annotator: str, lease: Lease | None) -> None:
        """The place this person holds, else one they may have; None only where there is none."""
        at = self.clock.at
        held = self.model.held_by(annotator, at)
        if lease is None:
            assert not held
            things = self.model.things.values()
            assert not [thing for thing in things if self.model.may_have(thing, annotator)]
            return
        given = self.given(lease)
        if held:
            assert (given.item, given.number) in held
            place = self.thing(given).place_of(given)
            assert place
            place.until = at + self.model.lease
            return
        assert self.model.may_have(self.thing(given), annotator)
        self.model.give(given, at)
        assert self.thing(given).place_of(given), "the fence is not the next one"
