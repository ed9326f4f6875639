"""Run functions at the same time, each with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def at_once(*functions: Callable[[], Result]) -> list[Result]:
    """What each returned, in their order; raises what the first of them raised."""

    def run(function: Callable[[], Result]) -> Result:
        try:
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        running = [pool.submit(run, function) for function in functions]
    return [future.result() for future in running]
