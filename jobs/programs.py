"""Which processes make a whole Setright on one machine, in the order they start."""

from __future__ import annotations

import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path

from django.conf import settings

from jobs import broker

ANSWER_SECONDS = 2
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104  To listen on, not to ask at.
ALLOWED_NAME = "localhost"  # Whatever ALLOWED_HOSTS says.
# One numeric thread each: the processes share the machine, and the work is many small arrays.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _at_once() -> bool:
    return True


@dataclass(frozen=True)
class Program:
    """One process, or one master with its children."""

    name: str
    command: list[str]
    is_ready: Callable[[], bool] = _at_once
    environment: Mapping[str, str] = field(default_factory=dict)
    orphan_signal: int = signal.SIGTERM  # What it gets when its supervisor is killed.


@dataclass(frozen=True)
class Site:
    """Where one running Setright keeps its files and answers."""

    data_dir: Path
    host: str
    port: int
    predictor_port: int
    broker_url: str
    broker_socket: Path | None

    @property
    def address(self) -> str:
        """Where a process of this host finds web."""
        return f"http://{self._near_host}:{self.port}"

    @property
    def predictor_address(self) -> str:
        return f"http://{self._near_host}:{self.predictor_port}"

    @property
    def _near_host(self) -> str:
        return EVERY_ADDRESS.get(self.host, self.host)


def site_from_settings() -> Site:
    return Site(
        data_dir=settings.DATA_DIR,
        host=settings.HOST,
        port=settings.PORT,
        predictor_port=settings.PREDICTOR_PORT,
        broker_url=settings.BROKER_URL,
        broker_socket=None if settings.REDIS_URL else settings.BROKER_SOCKET,
    )


def programs(site: Site) -> list[Program]:
    """The broker first, because the others wait for it; beat last, because it makes work."""
    embedded = [_broker(site, site.broker_socket)] if site.broker_socket else []
    return [
        *embedded,
        # Imported once and shared by its workers; a broken import ends the master at once.
        _server("web", "config.wsgi", site, site.address, "--preload", workers=2, threads=8),
        _server(
            "predictor", "config.predictor", site, site.predictor_address, workers=1, threads=16
        ),
        _worker("worker", "light", "--pool=prefork", "--concurrency=2"),
        _worker(
            "trainer", "training", "--pool=prefork", "--concurrency=1", "--max-tasks-per-child=10"
        ),
        _worker("sweep", "sweep", "--pool=solo"),
        _beat(),
    ]


def _broker(site: Site, socket: Path) -> Program:
    data_dir = site.data_dir / "broker"
    broker.prepare_folders(socket=socket, data_dir=data_dir)
    return Program(
        "broker",
        broker.server_command(socket=socket, data_dir=data_dir),
        is_ready=partial(broker.is_answering, site.broker_url),
    )


def _server(
    name: str, module: str, site: Site, address: str, *options: str, workers: int, threads: int
) -> Program:
    command = [
        *_module("gunicorn", f"{module}:application"),
        f"--bind={site.host}:{address.rpartition(':')[2]}",
        "--worker-class=gthread",
        f"--workers={workers}",
        f"--threads={threads}",
        "--graceful-timeout=8",  # Shorter than the supervisor's patience.
        "--no-control-socket",
        *options,
    ]
    return Program(name, command, partial(is_answering_here, f"{address}/healthz"), ONE_THREAD)


def _worker(name: str, lane: str, *options: str) -> Program:
    command = [
        *_module("celery", "--app=config", "worker"),
        f"--queues={lane}",
        f"--hostname={name}@%h",
        "--loglevel=INFO",
        "--without-gossip",
        "--without-mingle",
        *options,
    ]
    return Program(name, command, environment=ONE_THREAD)


def _beat() -> Program:
    """Its one entry is due every few seconds: there is nothing to remember between starts."""
    command = [
        *_module("celery", "--app=config", "beat"),
        "--scheduler=celery.beat:Scheduler",
        "--pidfile=",
        "--loglevel=WARNING",
    ]
    # Its handler of SIGTERM can be lost while a broker that dies with it is cleared away.
    return Program("beat", command, orphan_signal=signal.SIGKILL)


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def is_answering_here(url: str) -> bool:
    """Whether a process of this host answers 200, whatever names it serves to others."""
    return is_answering(url, name=ALLOWED_NAME)


def is_answering(url: str, *, name: str = "") -> bool:
    """Whether an address of our own answers 200."""
    request = urllib.request.Request(url, headers={"Host": name} if name else {})  # noqa: S310  Ours.
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  As above.
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False
