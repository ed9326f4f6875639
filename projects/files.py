"""Content-addressed files: name = SHA-256 of the bytes, written whole or not at all."""

import hashlib
import os
import re
import tempfile
from datetime import datetime
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from projects.errors import NotFound
from projects.models import Project, ProjectFile, StoredFile

DIGEST = re.compile(r"[0-9a-f]{64}")
# Re-encoded when they came in; never SVG.
SHOWN_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")


class FileDamaged(Exception):
    """The bytes of a stored file are not those its name promises."""


def store_file(
    *, content: bytes, media_type: str, at: datetime, project: Project | None = None
) -> StoredFile:
    """Store the bytes once, and let the project see them."""
    digest = hashlib.sha256(content).hexdigest()
    if not default_storage.exists(path_of(digest)):
        _write(path_of(digest), content)
    stored, _ = StoredFile.objects.get_or_create(
        digest=digest,
        defaults={"size": len(content), "media_type": media_type, "stored_at": at},
    )
    if project is not None:
        ProjectFile.objects.get_or_create(project=project, file=stored)
    return stored


def read_file(digest: str) -> bytes:
    """The bytes, checked against their name."""
    with default_storage.open(path_of(digest), "rb") as handle:
        content: bytes = handle.read()
    if hashlib.sha256(content).hexdigest() != digest:
        raise FileDamaged(f"The stored file {digest} is damaged; restore it from the backup.")
    return content


def access_file(project: Project, digest: str) -> StoredFile:
    """A file that the project may see."""
    visible = ProjectFile.objects.filter(project=project, file_id=digest).select_related("file")
    # What is no digest is asked of no database: PostgreSQL takes not every text.
    found = visible.first() if DIGEST.fullmatch(digest) else None
    if found is None:
        raise NotFound("There is no such file in this project.")
    return found.file


def access_picture(project: Project, digest: str) -> StoredFile:
    """A file that the project may see and that may be shown."""
    stored = access_file(project, digest)
    if stored.media_type not in SHOWN_TYPES:
        raise NotFound("There is no such picture in this project.")
    return stored


def path_of(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def _write(path: str, content: bytes) -> None:
    if not isinstance(default_storage, FileSystemStorage) and not hasattr(default_storage, "path"):
        default_storage.save(path, ContentFile(content))
        return
    final = Path(default_storage.path(path))
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=final.parent, prefix=".part-")
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    Path(temporary).rename(final)
    folder = os.open(final.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
