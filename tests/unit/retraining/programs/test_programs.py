"""Training and evaluation as the programs that a worker starts."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from retraining.processes import (
    ROOT,
    Ending,
    Limits,
    ProgramEnd,
    program_arguments,
    run_program,
)
from retraining.program_output import Progress
from retraining.programs import reporting
from retraining.programs.contract import (
    ANSWERS,
    EXIT_MEMORY,
    EXIT_REFUSED,
    MODEL,
    RESULT,
    EvaluateResult,
    EvaluateSpec,
    TrainResult,
    TrainSpec,
    read_message,
    write_input,
)
from retraining.programs.evaluate import evaluate as evaluation
from retraining.programs.tables import (
    TrainingRow,
    input_table,
    read_answers,
    read_training_frame,
    training_shard,
)
from retraining.programs.train import train as training

OLD = [TrainingRow(f"old-{n}", f"late parcel {n}", "delivery") for n in range(6)]
NEW = [TrainingRow(f"new-{n}", f"refund my card {n}", "billing") for n in range(6)]


class Folders:
    """A program's two folders, and what it told while it ran."""

    def __init__(self, path: Path) -> None:
        self.folder_in, self.folder_out = path / "in", path / "out"
        self.folder_out.mkdir(parents=True)
        self.told: list[Progress] = []

    def run(self, name: str) -> ProgramEnd:
        return run_program(
            arguments=program_arguments(name, self.folder_in, self.folder_out),
            folder=self.folder_out,
            limits=Limits(wall_seconds=120),
            on_progress=self.told.append,
            should_cancel=lambda: False,
        )


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def prepare_training(folders: Folders, **changes: object) -> None:
    spec = TrainSpec(**{"trainer": "text", "shards": ("1.parquet", "2.parquet"), **changes})  # type: ignore[arg-type]  # The tests change single fields.
    files = {"1.parquet": training_shard(OLD), "2.parquet": training_shard(NEW)}
    write_input(folders.folder_in, spec=spec, files=files)


def train(folders: Folders, **changes: object) -> ProgramEnd:
    prepare_training(folders, **changes)
    return folders.run("train")


RunHere = Callable[[Callable[[Path, Path], None], Folders], tuple[int, str]]


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunHere:
    """Run a program in this process; gives its exit code and what it said on stderr."""

    def run(program: Callable[[Path, Path], None], folders: Folders) -> tuple[int, str]:
        arguments = ["program", str(folders.folder_in), str(folders.folder_out)]
        monkeypatch.setattr("sys.argv", arguments)
        return reporting.run(program), capsys.readouterr().err

    return run


def test_a_dataset_becomes_a_model_that_answers(tmp_path: Path) -> None:
    first, second = Folders(tmp_path / "train"), Folders(tmp_path / "evaluate")
    assert train(first).ending is Ending.FINISHED
    model = (first.folder_out / MODEL).read_bytes()
    spec = EvaluateSpec("text", hashlib.sha256(model).hexdigest(), ("inputs.parquet",))
    asked = input_table([("a", "a refund please"), ("b", "where is my parcel")])
    write_input(second.folder_in, spec=spec, files={MODEL: model, "inputs.parquet": asked})

    assert second.run("evaluate").ending is Ending.FINISHED

    assert [(p.step, p.share) for p in (first.told[-1], second.told[-1])] == [("done", 1.0)] * 2
    answers = read_answers(second.folder_out / ANSWERS)
    assert [(a.id, a.label) for a in answers] == [("a", "billing"), ("b", "delivery")]
    assert all(0.5 < answer.confidence <= 1 for answer in answers)
    assert read_message(second.folder_out / RESULT, EvaluateResult).rows == 2


