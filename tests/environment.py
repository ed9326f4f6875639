"""Pytest plugin: sets the environment before Django reads its settings.

`pytest` runs on SQLite, `pytest --on postgresql` on a real PostgreSQL: the one that
`TEST_DATABASE_URL` names, else one started here. What is missing is skipped with its
name, or is a failure where `CI` is set.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from tests.postgres import PostgresMissing, running_postgres

READY = "SETRIGHT_TEST_ENVIRONMENT"  # Set for the parallel workers of a run that is set up.
_open = contextlib.ExitStack()


def is_ci() -> bool:
    return bool(os.environ.get("CI"))


def missing(what: str) -> None:
    """Skip, or fail in CI: nothing that should be tested there is left out silently."""
    if is_ci():
        pytest.fail(f"missing on this machine: {what}", pytrace=False)
    pytest.skip(f"missing on this machine: {what}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--on",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="the database the tests run on",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if os.environ.get(READY):
        return
    home = Path(tempfile.mkdtemp(prefix="setright-test-"))
    _open.callback(shutil.rmtree, home, ignore_errors=True)
    os.environ |= {
        READY: "yes",
        "DATA_DIR": str(home),
        "SECRET_KEY": "for tests only, long enough for the checks of Django itself",
        "DATABASE_URL": _database_url(early_config.known_args_namespace.on, home),
        "REDIS_URL": "",
        "DEMO": "",
        "DEBUG": "",
        # One thread for each numeric library: tests run side by side.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _database_url(database: str, home: Path) -> str:
    if database == "sqlite":
        return f"sqlite:///{home / 'setright.sqlite3'}"
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given
    try:
        return _open.enter_context(running_postgres()).url()
    except PostgresMissing as error:
        pytest.exit(f"missing on this machine: {error}", returncode=1 if is_ci() else 0)


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """What only tests in this process need: no manifest of static files, cheap passwords."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        # A file, as in the product, and not in memory: threads and processes share it.
        test = settings.DATABASES["default"].setdefault("TEST", {})
        test["NAME"] = str(settings.DATA_DIR / "test.sqlite3")
        # Nothing here survives the run anyway; whole running products keep the real setting.
        options = settings.DATABASES["default"]["OPTIONS"]
        options["init_command"] += "PRAGMA synchronous=OFF;"
    settings.STATIC_ROOT.mkdir(exist_ok=True)
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _open.close()
