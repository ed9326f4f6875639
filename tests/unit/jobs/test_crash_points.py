"""A crash point kills only where a test has armed it, and only once."""

import os
import signal
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.crash_points import crash_point


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda process, number: sent.append((process, number)))
    return sent


def test_an_armed_point_kills_this_process_once(
    tmp_path: Path, settings: Settings, kills: list[tuple[int, int]]
) -> None:
    settings.CRASH_POINTS = str(tmp_path)
    (tmp_path / "promote").touch()

    crash_point("promote")
    crash_point("promote")

    assert kills == [(os.getpid(), signal.SIGKILL)]


def test_another_point_does_not_kill(
    tmp_path: Path, settings: Settings, kills: list[tuple[int, int]]
) -> None:
    settings.CRASH_POINTS = str(tmp_path)
    (tmp_path / "promote").touch()

    crash_point("submit")

    assert kills == []


def test_without_the_setting_nothing_is_looked_at(kills: list[tuple[int, int]]) -> None:
    crash_point("promote")

    assert kills == []
