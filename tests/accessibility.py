"""What axe (https://github.com/dequelabs/axe-core) finds on a page, light and dark."""

from __future__ import annotations

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Rules = dict[str, Any]
Scheme = Literal["light", "dark"]

# WCAG 2.2 to AA, and what axe calls best practice: one main, headings in order, nothing nameless.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: dict[Scheme, Rules] = {
    "light": {"type": "tag", "values": TAGS},
    "dark": {"type": "rule", "values": ["color-contrast"]},
}
OPTIONS = {"resultTypes": ["violations"]}
SHEETS = "[...document.querySelectorAll('[popover][id]')].map(sheet => sheet.id)"


def faults_of_page(page: Page) -> list[str]:
    """Of the page, and of each sheet when it is open; in the dark only colours are others."""
    found = []
    for scheme, rules in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        found += _faults(page, scheme, rules)
        for sheet in page.evaluate(SHEETS):
            page.evaluate("id => document.getElementById(id).showPopover()", sheet)
            found += _faults(page, f"{scheme}, #{sheet} open", rules, within=f"#{sheet}")
            page.evaluate("id => document.getElementById(id).hidePopover()", sheet)
    return found


def _faults(page: Page, where: str, rules: Rules, within: str | None = None) -> list[str]:
    found = Axe().run(page, context=within, options={**OPTIONS, "runOnly": rules})
    return [
        f"{where}: {fault['id']} ({fault['impact']}) at {' '.join(node['target'])}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]
