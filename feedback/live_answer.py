"""Ask the predictor what the live version says now; without an answer, pages say so."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

from projects.internal_signatures import signed_headers
from projects.models import Project
from projects.task_types.base import Input

PATH = "/internal/answer"
PATIENCE_SECONDS = 0.3  # A page that waits longer is worse than one without this line.
LONGEST_ANSWER = 64 * 1024


@dataclass(frozen=True)
class LiveAnswer:
    """What the live version answers; nothing of it is stored."""

    version_name: str
    answer: str
    confidence: float


def find_live_answer(*, project: Project, value: Input, at: datetime) -> LiveAnswer | None:
    """The live version's answer to a stored input, or None: "not available"."""
    body = msgspec.json.encode({"project": project.slug, "input": dict(value)})
    try:
        return _ask(body, signed_headers(body, at=at))
    except (OSError, http.client.HTTPException, msgspec.DecodeError):
        return None


def _ask(body: bytes, headers: Mapping[str, str]) -> LiveAnswer | None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    address = urlsplit(settings.PREDICTOR_URL)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=PATIENCE_SECONDS)
    try:
        connection.connect()
        connection.sock.settimeout(max(deadline - time.monotonic(), 0.001))
        connection.request("POST", PATH, body, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        if response.status != HTTPStatus.OK:
            return None
        return msgspec.json.decode(response.read(LONGEST_ANSWER), type=LiveAnswer)
    finally:
        connection.close()
