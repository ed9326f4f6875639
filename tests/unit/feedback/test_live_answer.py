"""A page never waits long for the predictor, and shows nothing rather than nonsense."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

import pytest
from pytest_django import Settings

from feedback.live_answer import LiveAnswer, find_live_answer
from projects.models import Project

AT = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
PROJECT = Project(slug="intents")


@contextmanager
def listening(reply: bytes | None) -> Iterator[str]:
    """An address where somebody takes one call, and says this or nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take_a_call() -> None:
            call, _ = server.accept()
            with call:
                call.recv(65536)
                if reply is None:
                    time.sleep(1)
                else:
                    call.sendall(reply)

        taker = threading.Thread(target=take_a_call)
        taker.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            taker.join()


def ask(settings: Settings, url: str) -> LiveAnswer | None:
    settings.PREDICTOR_URL = url
    return find_live_answer(project=PROJECT, value={"text": "hello"}, at=AT)


def http(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def test_the_answer_is_read(settings: Settings) -> None:
    body = b'{"version_name": "v2", "answer": "delivery", "confidence": 0.9}'
    with listening(http("200 OK", body)) as url:
        found = ask(settings, url)

    assert found == LiveAnswer("v2", "delivery", 0.9)


def test_silence_is_waited_for_a_third_of_a_second(settings: Settings) -> None:
    with listening(None) as url:
        started = time.monotonic()
        found = ask(settings, url)
        waited = time.monotonic() - started

    assert found is None
    assert waited < 0.8


def test_nobody_there_is_no_answer(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert ask(settings, f"http://127.0.0.1:{port}") is None


@pytest.mark.parametrize(
    "reply",
    [
        http("409 Conflict", b"{}"),
        http("200 OK", b"{}"),
        http("200 OK", b"<html>"),
        http("200 OK", b"\xff\xfe"),
        b"nonsense",
        b"",
    ],
)
def test_a_refusal_or_nonsense_is_no_answer(settings: Settings, reply: bytes) -> None:
    with listening(reply) as url:
        assert ask(settings, url) is None
