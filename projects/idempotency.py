"""What a request with an Idempotency-Key was answered, kept with its effect."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from projects.errors import Conflict, Invalid
from projects.models import IdempotentAnswer, Project

LONGEST_KEY = 200
KEPT_FOR = timedelta(days=7)  # Longer than anybody retries one request.


def clean_key(raw: str) -> str:
    """The header's value; raises Invalid where it cannot be kept."""
    key = raw.strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Invalid(f"Idempotency-Key must be printable and at most {LONGEST_KEY} characters.")
    return key


def find_answer(project: Project, key: str) -> IdempotentAnswer | None:
    """What a request with this key was answered before."""
    return IdempotentAnswer.objects.filter(project=project, key=key).first() if key else None


def check_same_body(answer: IdempotentAnswer, body_hash: str) -> None:
    """Raise Conflict where the key comes with another body."""
    if answer.body_hash != body_hash:
        raise Conflict("This Idempotency-Key was used for another body. Use a new key.")


def remember_answer(
    *,
    project: Project,
    key: str,
    body_hash: str,
    status: int,
    response: dict[str, Any],
    at: datetime,
) -> None:
    """Keep the answer; in the transaction of the effect. Does nothing without a key."""
    if key:
        IdempotentAnswer.objects.create(
            project=project,
            key=key,
            body_hash=body_hash,
            status=status,
            response=response,
            created_at=at,
        )


def forget_old_answers(*, at: datetime) -> None:
    IdempotentAnswer.objects.filter(created_at__lt=at - KEPT_FOR).delete()
