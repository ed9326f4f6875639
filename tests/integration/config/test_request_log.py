"""Every request has an id and one line, and the line holds nothing that people wrote."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from django.test import Client
from structlog.testing import capture_logs

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged, before it is written."""
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as entries:
        yield entries


def test_a_request_is_one_line_with_its_route(
    client: Client, lines: list[MutableMapping[str, Any]]
) -> None:
    client.get("/account/login/")

    assert [(line["route"], line["status"]) for line in lines] == [("account/login/", 200)]


def test_what_was_searched_for_is_not_logged(
    client: Client, lines: list[MutableMapping[str, Any]]
) -> None:
    client.get("/account/login/", {"q": "Mrs Miller"})

    assert "Miller" not in str(lines)


def test_a_callers_id_is_kept(client: Client, lines: list[MutableMapping[str, Any]]) -> None:
    response = client.get("/account/login/", headers={"X-Request-ID": "from-the-proxy-1"})

    assert response["X-Request-ID"] == "from-the-proxy-1"
    assert lines[0]["request_id"] == "from-the-proxy-1"


def test_a_callers_id_that_could_forge_a_line_is_replaced(client: Client) -> None:
    response = client.get("/healthz", headers={"X-Request-ID": 'x"}\n{"event":"forged'})

    assert "forged" not in response["X-Request-ID"]
