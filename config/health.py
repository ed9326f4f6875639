"""`/healthz` says that the process lives, `/readyz` in words whether the whole is ready."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from jobs import broker, clock
from jobs.models import WorkerBeat
from jobs.programs import is_answering
from projects.policies import PUBLIC, policy

SEEN_WITHIN = timedelta(seconds=30)  # Three signs of life.
SWEPT_WITHIN = timedelta(seconds=20)  # Ten sweeps.
LANES = ("light", "training")


@dataclass(frozen=True)
class Finding:
    """One thing that must be there, and what is wrong when it is not."""

    subject: str
    is_ok: bool
    words: str


@policy(PUBLIC)
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain; charset=utf-8")


@policy(PUBLIC)
def readyz(request: HttpRequest) -> HttpResponse:
    findings = list(find_out())
    lines = [f"{'ok ' if one.is_ok else 'NOT'}  {one.subject}: {one.words}" for one in findings]
    return HttpResponse(
        "\n".join(lines) + "\n",
        content_type="text/plain; charset=utf-8",
        status=200 if all(one.is_ok for one in findings) else 503,
        headers={"Cache-Control": "no-store"},
    )


def find_out() -> Iterator[Finding]:
    database = _database()
    yield database
    yield _broker()
    yield _predictor()
    if database.is_ok:
        yield from _workers()


def _database() -> Finding:
    try:
        unapplied = _unapplied_migrations()
    except DatabaseError as error:
        return Finding("database", False, f"does not answer ({type(error).__name__})")
    if unapplied:
        return Finding("database", False, f"{unapplied} migrations to apply: manage.py migrate")
    return Finding("database", True, f"{connection.vendor} answers and is migrated")


def _unapplied_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _broker() -> Finding:
    if broker.is_answering(settings.BROKER_URL):
        return Finding("broker", True, "answers")
    return Finding("broker", False, "does not answer; nothing is lost, but work waits")


def _predictor() -> Finding:
    if is_answering(f"{settings.PREDICTOR_URL}/healthz"):
        return Finding("predictor", True, "answers")
    return Finding("predictor", False, f"does not answer at {settings.PREDICTOR_URL}")


def _workers() -> Iterator[Finding]:
    at = clock.now()
    for lane in LANES:
        seen = WorkerBeat.objects.filter(lane=lane, seen_at__gt=at - SEEN_WITHIN).count()
        words = f"{seen} seen" if seen else f"none seen for {SEEN_WITHIN.seconds} s"
        yield Finding(f"workers for {lane} jobs", bool(seen), words)
    last = WorkerBeat.objects.filter(lane="swept").order_by("-seen_at").first()
    if last is None:
        yield Finding("sweep", False, "never ran; is beat running?")
        return
    age = at - last.seen_at
    yield Finding("sweep", age < SWEPT_WITHIN, f"ran {max(0, round(age.total_seconds()))} s ago")
