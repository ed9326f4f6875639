"""A first request to copy: one recorded answer, sent from a shell."""

from __future__ import annotations

import json
import shlex

from projects.models import Project
from projects.task_types import TASK_TYPES

KEY_VARIABLE = "$SETRIGHT_KEY"


def first_request(project: Project, *, base_url: str, key: str = "") -> str:
    """A curl command with the real address; with the key itself where it is known."""
    classes = list(project.classes.filter(retired_at=None).values_list("name", flat=True)[:1])
    body = {
        "external_id": "first-1",
        "model_version": "v1",
        "input": TASK_TYPES[project.task_type].example,
        "output": classes[0] if classes else "the answer it gave",
        "confidence": 0.87,
    }
    secret = shlex.quote(f"Authorization: Bearer {key}") if key else _quoted_variable()
    url = f"{base_url.rstrip('/')}/api/v1/projects/{project.slug}/predictions"
    return (
        f"curl -X POST {shlex.quote(url)} \\\n"
        f"  -H {secret} \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
    )


def _quoted_variable() -> str:
    return f'"Authorization: Bearer {KEY_VARIABLE}"'
