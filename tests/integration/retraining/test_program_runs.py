"""Programs of one job run side by side; the job is told what they say and how they ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.adding import add_job
from jobs.clock import SetClock
from jobs.errors import JobFailed
from jobs.models import Job
from jobs.running import JobRun, claim_job
from retraining import program_runs
from retraining.program_output import Progress
from retraining.program_runs import Program, finished_programs
from retraining.programs.contract import EvaluateSpec

pytestmark = pytest.mark.django_db

SPEC = EvaluateSpec(trainer="text", digest="", inputs=())
ENDS_AT_ONCE = "contract"  # A module that does nothing when it is run.


def program(name: str = ENDS_AT_ONCE, title: str = "Training", **files: bytes) -> Program:
    return Program(name=name, title=title, spec=SPEC, files=files)


@pytest.fixture
def run(clock: SetClock) -> JobRun:
    job = add_job("retraining.train", at=clock.at, lane=Job.Lane.TRAINING, batch_id=1)
    claimed = claim_job(job.pk, at=clock.at)
    assert claimed is not None
    return claimed


@pytest.fixture(autouse=True)
def _looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_runs, "LOOK_SECONDS", 0.01)


def test_what_finished_programs_left_can_be_read_until_the_block_ends(run: JobRun) -> None:
    with finished_programs(run, [program(), program()], share=(0, 100)) as finished:
        folders = [one.folder for one in finished]

        assert [one.end.is_finished for one in finished] == [True, True]
        assert len(set(folders)) == 2
        assert all(folder.is_dir() for folder in folders)

    assert not any(folder.exists() for folder in folders)


def test_each_program_finds_its_own_files(run: JobRun) -> None:
    programs = [program(one=b"1"), program(two=b"2")]

    with finished_programs(run, programs, share=(0, 100)) as finished:
        inputs = [
            sorted(path.name for path in (one.folder.parent / "in").iterdir()) for one in finished
        ]

    assert inputs == [["one", "spec.json"], ["spec.json", "two"]]


def test_the_program_that_failed_by_itself_is_the_one_that_is_named(run: JobRun) -> None:
    programs = [program(title="v2 answers"), program("nothing", title="v1 answers")]

    with (
        pytest.raises(JobFailed, match=r"v1 answers: crashed\. .*programs\.nothing.*exit code 1"),
        finished_programs(run, programs, share=(0, 100)),
    ):
        raise AssertionError("It did not finish.")


def test_what_the_block_raises_goes_on_up_and_its_folders_go(run: JobRun) -> None:
    folders: list[Path] = []

    def break_off() -> None:
        with finished_programs(run, [program()], share=(0, 100)) as finished:
            folders.extend(one.folder for one in finished)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()

    assert not folders[0].exists()


def told(run: JobRun) -> tuple[int, int, str]:
    run.job.refresh_from_db()
    return run.job.done_count, run.job.total_count or 0, run.job.note


def test_how_far_the_programs_are_is_told_as_a_part_of_the_job(run: JobRun) -> None:
    first, second = program(title="v2 answers"), program(title="v1 answers")
    first.note(Progress("answering", 0.5, "50 of 100 inputs."))

    program_runs._report(run, [first, second], list(first.take_lines()), (20, 80))

    # A quarter of the work of both, from 20 to 80 per cent.
    assert told(run) == (35, 100, "v2 answers: 50 of 100 inputs.")
    assert run.job.log == "v2 answers: 50 of 100 inputs.\n"


def test_without_news_the_note_stays_and_the_log_does_not_grow(run: JobRun) -> None:
    only = program()
    only.note(Progress("fitting", 0.5, ""))
    program_runs._report(run, [only], list(only.take_lines()), (0, 100))

    program_runs._report(run, [only], [], (0, 100))

    assert told(run) == (50, 100, "Training: fitting")
    assert run.job.log == "Training: fitting\n"


def test_the_same_words_again_are_one_line(run: JobRun) -> None:
    only = program()
    for share in (0.1, 0.2, 0.3):
        only.note(Progress("fitting", share, ""))
    only.note(Progress("fitting", 0.4, "Round 40."))
    only.note(Progress("fitting", 0.5, ""))

    assert list(only.take_lines()) == [
        "Training: fitting",
        "Training: Round 40.",
        "Training: fitting",
    ]
    assert list(only.take_lines()) == []
    assert only.said == Progress("fitting", 0.5, "")
