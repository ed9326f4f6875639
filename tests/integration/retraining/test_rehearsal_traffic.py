"""Simulated traffic is recorded as a model answers it, and agents flag what they notice."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from feedback.models import Flag, Prediction
from jobs.clock import SetClock
from labeling.models import Item
from labeling.queueing import queue_input
from projects.errors import DomainError
from projects.identity import identity_of
from projects.models import Membership, ModelVersion, Role
from retraining.chance import seeded_chance
from retraining.open_models import OpenModel, open_version
from retraining.rehearsal import traffic
from retraining.rehearsal.options import RehearsalOptions
from retraining.rehearsal.stage import OPENING, Stage, opening, set_stage
from retraining.rehearsal.traffic import FlaggingAgents, Message, ingest
from tests.people import Team, make_team
from tests.stories import predicted
from tests.trained import make_trained_version

pytestmark = pytest.mark.django_db

OPTIONS = RehearsalOptions(
    data=Path("a.csv"),
    annotators=(0.9, 0.8),
    overlap=2,
    segment_columns=("country",),
    seed=4,
)
CLASSES = ["billing", "delivery", "refund"]


@pytest.fixture
def stage(clock: SetClock) -> Stage:
    return set_stage(options=OPTIONS, classes=CLASSES, at=clock.at)


@pytest.fixture
def model(clock: SetClock) -> OpenModel:
    """Of another team, so that its version is told apart from those of the stage."""
    return open_version(make_trained_version(make_team(at=clock.at), "v2", at=clock.at))


def message(text: str, label: str, **segments: str) -> Message:
    return Message({"text": text}, label, segments)


def test_the_stage_has_everybody_in_their_roles(stage: Stage) -> None:
    roles = {
        person.username: sorted(
            Membership.objects.filter(project=stage.project, user=person).values_list(
                "role", flat=True
            )
        )
        for person in [stage.lead, stage.reviewer, *stage.agents, *stage.annotators]
    }

    assert roles == {
        "lead": [Role.LEAD],
        "reviewer": [Role.REVIEWER],
        **{f"agent-{number}": [Role.AGENT] for number in range(5)},
        "annotator-0": [Role.ANNOTATOR],
        "annotator-1": [Role.ANNOTATOR],
    }


def test_the_stage_is_set_as_the_options_say(stage: Stage) -> None:
    assert (stage.project.task_type, stage.project.trainer) == ("text", "text")
    assert stage.project.segment_keys == ["country"]
    assert list(stage.project.classes.values_list("name", flat=True)) == CLASSES
    assert (stage.queue.overlap, stage.project.quotas.count()) == (2, 0)
    assert stage.project.triggers.get().conditions == [{"kind": "time", "days": 730}]


def test_digits_are_images(clock: SetClock) -> None:
    digits = RehearsalOptions(data=None, digits=True)

    stage = set_stage(options=digits, classes=["0", "1"], at=clock.at)

    assert (stage.project.task_type, stage.project.trainer) == ("image", "image")


def test_another_seed_is_another_day() -> None:
    assert [opening(seed) for seed in (0, 1, 40)] == [
        OPENING,
        OPENING + timedelta(days=1),
        OPENING + timedelta(days=40),
    ]


def send(
    stage: Stage, model: OpenModel, clock: SetClock, *messages: Message, name: str = "clean"
) -> list[int]:
    told = ingest(project=stage.project, model=model, messages=messages, name=name, clock=clock)
    return list(told)


def test_each_message_is_a_prediction_a_minute_after_the_one_before(
    stage: Stage, model: OpenModel, clock: SetClock
) -> None:
    start = clock.at

    send(
        stage,
        model,
        clock,
        message("where is my parcel", "delivery", country="de"),
        Message({"text": "my invoice is wrong"}, "refund", {}, customer="c-7"),
    )

    first, second = Prediction.objects.order_by("pk")
    assert (first.external_id, second.external_id) == ("clean-0", "clean-1")
    assert (first.output, second.output) == ("delivery", "billing")
    assert (first.segments, second.customer_ref) == ({"country": "de"}, "c-7")
    assert first.version.name == "v2"
    assert first.confidence is not None
    assert [row.occurred_at - start for row in (first, second)] == [
        timedelta(minutes=1),
        timedelta(minutes=2),
    ]


def test_it_tells_how_many_are_stored_after_every_chunk(
    stage: Stage, model: OpenModel, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "CHUNK", 2)

    told = send(stage, model, clock, *[message(f"parcel {n}", "delivery") for n in range(5)])

    assert told == [2, 4, 5]
    assert set(Prediction.objects.values_list("external_id", flat=True)) == {
        f"clean-{number}" for number in range(5)
    }


def test_no_messages_are_no_traffic(stage: Stage, model: OpenModel, clock: SetClock) -> None:
    assert send(stage, model, clock) == []


def test_a_message_that_is_refused_stops_it_with_the_reason(
    stage: Stage, model: OpenModel, clock: SetClock
) -> None:
    with pytest.raises(DomainError, match="A prediction was refused: segments"):
        send(stage, model, clock, message("late", "delivery", country="x" * 121))


def test_a_name_used_twice_stops_it_too(stage: Stage, model: OpenModel, clock: SetClock) -> None:
    send(stage, model, clock, message("late", "delivery"))

    with pytest.raises(DomainError, match="stored with another body"):
        send(stage, model, clock, message("another", "delivery"))


class Desk:
    """Recorded answers with the truth beside them, and agents who look at them."""

    def __init__(self, stage: Stage, clock: SetClock) -> None:
        self.stage, self.clock, self.start = stage, clock, clock.at
        self.truths: dict[str, str] = {}
        self.numbers = itertools.count()
        self.version = ModelVersion.objects.create(
            project=stage.project, name="v1", kind="external", created_at=clock.at
        )

    def answered(self, text: str, output: str, truth: str, *, at: datetime | None = None) -> str:
        """The input's identity."""
        self.clock.advance(timedelta(minutes=1))
        at = at or self.clock.at
        identity = identity_of(self.stage.project, {"text": text})
        self.truths[identity] = truth
        Prediction.objects.create(
            project=self.stage.project,
            version=self.version,
            external_id=f"p-{next(self.numbers)}",
            input={"text": text},
            output=output,
            occurred_at=at,
            received_at=at,
            identity=identity,
            body_hash="0" * 64,
        )
        return identity

    def flag_until(self, wanted: int, *, recall: float = 1.0, false_flags: float = 0.0) -> int:
        agents = FlaggingAgents(self.stage, self.truths, recall, false_flags, seeded_chance("test"))
        return agents.flag_until(wanted, since=self.start, clock=self.clock)


