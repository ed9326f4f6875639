"""Agents, annotators and viewers read plain words: no page of theirs holds one of the trade."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.urls import reverse

from feedback.flagging import decline_open_flags
from feedback.models import Issue
from jobs.clock import SetClock
from jobs.running import drain_jobs
from labeling import claims
from labeling.queueing import queue_input
from monitoring.accuracy import measure_day
from projects.classes import accepted_classes
from projects.models import Role, User
from retraining import promotion
from retraining.regression_cases import keep_accepted_flags
from tests.architecture.permission_table import pages
from tests.flagged import make_flag, make_prediction, settle_input
from tests.pages import Pages, text_of
from tests.people import Team, make_team
from tests.trained import make_evaluated_batch, make_trained_version

pytestmark = pytest.mark.django_db

OF_THE_TRADE = re.compile(
    r"\b(lease|slot|fence|fold|champion|challenger|gate|posterior|coverage|novelty|segment|"
    r"regression|prediction|labell)\w*",
    re.IGNORECASE,
)
SHOWN = re.compile(r'(?:placeholder|title|aria-label|data-key-label|data-confirm)="([^"]*)"')
PARCEL = "where is my parcel"


@pytest.fixture
def team(clock: SetClock) -> Team:
    """A project in which most of what can happen has happened."""
    team = make_team(at=clock.at)
    team.project.segment_keys = ["plan"]
    team.project.save()
    make_flag(team, PARCEL, "refund", at=clock.at)
    settle_input(team, PARCEL, "delivery", at=clock.at)
    while keep_accepted_flags(at=clock.at):
        pass
    clock.advance(timedelta(minutes=1))
    batch = make_evaluated_batch(team, make_trained_version(team, "v2", at=clock.at), at=clock.at)
    promotion.promote(batch=batch, by=team.lena, at=clock.at)
    drain_jobs()
    flag = make_flag(team, "is it late", "refund", at=clock.at)
    assert flag.issue
    decline_open_flags(issue=flag.issue, by=team.rita, at=clock.at, reason="As it was agreed.")
    prediction = make_prediction(team, "who pays", "refund", at=clock.at)
    prediction.segments = {"plan": "gold"}
    prediction.save()
    for number, text in enumerate(("one", "two")):
        queue_input(
            project=team.project,
            value={"text": text},
            source="quota",
            reference=number,
            at=clock.at,
        )
    measure_day(project=team.project, day=clock.at.date(), at=clock.at)
    return team


def addresses(team: Team, person: User, role: Role, clock: SetClock) -> Iterator[str]:
    """Every page of that role, each with what it can be about."""
    held = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    values: dict[str, list[object]] = {
        "number": list(Issue.objects.values_list("number", flat=True)),
        "pk": list(team.project.predictions.values_list("pk", flat=True)),
        "code": [held.code] if held else [],
        "queue": [team.queue.slug],
    }
    for name, methods, roles in pages():
        if "GET" not in methods or role not in roles or name == "projects:file-show":
            continue
        part = next((part for part in values if part in PARTS_OF.get(name, ())), "")
        for value in values.get(part, [""]):
            yield reverse(name, kwargs={"slug": "intents"} | ({part: value} if part else {}))
    if role == Role.AGENT:
        find = reverse("feedback:prediction-find", kwargs={"slug": "intents"})
        yield f"{find}?{urlencode({'q': 'nothing of the kind'})}"


PARTS_OF = {
    "labeling:queue-work": ("queue",),
    "labeling:lease-show": ("code",),
    "feedback:prediction-show": ("pk",),
    "feedback:issue-show": ("number",),
}


def words_of(response: HttpResponse) -> str:
    """What a reader sees or hears, without what people typed."""
    shown = [html.unescape(found) for found in SHOWN.findall(response.content.decode())]
    return " ".join([text_of(response), *shown])


@pytest.mark.parametrize(
    ("role", "name"),
    [(Role.AGENT, "ada"), (Role.ANNOTATOR, "bob"), (Role.VIEWER, "vera")],
)
def test_no_page_of_theirs_holds_a_word_of_the_trade(
    team: Team, clock: SetClock, role: Role, name: str
) -> None:
    person = getattr(team, name)
    browser = Pages(person)
    found, visited = [], 0

    for address in addresses(team, person, role, clock):
        page = browser.get(address)
        if page.status_code == 302:
            page = browser.get(page.headers["Location"])
        assert page.status_code == 200, address
        visited += 1
        found += [f"{address}: {hit[0]}" for hit in OF_THE_TRADE.finditer(words_of(page))]

    assert visited > 3
    assert found == []


def test_the_work_page_ends_in_plain_words_too(team: Team, clock: SetClock) -> None:
    browser = Pages(team.bob)
    answer = str(next(iter(accepted_classes(team.project))).pk)

    for _ in range(5):
        held = claims.lease_next_slot(queue=team.queue, annotator=team.bob, at=clock.at)
        if held is None:
            break
        url = reverse("labeling:lease-answer", kwargs={"slug": "intents", "code": held.code})
        page = browser.post_part(url, answer=answer)
        assert not OF_THE_TRADE.findall(words_of(page))

    assert held is None
