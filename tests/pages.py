"""Signed-in browsers without a browser: Django's client, with and without htmx."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from projects.models import User


class Pages:
    """One person's session."""

    def __init__(self, person: User | None = None) -> None:
        self.client = Client()
        if person:
            self.client.force_login(person)

    def get(self, path: str, **query: str) -> HttpResponse:
        return self._plain(self.client.get(path, query))

    def part(self, path: str, **query: str) -> HttpResponse:
        """As htmx asks."""
        return self._plain(self.client.get(path, query, headers={"HX-Request": "true"}))

    def post(self, path: str, **fields: Any) -> HttpResponse:
        return self._plain(self.client.post(path, fields))

    def post_part(self, path: str, **fields: Any) -> HttpResponse:
        return self._plain(self.client.post(path, fields, headers={"HX-Request": "true"}))

    @staticmethod
    def _plain(response: object) -> HttpResponse:
        """What the client returns is one, with more attributes than its type here says."""
        assert isinstance(response, HttpResponse)
        return response


def lead_url(name: str, **named: object) -> str:
    """A page of retraining in the usual project."""
    return reverse(f"retraining:{name}", kwargs={"slug": "intents", **named})


def text_of(response: HttpResponse) -> str:
    """What a reader sees: no tags, single spaces."""
    bare = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).split())


def is_whole_page(response: HttpResponse) -> bool:
    return b"<!doctype html>" in response.content.lower()
