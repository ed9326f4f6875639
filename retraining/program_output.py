"""Read a program's two pipes: progress lines from one, the last line of errors from the other."""

import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

LONGEST_LINE = 64 * 1024  # Of stdout; what is longer is garbage.
KEPT_ERRORS = 8 * 1024
LONGEST_TEXT = 200
SHORTEST_PAUSE = 0.1  # Between two deliveries: each may be a write to the database.


@dataclass(frozen=True, slots=True)
class Progress:
    """What a program says about itself."""

    step: str
    share: float
    note: str


class Output:
    """Both pipes of one program; memory stays bounded whatever it writes."""

    def __init__(
        self, process: subprocess.Popen[bytes], *, on_progress: Callable[[Progress], None]
    ) -> None:
        self.garbage_lines = 0
        self._on_progress = on_progress
        self._line = b""
        self._is_skipping = False
        self._errors = b""
        self._waiting: Progress | None = None
        self._deliver_at = 0.0
        self._selector = selectors.DefaultSelector()
        if process.stdout is None or process.stderr is None:
            raise ValueError("The program was started without pipes.")
        self._pipes: list[tuple[IO[bytes], Callable[[bytes], None]]] = [
            (process.stdout, self._take_lines),
            (process.stderr, self._take_errors),
        ]
        for pipe, take in self._pipes:
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, take)

    @property
    def last_error(self) -> str:
        """The last line of stderr that says something."""
        lines = self._errors.decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return "".join(c for c in said[-1] if c.isprintable())[:LONGEST_TEXT] if said else ""

    def read(self, *, timeout: float) -> None:
        """Take what is there, waiting at most so long for something."""
        if not self._selector.get_map():
            time.sleep(timeout)
            return
        for key, _ in self._selector.select(timeout):
            chunk = os.read(key.fd, 65536)
            if chunk:
                key.data(chunk)
            else:
                self._selector.unregister(key.fileobj)
        if self._waiting is not None and time.monotonic() >= self._deliver_at:
            self.deliver_last()

    def close(self) -> None:
        """Take what is left; the program and all its children are gone."""
        for pipe, take in self._pipes:
            while chunk := _read_left(pipe.fileno()):
                take(chunk)
            pipe.close()
        self._selector.close()

    def deliver_last(self) -> None:
        """Hand on the newest progress that has not been handed on."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._deliver_at = time.monotonic() + SHORTEST_PAUSE
            self._on_progress(waiting)

    def _take_errors(self, chunk: bytes) -> None:
        self._errors = (self._errors + chunk)[-KEPT_ERRORS:]

    def _take_lines(self, chunk: bytes) -> None:
        *whole, rest = (self._line + chunk).split(b"\n")
        for line in whole:
            self._take_line(line)
        self._line = rest
        if len(rest) > LONGEST_LINE:
            self._line = b""
            self._is_skipping = True

    def _take_line(self, line: bytes) -> None:
        progress = None if self._is_skipping else parse_progress(line)
        self._is_skipping = False
        if progress is None:
            self.garbage_lines += 1
        else:
            self._waiting = progress


def parse_progress(line: bytes) -> Progress | None:
    """The progress that a line states, or None for anything else."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    step, share, note = said.get("step"), said.get("share"), said.get("note", "")
    if not isinstance(step, str) or not isinstance(note, str):
        return None
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        return None
    return Progress(step[:LONGEST_TEXT], float(share), note[:LONGEST_TEXT])


def _read_left(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return b""
