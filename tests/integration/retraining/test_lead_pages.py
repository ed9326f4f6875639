"""A lead reads, decides and can go back, from pages alone."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from jobs.clock import SetClock
from jobs.models import Job
from labeling.guidelines import write_guideline
from labeling.models import ClassProposal, Guideline, Item
from labeling.queueing import queue_input
from monitoring.models import AccuracyPoint
from projects.creating import give_role
from projects.models import Deployment, ModelVersion, Role
from projects.versions import find_champion
from retraining.models import Batch, CoverageQuota, GateResult, Trigger
from retraining.proposing import propose_by_person
from tests.history import label_input, label_topics, texts_of
from tests.pages import Pages, is_whole_page, lead_url, text_of
from tests.people import Team, make_team
from tests.stories import answered_next
from tests.trained import make_evaluated_batch, make_trained_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def batch(team: Team, clock: SetClock) -> Batch:
    label_topics(team.project, {"billing": 3, "refund": 2}, at=clock.at)
    return propose_by_person(project=team.project, by=team.lena, at=clock.at, reason="Try it.")


def test_a_batch_tells_why_what_changes_and_who_stands_behind_it(team: Team, batch: Batch) -> None:
    pages = Pages(team.lena)

    page = text_of(pages.get(lead_url("batch-show", number=1)))

    assert "Lena asked for it: Try it." in page
    assert "Approve 5 rows" in page
    assert "billing 0 +3" in page
    for tab in ("rows", "checks", "people"):
        assert pages.get(lead_url("batch-show", number=1), tab=tab).status_code == 200


def test_each_chart_of_a_batch_has_its_own_scale(team: Team, clock: SetClock) -> None:
    for topic in ("billing", "refund"):
        for text in texts_of(team.project, topic, use=Item.Use.TRAIN, count=2):
            label_input(team.project, text, topic, at=clock.at, segments={"channel": "mail"})
    propose_by_person(project=team.project, by=team.lena, at=clock.at, reason="Try it.")

    page = Pages(team.lena).get(lead_url("batch-show", number=1)).content.decode()

    classes, channels = page.split("Rows by channel")
    assert classes.count('width="1000"') == 2
    assert channels.count('width="1000"') == 1


def test_approval_names_the_revision_that_was_read_and_leads_to_the_training(
    team: Team, batch: Batch
) -> None:
    digest = batch.revisions.get().hash

    answer = Pages(team.lena).post(lead_url("batch-approve", number=1), revision=digest)

    batch.refresh_from_db()
    assert batch.state == Batch.State.APPROVED
    assert answer.headers["Location"] == lead_url("training-show", number=1)


def test_a_batch_that_changed_is_not_approved_and_the_difference_is_shown(
    team: Team, batch: Batch, clock: SetClock
) -> None:
    revision = batch.revisions.get()
    pages = Pages(team.lena)
    row = revision.rows.order_by("pk")[0]
    pages.post(lead_url("batch-send_back", number=1), row=[row.pk])

    answer = pages.post(lead_url("batch-approve", number=1), revision=revision.hash)
    page = text_of(pages.get(answer.headers["Location"]))

    batch.refresh_from_db()
    assert batch.state == Batch.State.PROPOSED
    assert "Corrected since: 1 row" in page
    assert "Approve 4 rows" in page


@pytest.mark.parametrize("row", ["9" * 30, "9" * 5000, "-1", "one"])
def test_a_row_that_cannot_be_is_not_sent_back(team: Team, batch: Batch, row: str) -> None:
    pages = Pages(team.lena)

    answer = pages.post(lead_url("batch-send_back", number=1), row=[row])

    assert "Mark at least one row" in text_of(pages.get(answer.headers["Location"]))


def test_a_rejection_needs_its_reason(team: Team, batch: Batch) -> None:
    pages = Pages(team.lena)

    refused = pages.post(lead_url("batch-reject", number=1), reason=" ")
    pages.post(lead_url("batch-reject", number=1), reason="Too few refunds.")

    batch.refresh_from_db()
    assert refused.status_code == 422
    assert (batch.state, batch.reason) == (Batch.State.REJECTED, "Too few refunds.")


def test_a_training_is_followed_by_its_part_and_can_be_cancelled(team: Team, batch: Batch) -> None:
    pages = Pages(team.lena)
    pages.post(lead_url("batch-approve", number=1), revision=batch.revisions.get().hash)
    Job.objects.update(state="running", done_count=40, lease_until="2026-03-02T09:00:30Z")

    part = pages.part(lead_url("training-show", number=1))
    pages.post(lead_url("training-cancel", number=1))

    assert not is_whole_page(part)
    assert 'hx-trigger="every 1s"' in part.content.decode()
    assert 'value="40"' in part.content.decode()
    assert Job.objects.get().cancel_requested_at is not None


@pytest.mark.parametrize(
    ("done", "passed", "told"),
    [
        (0, 30, "just started"),
        (10, 30, "just started"),
        (40, 4, "just started"),
        (20, 8, "about 40 s left"),
        (70, 18, "a few seconds left"),
        (50, 300, "about 5 min left"),
    ],
)
def test_the_time_left_is_told_as_coarsely_as_it_is_known(
    team: Team, batch: Batch, clock: SetClock, done: int, passed: int, told: str
) -> None:
    digest = batch.revisions.get().hash
    Pages(team.lena).post(lead_url("batch-approve", number=1), revision=digest)
    Job.objects.filter(batch=batch).update(
        state=Job.State.RUNNING, started_at=clock.at, done_count=done
    )
    clock.advance(timedelta(seconds=passed))

    part = Pages(team.lena).part(lead_url("training-show", number=1))

    assert told in text_of(part)


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (1, "about 40 s left"),
        (25, "about 20 s left"),
        (33, "a few seconds left"),
        (41, "longer than the live one took"),
    ],
)
def test_the_time_left_is_told_by_what_the_live_model_took(
    team: Team, clock: SetClock, passed: int, told: str
) -> None:
    label_topics(team.project, {"billing": 3, "refund": 2}, at=clock.at)
    facts = {"seconds": 48.0, "rows": 10}  # 24 s for 5 rows, which are 60 of the job's 100 parts.
    ModelVersion.objects.filter(pk=team.version.pk).update(manifest={"facts": facts})
    batch = propose_by_person(project=team.project, by=team.lena, at=clock.at, reason="Try it.")
    digest = batch.revisions.get().hash
    Pages(team.lena).post(lead_url("batch-approve", number=1), revision=digest)
    Job.objects.filter(batch=batch).update(state=Job.State.RUNNING, started_at=clock.at)
    clock.advance(timedelta(seconds=passed))

    part = Pages(team.lena).part(lead_url("training-show", number=1))

    assert told in text_of(part)


def test_gates_stand_red_first_and_a_failed_one_blocks_until_it_is_waived(
    team: Team, clock: SetClock
) -> None:
    version = make_trained_version(team, "v2", at=clock.at)
    gates = {"billing": "passed", "refund": "failed"}
    make_evaluated_batch(team, version, at=clock.at, gates=gates)
    pages = Pages(team.lena)
    gate = GateResult.objects.get(group="refund")

    page = text_of(pages.get(lead_url("gates-show", number=1)))
    blocked = pages.post(lead_url("batch-promote", number=1))
    pages.post(lead_url("gate-waive", pk=gate.pk), reason="Refunds come next week.")
    pages.post(lead_url("batch-promote", number=1))

    assert page.index("refund") < page.index("billing")
    assert blocked.headers["Location"] == lead_url("gates-show", number=1)
    champion = find_champion(team.project)
    assert champion == version


def test_of_many_classes_that_passed_the_page_shows_the_number_first(
    team: Team, clock: SetClock
) -> None:
    version = make_trained_version(team, "v2", at=clock.at)
    gates = {f"class {number}": "passed" for number in range(12)}
    make_evaluated_batch(team, version, at=clock.at, gates={**gates, "refund": "failed"})

    page = Pages(team.lena).get(lead_url("gates-show", number=1)).content.decode()

    shown, _, folded = page.partition("12 classes and segments passed")
    assert "refund" in shown
    assert "class 7" not in shown
    assert "class 7" in folded


@pytest.mark.parametrize(("high", "is_told"), [(0.85, True), (0.95, False)])
def test_home_tells_a_lead_when_the_whole_interval_is_below_the_target(
    team: Team, clock: SetClock, high: float, is_told: bool
) -> None:
    AccuracyPoint.objects.create(
        project=team.project,
        day=clock.at.date(),
        estimate=0.8,
        low=0.7,
        high=high,
        answers=100,
        flagged_right=0,
        flagged_answers=0,
        measured_at=clock.at,
    )

    page = text_of(Pages(team.lena).get(lead_url("project-home")))

    assert ("Accuracy is below its target 80% right (70% to 85%)" in page) is is_told
    assert ("None of these answers is of v1, live since" in page) is is_told


def test_home_asks_an_engineer_which_version_is_live_until_one_is(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Topics", suffix="2")
    Deployment.objects.filter(project=other.project).delete()

    asked = text_of(Pages(other.ed).get(f"/p/{other.project.slug}/"))
    not_asked = text_of(Pages(team.ed).get(lead_url("project-home")))

    assert "Say which version is live" in asked
    assert "Say which version is live" not in not_asked


def test_too_little_evidence_is_confirmed_in_the_same_click(team: Team, clock: SetClock) -> None:
    version = make_trained_version(team, "v2", at=clock.at)
    make_evaluated_batch(team, version, at=clock.at, gates={"refund": "not enough"})
    pages = Pages(team.lena)

    page = text_of(pages.get(lead_url("gates-show", number=1)))
    pages.post(lead_url("batch-promote", number=1))
    unconfirmed = find_champion(team.project)
    pages.post(lead_url("batch-promote", number=1), confirm="yes")

    assert "I know that there is not enough evidence for" in page
    assert unconfirmed == team.version
    assert find_champion(team.project) == version


def test_a_first_version_has_nothing_beside_it_and_no_gates(team: Team, clock: SetClock) -> None:
    Deployment.objects.all().delete()
    batch = make_evaluated_batch(team, make_trained_version(team, "v1b", at=clock.at), at=clock.at)
    GateResult.objects.all().delete()

    page = text_of(Pages(team.lena).get(lead_url("gates-show", number=batch.number)))

    assert "v1b, nothing to compare with" in page
    assert "No gate applies" in page
    assert "gates passed" not in page
    assert "brought back" not in page


def test_the_live_model_can_be_kept_with_a_reason(team: Team, clock: SetClock) -> None:
    batch = make_evaluated_batch(team, make_trained_version(team, "v2", at=clock.at), at=clock.at)

    Pages(team.lena).post(lead_url("batch-keep", number=1), reason="Not this week.")

    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (Batch.State.NOT_PROMOTED, "Not this week.")


def test_the_comparison_tells_who_promoted_and_when_not_who_approved(
    team: Team, clock: SetClock
) -> None:
    batch = make_evaluated_batch(team, make_trained_version(team, "v2", at=clock.at), at=clock.at)
    Batch.objects.filter(pk=batch.pk).update(decided_by=team.olga, decided_at=clock.at)
    clock.advance(timedelta(hours=3))

    Pages(team.lena).post(lead_url("batch-promote", number=1))

    batch.refresh_from_db()
    assert (batch.decided_by, batch.decided_at) == (team.lena, clock.at)
    assert "Lena promoted" in text_of(Pages(team.lena).get(lead_url("gates-show", number=1)))


def test_a_rollback_is_one_form_on_the_page_of_models(team: Team, clock: SetClock) -> None:
    version = make_trained_version(team, "v2", at=clock.at)
    make_evaluated_batch(team, version, at=clock.at)
    pages = Pages(team.lena)
    pages.post(lead_url("batch-promote", number=1))
    clock.advance(timedelta(minutes=1))

    page = pages.get(lead_url("model-list"))
    stale = pages.post(lead_url("version-roll_back", pk=version.pk), reason="Worse.")
    pages.post(lead_url("version-roll_back", pk=team.version.pk), reason="Worse.")

    assert "v2 is live" in text_of(page)
    assert f"Roll back to {team.version.name}" in text_of(page)
    assert f"{team.version.name} brought back by Lena: Worse." in text_of(
        pages.get(lead_url("model-list"))
    )
    assert stale.status_code == 409
    assert find_champion(team.project) == team.version
    assert Deployment.objects.filter(cause="rollback").count() == 1


def test_from_a_version_that_was_left_a_link_leads_to_its_new_comparison(
    team: Team, clock: SetClock
) -> None:
    make_evaluated_batch(team, make_trained_version(team, "v2", at=clock.at), at=clock.at)
    pages = Pages(team.lena)
    pages.post(lead_url("batch-promote", number=1))
    live = text_of(pages.get(lead_url("model-list")))
    clock.advance(timedelta(minutes=1))
    pages.post(lead_url("version-roll_back", pk=team.version.pk), reason="Worse.")
    # The same rows were approved once more, and that was cancelled.
    Batch.objects.create(
        project=team.project,
        number=2,
        cause=Batch.Cause.PERSON,
        state=Batch.State.CANCELLED,
        version=Batch.objects.get().version,
        proposed_at=clock.at,
    )

    left = pages.get(lead_url("model-list"))
    comparison = pages.get(lead_url("gates-show", number=1))
    asked = pages.post(lead_url("batch-evaluate", number=1))
    compared = pages.part(lead_url("training-show", number=1))

    assert "only after a new comparison" not in live
    assert "It can go live again only after a new comparison." in text_of(left)
    assert f'href="{lead_url("gates-show", number=1)}">Compare it again' in left.content.decode()
    assert "v2 can be promoted after a new comparison." in text_of(comparison)
    assert asked.headers["Location"] == lead_url("training-show", number=1)
    assert "Training being compared" in text_of(compared)
    assert 'value="70"' in compared.content.decode()


def test_a_batch_that_is_asked_for_with_nothing_to_learn_says_so(team: Team) -> None:
    pages = Pages(team.lena)

    answer = pages.post(lead_url("batch-propose"))

    assert "There is nothing to train on" in text_of(pages.get(answer.headers["Location"]))
    assert not Batch.objects.exists()


def test_accepting_a_class_writes_guideline_and_quota_and_opens_its_items(
    team: Team, clock: SetClock
) -> None:
    queue_input(
        project=team.project,
        value={"text": "do you hire"},
        source="quota",
        reference=1,
        at=clock.at,
    )
    annotation = answered_next(team, team.bob, "jobs", at=clock.at)
    pages = Pages(team.lena)

    page = text_of(pages.get(lead_url("coverage-show")))
    pages.post(
        lead_url("proposal-accept", pk=ClassProposal.objects.get().pk),
        wanted="6",
        description="People who look for work.",
    )

    annotation.item.refresh_from_db()
    assert "Proposed class: “jobs” 1 item, by 1 person" in page
    assert CoverageQuota.objects.get(label_class__name="jobs").wanted == 6
    assert "jobs: People who look for work." in Guideline.objects.get(number=2).text
    assert (annotation.item.state, annotation.item.round) == ("open", 2)


def test_a_refused_class_comes_back_as_it_was_sent(team: Team, clock: SetClock) -> None:
    value = {"text": "do you hire"}
    queue_input(project=team.project, value=value, source="quota", reference=1, at=clock.at)
    answered_next(team, team.bob, "jobs", at=clock.at)
    write_guideline(project=team.project, text="x" * 49_990, by=team.lena, at=clock.at)

    page = Pages(team.lena).post(
        lead_url("proposal-accept", pk=ClassProposal.objects.get().pk),
        wanted="6",
        description="People who look for work.",
    )

    assert page.status_code == 422
    assert "at most 50,000 characters" in text_of(page)
    assert "People who look for work." in page.content.decode()
    assert 'value="6"' in page.content.decode()
    assert not team.project.classes.filter(name="jobs").exists()


def test_refused_quotas_come_back_as_they_were_sent(team: Team) -> None:
    billing, refund = (team.project.classes.get(name=name) for name in ("billing", "refund"))

    page = Pages(team.lena).post(
        lead_url("quota-save"), **{f"wanted_{billing.pk}": "9", f"wanted_{refund.pk}": "-1"}
    )

    assert page.status_code == 422
    assert "greater than or equal to 1" in text_of(page)
    assert 'value="9"' in page.content.decode()


def test_a_rule_whose_name_is_taken_comes_back_as_it_was_sent(team: Team) -> None:
    pages = Pages(team.lena)
    rule = {"name": "Weekly", "days": "7", "join": "any", "cool_down_hours": "24"}
    pages.post(lead_url("trigger-create"), **rule)

    page = pages.post(lead_url("trigger-create"), **{**rule, "days": "9"})

    assert page.status_code == 422
    assert "Choose another name" in text_of(page)
    assert 'value="9"' in page.content.decode()


def test_quotas_saved_from_an_older_page_leave_those_of_a_newer_class(team: Team) -> None:
    billing, refund = (team.project.classes.get(name=name) for name in ("billing", "refund"))
    CoverageQuota.objects.create(project=team.project, label_class=refund, wanted=20)

    Pages(team.lena).post(lead_url("quota-save"), **{f"wanted_{billing.pk}": "9"})

    wanted = dict(CoverageQuota.objects.values_list("label_class__name", "wanted"))
    assert wanted == {"billing": 9, "refund": 20}


def test_quotas_are_saved_and_an_empty_one_is_taken_away(team: Team) -> None:
    billing, refund = (team.project.classes.get(name=name) for name in ("billing", "refund"))
    CoverageQuota.objects.create(project=team.project, label_class=refund, wanted=4)

    Pages(team.lena).post(
        lead_url("quota-save"), **{f"wanted_{billing.pk}": "9", f"wanted_{refund.pk}": ""}
    )

    assert [(q.label_class, q.wanted) for q in CoverageQuota.objects.all()] == [(billing, 9)]


def test_a_rule_is_added_switched_off_and_taken_away(team: Team) -> None:
    pages = Pages(team.lena)

    pages.post(
        lead_url("trigger-create"),
        name="Weekly",
        days="7",
        join="any",
        cool_down_hours="24",
    )
    added = Trigger.objects.get(name="Weekly")
    page = text_of(pages.get(lead_url("trigger-list")))
    pages.post(lead_url("trigger-switch", pk=added.pk), on="no")
    added.refresh_from_db()
    pages.post(lead_url("trigger-delete", pk=added.pk))

    assert "When 7 days have passed and there are new labels" in page
    assert not added.is_enabled
    assert not Trigger.objects.filter(name="Weekly").exists()


def test_a_rule_without_a_condition_is_refused(team: Team) -> None:
    page = Pages(team.lena).post(
        lead_url("trigger-create"), name="Never", join="any", cool_down_hours="24"
    )

    assert page.status_code == 422
    assert "Choose at least one condition" in text_of(page)


def test_lists_of_a_lead_cost_a_bounded_number_of_queries(
    team: Team, clock: SetClock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        make_evaluated_batch(
            team, make_trained_version(team, f"v{number + 2}", at=clock.at), at=clock.at
        )
    pages = Pages(team.lena)

    for name, most in {"batch-list": 18, "model-list": 24, "coverage-show": 30}.items():
        with django_assert_max_num_queries(most):
            pages.get(lead_url(name))


def test_home_names_the_decision_that_waits(team: Team, batch: Batch) -> None:
    pages = Pages(team.lena)

    home = pages.get("/")

    page = text_of(pages.get(home.headers["Location"]))
    assert "Batch 1 waits for approval" in page


def test_in_two_projects_home_says_of_which_each_line_is(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Claims", suffix="2")
    give_role(project=other.project, user=team.ada, role=Role.AGENT, at=clock.at, by=other.olga)

    page = text_of(Pages(team.ada).get("/"))

    assert "Find a wrong answer and flag it in Intents" in page
    assert "Find a wrong answer and flag it in Claims" in page


def test_the_demo_switch_is_not_there_where_the_demo_is_off(team: Team) -> None:
    team.project.is_demo = True
    team.project.save()

    refused = Pages(team.ada).post("/demo/act-as", person=team.lena.pk)

    assert refused.status_code == 404


def test_coverage_leads_to_any_segment_and_says_when_no_label_has_it(
    team: Team, clock: SetClock
) -> None:
    key = "plan & size #1"
    [text] = texts_of(team.project, "billing", use="train", count=1)
    label_input(team.project, text, "billing", at=clock.at, segments={"channel": "mail"})
    team.project.segment_keys = ["channel", key]
    team.project.save()
    pages = Pages(team.lena)
    page = pages.get(lead_url("coverage-show")).content.decode()
    found = re.search(r'href="(\?segment=plan[^"]*)"', page)
    assert found

    led_to = text_of(pages.get(lead_url("coverage-show") + html.unescape(found[1])))

    assert "No new label has a" not in page
    assert f"No new label has a {key}." in html.unescape(led_to)
