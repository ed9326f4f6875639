"""An agent finds, flags, follows and takes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from feedback import search_index
from feedback.flagging import decide_flag
from feedback.issues import mark_fixed_in
from feedback.models import Flag, Issue, Prediction, Sighting
from jobs.clock import SetClock
from labeling.routing import route_new_flags
from projects.models import ModelVersion
from projects.versions import deploy, external_version
from retraining.models import Receipt
from tests.pages import Pages, is_whole_page, text_of
from tests.people import Team, make_team
from tests.stories import answered_next, flagged, predicted

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def prediction(team: Team, clock: SetClock) -> Prediction:
    return predicted(team, "where is my money", "delivery", at=clock.at, customer_ref="c1")


def url(name: str, **named: object) -> str:
    return reverse(f"feedback:{name}", kwargs={"slug": "intents", **named})


def test_the_page_of_an_answer_shows_it_and_offers_the_form(
    team: Team, prediction: Prediction
) -> None:
    page = text_of(Pages(team.ada).get(url("prediction-show", pk=prediction.pk)))

    assert "where is my money" in page
    assert "The model answered delivery, and was not sure" in page
    assert "Flag this answer" in page
    assert "First look within 72 h" in page


def test_whoever_sees_the_page_is_left_out_of_blind_labeling_of_it(
    team: Team, prediction: Prediction
) -> None:
    Pages(team.lena).get(url("prediction-show", pk=prediction.pk))

    assert Sighting.objects.get().user == team.lena


def test_a_flag_is_one_post_and_can_be_undone_from_its_message(
    team: Team, prediction: Prediction
) -> None:
    pages = Pages(team.ada)

    answer = pages.post(
        url("prediction-flag", pk=prediction.pk),
        reason="wrong class",
        answer_name="Refund",
        severity="2",
    )
    page = pages.get(answer.headers["Location"])

    flag = Flag.objects.get()
    assert (flag.suggested and flag.suggested.name, flag.severity) == ("refund", 2)
    assert "You flagged this" in text_of(page)
    assert url("flag-withdraw", code=flag.code) in page.content.decode()


def test_a_name_that_is_no_class_is_proposed(team: Team, prediction: Prediction) -> None:
    Pages(team.ada).post(
        url("prediction-flag", pk=prediction.pk), reason="missing class", answer_name="jobs"
    )

    assert Flag.objects.get().proposed_name == "jobs"


def test_a_flag_that_suggests_the_models_own_answer_is_refused_with_words(
    team: Team, prediction: Prediction
) -> None:
    page = Pages(team.ada).post(
        url("prediction-flag", pk=prediction.pk), reason="wrong class", answer_name="delivery"
    )

    assert page.status_code == 422
    assert "The model already answered 'delivery'" in page.content.decode().replace("&#x27;", "'")
    assert not Flag.objects.exists()


def test_a_withdrawn_flag_can_be_made_anew(team: Team, prediction: Prediction) -> None:
    pages = Pages(team.ada)
    pages.post(url("prediction-flag", pk=prediction.pk), reason="wrong class")
    pages.post(url("flag-withdraw", code=Flag.objects.get().code))

    pages.post(url("prediction-flag", pk=prediction.pk), reason="harmful")

    flag = Flag.objects.get()
    assert (flag.state, flag.reason) == (Flag.State.OPEN, "harmful")
    assert Issue.objects.get().state == Issue.State.REOPENED


def test_me_too_is_one_click(team: Team, prediction: Prediction, clock: SetClock) -> None:
    flagged(prediction, team.alan, "refund", at=clock.at)
    pages = Pages(team.ada)

    page = pages.get(url("prediction-show", pk=prediction.pk))
    pages.post(url("prediction-me_too", pk=prediction.pk))

    assert "1 other flagged this" in text_of(page)
    mine = Flag.objects.get(agent=team.ada)
    assert mine.suggested == team.project.classes.get(name="refund")


def test_an_id_not_seen_yet_can_be_flagged(team: Team) -> None:
    Pages(team.ada).post(url("flag-create"), external_id="p-404", reason="wrong class")

    page = text_of(Pages(team.ada).get(url("flag-mine")))

    assert "p-404 has not arrived yet" in page


def test_a_pasted_id_that_is_there_flags_its_answer(team: Team, prediction: Prediction) -> None:
    Pages(team.ada).post(
        url("flag-create"), external_id=prediction.external_id, reason="wrong class"
    )

    assert Flag.objects.get().prediction == prediction


def test_several_answers_are_flagged_together(team: Team, clock: SetClock) -> None:
    two = [predicted(team, text, "delivery", at=clock.at) for text in ("one", "two")]
    assert 'name="prediction"' in Pages(team.ada).get(url("prediction-find")).content.decode()

    Pages(team.ada).post(
        url("flag-several"),
        prediction=[p.pk for p in two],
        reason="wrong class",
        answer_name="refund",
    )

    assert Flag.objects.filter(suggested__name="refund").count() == 2


def test_a_refused_flag_on_several_comes_back_with_its_rows_marked(
    team: Team, clock: SetClock
) -> None:
    two = [predicted(team, text, "delivery", at=clock.at) for text in ("one", "two")]
    sent = {"reason": "missing class", "answer_name": "delivery"}

    page = Pages(team.ada).post(url("flag-several"), prediction=[p.pk for p in two], **sent)

    content = page.content.decode()
    assert page.status_code == 422
    assert "already answered" in text_of(page)
    assert all(f'value="{p.pk}"' in content for p in two)
    assert content.count(" checked") == 2
    assert 'value="delivery"' in content
    assert '<option value="missing class" selected>' in content
    assert Sighting.objects.filter(user=team.ada).count() == 2


@pytest.mark.parametrize("external_id", ["p-404", "x" * 201])
def test_a_refused_flag_on_a_pasted_id_comes_back_as_it_was_sent(
    team: Team, external_id: str
) -> None:
    sent = {"external_id": external_id, "reason": "wrong class", "answer_name": "y" * 121}

    page = Pages(team.ada).post(url("flag-create"), **sent)

    assert page.status_code == 422
    assert "at most" in text_of(page)
    assert f'name="external_id" value="{external_id}"' in page.content.decode()
    assert "y" * 121 in page.content.decode()
    assert not Flag.objects.exists()


def test_rows_of_another_project_are_told_and_not_counted_as_flagged(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    theirs = predicted(other, "one", "delivery", at=clock.at)
    sent = {"reason": "wrong class", "answer_name": "refund"}

    page = Pages(team.ada).post(url("flag-several"), prediction=[theirs.pk], **sent)

    assert page.status_code == 404
    assert "None of these answers" in text_of(page)


def test_a_row_that_cannot_be_is_not_flagged(team: Team) -> None:
    page = Pages(team.ada).post(
        url("flag-several"), prediction=["9" * 30], reason="wrong class", answer_name="refund"
    )

    assert page.status_code == 422
    assert "Mark at least one" in text_of(page)


def test_my_flags_tell_a_receipt_and_take_still_wrong(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.ada, "refund", at=clock.at)
    version = ModelVersion.objects.create(
        project=team.project, name="v2", kind="external", created_at=clock.at
    )
    Receipt.objects.create(
        project=team.project,
        flag=flag,
        version=version,
        old_answer="delivery",
        new_answer="refund",
        is_learned=True,
        sent_at=clock.at,
    )
    Flag.objects.update(state=Flag.State.FIXED)
    pages = Pages(team.ada)

    page = text_of(pages.get(url("flag-mine")))
    again = text_of(pages.get(url("flag-mine"), state="fixed"))
    pages.post(url("flag-reopen", code=flag.code))

    assert "v1 answered delivery" in page
    assert "v2 answers refund" in page
    assert "new fixed" not in page
    assert "it is now answered as “refund”" in page
    assert "fixed new" in page
    assert "fixed new" not in again
    assert Flag.objects.get().state == Flag.State.STILL_WRONG


def test_the_story_goes_from_the_flag_to_what_people_agreed(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.ada, "refund", at=clock.at)
    route_new_flags(at=clock.at)
    waiting = text_of(Pages(team.ada).get(url("prediction-show", pk=prediction.pk)))
    clock.advance(timedelta(hours=1))
    answered_next(team, team.bob, "refund", at=clock.at)

    settled = text_of(Pages(team.ada).get(url("prediction-show", pk=prediction.pk)))

    assert "now People are answering it" in waiting
    assert "People agreed: it is refund" in settled
    assert "waits for a new model" in settled


def test_a_declined_issue_tells_every_agent_the_reason(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.ada, "refund", at=clock.at)
    issue = Issue.objects.get()

    Pages(team.lena).post(url("issue-decline", number=issue.number), reason="As it was agreed.")

    assert "As it was agreed." in text_of(Pages(team.ada).get(url("flag-mine")))
    assert "As it was agreed." in text_of(Pages(team.lena).get(url("issue-show", number=1)))


def test_the_key_of_an_issue_joins_the_first_input_that_is_not_joined(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    other = predicted(team, "where is it", "refund", at=clock.at)
    for each in (prediction, other):
        flagged(each, team.ada, "billing", at=clock.at)
    Flag.objects.update(issue=Issue.objects.earliest("pk"))
    pages = Pages(team.alan)
    page = url("issue-show", number=1)

    before = pages.get(page)
    flagged(prediction, team.alan, "billing", at=clock.at)
    after = pages.get(page)

    assert (text_of(before).count("Me too m"), text_of(before).count("Me too")) == (1, 2)
    assert (text_of(after).count("Me too m"), text_of(after).count("Me too")) == (1, 1)


def test_who_meets_an_issue_joins_it_where_it_is_shown(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flagged(prediction, team.ada, "refund", at=clock.at)

    for_lead = text_of(Pages(team.lena).get(url("issue-show", number=1)))
    for_who_flagged = text_of(Pages(team.ada).get(url("issue-show", number=1)))
    for_another = text_of(Pages(team.alan).get(url("issue-show", number=1)))

    assert "Me too" in for_another
    assert "Me too" not in for_lead + for_who_flagged


def test_what_is_fixed_since_is_not_joined_any_more(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.ada, "refund", at=clock.at)
    second = external_version(team.project, "v2", at=clock.at)
    deploy(version=second, expected=team.version, cause="promotion", at=clock.at, by=team.lena)
    decide_flag(flag=flag, state=Flag.State.FIXED, at=clock.at, version=second)
    mark_fixed_in(issue_ids=[Issue.objects.get().pk], version=second)
    pages = Pages(team.alan)

    issue = text_of(pages.get(url("issue-show", number=1)))
    answer = text_of(pages.get(url("prediction-show", pk=prediction.pk)))

    assert "Me too" not in issue + answer
    assert "v2 answers this right. If it is wrong again, find the newer answer" in issue
    assert "1 other flagged this; since then it is fixed in v2." in answer
    assert "to join any more" not in text_of(Pages(team.lena).get(url("issue-show", number=1)))


def test_where_the_fixing_version_is_wrong_again_it_can_be_joined(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.ada, "refund", at=clock.at)
    decide_flag(flag=flag, state=Flag.State.FIXED, at=clock.at, version=team.version)
    mark_fixed_in(issue_ids=[Issue.objects.get().pk], version=team.version)
    pages = Pages(team.alan)

    offered = text_of(pages.get(url("issue-show", number=1)))
    pages.post(url("prediction-me_too", pk=prediction.pk))

    assert "Me too" in offered
    assert Issue.objects.get().state == Issue.State.REOPENED


def test_issues_are_merged_by_hand(team: Team, clock: SetClock) -> None:
    for text in ("one", "two"):
        flagged(predicted(team, text, "delivery", at=clock.at), team.ada, "refund", at=clock.at)

    answer = Pages(team.rita).post(url("issue-merge", number=1), into=2)

    page = text_of(Pages(team.rita).get(answer.headers["Location"]))
    assert "2 flags by 1 agent" in page
    assert "Merged into issue 2" in text_of(Pages(team.rita).get(url("issue-show", number=1)))


def test_a_fixed_tab_lists_only_fixed_issues(team: Team, clock: SetClock) -> None:
    for text in ("one", "two"):
        flagged(predicted(team, text, "delivery", at=clock.at), team.ada, text, at=clock.at)
    Issue.objects.filter(number=1).update(state=Issue.State.FIXED)

    fixed = text_of(Pages(team.lena).get(url("issue-list"), state="fixed"))

    assert "one goes to delivery" in fixed
    assert "two goes to delivery" not in fixed


def test_agents_may_not_decide_on_issues(team: Team, prediction: Prediction) -> None:
    refused = Pages(team.ada).post(url("issue-rename", number=1), title="Other")

    assert refused.status_code == 403


def test_one_agent_cannot_take_back_anothers_flag(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    flag = flagged(prediction, team.alan, "refund", at=clock.at)

    assert Pages(team.ada).post(url("flag-withdraw", code=flag.code)).status_code == 404


def test_an_answer_of_another_project_is_not_found(
    team: Team, prediction: Prediction, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")

    page = Pages(other.ada).get(
        reverse("feedback:prediction-show", kwargs={"slug": "other", "pk": prediction.pk})
    )

    assert page.status_code == 404


def test_answers_are_found_by_words_customer_and_id(team: Team, clock: SetClock) -> None:
    predicted(team, "Where is my money", "refund", at=clock.at, customer_ref="acme-7")
    predicted(team, "a late parcel", "delivery", at=clock.at, external_id="p-9")
    list(search_index.fill(at=clock.at))
    pages = Pages(team.ada)

    by_words = text_of(pages.part(url("prediction-find"), q="my money"))
    by_customer = text_of(pages.part(url("prediction-find"), q="acme-7"))
    by_id = text_of(pages.part(url("prediction-find"), q="p-9"))

    assert by_words.startswith("1 found")
    assert "Where is my money" in by_words
    assert "Where is my money" in by_customer
    assert "a late parcel" in by_id


def test_every_answer_of_a_list_counts_as_seen(team: Team, clock: SetClock) -> None:
    for text in ("one", "two"):
        predicted(team, text, "refund", at=clock.at)

    Pages(team.lena).part(url("prediction-find"))

    assert Sighting.objects.filter(user=team.lena).count() == 2


def test_filters_narrow_by_what_the_project_declares(team: Team, clock: SetClock) -> None:
    team.project.segment_keys = ["plan"]
    team.project.save()
    predicted(team, "one", "refund", at=clock.at, segments={"plan": "pro"}, confidence=0.97)
    predicted(team, "two", "delivery", at=clock.at, segments={"plan": "free"})
    find = url("prediction-find")
    pages = Pages(team.ada)

    assert text_of(pages.part(find, answer="delivery")).startswith("1 found")
    assert text_of(pages.part(find, segment="plan=pro")).startswith("1 found")
    assert text_of(pages.part(find, confidence="high")).startswith("1 found")
    assert text_of(pages.part(find, segment="input__text=one")).startswith("2 found")
    assert text_of(pages.part(find, sort="identity_key")).startswith("2 found")


@pytest.mark.parametrize("key", ["contains", "isnull", "in", "gt", "range", "a__b", "a b"])
def test_a_segment_key_is_no_lookup(team: Team, clock: SetClock, key: str) -> None:
    team.project.segment_keys = [key]
    team.project.save()
    predicted(team, "one", "refund", at=clock.at, segments={key: "v1"})
    predicted(team, "two", "refund", at=clock.at, segments={key: "v2"})

    found = Pages(team.ada).part(url("prediction-find"), segment=f"{key}=v1")

    assert text_of(found).startswith("1 found")


@pytest.mark.parametrize("version", [str(2**63), "9" * 400, "-1"])
def test_a_version_that_no_row_can_have_narrows_nothing(
    team: Team, clock: SetClock, version: str
) -> None:
    predicted(team, "one", "refund", at=clock.at)

    found = Pages(team.ada).part(url("prediction-find"), version=version)

    assert text_of(found).startswith("1 found")


def test_the_list_costs_as_many_queries_for_forty_answers_as_for_one(
    team: Team, clock: SetClock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        flagged(predicted(team, f"text {number}", "delivery", at=clock.at), team.ada, at=clock.at)
    pages = Pages(team.ada)

    with django_assert_max_num_queries(20):
        pages.get(url("prediction-find"))
    with django_assert_max_num_queries(25):
        pages.get(url("flag-mine"))
    with django_assert_max_num_queries(16):
        pages.get(url("issue-list"))


def test_a_page_for_htmx_is_only_its_part(team: Team, prediction: Prediction) -> None:
    pages = Pages(team.ada)

    assert not is_whole_page(pages.part(url("prediction-find")))
    assert is_whole_page(pages.get(url("prediction-find")))
    assert "HX-Request" in pages.get(url("prediction-find")).headers["Vary"]
