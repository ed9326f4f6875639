"""The loop after labeling, step by step, in one run with every step of labeling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypedDict

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from feedback.models import Flag
from jobs.models import Job
from jobs.running import ATTEMPTS, LEASE, run_job
from labeling.models import GroundTruth, Item
from labeling.queueing import queue_input
from labeling.settlement import accept_answer
from projects.errors import Conflict
from projects.identity import identity_of
from projects.models import Deployment, ModelVersion, User
from retraining import (
    background,
    batches,
    lost_batches,
    promotion,
    proposing,
    receipt_jobs,
    receipts,
)
from retraining.models import Batch, BatchRevision, GateResult, Receipt
from retraining.revisions import newest_revision, refresh_batch
from tests.integration.state_machine import loop_checks
from tests.integration.state_machine.labeling_rules import (
    AGENTS,
    PICK,
    TEXTS,
    LabelingMachine,
    pick,
)
from tests.integration.state_machine.loop_model import (
    APPROVED,
    CANCELLED,
    EVALUATED,
    FAILED,
    NOT_PROMOTED,
    PROPOSED,
    REJECTED,
    TRAINING,
    Loop,
    Proposal,
    Row,
    Shown,
)
from tests.integration.state_machine.model import NONE_OF_THESE, RESOLVED
from tests.integration.state_machine.workshop import Died, Workshop, die, fail

KNOWN = {
    "my invoice is wrong": "billing",
    "the bill is too high": "billing",
    "i want my money back": "refund",
    "please refund the shoes": "refund",
}
HELD_OUT = "where is parcel 3"
TWIN = "where is parcel 3?"  # Of the one held out, and for training: too close to be learned.
CLASSES = st.sampled_from(["delivery", "delivery", "refund"])
LOOK_EVERY = 10  # Steps between two looks at everything that must never change.
OFTEN_FALSE = st.sampled_from([False, False, False, True])
# Where in a job something happens, and what.
HAPPENINGS = st.sampled_from(
    [
        *[("", "nothing")] * 8,
        ("progress", "dies"),
        ("train", "dies"),
        ("train model", "dies"),
        ("evaluate", "dies"),
        ("train end", "dies"),
        ("train", "fails"),
        ("train", "is cancelled"),
        ("evaluate", "is cancelled"),
        ("train", "is taken over"),
        ("evaluate", "is taken over"),
        ("evaluate", "rows change"),
        ("evaluate", "champion changes"),
    ]
)

# Before which step something changes under a lead's feet, and what.
MEDDLINGS = st.sampled_from(
    [
        ("", ""),
        ("start", "a row changes"),
        ("start", "the champion changes"),
        ("promotion", "the champion changes"),
        ("promotion", "the champion changes"),
        ("promotion", "a flag waits"),
        ("complaint", "all over again"),
        ("complaint", "a learned row changes"),
    ]
)


class Decision(TypedDict):
    reason: str
    by: User
    at: datetime


class LoopMachine(LabelingMachine):
    """Flag to receipt. Training is the real one, in this process."""

    @initialize(
        overlap=st.integers(1, 2),
        steps=st.sampled_from([0, 5, 14, 14]),
        is_hard=st.booleans(),
        meddling=MEDDLINGS,
    )
    def begin(self, overlap: int, steps: int, is_hard: bool, meddling: tuple[str, str]) -> None:
        """Before anything was trained, with a first version live, or with a second one."""
        self.start(overlap)
        self.shop = self.around.enter_context(Workshop().open())
        self.loop = Loop(live=[self.team.version.name], standing=[self.team.version.name])
        self.facts = loop_checks.Facts(self.team.project)
        self.used = loop_checks.Uses(self.team.project)
        self.steps = 0
        self.has_worked = False
        for text, answer in KNOWN.items():
            self.know(text, answer)
        if is_hard:
            self.know(HELD_OUT, "refund")  # Unlike every other parcel: no model gets it right.
            self.flag(text=HELD_OUT, output="billing", agent="alan")
            self.route()
        self.queue(text=TWIN, urgent=False)
        self.go_on(steps=steps, happening=("", "nothing"), meddling=meddling)

    @rule(steps=st.integers(1, 4), happening=HAPPENINGS, meddling=MEDDLINGS)
    def go_on(self, steps: int, happening: tuple[str, str], meddling: tuple[str, str]) -> None:
        """What comes next when nobody changes their mind, but for one change before a step.

        What happens to a worker happens in the first job.
        """
        for _ in range(steps):
            if self.next_step() == meddling[0] and self.meddle(meddling[1]):
                meddling = ("", "")
            step = self.next_step()
            if step in {"start", "work"}:
                self.work_off(number=0, happening=happening)
                happening = ("", "nothing")
            elif step == "approval":
                self.approve_or_read_again()
            elif step == "promotion":
                self.promote_or_compare_again()
            else:
                text = pick(TEXTS, len(self.loop.proposals))
                self.complain(text=text, agent="ada", word="delivery")
                self.tick()
                self.propose()

    def next_step(self) -> str:
        if Job.objects.open().exists():
            return "start" if any(self.loop.in_state(APPROVED)) else "work"
        if self.loop.waiting:
            return "approval"
        return "promotion" if any(self.loop.in_state(EVALUATED)) else "complaint"

    def meddle(self, meddling: str) -> bool:
        """Whether there was something to change."""
        if meddling == "a row changes":
            self.open_a_row_again(number=0)
            return True
        if meddling == "a flag waits":  # Nobody says what is right before the promotion.
            self.flag(text=TEXTS[-1], output="billing", agent="alan")
            self.route()
            return True
        if meddling == "a learned row changes":
            return self.open_what_was_learned()
        if len(self.loop.standing) < 2:
            return False
        self.roll_back(dies=False)
        if meddling == "all over again":
            self.propose()  # The very rows of the version that was left: it goes live once more.
        return True

    @rule(number=PICK)
    def open_a_row_again(self, number: int) -> None:
        """One that a lead has read, perhaps approved."""
        under_way = list(self.loop.in_state(PROPOSED, APPROVED))
        rows = sorted(pick(under_way, number).standing.rows) if under_way else []
        things = [self.model.things[item] for item in rows]
        if resolved := [thing for thing in things if thing.state == RESOLVED]:
            self.requeue_thing(pick(resolved, number))

    def open_what_was_learned(self) -> bool:
        """A row of the live version is labeled anew: the next one learns the new answer alone."""
        learned = [self.model.things[pk] for pk in self.loop.learned_by(self.loop.champion).rows]
        standing = [thing for thing in learned if thing.state == RESOLVED]
        if standing:
            self.requeue_thing(standing[-1])
        return bool(standing)

    @rule(text=st.sampled_from(TEXTS), agent=AGENTS, word=CLASSES)
    def complain(self, text: str, agent: str, word: str) -> None:
        """An agent flags an answer, and everybody who may says what is right."""
        self.flag(text=text, output="billing", agent=agent)
        self.route()
        self.everybody_agrees(word=word)

    def know(self, text: str, answer: str) -> None:
        item = queue_input(
            project=self.team.project,
            value={"text": text},
            source="import",
            reference=1,
            at=self.clock.at,
        )
        self.model.queue(item.pk, item.identity, item.use)
        accept_answer(
            item=item,
            answer=self.answer(answer),
            method=GroundTruth.Method.IMPORT,
            confidence=None,
            at=self.clock.at,
        )
        self.model.accept(self.model.things[item.pk], answer, "")

    # Proposals and what happens to them

    @rule(word=CLASSES)
    def everybody_agrees(self, word: str) -> None:
        self.everybody_works(words=[word] * 4)

    @rule()
    def propose(self) -> None:
        project, lena, at = self.team.project, self.team.lena, self.clock.at
        expected = self.expected_rows()
        if self.loop.waiting or not expected:
            with refused():
                proposing.propose_by_person(project=project, by=lena, at=at)
            return
        batch = proposing.propose_by_person(project=project, by=lena, at=at)
        self.loop.proposals[batch.pk] = Proposal(batch.pk, [])
        self.note_shown(newest_revision(batch), expected)

    @precondition(lambda self: self.loop.proposals)
    @rule(number=PICK)
    def refresh(self, number: int) -> None:
        proposal = self.loop.waiting or pick(list(self.loop.proposals.values()), number)
        expected = self.expected_rows(besides=proposal)
        if proposal.state != PROPOSED or not expected:
            with refused():
                refresh_batch(batch=self.batch(proposal), by=self.team.lena, at=self.clock.at)
            return
        revision = refresh_batch(batch=self.batch(proposal), by=self.team.lena, at=self.clock.at)
        if revision.pk != proposal.shown[-1].pk:
            self.note_shown(revision, expected)
        assert proposal.shown[-1].rows == expected

    @precondition(lambda self: self.loop.proposals)
    @rule(number=PICK, is_newest=st.sampled_from([True, True, False]), dies=OFTEN_FALSE)
    def approve(self, number: int, is_newest: bool, dies: bool) -> None:
        """What was read, by its hash: perhaps an older revision, perhaps of a decided batch."""
        proposal = self.loop.waiting if is_newest else None
        proposal = proposal or pick(list(self.loop.proposals.values()), number)
        read = proposal.shown[-1] if is_newest else pick(proposal.shown, number)
        read = proposal.find_shown(read.digest) or read
        if proposal.state != PROPOSED:
            if proposal.approved == read and proposal.state != FAILED:
                self.approve_now(proposal, read)
                return
        elif self.is_current(read):
            if self.happens(lambda: self.approve_now(proposal, read), "approve", dies=dies):
                self.note_approved(proposal, read)
            return
        with refused():
            self.approve_now(proposal, read)

    @precondition(lambda self: self.loop.waiting)
    @rule()
    def approve_or_read_again(self) -> None:
        """What a lead does who is told that it has changed."""
        self.approve(number=0, is_newest=True, dies=False)
        if self.loop.waiting:
            self.refresh(number=0)
            self.approve(number=0, is_newest=True, dies=False)

    @precondition(lambda self: self.loop.proposals)
    @rule(number=PICK)
    def reject(self, number: int) -> None:
        proposal = pick(list(self.loop.proposals.values()), number)
        decision = self.decision()
        if proposal.state != PROPOSED:
            with refused():
                batches.reject_batch(batch=self.batch(proposal), **decision)
            return
        batches.reject_batch(batch=self.batch(proposal), **decision)
        proposal.state = REJECTED

    @precondition(lambda self: self.loop.proposals)
    @rule(number=PICK)
    def cancel(self, number: int) -> None:
        proposal = pick(list(self.loop.proposals.values()), number)
        batch = self.batch(proposal)
        if proposal.state not in {PROPOSED, APPROVED, TRAINING}:
            with refused():
                batches.cancel_batch(batch=batch, by=self.team.lena, at=self.clock.at)
            return
        batches.cancel_batch(batch=batch, by=self.team.lena, at=self.clock.at)
        if batch.job is None or batch.job.state != Job.State.RUNNING:
            proposal.state = CANCELLED

    @precondition(lambda self: any(self.loop.in_state(FAILED)))
    @rule(number=PICK)
    def retry(self, number: int) -> None:
        proposal = pick(list(self.loop.in_state(FAILED)), number)
        batch, lena, at = self.batch(proposal), self.team.lena, self.clock.at
        if not self.is_current(proposal.standing):
            with refused():
                batches.retry_batch(batch=batch, by=lena, at=at)
            return
        batches.retry_batch(batch=batch, by=lena, at=at)
        proposal.state = APPROVED

    @precondition(lambda self: self.loop.proposals)
    @rule(number=PICK)
    def evaluate_again(self, number: int) -> None:
        proposal = pick(list(self.loop.proposals.values()), number)
        batch, lena, at = self.batch(proposal), self.team.lena, self.clock.at
        if not self.loop.may_be_compared(proposal):
            with refused():
                batches.ask_for_evaluation(batch=batch, by=lena, at=at)
            return
        self.ask_for_evaluation(proposal)

    def ask_for_evaluation(self, proposal: Proposal) -> None:
        batch = self.batch(proposal)
        batches.ask_for_evaluation(batch=batch, by=self.team.lena, at=self.clock.at)

    # Work

    @precondition(lambda self: Job.objects.open().exists())
    @rule(number=PICK, happening=HAPPENINGS)
    def work_off(self, number: int, happening: tuple[str, str]) -> None:
        """A worker takes a job, perhaps one whose worker died, and perhaps dies over it."""
        if not Job.objects.claimable(self.clock.at).exists():
            self.walk_away(step=LEASE + timedelta(seconds=1))
        waiting = Job.objects.claimable(self.clock.at).order_by("pk")
        if waiting:
            self.run(pick(list(waiting), number), *happening)

    @precondition(lambda self: Job.objects.open().exists())
    @rule()
    def work_everything_off(self) -> None:
        while job := Job.objects.claimable(self.clock.at).order_by("pk").first():
            self.run(job)

    def run(self, job: Job, place: str = "", what: str = "nothing") -> None:
        if job.attempt >= ATTEMPTS or job.cancel_requested_at:
            assert run_job(job.pk)  # It ends as failed or cancelled; a tick ends its batch.
            return
        {
            batches.TRAIN: self.train,
            batches.EVALUATE: self.compare,
            receipt_jobs.SEND_RECEIPTS: self.send_receipts,
            receipt_jobs.REVOKE_RECEIPTS: self.revoke_receipts,
        }[job.kind](job, place, what)

    def train(self, job: Job, place: str, what: str) -> None:
        proposal = self.loop.proposals[job.arguments["batch_id"]]
        if proposal.state not in {APPROVED, TRAINING}:
            assert self.carry_out(job, "", "nothing") == "done"
            return
        if proposal.state == APPROVED and not self.is_current(proposal.standing):
            self.carry_out(job, place, what)
            proposal.state = CANCELLED
            return
        proposal.state = TRAINING
        name = self.loop.next_name()
        is_last_attempt = job.attempt + 1 >= ATTEMPTS
        end = self.carry_out(job, place, what)
        self.note_version(proposal, name)
        if end == "dies" or (end == "is taken over" and is_last_attempt):
            return
        is_too_little = len(self.loop.outcome_of(proposal.standing).classes) < 2
        ends = {"fails": FAILED, "is cancelled": CANCELLED}
        proposal.state = ends.get(end, FAILED if is_too_little else EVALUATED)
        assert bool(proposal.version) or proposal.state != EVALUATED

    def note_version(self, proposal: Proposal, next_name: str) -> None:
        """At most one version of an approved content, under the next name."""
        version = self.batch(proposal).version
        if version is None or proposal.version:
            return
        approved = proposal.standing
        known = self.loop.by_hash.setdefault(approved.digest, next_name)
        assert (version.name, version.approved_hash) == (known, approved.digest)
        self.loop.learned.setdefault(known, self.loop.outcome_of(approved))
        proposal.version = known

    def compare(self, job: Job, place: str, what: str) -> None:
        proposal = self.loop.proposals[job.arguments["batch_id"]]
        if not self.loop.may_be_compared(proposal):
            assert self.carry_out(job, "", "nothing") == "done"
            return
        is_last_attempt = job.attempt + 1 >= ATTEMPTS
        end = self.carry_out(job, place, "nothing" if what == "is cancelled" else what)
        if end != "dies" and not (end == "is taken over" and is_last_attempt):
            proposal.state = EVALUATED

    def send_receipts(self, job: Job, place: str, what: str) -> None:
        line = Deployment.objects.get(pk=job.arguments["deployment_id"])
        standing = Receipt.objects.filter(project=self.team.project, revoked_at=None)
        told = set(standing.values_list("pk", flat=True))
        due = loop_checks.receipts_due(line, self.loop.learned_by(line.version.name))
        end = self.carry_out(job, place, what)
        columns = ("flag_id", "version_id", "old_answer", "new_answer", "is_learned")
        found = set(standing.exclude(pk__in=told).values_list(*columns))
        assert found <= due if end == "dies" else found == due

    def revoke_receipts(self, job: Job, place: str, what: str) -> None:
        standing = Receipt.objects.filter(project=self.team.project, revoked_at=None)
        before = set(standing.values_list("pk", flat=True))
        due = loop_checks.revocations_due(self.team.project, self.loop.standing)
        end = self.carry_out(job, place, what)
        revoked = before - set(standing.values_list("pk", flat=True))
        assert revoked <= due if end == "dies" else revoked == due

    def carry_out(self, job: Job, place: str, what: str) -> str:
        """Run the job; says what happened to it, or that it is done."""
        acts: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "dies": die,
            "fails": fail,
            "is cancelled": lambda: self.ask_to_cancel(job),
            "is taken over": lambda: self.take_over(job),
            "rows change": lambda: self.requeue(number=0),
            "champion changes": lambda: self.roll_back(dies=False),
        }
        self.has_worked = True
        with self.shop.expecting(place, acts[what]):
            try:
                assert run_job(job.pk)
            except Died:
                return "dies"
            return what if place and not self.shop.place else "done"

    def ask_to_cancel(self, job: Job) -> None:
        batch = Batch.objects.get(pk=job.arguments["batch_id"])
        batches.cancel_batch(batch=batch, by=self.team.lena, at=self.clock.at)

    def take_over(self, job: Job) -> None:
        """The first worker was silent for too long; another one does the whole job meanwhile."""
        self.walk_away(step=LEASE + timedelta(seconds=1))
        assert run_job(job.pk)

    @rule()
    def tick(self) -> None:
        late = loop_checks.accepted_too_late(self.team.project)
        background.keep_cases(self.clock.at)
        loop_checks.is_asked_for(late, self.team.project)
        for proposal in self.loop.in_state(APPROVED, TRAINING):
            job = self.batch(proposal).job
            if job is None or job.has_ended:
                is_cancelled = job is not None and job.state == Job.State.CANCELLED
                proposal.state = CANCELLED if is_cancelled else FAILED
        lost_batches.end_lost_batches(at=self.clock.at)

    # The live version

    @precondition(lambda self: self.loop.proposals)
    @rule(number=PICK, confirms=st.sampled_from([True, True, True, False]), dies=OFTEN_FALSE)
    def promote(self, number: int, confirms: bool, dies: bool) -> None:
        proposal = self.rather(number, EVALUATED)
        batch, lena, at = self.batch(proposal), self.team.lena, self.clock.at

        def now() -> None:
            promotion.promote(batch=batch, by=lena, at=at, confirm_not_enough=confirms)

        if not self.may_be_promoted(proposal, batch, confirms=confirms):
            with refused():
                now()
        elif self.happens(now, "promote", dies=dies):
            self.loop.promote(proposal)

    @precondition(lambda self: any(self.loop.in_state(EVALUATED)))
    @rule()
    def promote_or_compare_again(self) -> None:
        """What a lead does who is told that another version is live now, or that a gate failed."""
        proposal = self.rather(0, EVALUATED)
        evaluation = self.batch(proposal).evaluations.select_related("champion").latest("pk")
        self.promote(number=0, confirms=True, dies=False)
        if proposal.state != EVALUATED:
            return
        if evaluation.champion != self.live_version():
            self.ask_for_evaluation(proposal)
        else:
            self.leave_it(proposal)

    def may_be_promoted(self, proposal: Proposal, batch: Batch, *, confirms: bool) -> bool:
        evaluation = batch.evaluations.order_by("pk").last()
        if proposal.state != EVALUATED or evaluation is None or evaluation.champion is None:
            return False
        results = set(evaluation.gates.filter(waived_by=None).values_list("result", flat=True))
        return (
            evaluation.champion.name == self.loop.champion
            and GateResult.Result.FAILED not in results
            and (confirms or GateResult.Result.NOT_ENOUGH not in results)
        )

    @precondition(lambda self: self.loop.proposals)
    @rule(number=PICK)
    def do_not_promote(self, number: int) -> None:
        proposal = pick(list(self.loop.proposals.values()), number)
        if proposal.state == EVALUATED:
            self.leave_it(proposal)
            return
        with refused():
            promotion.do_not_promote(batch=self.batch(proposal), **self.decision())

    def leave_it(self, proposal: Proposal) -> None:
        promotion.do_not_promote(batch=self.batch(proposal), **self.decision())
        proposal.state = NOT_PROMOTED

    @rule(dies=OFTEN_FALSE)
    def roll_back(self, dies: bool) -> None:
        def now() -> None:
            promotion.roll_back(project=self.team.project, **self.decision())

        if len(self.loop.standing) < 2:
            with refused():
                now()
        elif self.happens(now, "roll back", dies=dies):
            self.loop.roll_back()

    @precondition(lambda self: Receipt.objects.exists())
    @rule(number=PICK)
    def say_it_is_still_wrong(self, number: int) -> None:
        receipt = pick(list(Receipt.objects.select_related("flag__agent").order_by("pk")), number)
        agent = receipt.flag.agent
        if receipt.flag.state != Flag.State.FIXED:
            with refused():
                receipts.mark_still_wrong(receipt=receipt, by=agent, at=self.clock.at)
            return
        receipts.mark_still_wrong(receipt=receipt, by=agent, at=self.clock.at)

    # What must hold after every step

    @invariant()
    def the_loop_keeps_its_promises(self) -> None:
        if not hasattr(self, "facts"):
            return
        project, self.steps = self.team.project, self.steps + 1
        loop_checks.batches_are_as_modelled(project, self.loop)
        loop_checks.one_champion(project, self.loop)
        if self.has_worked:
            self.has_worked = False
            loop_checks.fixed_flags_have_their_receipt(project)
            self.used.look(self.loop)
        if self.steps % LOOK_EVERY == 0:
            self.facts.look()

    def check_at_the_end(self) -> None:
        super().check_at_the_end()
        self.facts.look()
        loop_checks.events_agree_with_states(self.team.project)

    # Helpers

    def live_version(self) -> ModelVersion:
        return ModelVersion.objects.get(project=self.team.project, name=self.loop.champion)

    def batch(self, proposal: Proposal) -> Batch:
        related = Batch.objects.select_related("project", "job", "version", "approved_revision")
        return related.get(pk=proposal.pk)

    def decision(self) -> Decision:
        return {"reason": "Says who decides.", "by": self.team.lena, "at": self.clock.at}

    def rather(self, number: int, state: str) -> Proposal:
        """One in that state if there is one."""
        return pick(list(self.loop.in_state(state)) or list(self.loop.proposals.values()), number)

    def happens(self, action: Callable[[], object], place: str, *, dies: bool) -> bool:
        """Whether the process lived through it; if not, it was as if it had never begun."""
        with self.shop.expecting(place if dies else "", die):
            try:
                action()
            except Died:
                return False
        return True

    def truths(self) -> dict[int, int]:
        """The accepted answer of each item, by their ids."""
        settled = Item.objects.filter(project=self.team.project, truth__isnull=False)
        return dict(settled.values_list("pk", "truth_id"))

    def expected_rows(self, besides: Proposal | None = None) -> dict[int, Row]:
        """Accepted, a class, for training, new, and not too close to what is held out."""
        taken, truths = self.loop.taken(besides), self.truths()
        inputs = {thing.identity for thing in self.model.things.values()}
        left_out = {self.identity(TWIN)} if self.identity(HELD_OUT) in inputs else set()
        return {
            pk: (truths[pk], thing.truth)
            for pk, thing in self.model.things.items()
            if thing.state == RESOLVED
            and thing.truth != NONE_OF_THESE
            and thing.use == Item.Use.TRAIN
            and truths[pk] not in taken
            and thing.identity not in left_out
        }

    def is_current(self, shown: Shown) -> bool:
        """Every pinned row is its item's answer still, under the same champion."""
        truths = self.truths()
        rows = shown.rows.items()
        return shown.champion == self.loop.champion and all(
            truths.get(item) == truth for item, (truth, _) in rows
        )

    def note_shown(self, revision: BatchRevision, expected: dict[int, Row]) -> None:
        shown = loop_checks.shown(revision)
        learned, truths = self.loop.learned_by(self.loop.champion).rows, self.truths()
        assert shown.rows == expected
        assert shown.champion == self.loop.champion
        assert shown.retired == {
            truth for item, (truth, _) in learned.items() if truths.get(item) != truth
        }
        self.loop.proposals[revision.batch_id].shown.append(shown)

    def approve_now(self, proposal: Proposal, read: Shown) -> None:
        batches.approve_by_hash(
            batch=self.batch(proposal), digest=read.digest, by=self.team.lena, at=self.clock.at
        )

    def note_approved(self, proposal: Proposal, read: Shown) -> None:
        proposal.state, proposal.approved = APPROVED, read
        for item in read.rows:
            thing = self.model.things[item]
            thing.sealed_round = thing.round

    def identity(self, text: str) -> str:
        return identity_of(self.team.project, {"text": text})


@contextmanager
def refused() -> Iterator[None]:
    """What happens in the block is refused, and nothing comes of it."""
    try:
        yield
    except Conflict:
        return
    raise AssertionError("This should have been refused.")
