"""`manage.py up`, the real one: it starts everything, stops everything, and says what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stack import ROOT, free_ports

START_SECONDS = 120
STOP_SECONDS = 60
PARTS = ["broker", "web", "predictor", "worker", "trainer", "sweep", "beat"]

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def environment(collected_static: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A data folder with a migrated database, and two free ports."""
    home = tmp_path_factory.mktemp("up")
    port, predictor_port = free_ports()
    environment = {
        **os.environ,
        "DATA_DIR": str(home),
        "DATABASE_URL": f"sqlite:///{home / 'setright.sqlite3'}",
        "STATIC_ROOT": str(collected_static),
        "PORT": str(port),
        "PREDICTOR_PORT": str(predictor_port),
        "PYTHONUNBUFFERED": "1",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT, env=environment, check=True, timeout=300,
    )  # fmt: skip
    return environment


@contextmanager
def up(environment: dict[str, str], said: Path) -> Iterator[subprocess.Popen[bytes]]:
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def wait_for(said: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while words not in said.read_text():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


def processes_with(data_dir: str) -> dict[int, str]:
    """Every process of this machine that was started on that data folder."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"DATA_DIR={data_dir}\0" in (folder / "environ").read_text(errors="replace"):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def wait_until_none_is_left(data_dir: str) -> dict[int, str]:
    deadline = time.monotonic() + STOP_SECONDS
    while (left := processes_with(data_dir)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads processes from /proc")
def test_it_gets_ready_and_ends_without_leaving_anything_behind(
    environment: dict[str, str], tmp_path: Path
) -> None:
    said = tmp_path / "said"
    with up(environment, said) as process:
        wait_for(said, "Setright is ready", process)
        address = f"http://127.0.0.1:{environment['PORT']}"
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            words = answer.read().decode()

        process.send_signal(signal.SIGTERM)
        code = process.wait(STOP_SECONDS)

    assert "NOT" not in words
    assert [f"starting {name}" in said.read_text() for name in PARTS] == [True] * len(PARTS)
    assert address in said.read_text()
    assert code == 0
    assert wait_until_none_is_left(environment["DATA_DIR"]) == {}


def test_when_one_part_dies_all_is_stopped_and_the_part_is_named(
    environment: dict[str, str], tmp_path: Path
) -> None:
    said = tmp_path / "said"
    with up(environment, said) as process:
        wait_for(said, "Setright is ready", process)
        beat = next(
            pid
            for pid, line in processes_with(environment["DATA_DIR"]).items()
            if "celery" in line and " beat" in line
        )

        os.kill(beat, signal.SIGKILL)
        code = process.wait(STOP_SECONDS)

    assert code == 70
    assert "beat ended with -9, so everything is stopped" in said.read_text()
    assert wait_until_none_is_left(environment["DATA_DIR"]) == {}


def test_when_it_is_killed_itself_its_parts_end_too(
    environment: dict[str, str], tmp_path: Path
) -> None:
    said = tmp_path / "said"
    with up(environment, said) as process:
        wait_for(said, "Setright is ready", process)

        process.kill()
        process.wait(10)

    assert wait_until_none_is_left(environment["DATA_DIR"]) == {}


def test_a_taken_port_is_said_before_anything_starts(environment: dict[str, str]) -> None:

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(environment["PORT"])))
        other.listen()

        made = subprocess.run(
            [sys.executable, "manage.py", "up", "--check"],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert made.returncode == 1
    assert f"Port {environment['PORT']} on 127.0.0.1 is taken" in made.stderr
    assert "Traceback" not in made.stderr
