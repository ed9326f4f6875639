"""A key that works is shown as a cap where it is bound, or in the header of every page."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT

TEMPLATES = ROOT / "templates"
BOUND = re.compile(r'data-key="([a-z/]|Enter)"')
CAP = re.compile(r"<kbd[^>]*>([^<{]+)</kbd>")
NAMES = {"↵": "Enter"}


def caps_in(text: str) -> set[str]:
    return {NAMES.get(cap, cap) for cap in CAP.findall(text)}


def test_every_key_is_shown_where_it_works() -> None:
    everywhere = caps_in((TEMPLATES / "layouts" / "_top.html").read_text())
    unseen = [
        f"{path.relative_to(TEMPLATES)}: {key}"
        for path in sorted(TEMPLATES.rglob("*.html"))
        for text in [path.read_text()]
        for key in sorted(set(BOUND.findall(text)) - caps_in(text) - everywhere)
    ]

    assert "?" in everywhere
    assert unseen == []
