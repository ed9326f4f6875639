"""Run a program under limits, watch it, and say how it ended.

The program has a process group of its own, limits on memory, time, files and processes, a clean
environment, and no network where the kernel lets an ordinary user cut it.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from retraining.program_output import Output, Progress
from retraining.programs.contract import EXIT_MEMORY

ROOT = Path(__file__).resolve().parents[1]
CONFINE = ROOT / "retraining" / "programs" / "confine.py"
GRACE_SECONDS = 2.0  # Between asking a program to stop and stopping it.
POLL_SECONDS = 0.2
MEGABYTE = 1024**2
INEXACT = 1.1  # Resident memory is kept per processor and added up roughly.
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
OUT_OF_MEMORY_SIGNS = (
    "MemoryError",
    "bad_alloc",
    "Cannot allocate memory",
    "Unable to allocate",
    "malloc of size",
)


class Ending(StrEnum):
    """Every way in which a program can end."""

    FINISHED = "finished"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use; the front door takes them from the settings."""

    wall_seconds: float = 3600.0
    cpu_seconds: int = 7200
    memory_mb: int = 4096
    file_mb: int = 2048
    processes: int = 256  # Counts threads, and other processes of the same user outside Linux.
    open_files: int = 256
    threads: int = 2


@dataclass(frozen=True, slots=True)
class ProgramEnd:
    """How it ended and what it took."""

    ending: Ending
    reason: str
    seconds: float
    peak_memory_mb: float
    is_network_off: bool
    garbage_lines: int

    @property
    def is_finished(self) -> bool:
        return self.ending is Ending.FINISHED


def program_arguments(name: str, folder_in: Path, folder_out: Path) -> list[str]:
    """The command line of `train` or `evaluate`."""
    return [sys.executable, "-m", f"retraining.programs.{name}", str(folder_in), str(folder_out)]


def run_program(
    *,
    arguments: Sequence[str],
    folder: Path,
    limits: Limits,
    on_progress: Callable[[Progress], None],
    should_cancel: Callable[[], bool],
    poll_seconds: float = POLL_SECONDS,
    grace_seconds: float = GRACE_SECONDS,
) -> ProgramEnd:
    """Run until it ends or is ended; what the callbacks raise ends it too and goes on up.

    `folder` is the working directory, home and place for temporary files.
    """
    started = time.monotonic()
    cut = network_cut()
    process = subprocess.Popen(
        [*cut, *_confined(arguments, limits)],
        cwd=folder,
        env=_clean_environment(folder, limits),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    ours_mb = _own_peak_mb(os.getpid())
    output = Output(process, on_progress=on_progress)
    try:
        stopped, seen_mb = _watch(
            process,
            output,
            deadline=started + limits.wall_seconds,
            should_cancel=should_cancel,
            poll_seconds=poll_seconds,
        )
        if stopped is not None:
            _ask_to_stop(process, grace_seconds=grace_seconds)
    finally:
        status, usage = _end(process)
        output.close()
    output.deliver_last()
    # The kernel counts what we had when it was started as its own: only more than that is told so.
    counted_mb = usage.ru_maxrss / 1024
    peak_mb = seen_mb if seen_mb and counted_mb <= INEXACT * ours_mb else counted_mb
    ending, reason = _name_ending(stopped, status, output.last_error, limits, peak_mb)
    return ProgramEnd(
        ending=ending,
        reason=reason,
        seconds=round(time.monotonic() - started, 3),
        peak_memory_mb=round(peak_mb, 1),
        is_network_off=bool(cut),
        garbage_lines=output.garbage_lines,
    )


@cache
def network_cut() -> tuple[str, ...]:
    """The command that starts a program without a network, or nothing where none works."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    command = (unshare, "--map-root-user", "--net", "--")
    try:
        tried = subprocess.run([*command, "true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return command if tried.returncode == 0 else ()


def _confined(arguments: Sequence[str], limits: Limits) -> list[str]:
    values = {
        "AS": [limits.memory_mb * MEGABYTE] * 2,
        "CPU": [limits.cpu_seconds, limits.cpu_seconds + 5],  # First SIGXCPU, then SIGKILL.
        "FSIZE": [limits.file_mb * MEGABYTE] * 2,
        "NPROC": [limits.processes] * 2,
        "NOFILE": [limits.open_files] * 2,
        "CORE": [0, 0],
    }
    launcher = [sys.executable, "-I", "-S", str(CONFINE), json.dumps(values), str(os.getpid())]
    return [*launcher, *arguments]


def _clean_environment(folder: Path, limits: Limits) -> Mapping[str, str]:
    threads = str(limits.threads)
    passed_on = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {
        **passed_on,
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",
        "PYTHONHASHSEED": "0",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "LOKY_MAX_CPU_COUNT": threads,
        "MALLOC_ARENA_MAX": "2",  # Reserved but unused memory counts against the limit.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def _watch(
    process: subprocess.Popen[bytes],
    output: Output,
    *,
    deadline: float,
    should_cancel: Callable[[], bool],
    poll_seconds: float,
) -> tuple[Ending | None, float]:
    """Read until it has ended (None) or has to be stopped; with the most memory it was seen at."""
    ask_at, peak_mb = time.monotonic(), 0.0
    while not _has_ended(process):
        now = time.monotonic()
        peak_mb = max(peak_mb, _own_peak_mb(process.pid))
        if now >= deadline:
            return Ending.TIMED_OUT, peak_mb
        if now >= ask_at:
            ask_at = now + poll_seconds
            if should_cancel():
                return Ending.CANCELLED, peak_mb
        output.read(timeout=min(poll_seconds, deadline - now))
    return None, peak_mb


def _own_peak_mb(pid: int) -> float:
    """The most memory it had since it was started; 0 where it has ended, or nobody tells."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = PEAK.search(status)
    return int(found[1]) / 1024 if found else 0.0


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Without reaping it: its id, and so its group's, stays ours until the group is killed."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _ask_to_stop(process: subprocess.Popen[bytes], *, grace_seconds: float) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    last = time.monotonic() + grace_seconds
    while not _has_ended(process) and time.monotonic() < last:
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> tuple[int, resource.struct_rusage]:
    """Kill what is left of the group, also children of a program that ended by itself."""
    os.killpg(process.pid, signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def _name_ending(
    stopped: Ending | None, status: int, last_error: str, limits: Limits, peak_mb: float
) -> tuple[Ending, str]:
    if stopped is Ending.CANCELLED:
        return stopped, "Cancelled on request."
    if stopped is Ending.TIMED_OUT:
        return stopped, f"It took longer than {limits.wall_seconds:g} seconds."
    if status == 0:
        return Ending.FINISHED, ""
    if status == -signal.SIGXCPU:
        return Ending.TIMED_OUT, f"It used over {limits.cpu_seconds} seconds of processor time."
    memory = f"It needed more than {limits.memory_mb} MB of memory."
    if status == EXIT_MEMORY or any(sign in last_error for sign in OUT_OF_MEMORY_SIGNS):
        return Ending.OUT_OF_MEMORY, memory
    if status == -signal.SIGKILL and 2 * peak_mb > limits.memory_mb:
        return Ending.OUT_OF_MEMORY, f"The system killed it at {peak_mb:.0f} MB of memory."
    what = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
    return Ending.CRASHED, f"{last_error or 'It said nothing.'} ({what})"
