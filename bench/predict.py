"""What asking over HTTP and recording the answer cost, beside the bare model's answer."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from sklearn.pipeline import Pipeline

from bench.measures import Measure
from jobs import clock
from projects.api_keys import issue_key
from projects.creating import create_project
from projects.files import store_file
from projects.models import ModelVersion, Project, User
from projects.versions import deploy
from retraining.artifacts import pack
from retraining.model_files import signing_keys
from retraining.trainers.text import TextTrainer

ROOT = Path(__file__).resolve().parents[1]
ROWS, CLASSES = 2_000, 20
WARM_UP, ASKED = 50, 400
CLIENTS = 8
START_SECONDS = 120


def measure() -> list[Measure]:
    """p50 for one client after another, and the rate of several at once."""
    trainer = TextTrainer()
    pipeline = trainer.fit(_frame(), parameters={}, seed=0, report=lambda step, share, note: None)
    bare = _median([_seconds(lambda n=n: trainer.answer(pipeline, [_text(n)])) for n in _asked()])
    project, secret = _project_with(pipeline)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = _start(port)
    try:
        client = _Client(port, project.slug, secret)
        client.wait()
        alone = _median([_seconds(lambda n=n: client.ask(f"a-{n}", n)) for n in _asked()])
        rate = _rate_at_once(port, project.slug, secret)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return [
        Measure(
            "Predict and record, p50, one client", alone * 1000, "ms",
            floor=bare * 1000, floor_name="the model's answer in this process",
        ),
        Measure(
            f"Predict and record, {CLIENTS} clients", rate, "a second",
            floor=1 / bare, floor_name="the model's answers in a row in this process",
        ),
    ]  # fmt: skip


class _Client:
    """One connection that is kept."""

    def __init__(self, port: int, slug: str, secret: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.path = f"/api/v1/projects/{slug}/predict"
        self.headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def ask(self, external_id: str, number: int) -> None:
        body = json.dumps({"external_id": external_id, "input": _text(number)})
        self.connection.request("POST", self.path, body, self.headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{answer.status}: {content!r}")

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                self.ask("ready", 0)
            except OSError:
                self.connection.close()
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("The predictor did not start.")


def _rate_at_once(port: int, slug: str, secret: str) -> float:
    def ask_many(who: int) -> None:
        client = _Client(port, slug, secret)
        for number in range(ASKED // 2):
            client.ask(f"c-{who}-{number}", number)

    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask_many, range(CLIENTS)))
    return CLIENTS * (ASKED // 2) / (time.monotonic() - started)


def _project_with(pipeline: Pipeline) -> tuple[Project, str]:
    at = clock.now()
    owner = User.objects.create_user("bench")
    project = create_project(
        name="Bench", task_type="text", trainer="text", owner=owner, at=at, classes=_classes()
    )
    keys = signing_keys()
    packed = pack(pipeline, trainer="text", facts={}, key_id=next(iter(keys)), keys=keys)
    version = ModelVersion.objects.create(
        project=project, name="v1", kind=ModelVersion.Kind.TRAINED, created_at=at,
        artifact=store_file(content=packed.content, media_type="application/zip", at=at),
        manifest=packed.manifest,
    )  # fmt: skip
    deploy(version=version, expected=None, cause="first", at=at, by=owner)
    _, secret = issue_key(project=project, name="bench", scopes=["predict"], by=owner, at=at)
    return project, secret


def _start(port: int) -> subprocess.Popen[bytes]:
    """As `manage.py up` starts it; the database is in the environment."""
    command = [
        *(sys.executable, "-m", "gunicorn", "config.predictor:application"),
        *(f"--bind=127.0.0.1:{port}", "--worker-class=gthread", "--workers=1", "--threads=16"),
        *("--no-control-socket", "--log-level=warning"),
    ]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)


def _frame() -> pd.DataFrame:
    rows = [(_text(number), f"class {number % CLASSES}") for number in range(ROWS)]
    return pd.DataFrame(rows, columns=["input", "label"])


def _text(number: int) -> str:
    """Some 200 characters that tell the class and vary beside it."""
    words = [f"topic{number % CLASSES}", *(f"word{(number * 31 + k * 7) % 997}" for k in range(24))]
    return " ".join(words)


def _classes() -> list[str]:
    return [f"class {number}" for number in range(CLASSES)]


def _asked() -> range:
    return range(WARM_UP + ASKED)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds[WARM_UP:])
