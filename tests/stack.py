"""A whole running Setright for browser and fault tests: the real processes of `manage.py up`."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from config.databases import database_from
from jobs.programs import Site, programs
from jobs.supervisor import Supervisor
from tests.environment import missing
from tests.postgres import PostgresMissing, Server, running_postgres

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "setright.sqlite3"
READY_SECONDS = 60
DEMO_SECONDS = 400


@dataclass
class Stack:
    """The processes, the addresses, and ways to hurt and mend them."""

    site: Site
    supervisor: Supervisor
    environment: dict[str, str]
    blocker: DjangoDbBlocker

    @property
    def base_url(self) -> str:
        return self.site.address

    @property
    def predictor_url(self) -> str:
        return self.site.predictor_address

    def manage(self, *arguments: str, seconds: float = 300) -> str:
        """Run a management command on this stack's database; returns what it printed."""
        made = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert made.returncode == 0, f"{arguments}: {made.stdout}\n{made.stderr}"
        return made.stdout

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a process and its children, by default the one nobody can catch."""
        self.supervisor.kill(name, number)
        if number == signal.SIGKILL:
            self.supervisor.running[name].wait(10)

    def restart(self, name: str) -> None:
        if name in self.supervisor.running:
            self.supervisor.stop(name)
        self.supervisor.start(name)
        self.supervisor.wait_until_ready(name)

    def is_alive(self, name: str) -> bool:
        return self.supervisor.is_alive(name)

    def log(self, name: str) -> str:
        return self.supervisor.last_lines(name)

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        words = ""
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.base_url}/readyz", timeout=5).close()
            except urllib.error.HTTPError as error:
                words = error.read().decode()
                error.close()
            except OSError as error:
                words = str(error)
            else:
                return
            time.sleep(0.25)
        raise AssertionError(f"not ready after {seconds} s:\n{words}")

    @contextlib.contextmanager
    def database(self) -> Iterator[None]:
        """Within the block, this process works on the stack's database and files."""
        before = dict(connection.settings_dict)
        ours = {**before, **database_from(self.environment["DATABASE_URL"])}
        files = self.site.data_dir / "files"
        storages: dict[str, Any] = dict(settings.STORAGES)
        storages["default"] = {**storages["default"], "OPTIONS": {"location": str(files)}}
        with (
            self.blocker.unblock(),
            override_settings(
                DATA_DIR=self.site.data_dir,
                FILES_DIR=files,
                STORAGES=storages,
                BROKER_URL=self.site.broker_url,
                BROKER_SOCKET=self.site.broker_socket,
            ),
        ):
            connection.close()
            connection.settings_dict.update(ours)
            try:
                yield
            finally:
                connection.close()
                connection.settings_dict.update(before)


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(two.getsockname()[1])


@contextlib.contextmanager
def running_stack(
    *,
    database_url: str,
    static: Path,
    blocker: DjangoDbBlocker,
    built: Path | None = None,
    **extra: str,
) -> Iterator[Stack]:
    """Start everything on an empty database, or on a copy of what was built; stop it all again."""
    home = Path(tempfile.mkdtemp(prefix="sr-"))
    if built:
        shutil.copytree(built, home, dirs_exist_ok=True)
    port, predictor_port = free_ports()
    environment = {
        **os.environ,
        "DATA_DIR": str(home),
        "DATABASE_URL": database_url or f"sqlite:///{home / DATABASE}",
        "STATIC_ROOT": str(static),
        "PORT": str(port),
        "PREDICTOR_PORT": str(predictor_port),
        "PREDICTOR_URL": f"http://127.0.0.1:{predictor_port}",
        **extra,
    }
    broker_socket = home / "broker.sock"
    site = Site(
        data_dir=home,
        host="127.0.0.1",
        port=port,
        predictor_port=predictor_port,
        broker_url=f"redis+socket://{broker_socket}",
        broker_socket=broker_socket,
    )
    supervisor = Supervisor(programs(site), home / "log", environment)
    stack = Stack(site, supervisor, environment, blocker)
    try:
        stack.manage("migrate", "-v0")
        supervisor.start_all()
        stack.wait_ready()
        yield stack
    finally:
        supervisor.stop_all()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL, the one the tests run on where they do."""
    given = os.environ.get("TEST_DATABASE_URL") or settings.DATABASE_URL
    if urlsplit(given).scheme.startswith("postgres"):
        yield Server.at(given)
        return
    with contextlib.ExitStack() as open_until_the_end:
        try:
            server = open_until_the_end.enter_context(running_postgres())
        except PostgresMissing as error:
            missing(str(error))
        yield server


@pytest.fixture(scope="session")
def collected_static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static files as the product serves them, collected once."""
    folder = tmp_path_factory.mktemp("collected") / "static"
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"],
        cwd=ROOT,
        env={**os.environ, "STATIC_ROOT": str(folder)},
        check=True,
        timeout=300,
    )
    return folder


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Database and files of the demo, built once."""
    home = tmp_path_factory.mktemp("demo")
    environment = {
        **os.environ,
        "DATA_DIR": str(home),
        "DATABASE_URL": f"sqlite:///{home / DATABASE}",
        "DEMO": "yes",
    }
    for command in (["migrate", "-v0"], ["load_demo"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment,
            check=True,
            timeout=DEMO_SECONDS,
            stdout=subprocess.DEVNULL,
        )
    return home


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest, collected_static: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[Stack]:
    """One stack for the tests of a module, on the database the tests run on.

    `@pytest.mark.parametrize("stack", ["sqlite", "postgresql"], indirect=True)` names others, and
    "demo" the product as `make run` starts it, on SQLite with the demo's history.
    """
    kind = getattr(request, "param", request.config.getoption("--on"))
    options: dict[str, Any] = {"database_url": ""}
    with contextlib.ExitStack() as open_until_the_end:
        if kind == "postgresql":
            server: Server = request.getfixturevalue("postgres")
            url = open_until_the_end.enter_context(server.fresh_database())
            options = {"database_url": url}
        if kind == "demo":
            options |= {"DEMO": "yes", "built": request.getfixturevalue("built_demo")}
        yield open_until_the_end.enter_context(
            running_stack(static=collected_static, blocker=django_db_blocker, **options)
        )
