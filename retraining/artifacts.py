"""Model files: skops with a fixed trusted list, signed, opened only after verification."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import skops.io
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from retraining.signatures import ArtifactRefused, Manifest, sign, verify
from retraining.trainer_catalog import TRAINER_CATALOG

LARGEST_UNPACKED = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class PackedArtifact:
    """The bytes to store and the manifest to keep beside them."""

    content: bytes
    manifest: Manifest


def pack(
    pipeline: Pipeline,
    *,
    trainer: str,
    facts: Mapping[str, Any],
    key_id: str,
    keys: Mapping[str, bytes],
) -> PackedArtifact:
    """A signed file of the fitted pipeline."""
    content = dump_pipeline(pipeline)
    manifest = sign(content, trainer=trainer, facts=facts, key_id=key_id, keys=keys)
    return PackedArtifact(content=content, manifest=manifest)


def open_artifact(
    content: bytes, manifest: Mapping[str, Any], *, keys: Mapping[str, bytes]
) -> Pipeline:
    """Signature, then hash, then open; raises ArtifactRefused."""
    checked = verify(content, manifest, keys=keys)
    return load_pipeline(content, trainer=checked["trainer"])


def dump_pipeline(pipeline: Pipeline) -> bytes:
    """The file's bytes, unsigned; two dumps of one pipeline differ."""
    # Level 1: coefficients are noise to a compressor, more effort buys 2 % for 5 times the time.
    content: bytes = skops.io.dumps(pipeline, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    return content


def load_pipeline(content: bytes, *, trainer: str) -> Pipeline:
    """Open bytes that have been verified (or are about to be signed for the first time)."""
    if trainer not in TRAINER_CATALOG:
        raise ArtifactRefused(f"The model file is of a trainer named {trainer!r}, unknown here.")
    _check_size(content)
    trusted = list(TRAINER_CATALOG[trainer].trusted)
    try:
        pipeline = skops.io.loads(content, trusted=trusted)
    except UntrustedTypesFoundException as error:
        raise ArtifactRefused(f"The model file holds types that are not trusted: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, ImportError, OSError) as error:
        raise ArtifactRefused(f"The model file cannot be read: {error!r}.") from error
    if not isinstance(pipeline, Pipeline) or not hasattr(pipeline, "predict_proba"):
        raise ArtifactRefused("The model file does not hold a pipeline that gives probabilities.")
    return pipeline


def _check_size(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        raise ArtifactRefused("The model file is not a skops file.") from None
    if unpacked > LARGEST_UNPACKED:
        raise ArtifactRefused(f"The model file unpacks to {unpacked} bytes: too large.")
