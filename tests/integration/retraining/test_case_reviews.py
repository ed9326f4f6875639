"""A broken regression case counts when a reviewer says so; a pinned one vetoes alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from django.urls import reverse

from events.models import Event
from feedback.models import Sighting
from jobs.clock import SetClock
from jobs.running import drain_jobs
from labeling.queueing import requeue_item
from projects.errors import Conflict, Invalid
from projects.versions import deploy
from retraining import promotion
from retraining.batches import ask_for_evaluation
from retraining.case_reviews import pin_case, review_case, waiting_cases
from retraining.comparison import gates_red_first
from retraining.models import Batch, CaseReview, Evaluation, GateResult, RegressionCase
from retraining.regression_cases import keep_accepted_flags
from tests.api import ask
from tests.flagged import make_flag, settle_input
from tests.pages import Pages, lead_url, text_of
from tests.people import Team, make_team
from tests.trained import (
    OLD_WORLD,
    answer_cases,
    evaluate_again,
    make_evaluated_batch,
    make_trained_version,
)

pytestmark = pytest.mark.django_db

COUNTS, EXCUSED = CaseReview.Verdict.COUNTS, CaseReview.Verdict.EXCUSED
BROKEN, KEPT = ("delivery", "refund"), ("delivery", "delivery")


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def batch(team: Team, clock: SetClock) -> Batch:
    """Compared with the live model; nothing said of any case yet."""
    version = make_trained_version(team, "v2", at=clock.at)
    return make_evaluated_batch(team, version, at=clock.at)


def make_cases(team: Team, clock: SetClock, count: int) -> list[RegressionCase]:
    for number in range(count):
        text = f"where is parcel {number}"
        make_flag(team, text, "billing", at=clock.at)
        settle_input(team, text, "delivery", at=clock.at)
    keep_accepted_flags(at=clock.at)
    return list(RegressionCase.objects.order_by("pk"))


def compare(
    batch: Batch, answers: Mapping[RegressionCase, tuple[str, str]], clock: SetClock
) -> Evaluation:
    evaluation = batch.evaluations.get()
    answer_cases(evaluation, answers, at=clock.at)
    return evaluation


def share_of(evaluation: Evaluation) -> GateResult:
    return evaluation.gates.get(slug="regression", name="Broken share")


def review(
    team: Team, batch: Batch, case: RegressionCase, clock: SetClock, verdict: str = COUNTS
) -> None:
    review_case(
        batch=batch,
        case=case,
        verdict=verdict,
        by=team.rita,
        at=clock.at,
        reason="" if verdict == COUNTS else "Either answer will do.",
    )


def test_broken_cases_fail_the_gate_only_once_they_are_confirmed(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    cases = make_cases(team, clock, 4)
    evaluation = compare(batch, dict.fromkeys(cases, BROKEN), clock)
    before = share_of(evaluation)

    for case in cases:
        review(team, batch, case, clock)

    after = share_of(evaluation)
    assert (before.result, before.value) == (GateResult.Result.NOT_ENOUGH, 0.0)
    assert before.note == "4 broken cases wait for a reviewer."
    assert (after.result, after.value, after.note) == (GateResult.Result.FAILED, 1.0, "")
    with pytest.raises(Conflict, match="Broken share"):
        promotion.promote(batch=batch, by=team.lena, at=clock.at, confirm_not_enough=True)


def test_an_excused_case_does_not_count(team: Team, batch: Batch, clock: SetClock) -> None:
    cases = make_cases(team, clock, 3)
    evaluation = compare(batch, dict.fromkeys(cases, BROKEN), clock)

    for case in cases:
        review(team, batch, case, clock, EXCUSED)

    share = share_of(evaluation)
    assert (share.result, share.value, share.note) == (GateResult.Result.NOT_ENOUGH, 0.0, "")
    assert waiting_cases(team.project) == {}


def test_an_excuse_needs_a_reason(team: Team, batch: Batch, clock: SetClock) -> None:
    [case] = make_cases(team, clock, 1)
    compare(batch, {case: BROKEN}, clock)

    with pytest.raises(Invalid, match="Say why"):
        review_case(batch=batch, case=case, verdict=EXCUSED, by=team.rita, at=clock.at, reason="  ")

    assert not CaseReview.objects.exists()


def test_a_reviewer_may_change_their_mind(team: Team, batch: Batch, clock: SetClock) -> None:
    [case] = make_cases(team, clock, 1)
    evaluation = compare(batch, {case: BROKEN}, clock)
    review(team, batch, case, clock)

    review(team, batch, case, clock, EXCUSED)

    assert share_of(evaluation).value == 0.0
    assert CaseReview.objects.count() == 2
    assert Event.objects.filter(name="regression_case.reviewed", actor_id=team.rita.pk).count() == 2


@pytest.mark.parametrize("answers", [KEPT, ("billing", "refund")])
def test_only_a_broken_case_is_judged(
    team: Team, batch: Batch, clock: SetClock, answers: tuple[str, str]
) -> None:
    [case] = make_cases(team, clock, 1)
    compare(batch, {case: answers}, clock)

    with pytest.raises(Conflict, match="does not break"):
        review(team, batch, case, clock)


def test_nothing_is_judged_after_the_decision(team: Team, batch: Batch, clock: SetClock) -> None:
    [case] = make_cases(team, clock, 1)
    evaluation = compare(batch, {case: BROKEN}, clock)
    promotion.promote(batch=batch, by=team.lena, at=clock.at, confirm_not_enough=True)

    with pytest.raises(Conflict, match="does not wait for a decision"):
        review(team, batch, case, clock)
    pin_case(case=case, is_pinned=True, by=team.lena, at=clock.at)

    assert share_of(evaluation).note == "1 broken case waits for a reviewer."
    assert not evaluation.gates.filter(name="Pinned case").exists()


def test_a_corrected_truth_asks_for_another_comparison(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    [case] = make_cases(team, clock, 1)
    compare(batch, {case: BROKEN}, clock)
    requeue_item(item=case.item, at=clock.at, by=team.rita, reason="doubt")
    settle_input(team, "where is parcel 0", "refund", at=clock.at)

    with pytest.raises(Conflict, match="Compare the models again"):
        review(team, batch, case, clock)


def test_a_review_holds_for_the_next_comparison_with_the_same_answer(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    same, other = make_cases(team, clock, 2)
    compare(batch, {same: BROKEN, other: BROKEN}, clock)
    review(team, batch, same, clock)
    review(team, batch, other, clock)
    again = evaluate_again(batch, at=clock.at, champion=team.version, gates={})

    answer_cases(again, {same: BROKEN, other: ("delivery", "billing")}, at=clock.at)

    share = share_of(again)
    assert (share.value, share.note) == (0.5, "1 broken case waits for a reviewer.")


def test_a_waiver_falls_when_its_gate_is_judged_on_other_figures(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    cases = make_cases(team, clock, 6)
    evaluation = compare(batch, dict.fromkeys(cases, BROKEN), clock)
    for case in cases[:5]:
        review(team, batch, case, clock)
    gate = share_of(evaluation)
    promotion.waive_gate(gate=gate, by=team.lena, at=clock.at, reason="Parcels go next week.")

    review(team, batch, cases[5], clock)

    gate.refresh_from_db()
    assert (gate.result, gate.waived_by, gate.waiver_reason) == ("failed", None, "")
    told = Event.objects.filter(name="gate.judged_again", subject_id=gate.pk).last()
    assert told is not None
    assert told.data["waiver_fell"] is True


def test_a_waiver_of_another_gate_stays(team: Team, clock: SetClock) -> None:
    version = make_trained_version(team, "v2", at=clock.at)
    batch = make_evaluated_batch(team, version, at=clock.at, gates={"refund": "failed"})
    gate = GateResult.objects.get()
    promotion.waive_gate(gate=gate, by=team.lena, at=clock.at, reason="Refunds go next week.")
    [case] = make_cases(team, clock, 1)
    compare(batch, {case: BROKEN}, clock)

    review(team, batch, case, clock)

    gate.refresh_from_db()
    assert gate.waived_by == team.lena


def test_one_pinned_case_vetoes_when_it_is_confirmed(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    cases = make_cases(team, clock, 3)
    evaluation = compare(batch, {cases[0]: BROKEN, cases[1]: KEPT, cases[2]: KEPT}, clock)
    pin_case(case=cases[0], is_pinned=True, by=team.lena, at=clock.at)
    waiting = evaluation.gates.get(name="Pinned case").result

    review(team, batch, cases[0], clock)

    assert waiting == GateResult.Result.NOT_ENOUGH
    assert evaluation.gates.get(name="Pinned case").result == GateResult.Result.FAILED
    assert share_of(evaluation).rows == 2


def test_a_pin_is_taken_away_with_a_reason(team: Team, batch: Batch, clock: SetClock) -> None:
    [case] = make_cases(team, clock, 1)
    evaluation = compare(batch, {case: BROKEN}, clock)
    pin_case(case=case, is_pinned=True, by=team.lena, at=clock.at)
    pin_case(case=case, is_pinned=True, by=team.lena, at=clock.at)

    with pytest.raises(Invalid, match="Say why"):
        pin_case(case=case, is_pinned=False, by=team.lena, at=clock.at)
    pin_case(case=case, is_pinned=False, by=team.lena, at=clock.at, reason="No longer sold.")

    assert not evaluation.gates.filter(name="Pinned case").exists()
    assert share_of(evaluation).rows == 1
    case.refresh_from_db()
    assert (case.is_pinned, case.unpin_reason) == (False, "No longer sold.")
    assert Event.objects.filter(name="regression_case.pinned").count() == 1
    assert Event.objects.filter(name="regression_case.unpinned").count() == 1


def test_waiting_cases_are_counted_by_batch(team: Team, batch: Batch, clock: SetClock) -> None:
    first, second = make_cases(team, clock, 2)
    compare(batch, {first: BROKEN, second: BROKEN}, clock)

    review(team, batch, first, clock)

    assert waiting_cases(team.project) == {batch.number: 1}


def test_a_reviewer_judges_on_the_page_and_the_lead_sees_the_gate_fail(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    cases = make_cases(team, clock, 2)
    compare(batch, dict.fromkeys(cases, BROKEN), clock)
    reviewer, lead = Pages(team.rita), Pages(team.lena)

    home = text_of(reviewer.get(lead_url("project-home")))
    page = text_of(reviewer.get(lead_url("gates-show", number=1)))
    without_reason = reviewer.post(lead_url("case-review", number=1, pk=cases[0].pk))
    reviewer.post(lead_url("case-review", number=1, pk=cases[0].pk), verdict="counts")
    reviewer.post(
        lead_url("case-review", number=1, pk=cases[1].pk), reason="<b>Either</b> answer will do."
    )
    judged = lead.get(lead_url("gates-show", number=1))

    assert "Judge broken regression cases" in home
    assert re.search(r"Broken share .* 0\.0% 0\.0% to [\d.]+% at most 2%", page)
    assert (page.count("waits for a reviewer"), page.count("It counts")) == (2, 2)
    assert without_reason.status_code == 422
    assert "counts, says Rita" in text_of(judged)
    assert "&lt;b&gt;Either&lt;/b&gt; answer will do." in judged.content.decode()
    assert "It counts" not in text_of(judged)
    assert "Judge broken regression cases" not in text_of(reviewer.get(lead_url("project-home")))


def test_a_lead_pins_on_the_page_of_the_comparison_or_of_the_answer(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    [case] = make_cases(team, clock, 1)
    compare(batch, {case: BROKEN}, clock)
    pages = Pages(team.lena)
    pin, answer = lead_url("case-pin", pk=case.pk), {"pk": case.flag.prediction_id}
    answer_page = reverse("feedback:prediction-show", kwargs={"slug": "intents", **answer})

    before = text_of(pages.get(answer_page))
    back = pages.post(f"{pin}?batch=1", pinned="yes")
    gates = pages.get(lead_url("gates-show", number=1))
    pinned = text_of(gates)
    shown = text_of(pages.get(answer_page))
    without_reason = pages.post(pin)
    unpinned = pages.post(pin, reason="No longer sold.")
    after = text_of(pages.get(answer_page))

    case.refresh_from_db()
    assert "Kept as a test" in before
    assert back.headers["Location"] == lead_url("gates-show", number=1)
    assert "Pinned case “where is parcel 0”" in pinned
    assert f'data-key="{case.pk}"' not in gates.content.decode()
    assert "no later model may answer this wrong" in shown
    assert without_reason.status_code == 422
    assert unpinned.headers["Location"] == answer_page
    assert "No longer pinned: “No longer sold.”" in after
    assert not case.is_pinned


def test_agents_read_that_a_case_is_kept_and_cannot_pin(team: Team, clock: SetClock) -> None:
    [case] = make_cases(team, clock, 1)
    page = reverse(
        "feedback:prediction-show", kwargs={"slug": "intents", "pk": case.flag.prediction_id}
    )

    told = Pages(team.ada).get(page).content.decode()

    assert "Kept as a test" in told
    assert lead_url("case-pin", pk=case.pk) not in told


def test_cases_are_read_judged_and_pinned_by_api(team: Team, batch: Batch, clock: SetClock) -> None:
    [case] = make_cases(team, clock, 1)
    compare(batch, {case: BROKEN}, clock)
    path = f"/batches/{batch.number}/broken-cases"

    refused = ask(team.lena, "post", f"{path}/{case.pk}/review", verdict="counts")
    no_reason = ask(team.rita, "post", f"{path}/{case.pk}/review", verdict="excused")
    unknown = ask(team.rita, "post", f"{path}/{case.pk}/review", verdict="perhaps")
    nowhere = ask(team.rita, "post", f"{path}/{case.pk + 1}/review", verdict="counts")
    told = ask(team.rita, "post", f"{path}/{case.pk}/review", verdict="counts")
    pin = ask(team.lena, "post", f"/regression-cases/{case.pk}/pin", is_pinned=True)

    answers = [refused, no_reason, unknown, nowhere, told, pin]
    assert [answer.status_code for answer in answers] == [403, 422, 400, 404, 204, 204]
    assert ask(team.lena, "get", path).json() == [
        {
            "case": case.pk,
            "input": {"text": "where is parcel 0"},
            "right_answer": "delivery",
            "champion_answer": "delivery",
            "challenger_answer": "refund",
            "is_pinned": True,
            "review": "confirmed",
            "reason": "",
        }
    ]
    assert Sighting.objects.filter(user=team.lena, identity=case.item.identity).exists()


def test_another_projects_case_is_not_found(team: Team, batch: Batch, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    make_flag(other, "where is my parcel", "billing", at=clock.at)
    settle_input(other, "where is my parcel", "delivery", at=clock.at)
    keep_accepted_flags(at=clock.at)
    case = RegressionCase.objects.get()

    pinned = Pages(team.lena).post(lead_url("case-pin", pk=case.pk), pinned="yes")
    by_api = ask(team.lena, "post", f"/regression-cases/{case.pk}/pin", is_pinned=True)

    case.refresh_from_db()
    assert (pinned.status_code, by_api.status_code, case.is_pinned) == (404, 404, False)


def test_a_real_comparison_finds_the_broken_case_and_keeps_what_was_said(
    team: Team, clock: SetClock
) -> None:
    """The live model learned about parcels; the challenger has never heard of them."""
    live = make_trained_version(team, "v2", at=clock.at)
    deploy(version=live, expected=team.version, cause="promotion", at=clock.at, by=team.lena)
    text = "where is my parcel"
    make_flag(team, text, "refund", at=clock.at)
    settle_input(team, text, "delivery", at=clock.at)
    keep_accepted_flags(at=clock.at)
    case = RegressionCase.objects.get()
    batch = make_evaluated_batch(
        team, make_trained_version(team, "v3", at=clock.at, rows=OLD_WORLD), at=clock.at
    )
    ask_for_evaluation(batch=batch, by=team.lena, at=clock.at)
    drain_jobs()
    first = batch.evaluations.latest("pk")

    review(team, batch, case, clock)
    ask_for_evaluation(batch=batch, by=team.lena, at=clock.at)
    drain_jobs()

    second = batch.evaluations.latest("pk")
    assert share_of(first).value == 1.0
    assert (second.pk > first.pk, share_of(second).value, share_of(second).note) == (True, 1.0, "")


def test_the_word_on_the_whole_comes_before_those_on_cases_and_groups(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    [case] = make_cases(team, clock, 1)
    evaluation = compare(batch, {case: BROKEN}, clock)
    for slug, name, group in [("groups", "Class", "billing"), ("overall", "No worse overall", "")]:
        GateResult.objects.create(
            project=team.project,
            evaluation=evaluation,
            slug=slug,
            name=name,
            group=group,
            rows=80,
            result=GateResult.Result.NOT_ENOUGH,
        )

    unsure = [gate.slug for gate in gates_red_first(evaluation) if gate.result == "not enough"]

    assert unsure == ["overall", "regression", "groups"]
