"""The labeling page in a real browser: its weight, and the time from a key to the next item."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.measures import Better, Measure
from bench.queues import make_desk
from bench.web import running_web
from tests.annotators import sign_in
from tests.browsing import FLAGS, LAPTOP
from tests.chromium import find_chromium

LABELS = 60
WARM_UP = 10
COLD_KB, LABEL_KB, LABEL_REQUESTS, KEY_MS = 60, 6, 3, 100
# From the key's event to the frame in which the next item stands on the page.
TIMED_KEY = """
() => new Promise(resolve => {
  const item = document.querySelector("#work").dataset.item;
  const started = performance.now();
  const watcher = new MutationObserver(() => {
    if (document.querySelector("#work")?.dataset.item === item) return;
    watcher.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - started));
  });
  watcher.observe(document.body, {childList: true, subtree: true, attributes: true});
  document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "1", bubbles: true}));
})
"""
# The same way with nothing in it: an empty page fetched and put in place.
EMPTY_ROUND_TRIP = """
async () => {
  const started = performance.now();
  await (await fetch("/healthz", {cache: "no-store"})).text();
  await new Promise(requestAnimationFrame);
  return performance.now() - started;
}
"""


@dataclass
class Wire:
    """What came over the wire since the last reset, headers included, as the browser counts it."""

    requests: int = 0
    bytes: float = 0

    def watch(self, session: CDPSession) -> None:
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._note)

    def _note(self, event: dict[str, float]) -> None:
        self.requests += 1
        self.bytes += event["encodedDataLength"]

    def reset(self) -> None:
        self.requests, self.bytes = 0, 0


def measure() -> list[Measure]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"  # Playwright's loop runs in this thread.
    call_command("collectstatic", interactive=False, verbosity=0)
    desk = make_desk("pages", items=1_000, overlap=1, annotators=1)
    program = find_chromium()
    if program is None:
        raise LookupError("This bench needs a Chromium: set E2E_CHROMIUM.")
    with running_web() as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{port}",
            viewport=LAPTOP,  # type: ignore[arg-type]  # A TypedDict in effect.
        )
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": sign_in(desk.annotators[0])}
        context.add_cookies([{**cookie, "url": f"http://127.0.0.1:{port}"}])  # type: ignore[list-item]  # The same.
        page, wire = context.new_page(), Wire()
        wire.watch(context.new_cdp_session(page))
        page.goto(f"/p/{desk.project.slug}/work/{desk.queue.slug}/")
        page.wait_for_selector("#work[data-item]")
        page.wait_for_load_state("networkidle")
        cold = Measure(
            "Labeling page, cold",
            wire.bytes / 1024,
            "KB",
            bound=COLD_KB,
            better=Better.LESS,
            note=f"{wire.requests} requests",
        )
        return [cold, *_keys(page, wire)]


def _keys(page: Page, wire: Wire) -> list[Measure]:
    for _ in range(WARM_UP):
        page.evaluate(TIMED_KEY)
    wire.reset()
    keys = [float(page.evaluate(TIMED_KEY)) for _ in range(LABELS)]
    page.wait_for_load_state("networkidle")
    requests, kilobytes = wire.requests / LABELS, wire.bytes / 1024 / LABELS
    empty = [float(page.evaluate(EMPTY_ROUND_TRIP)) for _ in range(LABELS)]
    floor = statistics.median(empty)
    median = statistics.median(keys)
    return [
        Measure("Labeling page, a label", kilobytes, "KB", bound=LABEL_KB, better=Better.LESS),
        Measure(
            "Labeling page, a label's requests",
            requests,
            "requests",
            bound=LABEL_REQUESTS,
            better=Better.LESS,
        ),
        Measure("Key to next item, median", median, "ms", bound=KEY_MS, better=Better.LESS),
        Measure(
            "  beside an empty view",
            median,
            "ms",
            better=Better.LESS,
            floor=floor,
            floor_name="an empty view, fetched by the same page",
        ),
    ]
