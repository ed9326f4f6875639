"""What a trainer reads of a stored input: the text, or the bytes of the image."""

from __future__ import annotations

from projects.files import read_file
from projects.task_types.base import Input


def raw_input(value: Input) -> str | bytes:
    return read_file(value["image"]) if "image" in value else str(value["text"])