def test_the_result_says_what_the_model_was_made_of(folders: Folders) -> None:
    prepare_training(folders, superseded=("old-0", "new-1", "new-2"), seed=3)

    training(folders.folder_in, folders.folder_out)

    result = read_message(folders.folder_out / RESULT, TrainResult)
    assert (result.rows, result.classes) == (9, {"billing": 4, "delivery": 5})
    assert result.seed == 3
    assert result.digest == hashlib.sha256((folders.folder_out / MODEL).read_bytes()).hexdigest()
    assert set(result.environment) >= {"python", "scikit-learn", "numpy", "skops"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"trainer": "os.system"}, "There is no trainer named 'os.system'"),
        ({"parameters": {"balance": 7}}, "balance must be a number from 0 to 1"),
        ({"shards": ("3.parquet",)}, "3.parquet is not a Parquet file"),
        ({"shards": ("../in/1.parquet",)}, "not a plain file name"),
        ({"shards": ("1.parquet",)}, "at least two classes"),
        ({"shards": ("1.parquet", "2.parquet", "1.parquet")}, "Row 'old-0' stands twice"),
        ({"shards": ()}, "no rows"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line_and_leaves_no_result(
    folders: Folders, changes: dict[str, object], reason: str, run_here: RunHere
) -> None:
    prepare_training(folders, **changes)

    code, said = run_here(training, folders)

    assert code == EXIT_REFUSED
    assert reason in said
    assert said.count("\n") == 1
    assert not (folders.folder_out / RESULT).exists()


def test_a_refusal_reaches_the_parent_as_the_reason(folders: Folders) -> None:
    end = train(folders, trainer="os.system")

    assert end.ending is Ending.CRASHED
    assert "There is no trainer named 'os.system'" in end.reason


def test_a_specification_that_is_none_is_refused(folders: Folders, run_here: RunHere) -> None:
    folders.folder_in.mkdir()
    (folders.folder_in / "spec.json").write_text('{"trainer": 5}')

    code, said = run_here(training, folders)

    assert code == EXIT_REFUSED
    assert "spec.json cannot be read" in said


def test_a_program_without_memory_ends_with_its_own_code(
    folders: Folders, run_here: RunHere
) -> None:
    def starve(folder_in: Path, folder_out: Path) -> None:
        raise MemoryError

    assert run_here(starve, folders)[0] == EXIT_MEMORY


def test_a_model_file_that_was_swapped_is_not_opened(folders: Folders, run_here: RunHere) -> None:
    spec = EvaluateSpec("text", "0" * 64, ("inputs.parquet",))
    files = {MODEL: b"another", "inputs.parquet": input_table([("a", "text")])}
    write_input(folders.folder_in, spec=spec, files=files)

    code, said = run_here(evaluation, folders)

    assert code == EXIT_REFUSED
    assert "not the one that was named" in said


def test_the_input_folder_cannot_be_written(folders: Folders) -> None:
    prepare_training(folders)

    modes = {path.stat().st_mode & 0o222 for path in folders.folder_in.iterdir()}
    assert modes | {folders.folder_in.stat().st_mode & 0o222} == {0}


def test_rows_keep_their_order_over_shards(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(training_shard(NEW))
    (tmp_path / "b").write_bytes(training_shard(OLD))

    frame = read_training_frame(tmp_path, shards=("a", "b"), superseded=("new-1",))

    assert frame["row_id"].tolist()[:6] == ["new-0", "new-2", "new-3", "new-4", "new-5", "old-0"]


def test_the_programs_import_no_web_framework_and_no_database() -> None:
    code = (
        "import sys, json, retraining.programs.train, retraining.programs.evaluate\n"
        "print(json.dumps([n for n in sys.modules if n.split('.')[0] in ('django', 'psycopg')]))"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert json.loads(said.stdout) == []


def test_the_parent_side_imports_nothing_heavy() -> None:
    code = (
        "import sys, json, retraining.processes, retraining.signatures, retraining.gates,"
        "retraining.trainer_catalog, retraining.programs.contract, monitoring.intervals,"
        "labeling.aggregation\n"
        "heavy = ('django', 'numpy', 'pandas', 'pyarrow', 'scipy', 'sklearn', 'skops')\n"
        "print(json.dumps([n for n in sys.modules if n.split('.')[0] in heavy]))"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert json.loads(said.stdout) == []
