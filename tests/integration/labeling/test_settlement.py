"""What becomes of an item's answers: its ground truth, or the reviewer's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.models import Event
from feedback.flagging import note_sighting
from jobs.clock import SetClock
from labeling import annotating, claims, settlement
from labeling.answers import Answer, class_answer, outside_answer
from labeling.guidelines import write_guideline
from labeling.models import Annotation, ClassProposal, GroundTruth, Item, Skip, Slot
from labeling.queueing import queue_input, requeue_item
from labeling.reach import is_beyond_reach, shortages
from projects.creating import take_role
from projects.errors import Conflict
from projects.models import Membership, Role, User
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at, overlap=3)


@pytest.fixture
def item(team: Team, clock: SetClock) -> Item:
    return put(team, clock, "my drone is lost")


def put(team: Team, clock: SetClock, text: str) -> Item:
    return queue_input(
        project=team.project, value={"text": text}, source="flag", reference=1, at=clock.at
    )


def answer(team: Team, person: User, said: Answer, clock: SetClock) -> Annotation:
    lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    assert lease is not None
    return annotating.submit_annotation(lease=lease, answer=said, at=clock.at)


def everybody_says(team: Team, clock: SetClock, *said: Answer) -> None:
    for person, answered in zip((team.bob, team.beth, team.bill), said, strict=True):
        answer(team, person, answered, clock)


def skip(team: Team, person: User, clock: SetClock) -> None:
    lease = claims.lease_next_slot(queue=team.queue, annotator=person, at=clock.at)
    assert lease is not None
    annotating.skip_item(lease=lease, reason=Skip.Reason.UNCLEAR, at=clock.at)


def state_of(item: Item) -> str:
    return Item.objects.get(pk=item.pk).state


def truth_of(item: Item) -> GroundTruth:
    truth = Item.objects.select_related("truth__answer").get(pk=item.pk).truth
    assert truth is not None
    return truth


def leave(team: Team, person: User, clock: SetClock) -> None:
    held = Membership.objects.get(project=team.project, user=person, role=Role.ANNOTATOR)
    take_role(membership=held, at=clock.at, by=team.olga)


def test_none_of_these_is_one_answer_whatever_name_each_gives_it(
    team: Team, item: Item, clock: SetClock
) -> None:
    names = ("drones", "toys", "gadgets")
    everybody_says(team, clock, *(outside_answer(team.project, name) for name in names))

    assert (truth_of(item).is_outside, truth_of(item).confidence) == (True, 1.0)


def test_the_name_most_people_gave_goes_with_it_however_they_wrote_it(
    team: Team, item: Item, clock: SetClock
) -> None:
    names = ("toys", "Drones", "  DRONES ")
    everybody_says(team, clock, *(outside_answer(team.project, name) for name in names))

    assert truth_of(item).proposed_name.casefold() == "drones"


def test_a_name_counts_only_where_none_of_these_won(
    team: Team, item: Item, clock: SetClock
) -> None:
    delivery = class_answer(team.project, "delivery")
    everybody_says(team, clock, outside_answer(team.project, "drones"), delivery, delivery)

    truth = truth_of(item)
    assert truth.answer is not None
    assert (truth.answer.name, truth.is_outside, truth.proposed_name) == ("delivery", False, "")


def test_one_who_gave_no_name_does_not_outvote_one_who_did(
    team: Team, item: Item, clock: SetClock
) -> None:
    everybody_says(
        team,
        clock,
        outside_answer(team.project),
        outside_answer(team.project),
        outside_answer(team.project, "drones"),
    )

    assert truth_of(item).proposed_name == "drones"


def test_two_who_agree_do_not_decide_what_a_third_was_to_answer(
    team: Team, item: Item, clock: SetClock
) -> None:
    for person in (team.bob, team.beth):
        answer(team, person, class_answer(team.project, "delivery"), clock)

    skip(team, team.bill, clock)
    assert state_of(item) == Item.State.OPEN
    skip(team, team.olga, clock)

    assert state_of(item) == Item.State.DISPUTED


def test_the_reviewers_answer_is_stored_as_theirs(team: Team, item: Item, clock: SetClock) -> None:
    classes = ("billing", "delivery", "refund")
    everybody_says(team, clock, *(class_answer(team.project, name) for name in classes))
    clock.advance(timedelta(hours=1))

    truth = settlement.adjudicate(
        item=item, answer=class_answer(team.project, "refund"), reviewer=team.rita, at=clock.at
    )

    assert (truth.method, truth.confidence, truth.by, truth.at) == (
        GroundTruth.Method.REVIEWER,
        1.0,
        team.rita,
        clock.at,
    )
    event = Event.objects.get(name="item.resolved")
    assert (event.actor_id, event.data["truth"]) == (team.rita.pk, truth.pk)


def test_a_name_that_a_reviewer_gives_is_proposed_as_a_class(
    team: Team, item: Item, clock: SetClock
) -> None:
    classes = ("billing", "delivery", "refund")
    everybody_says(team, clock, *(class_answer(team.project, name) for name in classes))

    settlement.adjudicate(
        item=item, answer=outside_answer(team.project, "drones"), reviewer=team.rita, at=clock.at
    )

    proposal = ClassProposal.objects.get()
    assert (proposal.name, proposal.by) == ("drones", team.rita)


@pytest.mark.parametrize("state", [Item.State.OPEN, Item.State.RESOLVED])
def test_only_a_disputed_item_is_for_the_reviewer(
    team: Team, item: Item, clock: SetClock, state: str
) -> None:
    delivery = class_answer(team.project, "delivery")
    if state == Item.State.RESOLVED:
        everybody_says(team, clock, delivery, delivery, delivery)

    with pytest.raises(Conflict, match="no longer disputed"):
        settlement.adjudicate(item=item, answer=delivery, reviewer=team.rita, at=clock.at)
    with pytest.raises(Conflict, match="no longer disputed"):
        settlement.send_back(item=item, reviewer=team.rita, at=clock.at)

    assert state_of(item) == state


def test_an_item_sent_back_asks_as_many_people_again_and_forgets_what_was_said(
    team: Team, item: Item, clock: SetClock
) -> None:
    classes = ("billing", "delivery", "refund")
    everybody_says(team, clock, *(class_answer(team.project, name) for name in classes))

    settlement.send_back(item=item, reviewer=team.rita, at=clock.at)
    answer(team, team.bob, class_answer(team.project, "billing"), clock)
    answer(team, team.beth, class_answer(team.project, "billing"), clock)

    assert state_of(item) == Item.State.OPEN
    states = Slot.objects.filter(item=item, round=2).values_list("state", flat=True)
    assert sorted(states) == ["filled", "filled", "open"]


def test_an_answer_names_the_guideline_of_its_time(team: Team, item: Item, clock: SetClock) -> None:
    delivery = class_answer(team.project, "delivery")
    first = answer(team, team.bob, delivery, clock)

    write_guideline(project=team.project, text="Judge it anew.", by=team.rita, at=clock.at)
    second = answer(team, team.beth, delivery, clock)
    answer(team, team.bill, delivery, clock)

    guidelines = [given.guideline.number for given in (first, second) if given.guideline]
    assert guidelines == [1, 2]
    assert truth_of(item).guideline_id == second.guideline_id


def test_every_change_of_mind_is_a_revision_and_the_newest_stands(
    team: Team, item: Item, clock: SetClock
) -> None:
    delivery = class_answer(team.project, "delivery")
    everybody_says(team, clock, delivery, delivery, delivery)
    item.refresh_from_db()
    requeue_item(item=item, at=clock.at, by=team.rita, reason="guideline")
    refund = class_answer(team.project, "refund")
    everybody_says(team, clock, refund, refund, refund)

    history = GroundTruth.objects.history(item.pk)
    told = history.values_list("revision", "round", "method", "answer__name")
    assert list(told) == [
        (1, 1, "majority", "delivery"),
        (2, 1, "none", None),
        (3, 2, "majority", "refund"),
    ]
    assert truth_of(item).revision == 3


def test_an_item_whose_last_possible_annotator_leaves_goes_to_the_reviewer(
    team: Team, item: Item, clock: SetClock
) -> None:
    skip(team, team.bob, clock)
    assert settlement.settle_passed_on(at=clock.at) == 0

    leave(team, team.beth, clock)

    assert settlement.settle_passed_on(at=clock.at) == 1
    assert state_of(item) == Item.State.DISPUTED
    assert settlement.settle_passed_on(at=clock.at) == 0


def test_one_whose_account_is_closed_is_not_waited_for(
    team: Team, item: Item, clock: SetClock
) -> None:
    skip(team, team.bob, clock)

    User.objects.filter(pk=team.beth.pk).update(is_active=False)

    assert settlement.settle_passed_on(at=clock.at) == 1
    assert state_of(item) == Item.State.DISPUTED


def test_one_who_saw_the_models_answer_is_not_waited_for(
    team: Team, item: Item, clock: SetClock
) -> None:
    skip(team, team.bob, clock)

    note_sighting(project=team.project, user=team.beth, identity=item.identity, at=clock.at)

    assert settlement.settle_passed_on(at=clock.at) == 1


def test_an_item_that_nobody_passed_on_waits_for_people_to_come(
    team: Team, item: Item, clock: SetClock
) -> None:
    for person in (team.beth, team.bill):
        leave(team, person, clock)

    assert settlement.settle_passed_on(at=clock.at) == 0
    assert is_beyond_reach(item) is False


def test_an_item_that_somebody_holds_is_not_beyond_reach(
    team: Team, item: Item, clock: SetClock
) -> None:
    skip(team, team.bob, clock)
    lease = claims.lease_next_slot(queue=team.queue, annotator=team.beth, at=clock.at)
    for person in (team.bill, team.olga):
        leave(team, person, clock)
    assert settlement.settle_passed_on(at=clock.at) == 0

    assert lease is not None
    claims.release_place(lease=lease)

    assert settlement.settle_passed_on(at=clock.at) == 1


def test_a_shortage_names_the_queue_its_items_and_the_people_that_all_of_them_need(
    team: Team, item: Item, clock: SetClock
) -> None:
    put(team, clock, "second")
    answer(team, team.bob, class_answer(team.project, "delivery"), clock)
    for person in (team.bill, team.olga):
        leave(team, person, clock)

    (short,) = shortages(team.project, also_seen=False)

    assert (short.queue, short.items, short.missing) == (team.queue.name, 2, 1)


def test_a_shortage_of_another_project_is_not_told_here(
    team: Team, item: Item, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2", overlap=9)
    put(other, clock, "theirs")

    assert shortages(team.project, also_seen=True) == []
    assert len(shortages(other.project, also_seen=True)) == 1
