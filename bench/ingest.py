"""Ingest over HTTP on PostgreSQL, beside COPY of the same columns into the same table."""

from __future__ import annotations

import http.client
import json
import random
import time

from django.db import connection

from bench.measures import Measure
from bench.web import running_web
from feedback.models import Prediction
from feedback.prediction_rows import COLUMNS
from jobs import clock
from tests.api import make_key
from tests.people import Team, make_team

ROWS = 100_000
REQUEST_ROWS = 10_000
ROUNDS = 2  # Ours and the floor by turns, so that both meet the same table and the same machine.
CHARACTERS = 200
WORDS = (
    *("where", "is", "my", "parcel", "the", "invoice", "was", "wrong", "please", "refund"),
    *("order", "number", "late", "again", "address", "changed", "card", "blocked", "today"),
    *("money", "account", "delivery", "still", "waiting", "thank", "you", "support", "answer"),
)
STORED = f"{COLUMNS}, project_id, received_at, imported_id"
# The rows of one round, given ids that are new.
COPY_OUT = f"""
    COPY (
        SELECT 'floor-' || external_id, {STORED.partition(", ")[2]} FROM feedback_prediction
        WHERE external_id LIKE '{{tag}}-%'
    ) TO STDOUT
"""
COPY_IN = f"COPY feedback_prediction ({STORED}) FROM STDIN"


def measure() -> list[Measure]:
    team = make_team(at=clock.now(), audit_rate=0.05)
    key = make_key(team.project, team.ed, at=clock.now(), scopes=["ingest"])
    ours = floor = 0.0
    with running_web() as port:
        _send(port, team, key, _bodies("warm", REQUEST_ROWS))
        for number in range(ROUNDS):
            tag = f"round{number}"
            ours += _send(port, team, key, _bodies(tag, ROWS))
            floor += _copy(tag)
    stored = Prediction.objects.filter(external_id__startswith="round").count()
    if stored != ROUNDS * ROWS:
        raise RuntimeError(f"{stored} rows are stored, {ROUNDS * ROWS} were sent")
    return [
        Measure(
            "Ingest over HTTP, 100,000 predictions",
            ROUNDS * ROWS / ours,
            "rows/s",
            bound=1 / 8,
            floor=ROUNDS * ROWS / floor,
            floor_name="COPY into the same table with its constraints and indexes",
            note=f"NDJSON, {REQUEST_ROWS:,} lines a request, 5 % drawn for audit",
        )
    ]


def _bodies(tag: str, rows: int) -> list[bytes]:
    """NDJSON bodies of texts of about 200 characters."""
    chance = random.Random(tag)
    lines = [
        json.dumps(
            {
                "external_id": f"{tag}-{number}",
                "model_version": "v1",
                "input": _text(chance),
                "output": "billing",
                "confidence": round(chance.random(), 4),
                "segments": {"language": "en"},
                "customer_ref": f"customer-{number % 5_000}",
            }
        )
        for number in range(rows)
    ]
    starts = range(0, rows, REQUEST_ROWS)
    return ["\n".join(lines[start : start + REQUEST_ROWS]).encode() for start in starts]


def _text(chance: random.Random) -> str:
    words: list[str] = []
    size = 0
    while size < CHARACTERS:
        words.append(chance.choice(WORDS))
        size += len(words[-1]) + 1
    return " ".join(words)


def _send(port: int, team: Team, key: str, bodies: list[bytes]) -> float:
    """Seconds until every body is answered, one after the other on one connection."""
    path = f"/api/v1/projects/{team.project.slug}/predictions?answers=all"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    started = time.perf_counter()
    for body in bodies:
        client.request("POST", path, body, headers)
        response = client.getresponse()
        answer = response.read()
        if response.status != http.client.OK:
            raise RuntimeError(f"{response.status}: {answer[:500]!r}")
    seconds = time.perf_counter() - started
    client.close()
    return seconds


def _copy(tag: str) -> float:
    """Seconds of one COPY of the rows just sent, under other ids."""
    with connection.cursor() as cursor:
        with cursor.copy(COPY_OUT.format(tag=tag)) as copy:
            rows = b"".join(bytes(part) for part in copy)
        started = time.perf_counter()
        with cursor.copy(COPY_IN) as copy:
            copy.write(rows)
    return time.perf_counter() - started
