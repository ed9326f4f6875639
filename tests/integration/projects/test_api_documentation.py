"""The API describes itself, on a page that the content policy lets run."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_schema_names_every_way_in_and_how_to_sign_in() -> None:
    schema = yaml.safe_load(Client().get("/api/v1/schema").content)

    paths = {path.removeprefix("/api/v1/projects/{slug}/") for path in schema["paths"]}
    assert {"predictions", "flags", "issues", "files", "items", "ground-truths"} <= paths
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    sent = schema["paths"]["/api/v1/projects/{slug}/predictions"]["post"]["requestBody"]
    assert set(sent["content"]) == {"application/x-ndjson", "application/json"}


def test_the_page_has_nothing_inline_and_only_files_that_are_here() -> None:
    page = Client().get("/api/v1/docs").content.decode()

    assert "<style" not in page
    assert "style=" not in page
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    files = [urlsplit(url).path for url in re.findall(r'(?:src|href)="([^"]+)"', page)]
    static = [path.removeprefix("/static/") for path in files if path.startswith("/static/")]
    assert len(static) == 3
    assert all(finders.find(path) for path in static)
    assert set(files) - {f"/static/{path}" for path in static} == {"/api/v1/docs"}


def test_the_pages_script_is_a_file_of_its_own() -> None:
    script = Client().get("/api/v1/docs?script=")

    assert script.headers["Content-Type"].startswith("application/javascript")
    assert b"/api/v1/schema" in script.content
