"""What a person at the terminal sees while a rehearsal runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TextIO

WIDTH = 24


@dataclass
class Progress:
    """One line per step; a bar where the length is known and somebody is looking."""

    out: TextIO
    name: str = ""
    total: int = 0

    def step(self, name: str, total: int = 0) -> None:
        if self.name and self.out.isatty():
            self.out.write("\n")
        self.name, self.total = name, total
        if not self.out.isatty():
            self.out.write(f"{name}\n")
        else:
            self.at(0)

    def at(self, done: int) -> None:
        if not self.out.isatty():
            return
        share = min(1.0, done / self.total) if self.total else 0.0
        bar = "#" * round(share * WIDTH)
        figure = f" [{bar:<{WIDTH}}] {share:4.0%}" if self.total else ""
        self.out.write(f"\r{self.name:<44}{figure}")
        self.out.flush()
