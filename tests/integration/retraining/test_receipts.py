"""Receipts tell the truth about a promoted version, and a rollback takes back what it unfixes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from events.models import Event
from feedback.flagging import DECIDED_BY_RULE
from feedback.models import Flag, FlagDecision, Issue
from jobs.clock import SetClock
from jobs.models import Job
from jobs.running import drain_jobs
from labeling.models import Item
from labeling.queueing import requeue_item
from projects.errors import Conflict, Refused
from projects.files import store_file
from projects.identity import EVALUATION, TRAIN
from projects.models import Deployment, ModelVersion
from projects.versions import deploy
from retraining import background, promotion, receipt_jobs, receipts
from retraining.model_answers import ModelAnswer
from retraining.models import DatasetVersion, Receipt
from retraining.regression_cases import keep_accepted_flags
from retraining.stories import story_of_issue
from tests.flagged import make_flag, settle_input, text_of_use
from tests.people import Team, make_team
from tests.trained import NEW_WORLD, OLD_WORLD, make_evaluated_batch, make_trained_version

pytestmark = pytest.mark.django_db

PARCEL = "where is my parcel"
# In between a model may take parcels for something else.
REFUNDED = {**OLD_WORLD, PARCEL: "refund", "where is the parcel": "refund"}


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def promote(team: Team, version: ModelVersion, clock: SetClock) -> Deployment:
    clock.advance(timedelta(minutes=1))
    batch = make_evaluated_batch(team, version, at=clock.at)
    return promotion.promote(batch=batch, by=team.lena, at=clock.at)


def promote_second(team: Team, clock: SetClock) -> ModelVersion:
    """A version that knows parcels goes live, and its receipts are sent."""
    version = make_trained_version(team, "v2", at=clock.at, rows=NEW_WORLD)
    promote(team, version, clock)
    drain_jobs()
    return version


def roll_back(team: Team, clock: SetClock) -> None:
    clock.advance(timedelta(minutes=1))
    promotion.roll_back(project=team.project, by=team.lena, at=clock.at, reason="Worse.")
    drain_jobs()


def train_on(version: ModelVersion, item: Item, *, at: datetime) -> None:
    """Say that the version's dataset holds the item, with the answer accepted now."""
    dataset = DatasetVersion.objects.create(
        project=item.project,
        number=1,
        manifest=store_file(content=b"{}", media_type="application/json", at=at),
        row_count=1,
        added_count=1,
        created_at=at,
    )
    assert item.truth is not None
    dataset.rows.create(project=item.project, item=item, truth=item.truth)
    version.dataset_id = dataset.pk
    version.save()


def accepted_flag(team: Team, clock: SetClock, text: str = PARCEL, right: str = "delivery") -> Flag:
    flag = make_flag(team, text, "refund", at=clock.at)
    settle_input(team, text, right, at=clock.at)
    return flag


def test_a_flag_that_is_answered_right_now_gets_a_receipt(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)

    version = promote_second(team, clock)

    flag.refresh_from_db()
    receipt = Receipt.objects.get()
    assert flag.state == Flag.State.FIXED
    assert (receipt.flag, receipt.version) == (flag, version)
    assert (receipt.old_answer, receipt.new_answer) == ("refund", "delivery")
    assert receipt.new_confidence is not None
    assert 0.33 < receipt.new_confidence < 1
    assert Event.objects.filter(name="receipt.sent", subject_id=receipt.pk).count() == 1


def test_its_issue_is_fixed_in_that_version(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)

    version = promote_second(team, clock)

    issue = Issue.objects.get()
    assert (issue.state, issue.fixed_in) == (Issue.State.FIXED, version)


def test_a_flag_that_is_still_answered_wrong_gets_none(team: Team, clock: SetClock) -> None:
    flag = make_flag(team, PARCEL, "billing", at=clock.at)
    settle_input(team, PARCEL, "refund", at=clock.at)

    promote_second(team, clock)

    flag.refresh_from_db()
    assert flag.state == Flag.State.OPEN
    assert Receipt.objects.count() == 0
    assert Issue.objects.get().state == Issue.State.AWAITING_RETRAIN


