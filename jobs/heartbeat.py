"""Celery's front door for signs of life: a worker's heartbeat becomes a row for each lane."""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery.signals import celeryd_after_setup, heartbeat_sent
from django.db import DatabaseError, connection

from jobs import clock
from jobs.beats import note_beat

log = structlog.get_logger()

EVERY_SECONDS = 8.0  # Celery's own heartbeat is every two seconds; a row needs no such hurry.


class Heartbeat:
    """Remembers who this worker is, and when it last said so."""

    def __init__(self) -> None:
        self.name = ""
        self.lanes: list[str] = []
        self.noted_at = 0.0

    def learn(self, sender: str, instance: Any, **_: object) -> None:
        self.name = sender
        self.lanes = sorted(instance.app.amqp.queues.consume_from)

    def note(self, **_: object) -> None:
        if time.monotonic() - self.noted_at < EVERY_SECONDS:
            return
        self.noted_at = time.monotonic()
        try:
            for lane in self.lanes:
                note_beat(name=f"{self.name}/{lane}", lane=lane, at=clock.now())
        except DatabaseError as error:
            log.warning("heartbeat_lost", reason=type(error).__name__)
        finally:
            # The pool's children are forked from this process; they must not inherit a connection.
            connection.close()


HEARTBEAT = Heartbeat()
celeryd_after_setup.connect(HEARTBEAT.learn)
heartbeat_sent.connect(HEARTBEAT.note)
