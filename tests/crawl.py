"""Every page that a person comes to by following links from home."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page

LINKS = "[...document.querySelectorAll('a[href]')].map(a => a.href)"
NO_PAGES = ("file", "file-show", "logout", "docs", "schema")
SHOWS_INPUTS = {"feedback", "labeling"}  # Its pages look otherwise for texts than for images.


def follow_links(page: Page, base_url: str) -> Iterator[str]:
    """Open one page of each kind, and say which kind it is while it is open."""
    seen = set()
    waiting = [f"{base_url}/"]
    while waiting:
        url = waiting.pop(0)
        kind = kind_of(url, base_url)
        if kind is not None and kind not in seen:
            seen.add(kind)
            page.goto(url)
            yield kind
            waiting += page.evaluate(LINKS)


def kind_of(url: str, base_url: str) -> str | None:
    """The name of the page's view, and the project where that matters; None for what is no page."""
    address = urlsplit(url)
    if f"{address.scheme}://{address.netloc}" != base_url:
        return None
    try:
        match = resolve(address.path)
    except Resolver404:
        return None
    if match.view_name.endswith(NO_PAGES):
        return None
    in_project = match.app_name in SHOWS_INPUTS
    return f"{match.view_name} {match.kwargs['slug']}" if in_project else match.view_name
