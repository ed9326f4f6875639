"""Keys on the work page: one press, one answer, and never for another item than the one shown."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import django_htmx
import pytest
from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).resolve().parent.parent.parent
HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
SLOW = 0.25  # Seconds an answer is on its way: long enough to press more keys.
PAGE = """<!doctype html><html lang="en"><head><title>Work</title>
<meta name="htmx-config" content='{config}'><script src="/htmx.js" defer></script>
<script type="module" src="/keys.js"></script><script type="module" src="/toast.js"></script>
<script type="module" src="/filter.js"></script></head><body>{item}<div id="toasts"></div>
<dialog id="keymap"><dl data-keymap></dl></dialog></body></html>"""
ITEM = """<div id="work" data-item="{name}" hx-target="#work" hx-swap="outerHTML"><h1>{name}</h1>
<form hx-post="/answer/{name}" hx-sync="#work:drop"><div id="choices">
<button name="answer" value="german" data-key="1">German</button>
<button name="answer" value="greek" data-key="2">Greek</button></div></form>
<input aria-label="Find" data-filter="choices" data-key="/">
<span hx-get="/slow" hx-trigger="load" hx-swap="none" hx-sync="this:drop" data-background></span>
{undo}<button popovertarget="skip" data-key="s">skip</button>
<button data-keymap-open hidden>all keys</button>
<div id="skip" popover><button data-key="1">I cannot tell</button></div></div>"""
UNDO = '<button hx-post="/undo/{name}" data-key="u" data-key-item="{name}">undo</button>'


def htmx_config() -> str:
    """The one of our pages."""
    root = (ROOT / "templates" / "layouts" / "root.html").read_text()
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", root)
    assert found
    return found[1]


def item(name: str, *, before: str = "") -> str:
    return ITEM.format(name=name, undo=UNDO.format(name=before) if before else "")


class Desk(BaseHTTPRequestHandler):
    """Items A, B, C ...: an answer brings the next one, an undo the same one again."""

    sent: list[str]

    def do_GET(self) -> None:
        if self.path.endswith(".js"):
            script = HTMX if self.path == "/htmx.js" else ROOT / "static" / "js" / self.path[1:]
            self.answer(script.read_text(), "text/javascript")
        elif self.path == "/slow":
            time.sleep(2 * SLOW)
            self.answer("")
        else:
            self.answer(PAGE.format(config=htmx_config(), item=item("A")))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.sent.append(f"{self.path} {body}".strip())
        time.sleep(SLOW)
        _, kind, name = self.path.split("/")
        self.answer(item(name) if kind == "undo" else item(chr(ord(name) + 1), before=name))

    def answer(self, text: str, media_type: str = "text/html") -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.end_headers()
        with suppress(BrokenPipeError):  # The page was closed meanwhile.
            self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def sent() -> list[str]:
    """What the server was sent, in order."""
    return []


@pytest.fixture
def work(chromium: Browser, sent: list[str]) -> Iterator[Page]:
    """A page with item A, and with answers that take their time."""
    handler = type("NotingDesk", (Desk,), {"sent": sent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    page = chromium.new_page()
    page.set_default_timeout(5_000)
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    yield page
    page.close()
    server.shutdown()
    server.server_close()


def shows(page: Page, name: str) -> None:
    expect(page.locator("h1")).to_have_text(name)


def test_one_key_answers_and_brings_the_next_item(work: Page, sent: list[str]) -> None:
    work.keyboard.press("2")

    shows(work, "B")
    assert sent == ["/answer/A answer=greek"]


def test_a_key_pressed_twice_in_a_hurry_does_not_label_the_next_item(
    work: Page, sent: list[str]
) -> None:
    work.keyboard.press("1")
    work.keyboard.press("1")

    shows(work, "B")
    expect(work.locator(".toast")).to_contain_text("item before")
    work.wait_for_timeout(2_000 * SLOW)
    assert sent == ["/answer/A answer=german"]


def test_undo_pressed_while_the_answer_is_on_its_way_takes_that_answer_back(
    work: Page, sent: list[str]
) -> None:
    with work.expect_response("**/undo/A"):
        work.keyboard.press("1")
        work.keyboard.press("u")

    shows(work, "A")
    assert sent == ["/answer/A answer=german", "/undo/A"]


def test_undo_pressed_at_the_next_item_takes_the_last_answer_back(
    work: Page, sent: list[str]
) -> None:
    work.keyboard.press("1")
    shows(work, "B")
    work.keyboard.press("u")

    shows(work, "A")
    assert sent[-1] == "/undo/A"


def test_a_key_held_down_answers_once(work: Page, sent: list[str]) -> None:
    work.keyboard.down("1")
    shows(work, "B")
    work.keyboard.down("1")  # Without an up in between: the browser calls it a repeat.
    work.wait_for_timeout(2_000 * SLOW)

    assert sent == ["/answer/A answer=german"]


def test_work_in_the_background_does_not_hold_keys_back(work: Page, sent: list[str]) -> None:
    work.keyboard.press("1")
    work.wait_for_timeout(100)

    assert sent == ["/answer/A answer=german"]


def test_what_is_typed_into_a_field_is_no_key(work: Page, sent: list[str]) -> None:
    work.keyboard.press("/")
    work.keyboard.type("12")

    assert work.get_by_label("Find").input_value() == "12"
    assert sent == []


def test_a_class_is_found_by_typing_and_taken_by_enter(work: Page, sent: list[str]) -> None:
    work.keyboard.press("/")
    work.keyboard.type("gr")

    expect(work.get_by_role("button", name="German")).to_be_hidden()
    work.keyboard.press("Enter")
    shows(work, "B")
    assert sent == ["/answer/A answer=greek"]


def test_the_question_mark_lists_the_keys_of_this_page(work: Page) -> None:
    work.keyboard.press("?")

    expect(work.get_by_role("dialog")).to_contain_text("German")
    expect(work.get_by_role("dialog")).not_to_contain_text("I cannot tell")


def test_the_list_of_keys_in_an_open_sheet_is_the_one_of_the_sheet(work: Page) -> None:
    work.keyboard.press("s")
    work.keyboard.press("?")

    expect(work.get_by_role("dialog")).to_contain_text("I cannot tell")
    expect(work.get_by_role("dialog")).not_to_contain_text("German")


def test_the_list_of_keys_opens_from_an_item_that_was_swapped_in(work: Page) -> None:
    work.keyboard.press("1")
    shows(work, "B")
    work.get_by_role("button", name="all keys").click()

    expect(work.get_by_role("dialog")).to_contain_text("undo")


def test_a_server_that_fails_is_said_and_leaves_the_item(work: Page, sent: list[str]) -> None:
    work.route("**/answer/*", lambda route: route.fulfill(status=500, body="no"))
    work.keyboard.press("1")

    expect(work.locator(".toast")).to_contain_text("Nothing was changed")
    shows(work, "A")
