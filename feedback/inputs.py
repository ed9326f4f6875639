"""Clean the inputs of one project as they come in; images inside JSON become stored files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from feedback.images import store_base64_image
from projects.errors import Invalid, TooLarge
from projects.models import Project, ProjectFile
from projects.task_types import TASK_TYPES

INSIDE = "image_base64"


class InputReader:
    """Raw input in, what is stored as an input out; raises Invalid with a reason."""

    def __init__(self, project: Project, *, at: datetime) -> None:
        self.project = project
        self.at = at
        self.clean = TASK_TYPES[project.task_type].clean
        self.fields = TASK_TYPES[project.task_type].fields
        self.has_images = project.task_type == "image"
        self.longest = settings.MAX_TEXT_CHARACTERS
        self._seen: set[str] = set()

    def read(self, raw: object) -> dict[str, Any]:
        if isinstance(raw, dict):
            self._check_names(raw)
        if not self.has_images:
            return self.clean(raw, longest=self.longest)
        if isinstance(raw, dict) and INSIDE in raw:
            return {"image": self._stored(raw[INSIDE])}
        if isinstance(raw, str) and raw.startswith("data:"):
            return {"image": self._stored(raw)}
        cleaned = self.clean(raw, longest=self.longest)
        self._check_is_ours(cleaned["image"])
        return cleaned

    def _check_names(self, raw: dict[str, Any]) -> None:
        """What is no field of an input would be lost without a word."""
        unknown = [name for name in raw if name not in self.fields]
        if unknown:
            raise Invalid(
                f"input: unknown field `{unknown[0]}`. Known are: {', '.join(self.fields)}. "
                "Anything else about it belongs into context."
            )
        if len(raw) > 1:
            raise Invalid(f"input: send one of {', '.join(self.fields)}, and not both.")

    def _stored(self, encoded: object) -> str:
        try:
            image = store_base64_image(project=self.project, encoded=encoded, at=self.at)
        except TooLarge as error:
            raise Invalid(error.message) from error
        self._seen.add(image.digest)
        return image.digest

    def _check_is_ours(self, digest: str) -> None:
        if digest in self._seen:
            return
        if not ProjectFile.objects.filter(project=self.project, file=digest).exists():
            raise Invalid(
                f"input names {digest[:12]}…, which is no file of this project; "
                "POST the file to /files first."
            )
        self._seen.add(digest)


def longest_line(project: Project) -> int:
    """How many bytes one line may have: more where images may be inside."""
    if project.task_type != "image":
        return settings.MAX_LINE_BYTES
    return max(settings.MAX_LINE_BYTES, settings.MAX_IMAGE_BYTES * 4 // 3 + 64 * 1024)
