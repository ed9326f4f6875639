"""What goes into a program's folder and what comes out; both sides use this page.

A training folder holds `spec.json` and Parquet shards with the columns `row_id`, `input` (text or
the bytes of an image) and `label`; out come `model.skops` and `result.json`. An evaluation folder
holds `spec.json`, `model.skops` and Parquet files with `id` and `input`; out come
`answers.parquet` with `id`, `label` and `confidence`, and `result.json`. A result is written last
and whole: where there is none, the program did not finish.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

SPEC = "spec.json"
MODEL = "model.skops"
ANSWERS = "answers.parquet"
RESULT = "result.json"
EXIT_REFUSED = 65  # The data or the specification is at fault; stderr's last line says how.
EXIT_MEMORY = 71


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """What to train, on which shards without which rows."""

    trainer: str
    shards: tuple[str, ...]
    parameters: dict[str, float | int | str] = field(default_factory=dict)
    seed: int = 0
    superseded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What came out, for the manifest and the model card."""

    trainer: str
    parameters: dict[str, float | int | str]
    seed: int
    digest: str
    size: int
    rows: int
    classes: dict[str, int]
    seconds: float
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class EvaluateSpec:
    """Which inputs a model file (checked against its digest) is to answer."""

    trainer: str
    digest: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvaluateResult:
    """How many answers were written."""

    rows: int
    seconds: float


Message = TypeVar("Message", TrainSpec, TrainResult, EvaluateSpec, EvaluateResult)


def write_input(
    folder: Path, *, spec: TrainSpec | EvaluateSpec, files: Mapping[str, bytes]
) -> None:
    """Fill a program's input folder and make it read-only."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / plain_name(name)).write_bytes(content)
    (folder / SPEC).write_text(json.dumps(asdict(spec)))
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)


def read_message(path: Path, kind: type[Message]) -> Message:
    """A specification or result; raises ValueError with what is wrong."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise ValueError(f"There is no {path.name}.") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"{path.name} cannot be read: {error}.") from error


def write_message(path: Path, message: TrainResult | EvaluateResult) -> None:
    """Whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(message), allow_nan=False))
    part.rename(path)


def plain_name(name: str) -> str:
    """A file name that stays inside its folder; raises ValueError."""
    if Path(name).name != name or name in {"", ".", ".."}:
        raise ValueError(f"{name!r} is not a plain file name.")
    return name
