"""Open a model once, in a process of its own, before it may go live."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.conf import settings

from projects.errors import Conflict
from projects.models import ModelVersion
from retraining.model_files import read_model_file
from retraining.processes import Limits, ProgramEnd, program_arguments, run_program
from retraining.programs.contract import MODEL, EvaluateSpec, write_input
from retraining.signatures import ArtifactRefused

LONGEST_SECONDS = 60.0  # Loading the libraries takes most of it, on a cold disk.


def try_to_open(version: ModelVersion) -> None:
    """Raise Conflict where the version could not answer; an external one has nothing to open."""
    if version.kind == ModelVersion.Kind.EXTERNAL:
        return
    try:
        end = _open_apart(version, read_model_file(version))
    except ArtifactRefused as error:
        raise Conflict(f"{version.name} cannot go live. {error}") from error
    if not end.is_finished:
        raise Conflict(f"{version.name} cannot go live: its model does not open. {end.reason}")


def _open_apart(version: ModelVersion, content: bytes) -> ProgramEnd:
    """Evaluation of no inputs: it opens the model and answers nothing."""
    spec = EvaluateSpec(
        trainer=version.manifest["trainer"], digest=version.manifest["digest"], inputs=()
    )
    with tempfile.TemporaryDirectory(prefix="setright-trial-") as home:
        folders = [Path(home) / name for name in ("in", "out", "work")]
        for folder in folders[1:]:
            folder.mkdir()
        write_input(folders[0], spec=spec, files={MODEL: content})
        return run_program(
            arguments=program_arguments("evaluate", folders[0], folders[1]),
            folder=folders[2],
            limits=Limits(wall_seconds=LONGEST_SECONDS, memory_mb=settings.TRAINING_MEMORY_MB),
            on_progress=lambda progress: None,
            should_cancel=lambda: False,
        )
