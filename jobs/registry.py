"""The functions that jobs and ticks run, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

JobFunction = TypeVar("JobFunction", bound=Callable[..., None])
TickFunction = TypeVar("TickFunction", bound=Callable[[datetime], object])

JOBS: dict[str, Callable[..., Any]] = {}
TICKS: dict[str, PeriodicFunction] = {}


@dataclass(frozen=True)
class PeriodicFunction:
    name: str
    every: timedelta
    run: Callable[[datetime], object]


def job(kind: str) -> Callable[[JobFunction], JobFunction]:
    """Register `function(run, **arguments)`; it may run twice, the second time does nothing."""

    def register(function: JobFunction) -> JobFunction:
        if kind in JOBS:
            raise ValueError(f"Two job functions are named {kind}.")
        JOBS[kind] = function
        return function

    return register


def tick(name: str, *, every: timedelta) -> Callable[[TickFunction], TickFunction]:
    """Register `function(at)` to run about every `every`, by one worker at a time."""

    def register(function: TickFunction) -> TickFunction:
        if name in TICKS:
            raise ValueError(f"Two ticks are named {name}.")
        TICKS[name] = PeriodicFunction(name, every, function)
        return function

    return register
