"""Programs run under limits, and every ending has its name."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from retraining.processes import ROOT, Ending, Limits, ProgramEnd, network_cut, run_program
from retraining.program_output import Progress, parse_progress
from retraining.programs.contract import EXIT_MEMORY

QUICK = Limits(wall_seconds=20, cpu_seconds=20, memory_mb=1024, file_mb=4, open_files=64)


def run(
    code: str,
    folder: Path,
    *,
    limits: Limits = QUICK,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    should_cancel: Callable[[], bool] = lambda: False,
    grace_seconds: float = 0.3,
) -> ProgramEnd:
    return run_program(
        arguments=[sys.executable, "-c", code],
        folder=folder,
        limits=limits,
        on_progress=on_progress,
        should_cancel=should_cancel,
        poll_seconds=0.05,
        grace_seconds=grace_seconds,
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def ends_soon(pid: int) -> bool:
    last = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < last:
        time.sleep(0.02)
    return not is_running(pid)


def wait_for(path: Path) -> str:
    last = time.monotonic() + 10
    while time.monotonic() < last:
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.02)
    raise AssertionError(f"{path} was not written")


def test_a_program_that_ends_well_is_finished_and_its_progress_was_told(tmp_path: Path) -> None:
    told: list[Progress] = []
    code = 'print(\'{"step": "fitting", "share": 0.4, "note": "round 3"}\', flush=True)'

    end = run(code, tmp_path, on_progress=told.append)

    assert (end.ending, end.reason, end.garbage_lines) == (Ending.FINISHED, "", 0)
    assert told == [Progress("fitting", 0.4, "round 3")]


def test_a_crash_carries_the_last_line_of_errors(tmp_path: Path) -> None:
    end = run("raise KeyError('no such column')", tmp_path)

    assert end.ending is Ending.CRASHED
    assert "KeyError: 'no such column'" in end.reason
    assert "exit code 1" in end.reason


def test_a_program_killed_by_a_signal_names_it(tmp_path: Path) -> None:
    end = run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", tmp_path)

    assert end.ending is Ending.CRASHED
    assert "SIGSEGV" in end.reason


def test_too_much_memory_ends_as_out_of_memory(tmp_path: Path) -> None:
    end = run("grown = bytearray(3 * 1024**3)", tmp_path)

    assert end.ending is Ending.OUT_OF_MEMORY
    assert "1024 MB" in end.reason


def test_a_program_that_spins_is_stopped_by_the_processor_limit(tmp_path: Path) -> None:
    end = run("while True: pass", tmp_path, limits=Limits(wall_seconds=20, cpu_seconds=1))

    assert end.ending is Ending.TIMED_OUT
    assert "processor" in end.reason


def test_a_program_that_sleeps_is_stopped_by_the_clock(tmp_path: Path) -> None:
    end = run("import time; time.sleep(60)", tmp_path, limits=Limits(wall_seconds=0.5))

    assert end.ending is Ending.TIMED_OUT
    assert "0.5 seconds" in end.reason
    assert end.seconds < 5


def test_cancelling_ends_a_program_that_does_not_listen(tmp_path: Path) -> None:
    code = (
        "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "pathlib.Path('ready').write_text('yes'); time.sleep(60)"
    )

    end = run(code, tmp_path, should_cancel=(tmp_path / "ready").exists)

    assert end.ending is Ending.CANCELLED
    assert end.seconds < 10


def test_a_program_asked_to_stop_has_time_to_tidy_up(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time, pathlib\n"
        "def tidy(*_): pathlib.Path('tidied').write_text('yes'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, tidy); pathlib.Path('ready').write_text('yes')\n"
        "time.sleep(60)"
    )

    end = run(code, tmp_path, should_cancel=(tmp_path / "ready").exists, grace_seconds=10)

    assert end.ending is Ending.CANCELLED
    assert (tmp_path / "tidied").exists()


def test_children_are_ended_with_a_cancelled_program(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('part').write_text(str(child.pid))\n"
        "pathlib.Path('part').rename('child'); time.sleep(60)"
    )

    run(code, tmp_path, should_cancel=(tmp_path / "child").exists)

    assert ends_soon(int((tmp_path / "child").read_text()))


def test_children_left_behind_by_a_program_that_finished_are_ended(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))"
    )

    end = run(code, tmp_path)

    assert end.ending is Ending.FINISHED
    assert end.seconds < 10
    assert ends_soon(int((tmp_path / "child").read_text()))


def test_a_program_does_not_outlive_its_worker(tmp_path: Path) -> None:
    inner = (
        "import os, time, pathlib; pathlib.Path('pid').write_text(str(os.getpid()));time.sleep(60)"
    )
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path\n"
            "from retraining.processes import Limits, run_program\n"
            f"run_program(arguments=[sys.executable, '-c', {inner!r}],"
            f"folder=Path({str(tmp_path)!r}), limits=Limits(), on_progress=print,"
            "should_cancel=bool)",
        ],
        cwd=ROOT,
    )
    pid = int(wait_for(tmp_path / "pid"))

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    assert ends_soon(pid)


def test_what_a_callback_raises_ends_the_program_and_goes_on_up(tmp_path: Path) -> None:
    def lose_the_fence() -> bool:
        if (tmp_path / "pid").exists():
            raise LookupError("another worker has the job")
        return False

    with pytest.raises(LookupError):
        run(
            "import os, time, pathlib; pathlib.Path('pid').write_text(str(os.getpid()));"
            "time.sleep(60)",
            tmp_path,
            should_cancel=lose_the_fence,
        )

    assert ends_soon(int((tmp_path / "pid").read_text()))


def test_garbage_is_counted_and_does_not_hide_progress(tmp_path: Path) -> None:
    told: list[Progress] = []
    code = (
        "import sys\n"
        "sys.stdout.buffer.write(b'\\xff\\xfe garbage\\n[1, 2]\\n' + b'x' * 3_000_000 + b'\\n')\n"
        'print(\'{"step": "done", "share": 1}\')'
    )

    end = run(code, tmp_path, on_progress=told.append)

    assert end.ending is Ending.FINISHED
    assert end.garbage_lines == 3
    assert told == [Progress("done", 1.0, "")]


def test_a_flood_of_progress_is_thinned_and_the_last_word_is_kept(tmp_path: Path) -> None:
    told: list[Progress] = []
    code = 'for n in range(50_001): print(\'{"step": "s", "share": %f}\' % (n / 50_000))'

    run(code, tmp_path, on_progress=told.append)

    assert told[-1].share == 1.0
    assert len(told) < 200


def test_a_flood_of_errors_keeps_the_last_line(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('noise\\n' * 500_000 + 'the end\\n'); sys.exit(3)"

    end = run(code, tmp_path)

    assert end.reason == "the end (exit code 3)"


def test_files_cannot_grow_over_their_limit(tmp_path: Path) -> None:
    end = run("open('large', 'wb').write(b'x' * 8 * 1024**2)", tmp_path)

    assert end.ending is Ending.CRASHED
    assert "File too large" in end.reason
    assert (tmp_path / "large").stat().st_size <= 4 * 1024**2


def test_open_files_are_limited(tmp_path: Path) -> None:
    end = run("held = [open('/dev/null') for _ in range(80)]", tmp_path)

    assert "Too many open files" in end.reason


def test_processes_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retraining.processes.network_cut", lambda: ())
    code = (
        "import os, time\n"
        "os.getuid() or os.setuid(65534)\n"  # The kernel counts no processes of root.
        "for _ in range(900):\n    os.fork() or (time.sleep(30), os._exit(0))"
    )

    end = run(code, tmp_path, limits=Limits(wall_seconds=10, processes=64))

    assert end.ending is Ending.CRASHED
    assert "Resource temporarily unavailable" in end.reason


def test_the_process_limit_is_set_for_the_program(tmp_path: Path) -> None:
    code = (
        "import resource; print(resource.getrlimit(resource.RLIMIT_NPROC)); raise SystemExit("
        "resource.getrlimit(resource.RLIMIT_NPROC) != (77, 77))"
    )

    assert run(code, tmp_path, limits=Limits(processes=77)).is_finished


def test_the_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    code = (
        "import os; raise SystemExit('SECRET_KEY' in os.environ or "
        "os.environ['OMP_NUM_THREADS'] != '2')"
    )

    assert run(code, tmp_path).is_finished


def test_the_network_is_off_where_the_kernel_allows(tmp_path: Path) -> None:
    code = (
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.connect(('192.0.2.1', 9))"
    )

    end = run(code, tmp_path)

    assert end.is_network_off is bool(network_cut())
    assert ("Network is unreachable" in end.reason) is end.is_network_off


def says_and_ends(line: str, code: int = 1) -> str:
    """A program that writes this to its errors and ends with this code."""
    return f"import sys; sys.stderr.write({line!r}); sys.exit({code})"


@pytest.mark.parametrize(
    "line",
    [
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "OSError: [Errno 12] Cannot allocate memory",
        "The texts hold nothing to learn from: Unable to allocate 8.00 GiB for an array.",
        "OSError: malloc of size 64 failed",
        "MemoryError",
    ],
)
def test_whatever_library_runs_out_of_memory_it_is_told_so(tmp_path: Path, line: str) -> None:
    end = run(says_and_ends(line), tmp_path)

    assert end.ending is Ending.OUT_OF_MEMORY
    assert end.reason == "It needed more than 1024 MB of memory."


def test_the_code_for_no_memory_needs_no_words(tmp_path: Path) -> None:
    assert run(says_and_ends("", EXIT_MEMORY), tmp_path).ending is Ending.OUT_OF_MEMORY


def test_memory_that_was_only_spoken_of_is_not_the_reason(tmp_path: Path) -> None:
    end = run(says_and_ends("MemoryError was caught\nKeyError: 'label'\n"), tmp_path)

    assert (end.ending, end.reason) == (Ending.CRASHED, "KeyError: 'label' (exit code 1)")


def test_what_its_worker_holds_is_not_the_programs_memory(tmp_path: Path) -> None:
    held = b"x" * 600 * 1024**2  # Written, so that it is memory and not only an address.

    end = run("import time; time.sleep(0.5)", tmp_path)

    assert len(held) > 0
    assert 1 < end.peak_memory_mb < 200


def test_a_small_program_that_is_killed_was_not_out_of_memory(tmp_path: Path) -> None:
    end = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", tmp_path)

    assert (end.ending, end.reason) == (Ending.CRASHED, "It said nothing. (signal SIGKILL)")


def test_a_last_line_is_cut_and_holds_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    end = run(says_and_ends("\x1b[31m" + "x" * 500 + "\n\n  \n"), tmp_path)

    assert end.reason == "[31m" + "x" * 196 + " (exit code 1)"


def test_a_program_that_ends_well_may_have_complained(tmp_path: Path) -> None:
    end = run(says_and_ends("MemoryError", 0), tmp_path)

    assert (end.ending, end.reason) == (Ending.FINISHED, "")


def test_progress_keeps_short_texts() -> None:
    line = json.dumps({"step": "s" * 300, "share": 1, "note": "n" * 300}).encode()

    assert parse_progress(line) == Progress("s" * 200, 1.0, "n" * 200)


@pytest.mark.parametrize("share", [0, 1, 0.5])
def test_progress_from_nothing_to_the_whole_is_taken(share: float) -> None:
    line = json.dumps({"step": "s", "share": share}).encode()

    assert parse_progress(line) == Progress("s", float(share), "")


@pytest.mark.parametrize("share", ["-0.001", "1.001"])
def test_progress_beyond_the_whole_is_none(share: str) -> None:
    assert parse_progress(b'{"step": "s", "share": ' + share.encode() + b"}") is None


@pytest.mark.parametrize(
    "line",
    [
        b"", b"null", b"[]", b"{}", b'{"step": 1, "share": 0.5}', b'{"step": "s", "share": true}',
        b'{"step": "s", "share": NaN}', b'{"step": "s", "share": 1e999}', b"[" * 100_000,
        b'{"step": "s", "share": ' + b"9" * 400 + b"}", b'{"step": "s", "share": 0, "note": 5}',
    ],
)  # fmt: skip
def test_a_line_that_states_no_progress_is_none(line: bytes) -> None:
    assert parse_progress(line) is None