def test_the_ground_truth_at_sending_counts(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    version = make_trained_version(team, "v2", at=clock.at)
    promote(team, version, clock)
    item = settle_input(team, PARCEL, "delivery", at=clock.at)
    requeue_item(item=item, at=clock.at, by=team.rita, reason="the world changed")
    settle_input(team, PARCEL, "billing", at=clock.at)

    drain_jobs()

    assert Receipt.objects.count() == 0


def test_a_flag_without_an_accepted_answer_gets_none(team: Team, clock: SetClock) -> None:
    make_flag(team, PARCEL, "refund", at=clock.at)

    promote_second(team, clock)

    assert Receipt.objects.count() == 0


def test_a_withdrawn_flag_gets_none(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    Flag.objects.update(state=Flag.State.WITHDRAWN)

    promote_second(team, clock)

    assert Receipt.objects.count() == 0


def test_every_agent_who_flagged_it_gets_one(team: Team, clock: SetClock) -> None:
    make_flag(team, PARCEL, "billing", at=clock.at, agent=team.alan)
    accepted_flag(team, clock)

    promote_second(team, clock)

    agents = Receipt.objects.values_list("flag__agent__username", flat=True)
    assert sorted(agents) == ["ada", "alan"]


@pytest.mark.parametrize(
    ("trained_on", "is_learned"), [("delivery", True), ("billing", False), ("", False)]
)
def test_a_receipt_says_whether_the_case_was_learned(
    team: Team, clock: SetClock, trained_on: str, is_learned: bool
) -> None:
    flag = make_flag(team, PARCEL, "refund", at=clock.at)
    item = settle_input(team, PARCEL, trained_on or "delivery", at=clock.at)
    version = make_trained_version(team, "v2", at=clock.at)
    if trained_on:
        train_on(version, item, at=clock.at)
    requeue_item(item=item, at=clock.at, by=team.rita, reason="the world changed")
    settle_input(team, PARCEL, "delivery", at=clock.at)

    promote(team, version, clock)
    drain_jobs()

    receipt = Receipt.objects.get(flag=flag)
    assert receipt.is_learned is is_learned


def test_a_flag_accepted_after_the_promotion_is_asked_about_at_once(
    team: Team, clock: SetClock
) -> None:
    flag = make_flag(team, PARCEL, "refund", at=clock.at)
    version = promote_second(team, clock)
    settle_input(team, PARCEL, "delivery", at=clock.at)

    background.keep_cases(clock.at)
    drain_jobs()

    flag.refresh_from_db()
    assert flag.state == Flag.State.FIXED
    assert Receipt.objects.get().version == version


def test_flags_accepted_at_one_moment_share_a_job(team: Team, clock: SetClock) -> None:
    make_flag(team, PARCEL, "refund", at=clock.at)
    make_flag(team, PARCEL, "billing", at=clock.at, agent=team.alan)
    promote_second(team, clock)
    settle_input(team, PARCEL, "delivery", at=clock.at)

    background.keep_cases(clock.at)
    background.keep_cases(clock.at + timedelta(seconds=5))

    assert Job.objects.open().count() == 1


def test_a_flag_accepted_while_receipts_are_being_sent_is_asked_about_too(
    team: Team, clock: SetClock
) -> None:
    make_flag(team, PARCEL, "refund", at=clock.at)
    promote(team, make_trained_version(team, "v2", at=clock.at), clock)
    Job.objects.update(state="running", lease_until=clock.at + timedelta(minutes=1))
    settle_input(team, PARCEL, "delivery", at=clock.at)

    background.keep_cases(clock.at)

    assert Job.objects.filter(kind=receipt_jobs.SEND_RECEIPTS, state="queued").count() == 1


def test_what_the_live_version_itself_answered_needs_no_second_look(
    team: Team, clock: SetClock
) -> None:
    version = promote_second(team, clock)
    make_flag(team, PARCEL, "refund", at=clock.at, version=version)
    settle_input(team, PARCEL, "delivery", at=clock.at)

    background.keep_cases(clock.at)

    assert not Job.objects.open().exists()


def test_an_issue_counts_people_and_not_their_receipts(team: Team, clock: SetClock) -> None:
    for text in (PARCEL, "the parcel is late"):
        accepted_flag(team, clock, text)
    Flag.objects.update(issue=Issue.objects.earliest("pk"))

    promote_second(team, clock)

    issue = Issue.objects.earliest("pk")
    steps = story_of_issue(issue, list(issue.flags.all()))
    assert Receipt.objects.count() == 2
    assert [step.text for step in steps if "Receipts" in step.strong] == [
        "sent to 1 person for v2."
    ]


def test_running_the_job_twice_sends_one_receipt(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    promote_second(team, clock)

    Job.objects.filter(kind=receipt_jobs.SEND_RECEIPTS).update(state="queued")
    drain_jobs()

    assert Receipt.objects.count() == 1
    assert FlagDecision.objects.count() == 1


def test_running_the_job_again_does_not_overrule_still_wrong(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)
    promote_second(team, clock)
    receipts.mark_still_wrong(receipt=Receipt.objects.get(), by=team.ada, at=clock.at)

    Job.objects.filter(kind=receipt_jobs.SEND_RECEIPTS).update(state="queued")
    drain_jobs()

    flag.refresh_from_db()
    assert flag.state == Flag.State.STILL_WRONG


def test_a_version_that_is_no_longer_live_sends_none(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    second = make_trained_version(team, "v2", at=clock.at)
    promote(team, second, clock)
    third = make_trained_version(team, "v3", at=clock.at, rows=OLD_WORLD)
    deploy(version=third, expected=second, cause="promotion", at=clock.at, by=team.lena)

    drain_jobs()

    assert Receipt.objects.count() == 0


def test_sending_stops_when_another_version_goes_live_meanwhile(
    team: Team, clock: SetClock
) -> None:
    accepted_flag(team, clock)
    second = make_trained_version(team, "v2", at=clock.at)
    line = promote(team, second, clock)
    third = make_trained_version(team, "v3", at=clock.at, rows=OLD_WORLD)
    deploy(version=third, expected=second, cause="promotion", at=clock.at, by=team.lena)
    model = ModelAnswer("delivery", 0.9, {})

    class Quick:
        def answer(self, values: object) -> list[ModelAnswer]:
            return [model]

    with pytest.raises(receipts.LineMoved):
        receipts.send_receipts(
            line=line, model=Quick(), at=clock.at, report=lambda done, total: None
        )

    assert Receipt.objects.count() == 0


def test_an_agent_says_that_it_is_still_wrong(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)
    promote_second(team, clock)
    receipt = Receipt.objects.get()

    receipts.mark_still_wrong(receipt=receipt, by=team.ada, at=clock.at, note="Customer denies.")

    flag.refresh_from_db()
    receipt.refresh_from_db()
    assert flag.state == Flag.State.STILL_WRONG
    assert receipt.seen_at == clock.at
    assert Issue.objects.get().state == Issue.State.REOPENED
    assert FlagDecision.objects.latest("pk").reason == "Customer denies."


def test_nobody_else_says_that_it_is_still_wrong(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    promote_second(team, clock)

    with pytest.raises(Refused):
        receipts.mark_still_wrong(receipt=Receipt.objects.get(), by=team.alan, at=clock.at)


def test_still_wrong_is_said_once(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    promote_second(team, clock)
    receipts.mark_still_wrong(receipt=Receipt.objects.get(), by=team.ada, at=clock.at)

    with pytest.raises(Conflict):
        receipts.mark_still_wrong(receipt=Receipt.objects.get(), by=team.ada, at=clock.at)


def test_a_flag_still_wrong_gets_another_receipt_from_a_later_version(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    promote_second(team, clock)
    receipts.mark_still_wrong(receipt=Receipt.objects.get(), by=team.ada, at=clock.at)

    promote(team, make_trained_version(team, "v3", at=clock.at), clock)
    drain_jobs()

    flag.refresh_from_db()
    assert flag.state == Flag.State.FIXED
    assert Receipt.objects.count() == 2


def test_seeing_a_receipt_counts_the_first_time(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    promote_second(team, clock)
    first = clock.at

    receipts.mark_seen(receipt=Receipt.objects.get(), at=clock.at)
    clock.advance(timedelta(hours=1))
    receipts.mark_seen(receipt=Receipt.objects.get(), at=clock.at)

    assert Receipt.objects.get().seen_at == first


def test_the_sentence_for_the_customer_names_both_answers(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock, text_of_use(team.project, TRAIN))
    promote_second(team, clock)

    sentence = receipts.customer_sentence(Receipt.objects.get())

    assert "“refund”" in sentence
    assert "“delivery”" in sentence
    assert "Similar" not in sentence


def test_similar_cases_are_claimed_only_where_held_out_ones_pass(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock, text_of_use(team.project, EVALUATION))
    promote_second(team, clock)
    receipt = Receipt.objects.get()
    assert "Similar" in receipts.customer_sentence(receipt)

    broken = accepted_flag(team, clock, text_of_use(team.project, EVALUATION, "bill"), "delivery")
    Flag.objects.filter(pk=broken.pk).update(issue=flag.issue)
    keep_accepted_flags(at=clock.at)

    assert "Similar" not in receipts.customer_sentence(receipt)


def test_a_rollback_opens_again_what_the_older_version_answers_wrong(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    promote_second(team, clock)

    roll_back(team, clock)

    flag.refresh_from_db()
    receipt = Receipt.objects.get()
    assert flag.state == Flag.State.OPEN
    assert receipt.revoked_at == clock.at
    assert Issue.objects.get().state == Issue.State.REOPENED
    assert "rolled back" in FlagDecision.objects.latest("pk").reason
    assert Event.objects.filter(name="receipt.revoked", subject_id=receipt.pk).count() == 1


def test_a_rollback_leaves_what_the_older_version_answers_right(
    team: Team, clock: SetClock
) -> None:
    promote(team, make_trained_version(team, "v1b", at=clock.at, rows=NEW_WORLD), clock)
    drain_jobs()
    flag = accepted_flag(team, clock)
    promote_second(team, clock)

    roll_back(team, clock)

    flag.refresh_from_db()
    assert flag.state == Flag.State.FIXED
    assert Receipt.objects.get().revoked_at is None


def test_a_second_rollback_reaches_receipts_the_first_one_left(team: Team, clock: SetClock) -> None:
    promote(team, make_trained_version(team, "v1b", at=clock.at, rows=NEW_WORLD), clock)
    drain_jobs()
    flag = accepted_flag(team, clock)
    promote_second(team, clock)
    roll_back(team, clock)

    roll_back(team, clock)

    flag.refresh_from_db()
    assert flag.state == Flag.State.OPEN
    assert Receipt.objects.get().revoked_at == clock.at


def test_what_was_unfixed_can_be_fixed_by_a_later_version(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)
    promote_second(team, clock)
    roll_back(team, clock)

    third = make_trained_version(team, "v3", at=clock.at)
    promote(team, third, clock)
    drain_jobs()

    flag.refresh_from_db()
    assert flag.state == Flag.State.FIXED
    assert Receipt.objects.get(revoked_at=None).version == third
    assert Issue.objects.get().fixed_in == third


def test_revoking_twice_changes_nothing(team: Team, clock: SetClock) -> None:
    accepted_flag(team, clock)
    promote_second(team, clock)
    roll_back(team, clock)
    events = Event.objects.count()

    Job.objects.filter(kind=receipt_jobs.REVOKE_RECEIPTS).update(state="queued")
    drain_jobs()

    assert Event.objects.count() == events


def label_again(team: Team, clock: SetClock) -> None:
    """The world changed: the one item has no accepted answer now."""
    item = Item.objects.get()
    requeue_item(item=item, at=clock.at, by=team.rita, reason="the world changed")


def test_a_rollback_declines_by_rule_what_was_right_after_all(team: Team, clock: SetClock) -> None:
    flag = make_flag(team, PARCEL, "billing", at=clock.at)
    promote(team, make_trained_version(team, "v1b", at=clock.at, rows=REFUNDED), clock)
    settle_input(team, PARCEL, "delivery", at=clock.at)
    promote_second(team, clock)
    label_again(team, clock)
    settle_input(team, PARCEL, "billing", at=clock.at)

    roll_back(team, clock)

    flag.refresh_from_db()
    assert flag.state == Flag.State.DECLINED
    assert FlagDecision.objects.latest("pk").reason == DECIDED_BY_RULE
    assert Receipt.objects.get().revoked_at == clock.at
    assert Issue.objects.get().state == Issue.State.DECLINED


def test_a_rollback_to_the_flagged_answer_declines_it_where_that_is_right_now(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    promote_second(team, clock)
    label_again(team, clock)
    settle_input(team, PARCEL, "refund", at=clock.at)

    roll_back(team, clock)

    flag.refresh_from_db()
    assert flag.state == Flag.State.DECLINED
    assert Receipt.objects.get().revoked_at == clock.at


def test_what_a_rollback_opens_is_judged_by_the_answer_that_is_still_to_come(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    promote_second(team, clock)
    label_again(team, clock)
    roll_back(team, clock)
    flag.refresh_from_db()
    assert flag.state == Flag.State.OPEN

    settle_input(team, PARCEL, "refund", at=clock.at)

    flag.refresh_from_db()
    assert flag.state == Flag.State.DECLINED


def test_the_same_version_live_again_sends_its_receipt_again(team: Team, clock: SetClock) -> None:
    flag = accepted_flag(team, clock)
    version = promote_second(team, clock)
    receipts.mark_seen(receipt=Receipt.objects.get(), at=clock.at)
    roll_back(team, clock)

    promote(team, version, clock)
    drain_jobs()

    flag.refresh_from_db()
    receipt = Receipt.objects.get()
    assert flag.state == Flag.State.FIXED
    assert (receipt.sent_at, receipt.seen_at, receipt.revoked_at) == (clock.at, None, None)
    assert Event.objects.filter(name="receipt.sent", subject_id=receipt.pk).count() == 2


def test_the_same_version_live_again_does_not_overrule_still_wrong(
    team: Team, clock: SetClock
) -> None:
    flag = accepted_flag(team, clock)
    version = promote_second(team, clock)
    receipts.mark_still_wrong(receipt=Receipt.objects.get(), by=team.ada, at=clock.at)
    roll_back(team, clock)

    promote(team, version, clock)
    drain_jobs()

    flag.refresh_from_db()
    assert flag.state == Flag.State.STILL_WRONG
