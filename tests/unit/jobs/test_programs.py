"""Processes of this host are asked where they listen, by a name they serve."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from jobs.programs import is_answering_here, programs, site_from_settings


class PickyAboutNames(BaseHTTPRequestHandler):
    """Answers 400 to names that are not served, as Django does."""

    def do_GET(self) -> None:
        self.send_response(200 if self.headers["Host"] == "localhost" else 400)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not into the tests' output."""


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), PickyAboutNames)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_a_process_that_listens_everywhere_is_found_alive(host: str, port: int) -> None:
    site = replace(site_from_settings(), host=host, port=port)

    assert is_answering_here(f"{site.address}/healthz")


def test_servers_listen_where_they_are_told_to() -> None:
    site = replace(site_from_settings(), host="0.0.0.0", port=9000, predictor_port=9001)

    commands = {program.name: program.command for program in programs(site)}

    assert "--bind=0.0.0.0:9000" in commands["web"]
    assert "--bind=0.0.0.0:9001" in commands["predictor"]
