"""How many clicks and keys a person needs; what is typed into a field is not counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

# Kept by the tab, so that it outlives the pages a person passes through. Keys press buttons by
# script; only what a hand does is trusted.
COUNTER = """
if (!window.isCounting) {
  window.isCounting = true;
  for (const kind of ["pointerdown", "keydown"])
    addEventListener(kind, (event) => {
      if (event.isTrusted) sessionStorage[kind] = Number(sessionStorage[kind] ?? 0) + 1;
    }, true);
}
"""


@contextmanager
def at_most(page: Page, *, clicks: int = 0, keys: int = 0) -> Iterator[None]:
    """What is done on the page within the block takes no more; at least one of either."""
    page.add_init_script(COUNTER)
    page.evaluate(COUNTER)
    page.evaluate("sessionStorage.pointerdown = sessionStorage.keydown = 0")
    yield
    counts = "['pointerdown', 'keydown'].map((kind) => Number(sessionStorage[kind]))"
    clicked, pressed = page.evaluate(counts)
    assert clicked + pressed
    assert clicked <= clicks, f"{clicked} clicks, where {clicks} should do"
    assert pressed <= keys, f"{pressed} keys, where {keys} should do"
