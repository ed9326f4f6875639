"""The annotator's page: one item, one key, one round trip."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from feedback.models import AuditDraw, AuditPlan, Prediction, Sighting
from jobs.clock import SetClock
from labeling import claims, desk
from labeling.models import Annotation, ClassProposal, Item, Lease, Skip, Slot
from labeling.queueing import queue_input
from projects.inviting import remove_member
from projects.models import User
from tests.pages import Pages, is_whole_page, text_of
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db
WORK = "/p/intents/work/everyday/"
COVERAGE = "/p/intents/coverage/"


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def queue_texts(team: Team, clock: SetClock, *texts: str) -> list[Item]:
    return [
        queue_input(
            project=team.project,
            value={"text": text},
            source="quota",
            reference=number,
            at=clock.at + timedelta(milliseconds=number),
        )
        for number, text in enumerate(texts)
    ]


def lease_of(person: User) -> Lease:
    return Lease.objects.filter(annotator=person).order_by("-pk")[0]


def answer_url(lease: Lease) -> str:
    return reverse("labeling:lease-answer", kwargs={"slug": "intents", "code": lease.code})


def class_value(team: Team, name: str) -> int:
    return team.project.classes.get(name=name).pk


def first_answer(team: Team, pages: Pages, name: str = "refund") -> HttpResponse:
    pages.get(WORK)
    return pages.post_part(answer_url(lease_of(team.bob)), answer=class_value(team, name))


def test_the_page_leases_the_oldest_item_and_offers_the_classes_with_their_keys(
    team: Team, clock: SetClock
) -> None:
    queue_texts(team, clock, "where is my money", "second")

    page = Pages(team.bob).get(WORK)

    assert "where is my money" in text_of(page)
    keys = re.findall(r'class="choice"[^>]*data-key="(\d)"[^>]*>([^<]+)<', page.content.decode())
    assert keys[:4] == [
        ("1", "billing"),
        ("2", "delivery"),
        ("3", "refund"),
        ("0", "None of these"),
    ]
    assert Slot.objects.get(annotator=team.bob).state == Slot.State.LEASED


def test_an_answer_brings_the_next_item_in_the_same_round_trip(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "where is my money", "the parcel is late")

    part = first_answer(team, Pages(team.bob))

    assert part.status_code == 200
    assert not is_whole_page(part)
    assert "the parcel is late" in text_of(part)
    assert "Answered refund" in text_of(part)
    assert Annotation.objects.get().answer == team.project.classes.get(name="refund")


def test_without_script_an_answer_redirects_to_the_next_item_and_says_what_was_answered(
    team: Team, clock: SetClock
) -> None:
    queue_texts(team, clock, "where is my money", "the parcel is late")
    pages = Pages(team.bob)
    pages.get(WORK)

    answered = pages.post(answer_url(lease_of(team.bob)), answer=class_value(team, "refund"))
    following = pages.get(answered.headers["Location"])

    assert answered.headers["Location"] == WORK
    assert "Answered refund" in text_of(following)
    assert "the parcel is late" in text_of(following)


def test_the_seconds_an_answer_took_count_from_when_the_item_was_given(
    team: Team, clock: SetClock
) -> None:
    queue_texts(team, clock, "where is my money")
    pages = Pages(team.bob)
    pages.get(WORK)
    clock.advance(timedelta(seconds=7))

    pages.post_part(answer_url(lease_of(team.bob)), answer=class_value(team, "refund"))

    assert Annotation.objects.get().seconds == 7


def test_none_of_these_with_a_name_proposes_a_class(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "do you hire")
    pages = Pages(team.bob)
    pages.get(WORK)

    pages.post_part(answer_url(lease_of(team.bob)), answer="none", proposed_name="jobs")

    assert Annotation.objects.get().is_outside
    assert ClassProposal.objects.get().name == "jobs"


def test_an_answer_that_is_no_class_is_refused_and_the_item_stays(
    team: Team, clock: SetClock
) -> None:
    queue_texts(team, clock, "where is my money")
    pages = Pages(team.bob)
    pages.get(WORK)

    part = pages.post_part(answer_url(lease_of(team.bob)), answer="999999")

    assert part.status_code == 422
    assert "no longer offered" in text_of(part)
    assert "where is my money" in text_of(part)
    assert not Annotation.objects.exists()


def test_undo_brings_the_answered_item_back(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "where is my money", "the parcel is late")
    pages = Pages(team.bob)
    first_answer(team, pages)
    undo = reverse(
        "labeling:annotation-undo",
        kwargs={"slug": "intents", "code": Annotation.objects.get().code},
    )

    part = pages.post_part(undo)

    assert "where is my money" in text_of(part)
    assert not Annotation.objects.answers().exists()


def test_a_late_undo_from_my_work_leads_to_the_item(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "where is my money", "the parcel is late")
    pages = Pages(team.bob)
    first_answer(team, pages)
    undo = reverse(
        "labeling:annotation-undo",
        kwargs={"slug": "intents", "code": Annotation.objects.get().code},
    )

    page = pages.get(pages.post(undo).headers["Location"])

    assert "where is my money" in text_of(page)


def test_a_skip_keeps_its_reason_and_goes_on(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "where is my money", "the parcel is late")
    pages = Pages(team.bob)
    pages.get(WORK)
    skip = reverse(
        "labeling:lease-skip", kwargs={"slug": "intents", "code": lease_of(team.bob).code}
    )

    part = pages.post_part(skip, reason="unclear")

    assert Skip.objects.get().reason == "unclear"
    assert "the parcel is late" in text_of(part)


def test_an_answer_nobody_needed_any_more_is_kept_and_the_annotator_is_told(
    team: Team, clock: SetClock
) -> None:
    queue_texts(team, clock, "where is my money", "the parcel is late")
    late, quick = Pages(team.bob), Pages(team.beth)
    late.get(WORK)
    clock.advance(timedelta(minutes=11))
    claims.free_expired_slots(at=clock.at)
    quick.get(WORK)
    quick.post_part(answer_url(lease_of(team.beth)), answer=class_value(team, "refund"))

    part = late.post_part(answer_url(lease_of(team.bob)), answer=class_value(team, "billing"))

    assert "Kept, but it was not needed any more" in text_of(part)
    assert Annotation.objects.get(annotator=team.bob).slot is None


def test_a_second_different_answer_to_one_item_is_refused_with_words(
    team: Team, clock: SetClock
) -> None:
    queue_texts(team, clock, "where is my money", "the parcel is late")
    pages = Pages(team.bob)
    first_answer(team, pages)
    lease = Lease.objects.get(annotations__isnull=False)

    part = pages.post_part(answer_url(lease), answer=class_value(team, "billing"))

    assert "You have answered this item already" in text_of(part)
    assert Annotation.objects.count() == 1


def test_an_open_page_keeps_its_item_but_not_for_ever(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "where is my money")
    pages = Pages(team.bob)
    pages.get(WORK)
    keep = reverse(
        "labeling:lease-keep", kwargs={"slug": "intents", "code": lease_of(team.bob).code}
    )
    clock.advance(timedelta(minutes=9))

    held = pages.post_part(keep)
    until = Slot.objects.get().lease_until
    clock.advance(timedelta(minutes=22))
    refused = pages.post_part(keep)

    assert "Yours for" in text_of(held)
    assert until == clock.at - timedelta(minutes=12)
    assert "Others can have it now" in text_of(refused)


def test_nothing_waiting_at_all_reads_all_done(team: Team, clock: SetClock) -> None:
    assert "All done" in text_of(Pages(team.bob).get(WORK))


def test_items_held_by_others_read_when_the_first_comes_free(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "where is my money")
    Pages(team.beth).get(WORK)

    page = Pages(team.bob).get(WORK)

    assert "1 item left, all with other people" in text_of(page)
    assert 'data-seconds="600"' in page.content.decode()


def test_items_this_person_may_not_have_read_as_for_others(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "where is my money")
    pages = Pages(team.bob)
    pages.get(WORK)
    skip = reverse(
        "labeling:lease-skip", kwargs={"slug": "intents", "code": lease_of(team.bob).code}
    )

    part = pages.post_part(skip, reason="personal")

    assert "Nothing for you here" in text_of(part)


def test_items_that_ask_for_more_people_than_there_are_say_so(clock: SetClock) -> None:
    team = make_team(at=clock.at, overlap=5)
    queue_texts(team, clock, "where is my money", "where is my parcel")
    pages = Pages(team.bob)
    for _ in range(2):
        part = first_answer(team, pages)

    told = "2 items of Everyday queue ask for more people than may still answer: 1 more annotator"
    assert told in text_of(part)
    assert told in text_of(Pages(team.lena).get(COVERAGE))


def test_an_item_whose_people_saw_the_answer_is_told_to_the_lead_and_to_no_annotator(
    team: Team, clock: SetClock
) -> None:
    (item,) = queue_texts(team, clock, "where is my money")
    for person in (team.bob, team.beth, team.bill, team.olga):
        Sighting.objects.create(
            project=team.project, user=person, identity=item.identity, at=clock.at
        )

    assert "1 item of Everyday queue asks" in text_of(Pages(team.lena).get(COVERAGE))
    assert "Everyday queue asks" not in text_of(Pages(team.bob).get(WORK))


def test_nobody_is_missing_where_someone_who_left_has_answered(clock: SetClock) -> None:
    team = make_team(at=clock.at, overlap=4)
    queue_texts(team, clock, "where is my money")
    first_answer(team, Pages(team.bob))
    remove_member(project=team.project, user=team.bob, by=team.olga, at=clock.at)

    assert "Everyday queue asks" not in text_of(Pages(team.lena).get(COVERAGE))


def test_more_than_nine_classes_are_found_by_typing(clock: SetClock) -> None:
    names = tuple(f"class {number}" for number in range(12))
    team = make_team(at=clock.at, classes=names)
    queue_texts(team, clock, "where is my money")

    page = Pages(team.bob).get(WORK).content.decode()

    assert 'data-filter="choices"' in page


def test_a_blind_page_tells_nothing_of_the_models_answer(team: Team, clock: SetClock) -> None:
    prediction = Prediction.objects.create(
        project=team.project,
        version=team.version,
        external_id="p1",
        input={"text": "where is my money"},
        output="delivery",
        confidence=0.31415,
        segments={"plan": "enterprise-plan"},
        customer_ref="customer-77",
        occurred_at=clock.at,
        received_at=clock.at,
        identity="0" * 64,
        body_hash="0" * 64,
    )
    plan = AuditPlan.objects.create(project=team.project, rate=1, since=clock.at)
    AuditDraw.objects.create(
        project=team.project, plan=plan, prediction=prediction, probability=1, drawn_at=clock.at
    )
    queue_input(
        project=team.project,
        value=prediction.input,
        segments=prediction.segments,
        source="audit",
        reference=1,
        at=clock.at,
    )

    page = Pages(team.bob).get(WORK).content.decode()

    assert "where is my money" in page
    # As words of their own: a form's random token may hold any two letters.
    secrets = r"\b(0\.31\d*|enterprise-plan|customer-77|audit\w*|flag\w*|v1)\b"
    assert not re.findall(secrets, page.partition("<main")[2])


def test_a_label_costs_few_queries_and_few_bytes(
    team: Team, clock: SetClock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    queue_texts(team, clock, *(f"message {number}" for number in range(30)))
    pages = Pages(team.bob)
    pages.get(WORK)

    with django_assert_max_num_queries(45):
        part = pages.post_part(answer_url(lease_of(team.bob)), answer=class_value(team, "refund"))

    assert len(part.content) <= 6 * 1024


def test_a_label_stays_small_with_a_hundred_classes(clock: SetClock) -> None:
    team = make_team(at=clock.at, classes=tuple(f"intent number {n}" for n in range(128)))
    queue_texts(team, clock, "where is my money")
    client = Pages(team.bob).client

    part = client.get(WORK, headers={"HX-Request": "true", "Accept-Encoding": "gzip"})

    assert part.headers["Content-Encoding"] == "gzip"
    assert len(part.content) <= 6 * 1024


def test_outsiders_find_no_page_and_other_roles_are_refused(team: Team, clock: SetClock) -> None:
    assert Pages(team.mallory).get(WORK).status_code == 404
    assert Pages(team.ada).get(WORK).status_code == 403
    assert Pages().get(WORK).status_code == 302


def test_another_persons_item_cannot_be_answered(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "where is my money")
    Pages(team.bob).get(WORK)

    refused = Pages(team.beth).post_part(
        answer_url(lease_of(team.bob)), answer=class_value(team, "refund")
    )

    assert refused.status_code == 404
    assert not Annotation.objects.exists()


@pytest.mark.parametrize("overlap", [1, 3])
def test_it_counts_items_that_wait_for_this_person_however_many_people_they_need(
    team: Team, clock: SetClock, overlap: int
) -> None:
    team.queue.overlap = overlap
    team.queue.save()
    queue_texts(team, clock, "one", "two", "three")

    first = text_of(Pages(team.bob).get(WORK))
    second = text_of(first_answer(team, Pages(team.bob)))

    assert "0 done, 3 waiting" in first
    assert "1 done, 2 waiting" in second


def test_after_an_undo_the_item_that_was_next_still_waits(team: Team, clock: SetClock) -> None:
    queue_texts(team, clock, "one", "two", "three")
    pages = Pages(team.bob)
    first_answer(team, pages)
    annotation = Annotation.objects.get()
    undo = reverse("labeling:annotation-undo", kwargs={"slug": "intents", "code": annotation.code})

    back = text_of(pages.post_part(undo))

    assert "0 done, 3 waiting" in back


def test_home_asks_nobody_for_what_only_others_may_answer(clock: SetClock) -> None:
    team = make_team(at=clock.at, overlap=3)
    queue_texts(team, clock, "one", "two")
    pages = Pages(team.bob)

    asked = text_of(pages.get("/p/intents/"))
    first_answer(team, pages)
    held = text_of(pages.get("/p/intents/"))
    first_answer(team, pages)

    assert "2 answers wanted" in asked
    assert "1 answer wanted" in held
    assert "Nothing waits for you" in text_of(pages.get("/p/intents/"))
    assert "2 answers wanted" in text_of(Pages(team.beth).get("/p/intents/"))


def test_home_still_names_the_last_item_while_this_person_holds_it(
    team: Team, clock: SetClock
) -> None:
    queue_texts(team, clock, "one")
    Pages(team.bob).get(WORK)

    assert "1 answer wanted" in text_of(Pages(team.bob).get("/p/intents/"))
    assert "Nothing waits for you" in text_of(Pages(team.beth).get("/p/intents/"))


def test_a_long_queue_is_many(team: Team, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST_COUNTED", 3)
    team.queue.overlap = 3
    team.queue.save()
    queue_texts(team, clock, "one", "two", "three", "four", "five")

    assert "0 done, 3+ waiting" in text_of(Pages(team.bob).get(WORK))
