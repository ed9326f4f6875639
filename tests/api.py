"""A client of the API with a key of its own, as programs use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from django.test import Client
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from projects.api_keys import issue_key
from projects.models import ApiKey, Project, User

JSON_KINDS = {"application/json", "application/problem+json"}


class Api:
    """Requests under a project's address; without a key they come from nobody."""

    def __init__(self, project: Project, key: str = "", slug: str = "") -> None:
        self.client = Client(raise_request_exception=True)
        self.root = f"/api/v1/projects/{slug or project.slug}"
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, **query: Any) -> Any:
        return as_published(self.client.get(f"{self.root}/{path}", query, headers=self.headers))

    def post(self, path: str, body: bytes | dict[str, Any] | list[Any], **options: Any) -> Any:
        """JSON, unless `content_type` says another kind; `headers` are added to the key."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = options.pop("content_type", "application/json")
        # The client leaves the kind of an empty body out, unless it is a header.
        headers = {**self.headers, "Content-Type": kind, **options.pop("headers", {})}
        return as_published(
            self.client.post(
                f"{self.root}/{path}", sent, content_type=kind, headers=headers, **options
            )
        )

    def send(self, *lines: bytes | dict[str, Any], query: str = "", **headers: str) -> Any:
        """POST predictions as NDJSON."""
        return self.post(
            f"predictions{query}",
            ndjson(lines),
            content_type="application/x-ndjson",
            headers=headers,
        )


def ask(person: User | None, method: str, path: str, **body: object) -> Any:
    """A signed-in person's request, or a visitor's, under the usual project's address."""
    client = APIClient()
    if person is not None:
        client.force_login(person)
    answer = getattr(client, method)(f"/api/v1/projects/intents{path}", body, format="json")
    return as_published(answer)


def as_published(response: Any) -> Any:
    """The response, which must be as the published schema says: status, kind and content."""
    try:
        route = resolve(response.request["PATH_INFO"]).route
    except Resolver404:
        return response
    asked = (re.sub(r"<\w+:(\w+)>", r"{\1}", route), response.request["REQUEST_METHOD"].lower())
    if asked in _published():
        status, kind = str(response.status_code), response.headers.get("Content-Type")
        told = _published()[asked].get(status)
        assert told is not None, f"{asked} does not publish {status}"
        assert (kind in told["content"]) if kind else "content" not in told, f"{asked}: {kind}"
        if kind in JSON_KINDS:
            found = _validator(*asked, status, kind).iter_errors(response.json())
            faults = [f"{fault.json_path}: {fault.message}" for fault in found]
            assert not faults, f"{asked}: {faults}"
    return response


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


@cache
def _published() -> dict[tuple[str, str], dict[str, Any]]:
    """The responses of every operation."""
    return {
        (path.removeprefix("/"), method): operation["responses"]
        for path, methods in _schema()["paths"].items()
        for method, operation in methods.items()
    }


@cache
def _validator(path: str, method: str, status: str, kind: str) -> Draft202012Validator:
    body = _published()[path, method][status]["content"][kind]["schema"]
    return Draft202012Validator(
        _as_json_schema({**body, "components": _schema()["components"]}),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def _as_json_schema(part: Any) -> Any:
    """OpenAPI 3.0 has a word of its own for what may be null."""
    if isinstance(part, list):
        return [_as_json_schema(one) for one in part]
    if not isinstance(part, dict):
        return part
    made = {name: _as_json_schema(one) for name, one in part.items() if name != "nullable"}
    return {"anyOf": [made, {"type": "null"}]} if part.get("nullable") is True else made


def ndjson(lines: Iterable[bytes | dict[str, Any]]) -> bytes:
    return b"\n".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines
    )


def make_key(
    project: Project, by: User, *, at: datetime, scopes: Iterable[str] = ApiKey.Scope.values
) -> str:
    """The key as it is shown once."""
    _, raw = issue_key(project=project, name="test", scopes=scopes, by=by, at=at)
    return raw
