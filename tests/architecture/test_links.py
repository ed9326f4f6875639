"""What the documentation points at is there: pages, pictures, headings, tests and modules."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.tree import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:tests|bench|docs|config|jobs|labeling|retraining)/[\w./-]+)`")
NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


def anchors_of(page: Path) -> set[str]:
    """As the sites that show Markdown name headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {NOT_IN_ANCHORS.sub("", text.lower()).replace(" ", "-") for text in headings}


def is_there(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    wanted = page.parent / path if path else page
    return wanted.exists() and (not anchor or anchor in anchors_of(wanted))


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in LINK.findall(page.read_text())
        if "://" not in target and not is_there(page, target)
    ]

    assert broken == []


def test_every_file_that_is_named_exists() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {path}"
        for page in PAGES
        for path in PATH.findall(page.read_text())
        if not (ROOT / path).exists()
    ]

    assert missing == []
