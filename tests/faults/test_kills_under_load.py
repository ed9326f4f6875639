"""kill -9 of each process while everything is in use: what was answered with success is kept.

Threads send predictions, ask the live model, flag and label over HTTP and note what was answered
with success. One process is killed in the middle, while a model is being trained. Afterwards the
notes are compared with the database, and all work under way must have ended by itself.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from kombu import Connection
from kombu.exceptions import OperationalError

from feedback.models import Flag, Prediction
from jobs import clock
from jobs.models import Job, WorkerBeat
from jobs.tasks import run_job
from labeling.models import Annotation
from labeling.queueing import queue_input
from projects.versions import deploy
from retraining.batches import approve_batch
from retraining.models import Batch
from retraining.proposing import propose_by_person
from retraining.revisions import newest_revision
from tests.annotators import Annotator, Room, sign_in
from tests.api import make_key, ndjson
from tests.history import TOPICS, label_input, texts_of
from tests.people import Team, make_team
from tests.stack import Stack
from tests.trained import make_trained_version

LINES = 5
OVERLAP = 2
ITEMS = 400
BEFORE_SECONDS, DOWN_SECONDS, AFTER_SECONDS = 2.0, 1.0, 3.0
# A worker that died is noticed when its lease of 30 s is over; three tries are made at most.
SETTLE_SECONDS = 180
BROKER_DEATHS = 6

Answer = dict[str, Any]

pytestmark = pytest.mark.timeout(900)


@dataclass
class Load:
    """Clients of one project and what they were told; `run` makes their ids their own."""

    stack: Stack
    team: Team
    key: str
    room: Room
    sessions: list[str]
    run: str
    threads: list[threading.Thread] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    served: dict[str, str] = field(default_factory=dict)
    flagged: list[str] = field(default_factory=list)
    failed: int = 0

    @property
    def slug(self) -> str:
        return self.team.project.slug

    def send_predictions(self, counter: int) -> None:
        lines = {f"k{self.run}-{counter}-{n}": f"where is parcel {n}" for n in range(LINES)}
        body = ndjson(
            {"external_id": name, "model_version": "v1", "input": text, "output": "billing"}
            for name, text in lines.items()
        )
        answer = self._post(
            f"{self.stack.base_url}/api/v1/projects/{self.slug}/predictions",
            body,
            "application/x-ndjson",
        )
        if answer is not None:
            assert answer["accepted"] == LINES
            self.sent.update(lines)

    def ask_the_model(self, counter: int) -> None:
        name = f"s{self.run}-{counter}"
        body = json.dumps({"external_id": name, "input": f"the parcel {counter} is late"})
        answer = self._post(
            f"{self.stack.predictor_url}/api/v1/projects/{self.slug}/predict", body.encode()
        )
        if answer is not None:
            self.served[name] = answer["answer"]

    def flag(self, counter: int) -> None:
        names = list(self.sent)
        if counter < len(names):
            body = {"external_id": names[counter], "reason": "wrong class", "suggested": "delivery"}
            answer = self._post(
                f"{self.stack.base_url}/api/v1/projects/{self.slug}/flags",
                json.dumps(body).encode(),
            )
            if answer is not None:
                self.flagged.append(answer["external_id"])
        else:
            time.sleep(0.05)

    def start(self) -> None:
        annotators = [
            Annotator(self.room, session, seed) for seed, session in enumerate(self.sessions)
        ]
        clients = [self.send_predictions, self.ask_the_model, self.flag]
        self.threads = [
            *(threading.Thread(target=person.work) for person in annotators),
            *(threading.Thread(target=self._repeat, args=(client,)) for client in clients),
        ]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Return when the last answer is noted; only then can notes and database be compared."""
        self.room.over.set()
        for thread in self.threads:
            thread.join()

    def _repeat(self, client: Callable[[int], None]) -> None:
        counter = 0
        while not self.room.over.is_set():
            client(counter)
            counter += 1

    def _post(self, url: str, body: bytes, kind: str = "application/json") -> Answer | None:
        """What was answered with success, else None: the client was told nothing it could keep."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                told: Answer = json.load(answer)
                return told
        except urllib.error.HTTPError as error:
            error.close()
        except (OSError, http.client.HTTPException):
            pass
        self.failed += 1
        time.sleep(0.1)
        return None


@pytest.fixture(scope="module")
def team(stack: Stack) -> Team:
    """A project whose live model is a trained one, with work for its annotators."""
    with stack.database():
        at = clock.now()
        team = make_team(at=at, name="Kills", overlap=OVERLAP, audit_rate=0.1)
        version = make_trained_version(team, "v2", at=at)
        deploy(version=version, expected=team.version, cause="promotion", at=at, by=None)
        for number in range(ITEMS):
            queue_input(
                project=team.project,
                value={"text": f"message {number}"},
                source="flag",
                reference=number,
                at=at,
            )
        label(team, "first")
        return team


def label(team: Team, run: str) -> None:
    """Ten new labels of each class, so that there is something to train on."""
    for topic in TOPICS:
        for text in texts_of(team.project, topic, use="train", count=10):
            with transaction.atomic():  # The annotators at work must not get it in between.
                label_input(team.project, f"{text} {run}", topic, at=clock.now())


@pytest.fixture
def load(stack: Stack, team: Team, request: pytest.FixtureRequest) -> Iterator[Load]:
    """The clients at work; whatever happens, they are stopped."""
    with stack.database():
        key = make_key(team.project, team.ada, at=clock.now())
        sessions = [sign_in(person) for person in (team.bob, team.beth, team.bill)]
        class_id = team.project.classes.get(name="billing").pk
    room = Room(
        f"{stack.base_url}/p/{team.project.slug}/work/{team.queue.slug}/", class_id=class_id
    )
    load = Load(stack, team, key, room, sessions, run=str(request.node.callspec.id))
    load.start()
    yield load
    load.stop()


def approve_a_batch(stack: Stack, team: Team, run: str) -> int:
    """Its training is under way when a process is killed."""
    with stack.database():
        label(team, run)
        at = clock.now()
        batch = propose_by_person(project=team.project, by=team.lena, at=at)
        approve_batch(batch=batch, revision=newest_revision(batch), by=team.lena, at=at)
        return batch.pk


def wait_until_training(stack: Stack, batch_id: int) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        with stack.database():
            if Batch.objects.get(pk=batch_id).state == Batch.State.TRAINING:
                return
        time.sleep(0.05)
    raise AssertionError("the training never began")


def wait_until_all_work_has_ended(stack: Stack) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        with stack.database():
            open_jobs = list(Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING]))
        if not open_jobs:
            return
        time.sleep(1)
    raise AssertionError(f"still under way: {open_jobs}")


def check_what_was_told(load: Load) -> None:
    """Everything answered with success is stored once, as it was told."""
    project = load.team.project
    stored = list(
        Prediction.objects.filter(project=project).values_list("external_id", "input", "output")
    )
    count = Counter(name for name, _, _ in stored)
    texts = {name: value["text"] for name, value, _ in stored}
    outputs = {name: output for name, _, output in stored}
    assert {name: texts.get(name) for name in load.sent} == load.sent
    assert {name: outputs.get(name) for name in load.served} == load.served
    assert {count[name] for name in [*load.sent, *load.served]} == {1}
    flags = Counter(
        Flag.objects.filter(project=project, agent=load.team.ada).values_list(
            "external_id", flat=True
        )
    )
    assert [name for name in load.flagged if flags[name] != 1] == []


def check_what_was_labeled(load: Load) -> None:
    """Every answer taken is there once, nobody twice on an item, no item over its overlap."""
    given = Annotation.objects.answers().filter(project=load.team.project).exclude(lease=None)
    codes = Counter(str(code) for code in given.values_list("lease__code", flat=True))
    assert [code for code in load.room.answers if codes[code] != 1] == []
    pairs = list(given.exclude(slot=None).values_list("item_id", "annotator_id"))
    assert len(pairs) == len(set(pairs))
    assert max(Counter(item for item, _ in pairs).values()) <= OVERLAP


@pytest.mark.parametrize(
    "name", ["web", "predictor", "worker", "trainer", "sweep", "beat", "broker"]
)
def test_nothing_answered_with_success_is_lost_and_all_work_ends(
    stack: Stack, team: Team, load: Load, name: str
) -> None:
    time.sleep(BEFORE_SECONDS)
    batch_id = approve_a_batch(stack, team, run=name)
    wait_until_training(stack, batch_id)

    stack.kill(name)
    time.sleep(DOWN_SECONDS)
    stack.restart(name)
    stack.wait_ready()
    time.sleep(AFTER_SECONDS)
    load.stop()
    wait_until_all_work_has_ended(stack)

    with stack.database():
        batch = Batch.objects.select_related("version").get(pk=batch_id)
        assert (batch.state, batch.error) == (Batch.State.EVALUATED, "")
        check_what_was_told(load)
        check_what_was_labeled(load)
    assert load.sent
    assert load.served
    assert load.flagged
    assert load.room.answers
    assert "events hold" in stack.manage("verify_events")


def test_workers_outlive_every_death_of_the_broker(stack: Stack) -> None:
    over = threading.Event()

    def nudge() -> None:
        """Messages are on their way whenever the broker dies; nobody has a job of this number."""
        while not over.wait(0.02):
            with contextlib.suppress(OperationalError), Connection(stack.site.broker_url) as broker:
                run_job.apply_async(
                    args=(0,), queue="light", retry=False, producer=broker.Producer()
                )

    with stack.database():
        publisher = threading.Thread(target=nudge)
        publisher.start()
        try:
            for _ in range(BROKER_DEATHS):
                time.sleep(BEFORE_SECONDS)
                stack.kill("broker")
                time.sleep(DOWN_SECONDS)
                stack.restart("broker")
                wait_until_seen(["light", "training"], since=clock.now())
        finally:
            over.set()
            publisher.join()

    assert {name: stack.is_alive(name) for name in stack.supervisor.running} == dict.fromkeys(
        stack.supervisor.running, True
    )


def wait_until_seen(lanes: list[str], *, since: datetime) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        seen = WorkerBeat.objects.filter(seen_at__gt=since).values_list("lane", flat=True)
        if set(lanes) <= set(seen):
            return
        time.sleep(0.25)
    raise AssertionError("a worker never came back")


def test_without_a_broker_pages_are_still_served(stack: Stack) -> None:
    stack.kill("broker")

    with urllib.request.urlopen(f"{stack.base_url}/healthz", timeout=10) as answer:
        alive = answer.status
    with pytest.raises(urllib.error.HTTPError) as not_ready:
        urllib.request.urlopen(f"{stack.base_url}/readyz", timeout=10)
    words = not_ready.value.read().decode()
    not_ready.value.close()
    stack.restart("broker")

    assert alive == 200
    assert "NOT  broker" in words
    assert "ok   database" in words