@pytest.fixture
def desk(stage: Stage, clock: SetClock) -> Desk:
    return Desk(stage, clock)


def flagged_inputs() -> set[str]:
    flags = Flag.objects.select_related("prediction")
    return {flag.prediction.input["text"] for flag in flags if flag.prediction}


def test_agents_who_notice_everything_flag_what_is_wrong_and_nothing_else(desk: Desk) -> None:
    desk.answered("late", "refund", "delivery")
    desk.answered("the bill", "billing", "billing")
    desk.answered("money", "billing", "refund")

    assert desk.flag_until(10) == 2
    assert flagged_inputs() == {"late", "money"}


def test_agents_who_take_right_for_wrong_suggest_no_class(desk: Desk) -> None:
    desk.answered("late", "refund", "delivery")
    right = desk.answered("the bill", "billing", "billing")

    assert desk.flag_until(10, recall=0.0, false_flags=1.0) == 1

    flag = Flag.objects.get()
    assert flag.identity == right
    assert (flag.reason, flag.suggested, flag.proposed_name) == ("wrong class", None, "")


def test_agents_suggest_the_class_they_know_and_name_the_one_that_is_missing(desk: Desk) -> None:
    late = desk.answered("late", "refund", "delivery")
    scam = desk.answered("scam", "refund", "fraud")

    desk.flag_until(10)

    known, missing = Flag.objects.get(identity=late), Flag.objects.get(identity=scam)
    assert known.suggested is not None
    assert (known.reason, known.suggested.name) == ("wrong class", "delivery")
    assert (missing.reason, missing.suggested, missing.proposed_name) == (
        "missing class",
        None,
        "fraud",
    )


def test_they_stop_when_so_many_new_inputs_are_flagged(desk: Desk) -> None:
    for number in range(9):
        desk.answered(f"late {number}", "refund", "delivery")

    assert desk.flag_until(4) == 4
    assert Flag.objects.count() == 4
    assert Item.objects.filter(queue=desk.stage.queue).count() == 4


def test_none_wanted_are_none_flagged(desk: Desk) -> None:
    desk.answered("late", "refund", "delivery")

    assert desk.flag_until(0) == 0
    assert not Flag.objects.exists()


def test_an_input_that_was_an_item_before_is_not_counted_as_new(desk: Desk) -> None:
    desk.answered("late", "refund", "delivery")
    queue_input(
        project=desk.stage.project,
        value={"text": "late"},
        source="audit",
        reference=1,
        at=desk.clock.at,
    )

    assert desk.flag_until(1) == 0
    assert flagged_inputs() == {"late"}


def test_two_flags_on_one_input_are_one_new_input(desk: Desk) -> None:
    desk.answered("late", "refund", "delivery")
    desk.answered("LATE", "refund", "delivery")

    assert desk.flag_until(9) == 1
    assert Flag.objects.count() == 2


def test_what_came_before_is_not_looked_at(desk: Desk) -> None:
    desk.answered("late", "refund", "delivery", at=desk.start)

    assert desk.flag_until(1) == 0


def test_the_agents_take_turns(desk: Desk) -> None:
    for number in range(7):
        desk.answered(f"late {number}", "refund", "delivery")

    desk.flag_until(7)

    counts = [Flag.objects.filter(agent=agent).count() for agent in desk.stage.agents]
    assert counts == [2, 2, 1, 1, 1]


def test_another_projects_predictions_are_not_theirs_to_flag(desk: Desk, clock: SetClock) -> None:
    other: Team = make_team(at=clock.at, name="Other", suffix="2")
    desk.answered("late", "refund", "delivery")
    predicted(other, "late", "refund", at=clock.at)

    desk.flag_until(9)

    assert {flag.project for flag in Flag.objects.all()} == {desk.stage.project}
