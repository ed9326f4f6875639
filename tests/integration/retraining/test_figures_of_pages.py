"""What the figures and sentences of a lead's and an agent's pages say, case by case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.http import QueryDict
from django.urls import reverse

from feedback.flagging import decide_flag, withdraw_flag
from feedback.models import Flag, Issue
from jobs.adding import add_job
from jobs.clock import SetClock
from jobs.models import Job
from labeling.class_proposals import propose_class
from labeling.models import Item
from labeling.queueing import queue_input
from projects.models import Role
from projects.versions import external_version
from retraining.models import Batch, GateResult
from retraining.project_file import QuotaSpec
from retraining.promotion import waive_gate
from retraining.proposing import propose_by_person
from retraining.setting_up import add_quota
from retraining.views.batch_context import batch_context, next_url
from retraining.views.coverage_context import coverage_context
from retraining.views.gate_context import gates_context
from retraining.views.issue_context import issue_context
from retraining.views.prediction_context import prediction_context
from retraining.views.training_context import training_context
from tests.flagged import settle_input
from tests.history import label_topics
from tests.pages import Pages, text_of
from tests.people import Team, make_team
from tests.stories import flagged, predicted
from tests.trained import make_evaluated_batch

pytestmark = pytest.mark.django_db

LEAD = frozenset({Role.LEAD})
NOBODY: frozenset[Role] = frozenset()
STATE = Batch.State
RESULT = GateResult.Result
WAIVED = f"waived {RESULT.FAILED}"
SECOND = timedelta(seconds=1)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


# Training


@pytest.fixture
def batch(team: Team, clock: SetClock) -> Batch:
    """Approved, with a job that runs since now."""
    made = Batch.objects.create(
        project=team.project,
        number=1,
        cause=Batch.Cause.PERSON,
        proposed_at=clock.at,
    )
    made.state = STATE.TRAINING
    made.job = add_job("retraining.train", at=clock.at, project_id=team.project.pk)
    made.job.state, made.job.started_at = Job.State.RUNNING, clock.at
    return made


def work_of(batch: Batch, clock: SetClock, roles: frozenset[Role] = LEAD) -> dict[str, object]:
    work = training_context(batch, roles=roles, at=clock.at)["work"]
    assert isinstance(work, dict)
    return work


@pytest.mark.parametrize(
    ("done", "seconds", "words"),
    [
        (10, 60, "just started"),
        (50, 4, "just started"),
        (50, 5, "a few seconds left"),
        (50, 9, "a few seconds left"),
        (50, 10, "about 10 s left"),
        (50, 11, "about 20 s left"),
        (50, 81, "about 90 s left"),
        (50, 100, "about 2 min left"),
        (20, 60, "about 4 min left"),
        (90, 90, "about 10 s left"),
    ],
)
def test_the_time_left_is_told_from_the_share_that_is_done(
    batch: Batch, clock: SetClock, done: int, seconds: int, words: str
) -> None:
    assert batch.job
    batch.job.done_count = done
    clock.advance(seconds * SECOND)

    assert work_of(batch, clock)["left"] == words


def test_a_training_that_no_worker_has_taken_waits(batch: Batch, clock: SetClock) -> None:
    assert batch.job
    batch.job.state = Job.State.QUEUED

    work = work_of(batch, clock)

    assert (work["left"], work["title"]) == ("waiting", "Waiting for a worker")


@pytest.mark.parametrize(
    ("done", "states"),
    [
        (0, ["now", "todo", "todo"]),
        (9, ["now", "todo", "todo"]),
        (10, ["done", "now", "todo"]),
        (69, ["done", "now", "todo"]),
        (70, ["done", "done", "now"]),
        (100, ["done", "done", "now"]),
    ],
)
def test_each_step_of_a_training_has_its_share_of_the_job(
    batch: Batch, clock: SetClock, done: int, states: list[str]
) -> None:
    assert batch.job
    batch.job.done_count = done

    steps = work_of(batch, clock)["steps"]

    assert isinstance(steps, list)
    assert [step["state"] for step in steps] == states


@pytest.mark.parametrize(
    ("state", "job_state", "is_over", "can_cancel", "can_retry"),
    [
        (STATE.APPROVED, Job.State.QUEUED, False, True, False),
        (STATE.TRAINING, Job.State.RUNNING, False, True, False),
        (STATE.EVALUATED, Job.State.DONE, True, False, False),
        (STATE.EVALUATED, Job.State.RUNNING, False, False, False),
        (STATE.FAILED, Job.State.FAILED, True, False, True),
        (STATE.CANCELLED, Job.State.CANCELLED, True, False, False),
        (STATE.PROMOTED, Job.State.DONE, True, False, False),
    ],
)
def test_a_training_offers_what_its_state_allows(
    batch: Batch,
    clock: SetClock,
    state: str,
    job_state: str,
    is_over: bool,
    can_cancel: bool,
    can_retry: bool,
) -> None:
    assert batch.job
    batch.state, batch.job.state = state, job_state

    shown, work = training_context(batch, roles=LEAD, at=clock.at), work_of(batch, clock)

    assert (work["is_over"], bool(work["cancel_url"]), shown["can_retry"]) == (
        is_over,
        can_cancel,
        can_retry,
    )
    is_compared = is_over and state in {STATE.EVALUATED, STATE.PROMOTED}
    assert bool(shown["gates_url"]) is is_compared
    others = training_context(batch, roles=NOBODY, at=clock.at)
    assert others["can_retry"] is False
    assert work_of(batch, clock, NOBODY)["cancel_url"] is None


def test_a_training_shows_the_newest_lines_of_its_log(batch: Batch, clock: SetClock) -> None:
    assert batch.job
    batch.job.log = "\n".join(f"line {number}" for number in range(20))

    log = work_of(batch, clock)["log"]

    assert log == [f"line {number}" for number in range(8, 20)]


# Coverage


def coverage(team: Team, clock: SetClock) -> dict[str, object]:
    return coverage_context(team.project, roles=LEAD, segment_key="", at=clock.at)


def quota_words(team: Team, clock: SetClock) -> list[object]:
    quotas = coverage(team, clock)["quotas"]
    assert isinstance(quotas, list)
    return [quota["when_words"] for quota in quotas]


def test_coverage_says_what_a_batch_would_hold_and_what_the_quotas_lack(
    team: Team, clock: SetClock
) -> None:
    told = [coverage(team, clock)["ready_words"]]
    label_topics(team.project, {"refund": 2}, at=clock.at)
    told.append(coverage(team, clock)["ready_words"])
    add_quota(project=team.project, spec=QuotaSpec(wanted=3, label_class="refund"))
    told.append(coverage(team, clock)["ready_words"])
    label_topics(team.project, {"delivery": 1}, at=clock.at)
    add_quota(project=team.project, spec=QuotaSpec(wanted=1, label_class="delivery"))
    told.append(coverage(team, clock)["ready_words"])

    assert told == [
        "No label for training is new, so there is nothing to propose.",
        "A batch now would hold 2 labels. There are no quotas to wait for.",
        "A batch now would hold 2 labels; the quotas lack 1 more.",
        "A batch now would hold 3 labels; the quotas lack 1 more.",
    ]


def test_coverage_that_is_met_says_so(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    add_quota(project=team.project, spec=QuotaSpec(wanted=1, label_class="refund"))

    assert coverage(team, clock)["ready_words"] == (
        "All quotas are met: a batch now would hold 1 label."
    )
    assert quota_words(team, clock) == ["met"]


def test_a_quota_is_expected_at_the_pace_of_the_last_week(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 7}, at=clock.at)
    add_quota(project=team.project, spec=QuotaSpec(wanted=12, label_class="refund"))

    # Seven in seven days, and five are missing: five days from the second of March.
    assert quota_words(team, clock) == ["by 7 Mar at today's pace"]


def test_a_quota_expected_in_another_year_names_the_year(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    add_quota(project=team.project, spec=QuotaSpec(wanted=101, label_class="refund"))

    # One in seven days, and a hundred are missing: seven hundred days.
    assert quota_words(team, clock) == ["by 31 Jan 2028 at today's pace"]


def test_a_quota_that_no_calendar_reaches_names_no_day(team: Team, clock: SetClock) -> None:
    label_topics(team.project, {"refund": 1}, at=clock.at)
    add_quota(project=team.project, spec=QuotaSpec(wanted=1_000_000, label_class="refund"))

    assert quota_words(team, clock) == ["not within ten years at today's pace"]


def test_a_quota_without_a_new_label_makes_no_promise(team: Team, clock: SetClock) -> None:
    add_quota(project=team.project, spec=QuotaSpec(wanted=5, label_class="refund"))
    assert quota_words(team, clock) == ["none yet"]

    label_topics(team.project, {"refund": 1}, at=clock.at)
    clock.advance(timedelta(days=8))

    assert quota_words(team, clock) == ["no new label in 7 days"]


def test_the_grid_shows_a_segments_labels_against_its_quotas(team: Team, clock: SetClock) -> None:
    team.project.segment_keys = ["channel", "country"]
    team.project.save()
    label_topics(team.project, {"refund": 1}, at=clock.at)
    Item.objects.update(segments={"channel": "app"})
    add_quota(
        project=team.project,
        spec=QuotaSpec(wanted=4, label_class="refund", segment_key="channel", segment_value="app"),
    )

    shown = coverage_context(team.project, roles=LEAD, segment_key="nonsense", at=clock.at)

    assert (shown["segment_key"], shown["segment_values"]) == ("channel", ("app",))
    grid = shown["grid"]
    assert isinstance(grid, list)
    cells = {row["name"]: row["cells"] for row in grid}
    assert (cells["refund"][0]["text"], cells["refund"][0]["tone"]) == ("1 of 4", "warn")
    assert (cells["billing"][0]["text"], cells["billing"][0]["tone"]) == ("0", "none")


def test_a_proposed_class_shows_its_items_and_how_many_people_named_it(
    team: Team, clock: SetClock
) -> None:
    for number in range(4):
        settle_input(team, f"my drone {number}", "Drones", at=clock.at)
    propose_class(project=team.project, name="drones", by=team.bob, at=clock.at)

    proposals = coverage(team, clock)["proposals"]

    assert isinstance(proposals, list)
    assert [(p["name"], p["count"], p["said_by_count"]) for p in proposals] == [("drones", 4, 0)]
    assert [example["text"] for example in proposals[0]["examples"]] == [
        "my drone 0",
        "my drone 1",
        "my drone 2",
    ]


def test_only_a_lead_gets_the_form_of_quotas(team: Team, clock: SetClock) -> None:
    shown = coverage_context(team.project, roles=NOBODY, segment_key="", at=clock.at)

    assert (shown["form"], shown["can_decide"]) == (None, False)


# Batches and their comparison


@pytest.mark.parametrize(
    ("state", "page"),
    [
        (STATE.PROPOSED, "batch-show"),
        (STATE.APPROVED, "training-show"),
        (STATE.TRAINING, "training-show"),
        (STATE.EVALUATED, "gates-show"),
        (STATE.FAILED, "batch-show"),
        (STATE.PROMOTED, "batch-show"),
    ],
)
def test_the_list_leads_to_the_page_that_a_batch_asks_for(
    batch: Batch, state: str, page: str
) -> None:
    batch.state = state

    assert next_url(batch) == reverse(f"retraining:{page}", kwargs={"slug": "intents", "number": 1})


@pytest.mark.parametrize("roles", [LEAD, NOBODY], ids=["lead", "another"])
def test_a_proposed_batch_is_for_a_lead_to_decide(
    team: Team, clock: SetClock, roles: frozenset[Role]
) -> None:
    label_topics(team.project, {"refund": 3, "billing": 3}, at=clock.at)
    proposed = propose_by_person(project=team.project, by=team.lena, at=clock.at)

    shown = batch_context(proposed, roles=roles, tab="nonsense", query=QueryDict())

    is_lead = roles == LEAD
    names = ("can_approve", "can_reject", "can_refresh", "can_start")
    assert [shown[name] for name in names] == [is_lead, is_lead, is_lead, False]
    assert (shown["tab"], shown["row_count"], shown["is_current"]) == ("changes", 6, True)


@pytest.mark.parametrize(
    ("gates", "verdict", "block"),
    [
        ({}, "No gate applies: there is no live model to compare it with.", False),
        ({"": RESULT.PASSED}, "The one gate passed.", False),
        ({"": RESULT.PASSED, "a": RESULT.PASSED}, "All 2 gates passed.", False),
        ({"": RESULT.FAILED, "a": RESULT.NOT_ENOUGH}, "1 gate failed.", True),
        (
            {"": RESULT.PASSED, "a": RESULT.NOT_ENOUGH, "b": RESULT.NOT_ENOUGH},
            "Nothing failed; 2 gates cannot tell yet, 1 passed.",
            False,
        ),
        (
            {"": WAIVED, "a": WAIVED, "b": RESULT.NOT_ENOUGH},
            "2 failed gates waived; 1 gate cannot tell yet, 0 passed.",
            False,
        ),
        ({"": RESULT.PASSED, "a": WAIVED}, "1 failed gate waived, 1 passed.", False),
    ],
    ids=["none", "one", "all", "failed", "not enough", "waived and not enough", "waived"],
)
def test_a_comparison_says_on_the_whole_first(
    team: Team, clock: SetClock, gates: Mapping[str, str], verdict: str, block: bool
) -> None:
    version = external_version(team.project, "v2", at=clock.at)
    results = {name: result.removeprefix("waived ") for name, result in gates.items()}
    compared = make_evaluated_batch(team, version, at=clock.at, gates=results or {"": "passed"})
    evaluation = compared.evaluations.get()
    if not gates:
        GateResult.objects.all().delete()
    for name, result in gates.items():
        if result == WAIVED:
            gate = GateResult.objects.get(group=name)
            waive_gate(gate=gate, by=team.lena, reason="Known.", at=clock.at)

    shown, _ = gates_context(compared, evaluation, roles=LEAD)

    assert (shown["verdict"], bool(shown["block_words"])) == (verdict, block)


def test_a_waived_gate_blocks_no_more_and_says_who_waived_it(team: Team, clock: SetClock) -> None:
    version = external_version(team.project, "v2", at=clock.at)
    compared = make_evaluated_batch(team, version, at=clock.at, gates={"a": RESULT.FAILED})
    GateResult.objects.update(waived_by=team.lena, waiver_reason="few rows")

    shown, _ = gates_context(compared, compared.evaluations.get(), roles=LEAD)

    gates = shown["gates"]
    assert isinstance(gates, list)
    assert (gates[0]["waived_words"], gates[0]["can_waive"]) == ("Lena: few rows", False)
    assert (shown["block_words"], shown["verdict_tone"]) == ("", "warn")


def test_more_than_four_doubtful_gates_are_counted_and_not_listed(
    team: Team, clock: SetClock
) -> None:
    version = external_version(team.project, "v2", at=clock.at)
    gates = dict.fromkeys("abcdef", RESULT.NOT_ENOUGH)
    compared = make_evaluated_batch(team, version, at=clock.at, gates=gates)

    shown, _ = gates_context(compared, compared.evaluations.get(), roles=LEAD)

    assert str(shown["not_enough_words"]).endswith(" and 2 more.")


def test_many_groups_that_passed_are_folded_and_few_are_not(team: Team, clock: SetClock) -> None:
    folded = []
    for count in (6, 7):
        version = external_version(team.project, f"with {count}", at=clock.at)
        gates = {str(number): RESULT.PASSED for number in range(count)}
        compared = make_evaluated_batch(team, version, at=clock.at, gates=gates)
        shown, _ = gates_context(compared, compared.evaluations.get(), roles=LEAD)
        rows = shown["folded_gates"]
        assert isinstance(rows, list)
        folded.append(len(rows))

    assert folded == [0, 7]


# Issues and answers


def summary_of(team: Team) -> tuple[str, list[dict[str, object]]]:
    shown, _ = issue_context(
        Issue.objects.get(), project=team.project, reader=team.ada, roles=frozenset({Role.AGENT})
    )
    inputs = shown["inputs"]
    assert isinstance(inputs, list)
    return str(shown["summary"]), inputs


def test_an_issue_sums_up_its_flags_that_stand(team: Team, clock: SetClock) -> None:
    prediction = predicted(team, "my drone", "refund", at=clock.at, customer_ref="ann")
    first = flagged(prediction, team.alan, "delivery", at=clock.at, severity=2)
    assert summary_of(team)[0] == "1 flag by 1 agent, 1 customer, hurts a lot."

    again = predicted(team, "My drone", "refund", at=clock.at, external_id="p2")
    flagged(again, team.alan, "billing", at=clock.at)
    taken_back = flagged(prediction, team.olga, at=clock.at, severity=3)
    withdraw_flag(flag=taken_back, at=clock.at)
    decide_flag(flag=first, state=Flag.State.FIXED, at=clock.at)

    summary, (row,) = summary_of(team)
    assert summary == "2 flags by 1 agent, 1 customer, hurts a lot, 1 of 2 fixed."
    assert (row["flag_count"], row["customer_count"]) == (2, 1)


def test_an_input_of_an_issue_says_how_far_people_are(team: Team, clock: SetClock) -> None:
    flagged(predicted(team, "my drone", "refund", at=clock.at), team.alan, at=clock.at)
    told = [summary_of(team)[1][0]["state_words"]]
    item = queue_input(
        project=team.project, value={"text": "my drone"}, source="flag", reference=1, at=clock.at
    )
    told.append(summary_of(team)[1][0]["state_words"])
    Item.objects.filter(pk=item.pk).update(state=Item.State.DISPUTED)
    told.append(summary_of(team)[1][0]["state_words"])
    settle_input(team, "my drone", "delivery", at=clock.at)
    told.append(summary_of(team)[1][0]["state_words"])
    settle_input(team, "my drone", "drones", at=clock.at)
    told.append(summary_of(team)[1][0]["state_words"])

    assert told == [
        "not queued yet",
        "being labeled",
        "with a reviewer",
        "it is delivery",
        "it is none of the classes",
    ]


def test_an_answer_shows_its_five_best_scores_and_marks_its_own(
    team: Team, clock: SetClock
) -> None:
    scores = {"a": 0.05, "refund": 0.4, "b": 0.3, "c": 0.1, "d": 0.08, "e": 0.07}
    prediction = predicted(team, "x", "refund", at=clock.at, scores=scores)

    shown = prediction_context(
        prediction, reader=team.ada, roles=NOBODY, sent={}, problem="", at=clock.at
    )

    told = shown["scores"]
    assert isinstance(told, list)
    assert [(row["name"], row["is_answer"]) for row in told] == [
        ("refund", True),
        ("b", False),
        ("c", False),
        ("d", False),
        ("e", False),
    ]


@pytest.mark.parametrize(
    ("confidence", "words"),
    [
        (None, "The model answered refund"),
        (0.59, "The model answered refund, and was not sure"),
        (0.6, "The model answered refund"),
    ],
)
def test_an_answer_says_when_the_model_was_not_sure(
    team: Team, clock: SetClock, confidence: float | None, words: str
) -> None:
    prediction = predicted(team, "x", "refund", at=clock.at, confidence=confidence)

    shown = prediction_context(
        prediction, reader=team.ada, roles=NOBODY, sent={}, problem="", at=clock.at
    )

    assert shown["answer_words"] == words


@pytest.mark.parametrize("severity", ["3", "", "x", "7" * 5_000, "-1"], ids=lambda s: s[:3] or "-")
def test_a_flag_with_a_mistake_gets_its_form_back_with_what_was_said(
    team: Team, clock: SetClock, severity: str
) -> None:
    prediction = predicted(team, "x", "refund", at=clock.at)
    url = reverse("feedback:prediction-flag", kwargs={"slug": "intents", "pk": prediction.pk})

    page = Pages(team.ada).post(url, reason="", severity=severity, note="they wrote twice")

    assert page.status_code == 422
    assert "Choose what is wrong." in text_of(page)
    assert "they wrote twice" in page.content.decode()
