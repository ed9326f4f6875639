"""Receipts while the world moves: answers change, runs overlap, and external versions speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from events.models import Event
from feedback.models import Flag, FlagDecision
from jobs.clock import SetClock
from jobs.models import Job
from labeling.models import Item
from labeling.queueing import requeue_item
from projects.identity import EVALUATION, TRAIN
from projects.models import Deployment, ModelVersion
from projects.task_types.base import Input
from projects.versions import deploy, external_version, find_champion
from retraining import receipt_jobs, receipts
from retraining.model_answers import ModelAnswer
from retraining.models import Receipt
from retraining.receipt_jobs import add_receipt_job, check_accepted_flag
from retraining.regression_cases import keep_accepted_flags
from tests.flagged import make_flag, make_prediction, settle_input, text_of_use
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db

PARCEL = "where is my parcel"


def nothing() -> None:
    """Nobody meddles."""


class Model:
    """A live version that knows the answer to everything; something happens while it thinks."""

    def __init__(self, label: str = "delivery", meanwhile: Callable[[], object] = nothing) -> None:
        self.label, self.meanwhile = label, meanwhile
        self.asked: list[Input] = []

    def answer(self, values: Sequence[Input]) -> list[ModelAnswer]:
        self.asked += values
        self.meanwhile()
        return [ModelAnswer(self.label, 0.75, {}) for _ in values]


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def accepted_flag(team: Team, clock: SetClock, text: str = PARCEL, right: str = "delivery") -> Flag:
    flag = make_flag(team, text, "refund", at=clock.at)
    settle_input(team, text, right, at=clock.at)
    return flag


def go_live(team: Team, clock: SetClock, name: str, *, cause: str = "promotion") -> Deployment:
    clock.advance(timedelta(minutes=1))
    version = external_version(team.project, name, at=clock.at)
    return deploy(
        version=version, expected=find_champion(team.project), cause=cause, at=clock.at, by=None
    )


def send(
    line: Deployment, clock: SetClock, model: Model | None = None
) -> tuple[int, list[tuple[int, int]]]:
    """How many were sent, and how far it said it was."""
    told: list[tuple[int, int]] = []
    sent = receipts.send_receipts(
        line=line,
        model=model or Model(),
        at=clock.at,
        report=lambda done, total: told.append((done, total)),
    )
    return sent, told


def take_back(line: Deployment, clock: SetClock, model: Model | None = None) -> int:
    return receipts.revoke_receipts(
        line=line, model=model, at=clock.at, report=lambda done, total: None
    )


def fresh(flag: Flag) -> Flag:
    return Flag.objects.get(pk=flag.pk)


def test_it_counts_what_it_sent_and_tells_how_far_it_is(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    accepted_flag(team, clock, "the bill", "billing")
    line = go_live(team, clock, "v2")

    assert send(line, clock) == (1, [(1, 2), (2, 2)])


def test_nobody_waiting_is_nobody_asked(team: Team, clock: SetClock) -> None:
    model = Model()

    assert send(go_live(team, clock, "v2"), clock, model) == (0, [])
    assert model.asked == []


def test_many_cases_are_asked_in_parts_and_each_gets_its_own(
    team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "CASES_AT_ONCE", 2)
    flags = [accepted_flag(team, clock, f"parcel {number}") for number in range(5)]
    line = go_live(team, clock, "v2")
    model = Model()

    sent, told = send(line, clock, model)

    assert (sent, told[-1]) == (5, (5, 5))
    assert [value["text"] for value in model.asked] == [f"parcel {n}" for n in range(5)]
    assert {receipt.flag for receipt in Receipt.objects.all()} == set(flags)


def test_an_answer_corrected_while_the_model_thinks_is_what_counts(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    line = go_live(team, clock, "v2")

    def correct() -> None:
        requeue_item(item=Item.objects.get(), at=clock.at, by=team.rita, reason="doubt")
        settle_input(team, PARCEL, "billing", at=clock.at)

    sent, _ = send(line, clock, Model(meanwhile=correct))

    assert (sent, Receipt.objects.count(), fresh(flag).state) == (0, 0, Flag.State.OPEN)


def test_an_answer_withdrawn_while_the_model_thinks_sends_nothing(
    team: Team, clock: SetClock
) -> None:
    accepted_flag(team, clock)
    line = go_live(team, clock, "v2")

    def withdraw() -> None:
        requeue_item(item=Item.objects.get(), at=clock.at, by=team.rita, reason="doubt")

    assert send(line, clock, Model(meanwhile=withdraw))[0] == 0


def test_a_flag_withdrawn_while_the_model_thinks_gets_none(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)
    line = go_live(team, clock, "v2")

    def withdraw() -> None:
        Flag.objects.filter(pk=flag.pk).update(state=Flag.State.WITHDRAWN)

    assert send(line, clock, Model(meanwhile=withdraw))[0] == 0
    assert fresh(flag).state == Flag.State.WITHDRAWN


def test_a_run_that_another_has_overtaken_sends_nothing_twice(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    line = go_live(team, clock, "v2")

    sent, _ = send(line, clock, Model(meanwhile=lambda: send(line, clock)))

    assert (sent, Receipt.objects.count()) == (0, 1)
    assert Event.objects.filter(name="receipt.sent").count() == 1
    assert FlagDecision.objects.count() == 1


def test_a_run_that_another_has_overtaken_does_not_overrule_still_wrong(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    line = go_live(team, clock, "v2")

    def sent_and_contradicted() -> None:
        send(line, clock)
        receipts.mark_still_wrong(receipt=Receipt.objects.get(), by=team.ada, at=clock.at)

    assert send(line, clock, Model(meanwhile=sent_and_contradicted))[0] == 0
    assert fresh(flag).state == Flag.State.STILL_WRONG


def test_another_projects_flags_get_none(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    accepted_flag(other, clock)
    keep_accepted_flags(at=clock.at)

    assert send(go_live(team, clock, "v2"), clock)[0] == 0


def test_what_was_not_accepted_yet_is_kept_before_anybody_is_asked(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    line = go_live(team, clock, "v2")

    assert send(line, clock)[0] == 1
    assert fresh(flag).regression_case.item == Item.objects.get()


def test_a_line_that_has_moved_stops_taking_back(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)
    first = team.version
    send(go_live(team, clock, "v2"), clock)
    back = deploy(
        version=first,
        expected=find_champion(team.project),
        cause="rollback",
        at=clock.at,
        by=None,
    )
    go_live(team, clock, "v3")

    with pytest.raises(receipts.LineMoved, match="v1"):
        take_back(back, clock, Model("refund"))

    assert fresh(flag).state == Flag.State.FIXED


def rolled_back(team: Team, clock: SetClock) -> Deployment:
    """The first version is live again, after another one that sent its receipts."""
    send(go_live(team, clock, "v2"), clock)
    return go_live(team, clock, "v1", cause="rollback")


def test_an_external_version_that_recorded_the_right_answer_keeps_the_receipt(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    make_prediction(team, PARCEL, "delivery", at=clock.at)
    line = rolled_back(team, clock)

    assert take_back(line, clock) == 0
    assert fresh(flag).state == Flag.State.FIXED
    assert Receipt.objects.get().revoked_at is None


def test_an_external_version_that_recorded_nothing_of_it_does_not_keep_it(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    older = external_version(team.project, "v0", at=clock.at)
    type(flag).objects.filter(pk=flag.pk).update(prediction=None)
    team.project.predictions.all().delete()
    make_prediction(team, PARCEL, "delivery", at=clock.at, version=older)
    line = rolled_back(team, clock)

    assert take_back(line, clock) == 1
    assert fresh(flag).state == Flag.State.OPEN


def test_taking_back_is_done_once_however_many_runs_there_are(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    line = rolled_back(team, clock)

    taken = take_back(
        line, clock, Model("refund", meanwhile=lambda: take_back(line, clock, Model("refund")))
    )

    assert taken == 0
    assert Event.objects.filter(name="receipt.revoked").count() == 1


def test_receipts_of_versions_that_still_lead_to_the_live_one_are_not_doubted(
    team: Team, clock: SetClock
) -> None:
    accepted_flag(team, clock)
    send(go_live(team, clock, "v2"), clock)
    line = go_live(team, clock, "v3")
    model = Model("refund")

    assert take_back(line, clock, model) == 0
    assert model.asked == []


def test_a_receipt_the_agent_contradicted_is_not_doubted(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)
    send(go_live(team, clock, "v2"), clock)
    receipts.mark_still_wrong(receipt=Receipt.objects.get(), by=team.ada, at=clock.at)
    line = go_live(team, clock, "v1", cause="rollback")

    assert take_back(line, clock, Model("refund")) == 0
    assert fresh(flag).state == Flag.State.STILL_WRONG


def test_of_several_receipts_only_those_answered_wrong_again_are_taken_back(
    team: Team, clock: SetClock
) -> None:
    lost = accepted_flag(team, clock, "parcel one")
    kept = accepted_flag(team, clock, "parcel two")
    make_prediction(team, "parcel two", "delivery", at=clock.at)
    line = rolled_back(team, clock)

    assert take_back(line, clock) == 1
    assert (fresh(lost).state, fresh(kept).state) == (Flag.State.OPEN, Flag.State.FIXED)


def test_what_the_customer_is_told_claims_nothing_of_cases_in_other_issues(
    team: Team, clock: SetClock
) -> None:
    accepted_flag(team, clock, text_of_use(team.project, TRAIN))
    other = accepted_flag(team, clock, text_of_use(team.project, EVALUATION, "parcel"))
    send(go_live(team, clock, "v2"), clock)

    assert receipts.claims_similar_cases(Receipt.objects.get(flag=other))
    assert not receipts.claims_similar_cases(Receipt.objects.exclude(flag=other).get())


def test_a_case_still_wrong_in_its_issue_takes_the_claim_away(team: Team, clock: SetClock) -> None:
    first = accepted_flag(team, clock, text_of_use(team.project, EVALUATION))
    second = accepted_flag(team, clock, text_of_use(team.project, EVALUATION, "parcel"))
    Flag.objects.filter(pk=second.pk).update(issue=first.issue)
    send(go_live(team, clock, "v2"), clock)
    receipt = Receipt.objects.get(flag=first)
    assert receipts.claims_similar_cases(receipt)

    Flag.objects.filter(pk=second.pk).update(state=Flag.State.STILL_WRONG)

    assert not receipts.claims_similar_cases(receipt)


def test_the_plain_sentence_claims_nothing_of_other_cases(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock, text_of_use(team.project, EVALUATION))
    send(go_live(team, clock, "v2"), clock)
    receipt = Receipt.objects.get()

    assert receipts.plain_sentence(receipt) == (
        "Thank you for reporting this. It was answered as “refund” by mistake; "
        "it is now answered as “delivery”."
    )
    assert receipts.customer_sentence(receipt) == (
        f"{receipts.plain_sentence(receipt)} "
        "Similar cases that we checked are answered right as well."
    )


def test_a_deployment_has_one_job_and_one_more_for_each_further_cause(
    team: Team, clock: SetClock
) -> None:
    line = go_live(team, clock, "v2")

    for cause in ("", "", "accepted now", "accepted now", "accepted later"):
        add_receipt_job(receipt_jobs.SEND_RECEIPTS, line, at=clock.at, cause=cause)

    assert Job.objects.filter(kind=receipt_jobs.SEND_RECEIPTS).count() == 3


def test_a_flag_on_an_id_not_yet_seen_adds_no_job(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)
    go_live(team, clock, "v2")
    Flag.objects.filter(pk=flag.pk).update(prediction=None)

    check_accepted_flag(fresh(flag), at=clock.at)

    assert not Job.objects.exists()


def test_before_the_first_deployment_an_accepted_flag_adds_no_job(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    Deployment.objects.all().delete()

    check_accepted_flag(flag, at=clock.at)

    assert not Job.objects.exists()


def test_the_live_version_is_held_while_a_receipt_is_written(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    line = go_live(team, clock, "v2")

    def another_goes_live() -> None:
        go_live(team, clock, "v3")

    with pytest.raises(receipts.LineMoved, match="v2"):
        send(line, clock, Model(meanwhile=another_goes_live))

    assert not Receipt.objects.exists()
    assert ModelVersion.objects.filter(name="v3").exists()
