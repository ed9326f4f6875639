"""The functions that jobs and ticks run, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.utils.module_loading import autodiscover_modules

from jobs.errors import JobFailed

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


def load_worker_jobs() -> None:
    """Import every app's `worker_jobs`: the job functions whose libraries web must not load."""
    autodiscover_modules("worker_jobs")


def find_job(kind: str) -> Callable[..., Any]:
    """The function of that kind, from the heavy modules too if it is not known yet."""
    if kind not in JOBS:
        load_worker_jobs()
    if kind not in JOBS:
        raise JobFailed(f"No function is registered for jobs of kind {kind}.")
    return JOBS[kind]
