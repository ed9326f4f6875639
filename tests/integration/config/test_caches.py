"""The shared cache: one count for all processes, and a process's own while Redis is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

import pytest

from config.caches import ForgivingCache, cache_at
from jobs.broker import is_answering, server_command


def cache_on(socket: Path) -> ForgivingCache:
    """As one more process would have it."""
    settings = cache_at(f"redis+socket://{socket}")
    return ForgivingCache(settings["LOCATION"], {**settings, "OPTIONS": settings["OPTIONS"]})


@pytest.fixture
def server() -> Iterator[tuple[Path, Popen[bytes]]]:
    """A real server on a socket in a short folder."""
    with TemporaryDirectory(prefix="sr-") as folder:
        socket = Path(folder) / "s.sock"
        process = Popen(server_command(socket=socket, data_dir=Path(folder)))
        deadline = time.monotonic() + 20
        while not is_answering(f"redis+socket://{socket}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield socket, process
        process.kill()
        process.wait(10)


def test_processes_share_a_count(server: tuple[Path, Popen[bytes]]) -> None:
    one, other = cache_on(server[0]), cache_on(server[0])

    assert one.add("n", 0, timeout=60)
    assert not other.add("n", 0, timeout=60)
    assert [one.incr("n"), other.incr("n"), one.incr("n")] == [1, 2, 3]


def test_a_server_that_dies_costs_the_count_and_no_answer(
    server: tuple[Path, Popen[bytes]],
) -> None:
    socket, process = server
    cache = cache_on(socket)
    cache.set("n", 5)
    process.kill()
    process.wait(10)

    started = time.monotonic()

    assert cache.get("n", "nothing") == "nothing"
    assert cache.add("lock", True, timeout=10)
    assert not cache.add("lock", True, timeout=10)
    assert cache.delete("lock")
    cache.add("n", 0, timeout=10)
    assert cache.incr("n") == 1
    assert time.monotonic() - started < 2


def test_a_broker_that_is_no_redis_leaves_each_process_its_own() -> None:
    assert cache_at("amqp://broker")["BACKEND"].endswith("LocMemCache")
