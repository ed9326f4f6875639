"""Starts the processes in order, stops them in reverse, and ends them all when one dies."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from jobs.programs import Program

STOP_SECONDS = 10  # Twice the slowest ordinary end; then the whole process group is killed.
START_SECONDS = 120  # The predictor loads its libraries first, on a busy machine too.
LARGEST_LOG = 10 * 2**20
LAST_LINES = 15


class StartFailed(Exception):
    """A process ended, or did not get ready; the text says which and shows its last lines."""


class SecondCopy(Exception):
    """Another Setright already runs on these files."""


class PortTaken(Exception):
    """Something else listens where we would."""


@contextlib.contextmanager
def only_copy(data_dir: Path) -> Iterator[None]:
    """Hold the lock that a second copy on the same files would need."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "up.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise SecondCopy(
                f"Setright already runs here (process {lock.read().strip()})."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def check_port_is_free(host: str, port: int, *, setting: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"Port {port} on {host} is taken or not allowed ({error.strerror}). "
                f"Stop what uses it, or choose another: {setting}={port + 10}"
            ) from error


@dataclass
class Supervisor:
    """Runs programs, each in a session and process group of its own."""

    programs: Sequence[Program]
    log_dir: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    # The children end with this process even when it is killed. Only for a process without
    # threads: the request is made between fork and exec.
    ties_children: bool = False
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_all(self, announce: Callable[[str], None] = lambda name: None) -> None:
        for program in self.programs:
            announce(program.name)
            self.start(program.name)
        for program in self.programs:
            self.wait_until_ready(program.name)

    def start(self, name: str) -> None:
        """Start one process; one that others need is waited for."""
        program = self._program(name)
        self.log_dir.mkdir(parents=True, exist_ok=True)
        log_path = self._log_path(name)
        if log_path.exists() and log_path.stat().st_size > LARGEST_LOG:
            log_path.replace(log_path.with_suffix(".log.1"))
        with log_path.open("ab") as log:
            self.running[name] = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.environment, "PYTHONUNBUFFERED": "1", **program.environment},
                start_new_session=True,
                preexec_fn=partial(end_with_parent, program.orphan_signal)
                if self.ties_children
                else None,
            )
        if name == "broker":
            self.wait_until_ready(name)

    def wait_until_ready(self, name: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._program(name).is_ready():
            if not self.is_alive(name):
                raise StartFailed(f"{name} ended while starting:\n{self.last_lines(name)}")
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{name} is not ready after {START_SECONDS} s:\n{self.last_lines(name)}"
                )
            time.sleep(0.1)

    def is_alive(self, name: str) -> bool:
        return name in self.running and self.running[name].poll() is None

    def dead(self) -> list[str]:
        return [name for name in self.running if not self.is_alive(name)]

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, number)

    def stop(self, name: str) -> None:
        """Ask to end, wait, then kill whatever is left of the group."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop_all(self) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)

    def last_lines(self, name: str) -> str:
        lines = self._log_path(name).read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join(f"  {line}" for line in lines)

    def _log_path(self, name: str) -> Path:
        return self.log_dir / f"{name}.log"

    def _program(self, name: str) -> Program:
        return next(program for program in self.programs if program.name == name)


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """For `preexec_fn`: a process whose parent is killed ends too, where the system can do that."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, number)
