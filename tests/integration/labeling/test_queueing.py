"""Items come into their queue: by which rule, in which order, and what they keep."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jobs.clock import SetClock
from labeling.guidelines import LONGEST, add_to_guideline, write_guideline
from labeling.models import Guideline, Item, Queue, RoutingRule, Slot
from labeling.queueing import queue_input, requeue_item, route
from labeling.sampling import queue_uncertain
from projects.errors import Conflict, Invalid
from tests.flagged import settle_input
from tests.people import Team, make_team
from tests.stories import predicted

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def urgent(team: Team, clock: SetClock) -> Queue:
    """Flags of the two worst severities go first, to a queue of their own."""
    queue = Queue.objects.create(
        project=team.project, slug="urgent", name="Urgent", created_at=clock.at
    )
    team.project.routing_rules.update(position=9)
    RoutingRule.objects.create(
        project=team.project,
        position=1,
        source="flag",
        least_severity=2,
        queue=queue,
        head_start_hours=24,
    )
    return queue


def put(
    team: Team,
    text: str,
    *,
    at: datetime,
    source: str = "flag",
    severity: int = 0,
    reference: int = 1,
) -> Item:
    return queue_input(
        project=team.project,
        value={"text": text},
        source=source,
        reference=reference,
        severity=severity,
        at=at,
    )


def key_of(item: Item) -> int:
    return Slot.objects.get(item=item).order_key


@pytest.mark.parametrize(
    ("source", "severity", "slug"),
    [("flag", 1, ""), ("flag", 2, "urgent"), ("flag", 3, "urgent"), ("audit", 3, "")],
)
def test_a_rule_takes_its_source_from_its_severity_on(
    team: Team, urgent: Queue, source: str, severity: int, slug: str
) -> None:
    found = route(project=team.project, source=source, severity=severity)

    assert found.queue == (urgent if slug else team.queue)


def test_of_two_rules_that_fit_the_first_decides(team: Team, urgent: Queue) -> None:
    RoutingRule.objects.create(
        project=team.project, position=0, source="", queue=team.queue, head_start_hours=1
    )

    assert route(project=team.project, source="flag", severity=3).head_start_hours == 1


def test_a_project_without_a_rule_says_what_to_do(team: Team) -> None:
    team.project.routing_rules.all().delete()

    with pytest.raises(Invalid, match="No routing rule sends 'audit' to a queue"):
        route(project=team.project, source="audit")


def test_another_projects_rules_route_nothing_here(team: Team, clock: SetClock) -> None:
    make_team(at=clock.at, name="Other", suffix="-2")
    team.project.routing_rules.all().delete()

    with pytest.raises(Invalid):
        route(project=team.project, source="flag")


def test_a_head_start_counts_as_age_and_no_more(team: Team, urgent: Queue, clock: SetClock) -> None:
    plain = put(team, "plain", at=clock.at)

    older = put(team, "urgent", at=clock.at + 23 * HOUR, severity=3)
    younger = put(team, "urgent, too late", at=clock.at + 25 * HOUR, severity=3)

    assert key_of(older) < key_of(plain) < key_of(younger)


def test_a_second_and_more_urgent_source_moves_an_item_ahead(
    team: Team, urgent: Queue, clock: SetClock
) -> None:
    item = put(team, "where is it", at=clock.at, source="audit")
    before = key_of(item)

    put(team, "Where is it", at=clock.at + HOUR, severity=3, reference=2)

    # A day in milliseconds, from when it was queued first.
    assert key_of(item) == before - 24 * 3600 * 1000


def test_a_second_source_without_haste_never_moves_an_item_back(
    team: Team, urgent: Queue, clock: SetClock
) -> None:
    item = put(team, "where is it", at=clock.at, severity=3)
    before = key_of(item)

    put(team, "where is it", at=clock.at + HOUR, source="audit", reference=2)

    assert key_of(item) == before


def test_what_is_under_work_is_not_moved(team: Team, urgent: Queue, clock: SetClock) -> None:
    item = put(team, "where is it", at=clock.at)
    before = key_of(item)
    Slot.objects.update(state="leased", annotator=team.bob, lease_until=clock.at)

    put(team, "where is it", at=clock.at, severity=3, reference=2)

    assert key_of(item) == before


def test_an_item_keeps_each_of_its_sources_once(team: Team, clock: SetClock) -> None:
    for source, reference in [("flag", 1), ("flag", 1), ("flag", 2), ("audit", 1)]:
        item = put(team, "where is it", at=clock.at, source=source, reference=reference)

    told = item.sources.order_by("kind", "reference").values_list("kind", "reference")
    assert list(told) == [("audit", 1), ("flag", 1), ("flag", 2)]


def test_a_resolved_item_is_not_asked_again_by_a_new_source(team: Team, clock: SetClock) -> None:
    item = settle_input(team, "where is it", "delivery", at=clock.at)

    put(team, "where is it", at=clock.at, source="audit", reference=7)

    assert not Slot.objects.filter(item=item, state="open").exists()


def test_inputs_of_one_group_have_one_use(team: Team, clock: SetClock) -> None:
    team.project.group_field = "customer"
    team.project.evaluation_share = 0.5
    team.project.save()

    def uses(customer: str) -> set[str]:
        return {
            queue_input(
                project=team.project,
                value={"text": f"{customer} writes {number}"},
                context={"customer": customer},
                source="flag",
                reference=1,
                at=clock.at,
            ).use
            for number in range(6)
        }

    assert [len(uses(customer)) for customer in ("ann", "ben", "cem", "dee")] == [1, 1, 1, 1]


@pytest.mark.parametrize("state", [Item.State.OPEN, Item.State.DISPUTED, Item.State.WITHDRAWN])
def test_only_what_has_an_accepted_answer_is_opened_again(
    team: Team, clock: SetClock, state: str
) -> None:
    item = put(team, "where is it", at=clock.at)
    Item.objects.update(state=state)

    with pytest.raises(Conflict, match="accepted answer"):
        requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")


def test_an_item_that_never_was_in_a_queue_gets_one_when_it_is_opened_again(
    team: Team, clock: SetClock
) -> None:
    item = settle_input(team, "where is it", "delivery", at=clock.at)
    Item.objects.update(queue=None)
    item.refresh_from_db()

    again = requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")

    assert (again.queue, again.round, again.truth, again.resolved_at) == (team.queue, 2, None, None)
    assert Slot.objects.get(item=item, state="open").queue == team.queue


def test_a_new_round_waits_like_an_item_queued_now(team: Team, clock: SetClock) -> None:
    item = settle_input(team, "where is it", "delivery", at=clock.at)
    clock.advance(HOUR)

    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")

    assert Slot.objects.get(item=item, round=2).order_key == clock.at.timestamp() * 1000


def test_the_answers_that_the_model_was_least_sure_of_are_asked_first(
    team: Team, clock: SetClock
) -> None:
    for text, confidence in [("a", 0.9), ("b", 0.2), ("c", 0.5), ("d", None)]:
        predicted(team, text, "refund", at=clock.at, confidence=confidence)

    items = queue_uncertain(project=team.project, count=2, since=clock.at - HOUR, at=clock.at)

    assert [item.input["text"] for item in items] == ["b", "c"]


def test_what_is_an_item_already_or_too_old_or_anothers_is_not_sampled(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    put(team, "known", at=clock.at)
    predicted(team, "known", "refund", at=clock.at)
    predicted(team, "old", "refund", at=clock.at - HOUR)
    predicted(other, "theirs", "refund", at=clock.at)
    predicted(team, "new", "refund", at=clock.at, confidence=0.99)

    items = queue_uncertain(project=team.project, count=9, since=clock.at - HOUR, at=clock.at)

    assert [item.input["text"] for item in items] == ["new"]


def test_one_input_answered_often_is_sampled_once(team: Team, clock: SetClock) -> None:
    for number in range(3):
        predicted(team, "same", "refund", at=clock.at, external_id=f"p{number}", confidence=0.1)
    predicted(team, "another", "refund", at=clock.at, confidence=0.2)

    items = queue_uncertain(project=team.project, count=2, since=clock.at - HOUR, at=clock.at)

    assert [item.input["text"] for item in items] == ["same", "another"]


def test_a_guideline_written_again_is_the_version_that_is_there(
    team: Team, clock: SetClock
) -> None:
    first = write_guideline(project=team.project, text="Be kind.", by=team.rita, at=clock.at)

    again = write_guideline(project=team.project, text=" Be kind.\n", by=team.lena, at=clock.at)

    assert again == first
    assert (first.number, Guideline.objects.filter(project=team.project).count()) == (2, 2)


def test_a_guideline_that_returns_to_old_words_is_a_version_of_its_own(
    team: Team, clock: SetClock
) -> None:
    texts = ("Be kind.", "Be fast.", "Be kind.")
    written = [
        write_guideline(project=team.project, text=text, by=team.rita, at=clock.at).number
        for text in texts
    ]

    assert written == [2, 3, 4]


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (LONGEST + 1)])
def test_a_guideline_has_words_and_not_too_many(team: Team, clock: SetClock, text: str) -> None:
    with pytest.raises(Invalid, match="guideline"):
        write_guideline(project=team.project, text=text, by=team.rita, at=clock.at)


def test_the_longest_guideline_is_taken(team: Team, clock: SetClock) -> None:
    text = "x" * LONGEST

    written = write_guideline(project=team.project, text=f" {text} ", by=team.rita, at=clock.at)

    assert written.text == text


def test_a_paragraph_is_added_below_what_the_guideline_says(team: Team, clock: SetClock) -> None:
    added = add_to_guideline(
        project=team.project, text="  Drones are toys.\n", by=team.lena, at=clock.at
    )

    assert added.text == "Judge the message.\n\nDrones are toys."


def test_a_paragraph_that_is_there_is_not_added_again(team: Team, clock: SetClock) -> None:
    for text in ("Drones are toys.", "Cars are not.", "Drones are toys."):
        added = add_to_guideline(project=team.project, text=text, by=team.lena, at=clock.at)

    assert added.text == "Judge the message.\n\nDrones are toys.\n\nCars are not."
