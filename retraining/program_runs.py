"""Run the trainer's and the evaluation's programs for a job: progress, cancel, heartbeat, ends."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from jobs.errors import JobCancelled, JobFailed
from jobs.running import JobRun
from retraining.processes import Ending, Limits, ProgramEnd, program_arguments, run_program
from retraining.program_output import Progress
from retraining.programs.contract import EvaluateSpec, TrainSpec, write_input

RENEW_SECONDS = 5.0  # A third of the lease is left when one renewal is missed.
LOOK_SECONDS = 0.2
ASK_SECONDS = 1.0
ON_REQUEST = "Cancelled on request."


@dataclass
class Program:
    """One program to run: what goes in, what it says, how it ended."""

    name: str  # "train" or "evaluate".
    title: str
    spec: TrainSpec | EvaluateSpec
    files: Mapping[str, bytes]
    said: Progress | None = None
    must_stop: bool = False
    last_line: str = ""
    lines: deque[str] = field(default_factory=deque)

    def note(self, progress: Progress) -> None:
        """Called from the thread that watches the program."""
        self.said = progress
        line = f"{self.title}: {progress.note or progress.step}"
        if line != self.last_line:
            self.last_line = line
            self.lines.append(line)

    def take_lines(self) -> Iterator[str]:
        while self.lines:
            yield self.lines.popleft()


@dataclass(frozen=True)
class Finished:
    """What a program left behind, readable until the block around it ends."""

    folder: Path
    end: ProgramEnd


@contextmanager
def finished_programs(
    run: JobRun, programs: list[Program], *, share: tuple[int, int]
) -> Iterator[list[Finished]]:
    """Run all at once; the block gets their output folders. `share` is in per cent of the job.

    Raises JobCancelled or JobFailed with the reason as soon as one does not finish. The programs
    are watched from threads, and this thread alone talks to the database.
    """
    with tempfile.TemporaryDirectory(prefix="setright-") as home:
        folders = [Path(home) / str(number) for number in range(len(programs))]
        with ThreadPoolExecutor(max_workers=len(programs)) as pool:
            ends = [
                pool.submit(_run, program, folder)
                for program, folder in zip(programs, folders, strict=True)
            ]
            try:
                _watch(run, programs, ends, share)
            finally:
                for program in programs:
                    program.must_stop = True
        results = [end.result() for end in ends]
        _check(programs, results)
        yield [Finished(folder / "out", end) for folder, end in zip(folders, results, strict=True)]


def _run(program: Program, folder: Path) -> ProgramEnd:
    for name in ("out", "work"):
        (folder / name).mkdir(parents=True)
    write_input(folder / "in", spec=program.spec, files=program.files)
    return run_program(
        arguments=program_arguments(program.name, folder / "in", folder / "out"),
        folder=folder / "work",
        limits=Limits(
            wall_seconds=settings.TRAINING_SECONDS,
            cpu_seconds=2 * settings.TRAINING_SECONDS,
            memory_mb=settings.TRAINING_MEMORY_MB,
        ),
        on_progress=program.note,
        should_cancel=lambda: program.must_stop,
    )


def _watch(
    run: JobRun, programs: list[Program], ends: list[Future[ProgramEnd]], share: tuple[int, int]
) -> None:
    """Until all have finished, or one has not."""
    renewed_at = asked_at = 0.0
    while not all(end.done() for end in ends):
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        news = [line for program in programs for line in program.take_lines()]
        if news or now - renewed_at > RENEW_SECONDS:
            renewed_at = now
            _report(run, programs, news, share)
        if now - asked_at > ASK_SECONDS:
            asked_at = now
            if run.is_cancel_requested():
                raise JobCancelled(ON_REQUEST)
        if any(end.done() and not end.result().is_finished for end in ends):
            return


def _report(run: JobRun, programs: list[Program], news: list[str], share: tuple[int, int]) -> None:
    low, high = share
    done = sum(program.said.share if program.said else 0.0 for program in programs)
    part = low + (high - low) * done / len(programs)
    run.progress(round(part), 100, note=news[-1] if news else "")
    for line in news:
        run.append_log(line)


def _check(programs: list[Program], ends: list[ProgramEnd]) -> None:
    """The program that failed by itself is named, not those that were stopped because of it."""
    for program, end in zip(programs, ends, strict=True):
        if not end.is_finished and end.ending is not Ending.CANCELLED:
            raise JobFailed(f"{program.title}: {end.ending}. {end.reason}")
    if not all(end.is_finished for end in ends):
        raise JobCancelled(ON_REQUEST)
