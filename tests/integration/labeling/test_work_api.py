"""Labeling by API: an item is taken, answered, skipped, held and taken back as on the page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from feedback.flagging import note_sighting
from feedback.models import Flag
from jobs.clock import SetClock
from labeling.claims import free_expired_slots
from labeling.models import Annotation, ClassProposal, GroundTruth, Item, Skip
from labeling.queueing import queue_input
from projects.creating import give_role
from projects.inviting import remove_member
from projects.models import ApiKey, Role, User
from tests.api import Api, ask, make_key
from tests.flagged import make_flag
from tests.people import Team, make_team

pytestmark = pytest.mark.django_db
TAKE = "queues/everyday/take"
SHOWN = {
    "lease", "queue", "input", "task_type", "question", "classes", "guideline", "held_until",
}  # fmt: skip


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


@pytest.fixture
def bob(team: Team, clock: SetClock) -> Api:
    return key_of(team, team.bob, clock)


@pytest.fixture
def item(team: Team, clock: SetClock) -> Item:
    return put(team, clock, "where is my parcel")


def key_of(team: Team, person: User, clock: SetClock) -> Api:
    """A key that may do nothing but label."""
    scopes = [ApiKey.Scope.LABEL]
    return Api(team.project, make_key(team.project, person, at=clock.at, scopes=scopes))


def put(team: Team, clock: SetClock, text: str, reference: int = 1) -> Item:
    return queue_input(
        project=team.project, value={"text": text}, source="flag", reference=reference, at=clock.at
    )


def take(api: Api) -> Any:
    return api.post(TAKE, {}).json()["item"]


def answer(api: Api, taken: Any, **said: Any) -> Any:
    return api.post(f"leases/{taken['lease']}/answer", said)


def test_a_taken_item_brings_what_is_needed_to_answer_it(
    team: Team, item: Item, bob: Api, clock: SetClock
) -> None:
    told = bob.post(TAKE, {})

    assert told.status_code == 200
    assert told.json()["empty"] is None
    taken = told.json()["item"]
    assert taken["input"] == {"text": "where is my parcel"}
    assert taken["classes"] == ["billing", "delivery", "refund"]
    assert taken["guideline"] == {"number": 1, "text": "Judge the message."}
    assert (taken["queue"], taken["task_type"]) == ("everyday", team.project.task_type)
    assert taken["question"] == team.project.question
    until = clock.at + team.queue.lease_length
    assert taken["held_until"] == until.isoformat().replace("+00:00", "Z")


def test_take_and_answer_settle_the_item(team: Team, item: Item, bob: Api) -> None:
    told = answer(bob, take(bob), answer="delivery")

    assert told.status_code == 201
    kept = Annotation.objects.get()
    assert told.json() == {
        "annotation": str(kept.code),
        "answer": "delivery",
        "none_of_these": False,
        "proposed_name": "",
        "counts": True,
        "note": "",
    }
    item.refresh_from_db()
    assert (item.state, kept.annotator) == (Item.State.RESOLVED, team.bob)


def test_a_signed_in_annotator_needs_no_key(team: Team, item: Item) -> None:
    taken = ask(team.bob, "post", f"/{TAKE}").json()["item"]
    told = ask(team.bob, "post", f"/leases/{taken['lease']}/answer", answer="delivery")

    assert told.status_code == 201


def test_the_queues_are_listed_by_the_names_that_addresses_use(team: Team, bob: Api) -> None:
    assert bob.get("queues").json() == [{"slug": "everyday", "name": team.queue.name}]


def test_what_is_held_is_given_again(item: Item, bob: Api) -> None:
    assert take(bob)["lease"] == take(bob)["lease"]


def test_a_blind_queue_tells_nothing_of_the_model_the_flag_or_others(
    clock: SetClock,
) -> None:
    team = make_team(at=clock.at, overlap=2)
    flag = make_flag(team, "where is my parcel", "billing", at=clock.at)
    Flag.objects.filter(pk=flag.pk).update(note="The customer is furious.")
    put(team, clock, "where is my parcel", flag.pk)
    beth = key_of(team, team.beth, clock)
    answer(beth, take(beth), none_of_these=True, proposed_name="parcels")

    told = key_of(team, team.bob, clock).post(TAKE, {})

    assert set(told.json()["item"]) == SHOWN
    assert told.json()["item"]["classes"] == ["billing", "delivery", "refund"]
    said = told.content.decode()
    assert not [w for w in ("parcels", "beth", "furious", "flag", "0.8") if w in said]


def test_whoever_saw_the_models_answer_is_told_only_that_nothing_is_theirs(
    team: Team, item: Item, bob: Api, clock: SetClock
) -> None:
    note_sighting(project=team.project, user=team.bob, identity=item.identity, at=clock.at)

    told = bob.post(TAKE, {}).json()

    assert told["item"] is None
    assert told["empty"] == {"kind": "none", "held_count": 0, "first_free_at": None, "short": []}


def test_without_an_item_it_is_told_which_reason_it_is(
    team: Team, bob: Api, clock: SetClock
) -> None:
    done = bob.post(TAKE, {}).json()["empty"]
    put(team, clock, "where is my parcel")
    take(key_of(team, team.beth, clock))
    held = bob.post(TAKE, {}).json()["empty"]

    assert done["kind"] == "done"
    assert (held["kind"], held["held_count"]) == ("held", 1)
    assert held["first_free_at"] is not None


def test_an_unknown_class_is_refused_and_the_item_stays_held(item: Item, bob: Api) -> None:
    taken = take(bob)

    told = answer(bob, taken, answer="parcels")

    assert told.status_code == 422
    assert "'parcels' is not a class of this project" in told.json()["detail"]
    assert take(bob)["lease"] == taken["lease"]
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 422),
        ({"answer": "refund", "none_of_these": True}, 422),
        ({"answer": "refund", "proposed_name": "parcels"}, 422),
        ({"proposed_name": "parcels"}, 422),
        ({"none_of_these": True, "proposed_name": "x" * 121}, 400),
        ({"answer": "refund", "sure": True}, 400),
    ],
)
def test_a_body_that_says_no_one_thing_is_refused(
    item: Item, bob: Api, said: dict[str, Any], status: int
) -> None:
    assert answer(bob, take(bob), **said).status_code == status
    assert not Annotation.objects.exists()


def test_none_of_these_proposes_a_class(team: Team, item: Item, bob: Api) -> None:
    told = answer(bob, take(bob), none_of_these=True, proposed_name="parcels").json()

    assert (told["answer"], told["none_of_these"], told["proposed_name"]) == ("", True, "parcels")
    assert ClassProposal.objects.get().name == "parcels"


def test_the_same_answer_twice_is_kept_once_and_another_is_a_conflict(item: Item, bob: Api) -> None:
    taken = take(bob)

    first = answer(bob, taken, answer="refund")
    again = answer(bob, taken, answer="refund")
    other = answer(bob, taken, answer="billing")

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json() == first.json()
    assert "Undo that answer" in other.json()["detail"]
    assert Annotation.objects.count() == 1


def test_a_late_answer_counts_while_a_place_is_free(
    team: Team, item: Item, bob: Api, clock: SetClock
) -> None:
    taken = take(bob)
    clock.advance(team.queue.lease_length + timedelta(seconds=1))

    assert answer(bob, taken, answer="refund").json()["counts"] is True


def test_a_surplus_answer_is_kept_and_told(
    team: Team, item: Item, bob: Api, clock: SetClock
) -> None:
    late = take(bob)
    clock.advance(team.queue.lease_length + timedelta(seconds=1))
    free_expired_slots(at=clock.at)
    beth = key_of(team, team.beth, clock)
    answer(beth, take(beth), answer="delivery")

    told = answer(bob, late, answer="refund")

    assert (told.status_code, told.json()["counts"]) == (201, False)
    assert told.json()["note"].startswith("Kept, but it was not needed any more")


def test_an_undo_gives_the_item_back_and_the_old_lease_says_so(
    team: Team, item: Item, bob: Api
) -> None:
    taken = take(bob)
    given = answer(bob, taken, answer="refund").json()

    back = bob.post(f"annotations/{given['annotation']}/undo", {})
    again = answer(bob, taken, answer="refund").json()
    better = answer(bob, back.json()["item"], answer="delivery")

    assert back.status_code == 200
    assert back.json()["item"]["input"] == {"text": "where is my parcel"}
    assert (again["counts"], again["note"]) == (False, "You have taken this answer back.")
    assert (better.status_code, better.json()["counts"]) == (201, True)
    item.refresh_from_db()
    assert item.truth == GroundTruth.objects.get(answer__name="delivery")


def test_an_undo_works_once_and_not_after_an_approved_batch(item: Item, bob: Api) -> None:
    given = answer(bob, take(bob), answer="refund").json()["annotation"]
    Item.objects.update(sealed_round=1)

    sealed = bob.post(f"annotations/{given}/undo", {})
    Item.objects.update(sealed_round=0)
    first = bob.post(f"annotations/{given}/undo", {})
    second = bob.post(f"annotations/{given}/undo", {})

    assert [told.status_code for told in (sealed, first, second)] == [409, 200, 409]
    assert "approved batch" in sealed.json()["detail"]


def test_a_skip_takes_one_of_the_known_reasons(item: Item, bob: Api) -> None:
    lease = take(bob)["lease"]

    refused = bob.post(f"leases/{lease}/skip", {"reason": "boring"})
    taken = bob.post(f"leases/{lease}/skip", {"reason": "unclear", "note": "Half a sentence."})

    assert (refused.status_code, taken.status_code) == (400, 204)
    assert "reason" in refused.json()["detail"]
    assert Skip.objects.get().note == "Half a sentence."
    assert bob.post(TAKE, {}).json()["item"] is None


def test_an_answered_item_is_not_skipped(item: Item, bob: Api) -> None:
    taken = take(bob)
    answer(bob, taken, answer="refund")

    told = bob.post(f"leases/{taken['lease']}/skip", {"reason": "unclear"})

    assert told.status_code == 409


def test_a_renewed_item_is_held_longer_and_not_for_ever(
    team: Team, item: Item, bob: Api, clock: SetClock
) -> None:
    renew, until = f"leases/{take(bob)['lease']}/renew", []
    for _ in range(4):
        clock.advance(team.queue.lease_length - timedelta(seconds=1))
        until.append(bob.post(renew, {}).json()["held_until"])

    assert [bool(one) for one in until] == [True, True, True, False]


def test_another_persons_lease_and_answer_are_not_there(
    team: Team, item: Item, bob: Api, clock: SetClock
) -> None:
    beth, taken = key_of(team, team.beth, clock), take(bob)
    given = answer(bob, taken, answer="refund").json()["annotation"]

    asked = [
        answer(beth, taken, answer="refund"),
        beth.post(f"leases/{taken['lease']}/skip", {"reason": "unclear"}),
        beth.post(f"leases/{taken['lease']}/renew", {}),
        beth.post(f"annotations/{given}/undo", {}),
        beth.post("queues/nowhere/take", {}),
    ]

    assert [told.status_code for told in asked] == [404] * 5


def test_an_item_of_another_project_is_not_there(
    team: Team, item: Item, bob: Api, clock: SetClock
) -> None:
    """Also for somebody who is an annotator in both."""
    other = make_team(at=clock.at, name="Other", suffix="2")
    give_role(project=other.project, user=team.bob, role=Role.ANNOTATOR, at=clock.at, by=other.olga)
    foreign, taken = key_of(other, team.bob, clock), take(bob)

    asked = [
        answer(foreign, taken, answer="refund"),
        foreign.post(f"annotations/{uuid4()}/undo", {}),
        Api(team.project, foreign.headers["Authorization"].split()[1]).post(TAKE, {}),
    ]

    assert [told.status_code for told in asked] == [404] * 3


@pytest.mark.parametrize("name", ["ada", "rita", "lena", "ed", "vera"])
def test_a_key_may_no_more_than_its_maker(
    team: Team, item: Item, clock: SetClock, name: str
) -> None:
    told = key_of(team, getattr(team, name), clock).post(TAKE, {})

    assert told.status_code == 403
    assert "Annotator" in told.json()["detail"]


def test_a_key_of_somebody_who_left_labels_nothing(
    team: Team, item: Item, bob: Api, clock: SetClock
) -> None:
    taken = take(bob)
    User.objects.filter(pk=team.bob.pk).update(is_active=False)
    closed = answer(bob, taken, answer="refund")
    User.objects.filter(pk=team.bob.pk).update(is_active=True)
    remove_member(project=team.project, user=team.bob, by=team.olga, at=clock.at)
    gone = answer(bob, taken, answer="refund")

    assert (closed.status_code, gone.status_code) == (403, 404)


def test_other_scopes_do_not_label(team: Team, item: Item, clock: SetClock) -> None:
    scopes = set(ApiKey.Scope.values) - {"label"}
    api = Api(team.project, make_key(team.project, team.bob, at=clock.at, scopes=scopes))

    told = api.post(TAKE, {})

    assert told.status_code == 403
    assert told.json()["detail"] == "This key lacks the scope for this. Wanted: label."
