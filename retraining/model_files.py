"""Whether a stored version's model file is the one that was signed; no library of learning."""

from __future__ import annotations

from django.conf import settings

from projects.errors import Conflict
from projects.files import FileDamaged, read_file
from projects.models import ModelVersion
from retraining.signatures import ArtifactRefused, verify


def signing_keys() -> dict[str, bytes]:
    """Keys by id: the one that signs now, and older ones that still verify."""
    keys = {**settings.ARTIFACT_OLD_KEYS, settings.ARTIFACT_KEY_ID: settings.ARTIFACT_KEY}
    return {key_id: key.encode() for key_id, key in keys.items()}


def read_model_file(version: ModelVersion) -> bytes:
    """The verified bytes; raises ArtifactRefused, also for a version without a file."""
    if version.artifact_id is None:
        raise ArtifactRefused(f"{version.name} is an external version: Setright has no file of it.")
    try:
        content = read_file(version.artifact_id)
    except (FileDamaged, FileNotFoundError) as error:
        raise ArtifactRefused(f"The model file of {version.name} is damaged or gone.") from error
    verify(content, version.manifest, keys=signing_keys())
    return content


def check_model_file(version: ModelVersion) -> None:
    """Raise Conflict where a trained version could not be served; external ones have no file."""
    if version.kind == ModelVersion.Kind.EXTERNAL:
        return
    try:
        read_model_file(version)
    except ArtifactRefused as error:
        raise Conflict(f"{version.name} cannot go live. {error}") from error
