"""The supervisor starts in order, stops in reverse, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import supervisor as supervising
from jobs.programs import Program
from jobs.supervisor import (
    PortTaken,
    SecondCopy,
    StartFailed,
    Supervisor,
    check_port_is_free,
    only_copy,
)

ROOT = Path(__file__).resolve().parents[3]
SLEEPER = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
PARENT = (
    "import subprocess, sys, time;"
    f"child = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]);"
    "print(child.pid, flush=True); time.sleep(60)"
)


def python(name: str, script: str) -> Program:
    return Program(name, [sys.executable, "-c", script])


@pytest.fixture
def run(tmp_path: Path) -> Iterator[list[Supervisor]]:
    """Supervisors put here are stopped whatever the test does."""
    started: list[Supervisor] = []
    yield started
    for one in started:
        one.stop_all()


def start(run: list[Supervisor], log_dir: Path, *programs: Program) -> Supervisor:
    supervisor = Supervisor(programs, log_dir)
    run.append(supervisor)
    supervisor.start_all()
    return supervisor


def wait_for_line(path: Path) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text().strip()
        time.sleep(0.02)
    raise AssertionError(f"nothing in {path}")


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process_id}/stat").read_text().split()[2] != "Z"


def wait_until_gone(process_id: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(process_id) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_programs_start_in_order_and_stop_in_reverse(
    run: list[Supervisor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str] = []
    stop = Supervisor.stop

    def note_and_stop(supervisor: Supervisor, name: str) -> None:
        stopped.append(name)
        stop(supervisor, name)

    monkeypatch.setattr(Supervisor, "stop", note_and_stop)
    supervisor = start(run, tmp_path, python("first", SLEEPER), python("second", SLEEPER))

    assert list(supervisor.running) == ["first", "second"]
    supervisor.stop_all()

    assert stopped == ["second", "first"]


def test_a_program_that_ignores_the_request_to_end_is_killed(
    run: list[Supervisor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "STOP_SECONDS", 0.5)
    said = "print('up', flush=True);" + STUBBORN.split(";", 1)[1]
    supervisor = start(run, tmp_path, python("stubborn", "import signal, time;" + said))
    wait_for_line(tmp_path / "stubborn.log")
    process = supervisor.running["stubborn"]

    supervisor.stop("stubborn")

    assert process.returncode == -signal.SIGKILL


def test_the_children_of_a_program_end_with_it(run: list[Supervisor], tmp_path: Path) -> None:
    supervisor = start(run, tmp_path, python("parent", PARENT))
    child = int(wait_for_line(tmp_path / "parent.log"))

    supervisor.stop("parent")

    wait_until_gone(child)
    assert not is_running(child)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_program_that_may_lose_a_request_to_end_is_killed_with_its_supervisor(
    tmp_path: Path,
) -> None:
    up = "print(os.getpid(), flush=True); time.sleep"  # Once it ignores the request.
    command = [sys.executable, "-c", f"import os; {STUBBORN.replace('time.sleep', up)}"]
    script = (
        "import time; from pathlib import Path\n"
        "from jobs.programs import Program; from jobs.supervisor import Supervisor\n"
        f"one = Program('one', {command!r}, orphan_signal={signal.SIGKILL:d})\n"
        f"Supervisor([one], Path({str(tmp_path)!r}), ties_children=True).start_all()\n"
        "time.sleep(60)"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    child = int(wait_for_line(tmp_path / "one.log"))

    supervisor.kill()
    supervisor.wait(10)

    wait_until_gone(child)
    assert not is_running(child)


def test_a_dead_program_is_noticed(run: list[Supervisor], tmp_path: Path) -> None:
    supervisor = start(run, tmp_path, python("alive", SLEEPER), python("dying", SLEEPER))

    supervisor.kill("dying")
    supervisor.running["dying"].wait(10)

    assert supervisor.dead() == ["dying"]


def test_a_start_that_fails_shows_the_last_lines(run: list[Supervisor], tmp_path: Path) -> None:
    never = Program(
        "broken", [sys.executable, "-c", "print('no such table')"], is_ready=lambda: False
    )

    with pytest.raises(StartFailed, match=r"(?s)broken ended while starting.*no such table"):
        start(run, tmp_path, never)


def test_a_second_copy_on_the_same_files_is_refused(tmp_path: Path) -> None:
    with (
        only_copy(tmp_path),
        pytest.raises(SecondCopy, match=f"already runs here.*{os.getpid()}"),
        only_copy(tmp_path),
    ):
        pass


def test_the_lock_is_free_again_after_the_first_copy_has_ended(tmp_path: Path) -> None:
    with only_copy(tmp_path):
        pass

    with only_copy(tmp_path):
        assert (tmp_path / "up.lock").read_text() == str(os.getpid())


def test_a_taken_port_is_said_plainly() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=rf"Port {port} .* is taken.*PORT={port + 10}"):
            check_port_is_free("127.0.0.1", port, setting="PORT")
