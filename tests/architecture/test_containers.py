"""Image and compose file, judged where no container engine runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from config.env import DECLARED
from config.reference import FOR_COMPOSE
from jobs.programs import programs, site_from_settings
from tests.architecture.tree import APPS, ROOT

OURS = {"web", "predictor", "worker", "trainer", "sweep", "beat"}
# What the containers decide; everything else is as .env says.
DECIDED = {
    "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PREDICTOR_URL", "ALLOWED_HOSTS", "HOST", "PORT",
    "PREDICTOR_PORT", "DATA_DIR", "STATIC_ROOT",
}  # fmt: skip
KNOWN_KEYS = {
    "build", "command", "depends_on", "env_file", "environment", "healthcheck", "image", "ports",
    "restart", "stop_grace_period", "volumes",
}  # fmt: skip


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return content


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


def test_every_process_of_the_product_has_its_service(services: dict[str, Any]) -> None:
    started = {program.name for program in programs(site_from_settings())} - {"broker"}

    assert started == OURS
    assert OURS | {"postgres", "redis", "migrate"} == set(services)


def test_services_use_only_keys_that_compose_knows(services: dict[str, Any]) -> None:
    assert {key for service in services.values() for key in service} <= KNOWN_KEYS


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_runs_and_checks_the_process_it_is_named_for(
    services: dict[str, Any], name: str
) -> None:
    service = services[name]

    assert service["command"] == ["python", "manage.py", "serve", name]
    assert service["healthcheck"]["test"] == ["CMD", "python", "manage.py", "is_alive", name]


def test_every_command_exists(services: dict[str, Any]) -> None:
    called = [services[name]["command"][2] for name in [*OURS, "migrate"]]
    called += [services[name]["healthcheck"]["test"][3] for name in OURS]

    assert set(called) <= set(get_commands())


def test_everything_that_stays_up_has_a_health_check(services: dict[str, Any]) -> None:
    without = {name for name, service in services.items() if "healthcheck" not in service}

    assert without == {"migrate"}


@pytest.mark.parametrize("name", sorted([*OURS, "migrate"]))
def test_every_setting_of_the_file_reaches_every_process(
    services: dict[str, Any], name: str
) -> None:
    assert services[name]["env_file"] == [{"path": ".env", "required": False}]
    assert set(services[name]["environment"]) == DECIDED


def test_every_variable_is_a_setting_that_the_example_names() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    example = set(re.findall(r"^# (\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert set(DECLARED) >= DECIDED
    assert example == set(DECLARED) | {setting.name for setting in FOR_COMPOSE}
    assert asked <= example


def test_secrets_come_from_outside_and_are_asked_for(services: dict[str, Any]) -> None:
    environment = services["web"]["environment"]

    assert environment["SECRET_KEY"].startswith("${SECRET_KEY:?")
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


def test_the_demo_is_off_unless_asked_for(services: dict[str, Any]) -> None:
    assert DECLARED["DEMO"].default == "no"
    assert all("DEMO" not in services[name]["environment"] for name in OURS)


def test_every_volume_is_declared_and_used(compose: dict[str, Any]) -> None:
    used = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }

    assert used == set(compose["volumes"])


def test_what_a_service_waits_for_exists(services: dict[str, Any]) -> None:
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            needs_health = how["condition"] == "service_healthy"

            assert other in services
            assert not needs_health or "healthcheck" in services[other]


def test_the_image_is_built_in_stages_and_does_not_run_as_root(dockerfile: str) -> None:
    stages = re.split(r"^FROM ", dockerfile, flags=re.MULTILINE)[1:]

    assert len(stages) == 2
    assert re.search(r"^USER (?!root)\w+$", stages[-1], re.MULTILINE)
    assert "gcc" not in stages[-1]


def test_the_image_holds_every_app_and_nothing_that_is_not_run() -> None:
    allowed = {
        line[1:].split("/")[0]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }

    assert {*APPS, "config", "manage.py", "requirements", "static", "templates"} == allowed


def test_what_the_image_copies_exists(dockerfile: str) -> None:
    copied = re.findall(r"^COPY (?:--chown=\S+ )?(?!--from)(\S+) ", dockerfile, re.MULTILINE)

    assert copied
    assert all(Path(ROOT / path).exists() for path in copied)
