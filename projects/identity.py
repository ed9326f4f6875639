"""What "the same input" is, and what follows from it alone: an item's code and use, a draw.

These are hashes under the project's key, so nobody can choose an input to land in a use,
and two installs do not share their splits.
"""

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

from projects.models import Project
from projects.task_types import TASK_TYPES
from projects.task_types.base import Input

TRAIN = "train"
EVALUATION = "evaluation"
_WHOLE = 2**64


def identity_of(project: Project, value: Input, context: Mapping[str, Any] | None = None) -> str:
    """64 hex digits over the canonical input and the project's declared context fields."""
    canonical = TASK_TYPES[project.task_type].canonical(value)
    declared = [str((context or {}).get(field, "")) for field in project.context_fields]
    return hashlib.sha256("\x1f".join([canonical, *declared]).encode()).hexdigest()


def code_of(project: Project, *, identity: str) -> uuid.UUID:
    """The item's name outside, not to be guessed from its input.

    Datasets hold it: told again under the same key, a story ends in the same dataset and model.
    """
    return uuid.UUID(bytes=_keyed(project, f"code:{project.slug}:{identity}")[:16], version=4)


def use_of(project: Project, *, identity: str, group: str = "") -> str:
    """Train or evaluation; rows of one group stay together."""
    share = keyed_share(project, f"use:{group or identity}")
    return EVALUATION if share < project.evaluation_share else TRAIN


def draw_share(project: Project, external_id: str) -> float:
    """A number in [0, 1): a prediction is drawn when it is below the plan's rate."""
    return keyed_share(project, f"draw:{external_id}")


def keyed_share(project: Project, message: str) -> float:
    """HMAC-SHA256 of the message under the project's key, as a share of the whole range."""
    return int.from_bytes(_keyed(project, message)[:8], "big") / _WHOLE


def _keyed(project: Project, message: str) -> bytes:
    return hmac.digest(bytes.fromhex(project.identity_key), message.encode(), "sha256")
