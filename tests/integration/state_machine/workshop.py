"""The worker's side in this process: real programs, and a place at which something happens."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

import pandas as pd
from sklearn.pipeline import Pipeline

from jobs import running
from jobs.errors import JobCancelled, JobFailed
from jobs.running import JobRun
from projects.errors import DomainError
from projects.models import ModelVersion
from retraining import batches, evaluating, open_models, promotion, training
from retraining.artifacts import dump_pipeline, load_pipeline
from retraining.open_models import open_version
from retraining.processes import Ending, ProgramEnd
from retraining.program_runs import ON_REQUEST, Finished, Program
from retraining.programs import evaluate, reporting, train
from retraining.programs.contract import write_input
from retraining.trainer_catalog import Value
from retraining.trainers.base import Report
from retraining.trainers.text import TextTrainer

FINISHED = ProgramEnd(Ending.FINISHED, "", 0.0, 0.0, is_network_off=True, garbage_lines=0)
PROGRAMS = {"train": train.train, "evaluate": evaluate.evaluate}


class Died(BaseException):
    """The process is gone: nobody catches this, and nothing is tidied up."""


@dataclass
class Workshop:
    """Does `act` once, when `place` is reached: a crash point, a program, a report of progress."""

    place: str = ""
    act: Callable[[], object] = lambda: None

    def reach(self, place: str) -> None:
        if place == self.place:
            self.place = ""
            self.act()

    @contextlib.contextmanager
    def expecting(self, place: str, act: Callable[[], object]) -> Iterator[None]:
        self.place, self.act = place, act
        try:
            yield
        finally:
            self.place = ""

    @contextlib.contextmanager
    def open(self) -> Iterator[Workshop]:
        """Within the block, jobs start no process and no crash point kills this one."""
        with contextlib.ExitStack() as patches:
            for target, name, replacement in self._replacements():
                patches.enter_context(mock.patch.object(target, name, replacement))
            yield self

    def _replacements(self) -> list[tuple[object, str, object]]:
        progress, give_up = JobRun.progress, running._try_again_or_give_up

        def report(run: JobRun, done: int, total: int | None = None, note: str = "") -> None:
            progress(run, done, total, note)
            self.reach("progress")

        def end_unless_dead(run: JobRun, error: str) -> None:
            if not error.endswith(Died.__name__):
                give_up(run, error)

        return [
            (batches, "crash_point", self.reach),
            (training, "crash_point", self.reach),
            (promotion, "crash_point", self.reach),
            (training, "finished_programs", self._finished),
            (evaluating, "finished_programs", self._finished),
            (promotion, "try_to_open", open_if_trained),
            (JobRun, "progress", report),
            (running, "_try_again_or_give_up", end_unless_dead),
            (reporting, "report", lambda step, share, note="": None),
            (train, "TRAINERS", {TextTrainer.slug: RememberingTrainer()}),
            (train, "dump_pipeline", dump_once),
            (evaluate, "load_pipeline", load_once),
            (open_models, "load_pipeline", load_once),
        ]

    @contextlib.contextmanager
    def _finished(
        self, run: JobRun, programs: list[Program], *, share: tuple[int, int]
    ) -> Iterator[list[Finished]]:
        """As in a process: the same functions, folders and files."""
        self.reach(programs[0].name)
        if run.is_cancel_requested():
            raise JobCancelled(ON_REQUEST)
        with tempfile.TemporaryDirectory(prefix="setright-") as home:
            folders = [Path(home) / str(number) for number in range(len(programs))]
            for program, folder in zip(programs, folders, strict=True):
                _run(program, folder)
            yield [Finished(folder / "out", FINISHED) for folder in folders]


def fail() -> None:
    raise JobFailed("Trainer: crashed. The program ended without a result.")


def die() -> None:
    raise Died


def open_if_trained(version: ModelVersion) -> None:
    if version.kind == ModelVersion.Kind.TRAINED:
        open_version(version)


def _run(program: Program, folder: Path) -> None:
    (folder / "out").mkdir(parents=True)
    write_input(folder / "in", spec=program.spec, files=program.files)
    try:
        PROGRAMS[program.name](folder / "in", folder / "out")
    except (DomainError, ValueError) as error:
        raise JobFailed(f"{program.title}: crashed. {error}") from error


class RememberingTrainer(TextTrainer):
    """Learns the same rows once: what they lead to never changes."""

    def fit(
        self, frame: pd.DataFrame, *, parameters: Mapping[str, Value], seed: int, report: Report
    ) -> Pipeline:
        return _fit(tuple(frame["input"]), tuple(frame["label"]), tuple(parameters.items()))


@cache
def _fit(
    inputs: tuple[str, ...], labels: tuple[str, ...], chosen: tuple[tuple[str, Value], ...]
) -> Pipeline:
    frame = pd.DataFrame({"input": inputs, "label": labels})
    return TextTrainer().fit(frame, parameters=dict(chosen), seed=0, report=lambda *_: None)


dump_once = cache(dump_pipeline)  # A fitted pipeline is looked up as the very object it is.
_opened: dict[str, Pipeline] = {}


def load_once(content: bytes, *, trainer: str) -> Pipeline:
    digest = hashlib.sha256(content).hexdigest()
    if digest not in _opened:
        _opened[digest] = load_pipeline(content, trainer=trainer)
    return _opened[digest]
