"""The broker that every install carries keeps its messages over a crash."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from jobs import broker
from jobs.programs import Program
from jobs.supervisor import Supervisor


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path, as unix sockets need one."""
    with tempfile.TemporaryDirectory(prefix="sr-") as folder:
        yield Path(folder)


@pytest.fixture
def server(home: Path) -> Iterator[Supervisor]:
    socket, data_dir = home / "b.sock", home / "broker"
    broker.prepare_folders(socket=socket, data_dir=data_dir)
    command = broker.server_command(socket=socket, data_dir=data_dir)
    program = Program("broker", command, lambda: broker.is_answering(f"redis+socket://{socket}"))
    supervisor = Supervisor([program], home / "log")
    supervisor.start_all()
    yield supervisor
    supervisor.stop_all()


def test_a_message_survives_the_kill_of_the_broker(server: Supervisor, home: Path) -> None:
    with redis.Redis(unix_socket_path=str(home / "b.sock")) as client:
        client.lpush("light", "wake up")
        client.config_set("appendfsync", "always")
        client.lpush("light", "wake up again")

    server.kill("broker")
    server.running["broker"].wait(10)
    server.start("broker")

    with redis.Redis(unix_socket_path=str(home / "b.sock")) as client:
        assert client.llen("light") == 2


def test_a_broker_that_is_gone_does_not_answer(server: Supervisor, home: Path) -> None:
    url = f"redis+socket://{home / 'b.sock'}"
    answered = broker.is_answering(url)

    server.stop("broker")

    assert answered
    assert not broker.is_answering(url)


def test_the_socket_is_for_its_owner_only(server: Supervisor, home: Path) -> None:
    assert (home / "b.sock").stat().st_mode & 0o077 == 0


def test_a_server_on_the_path_comes_before_the_one_of_the_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "redis-server"
    theirs.write_text("#!/bin/sh\n")
    theirs.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert broker.server_program() == theirs


def test_without_one_on_the_path_the_install_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert broker.server_program().name == "valkey-server"
