"""The pages and files that are written from the code, so that they cannot go stale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands, load_command_class
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from config.env import DECLARED, Setting

GENERATED = "written by `make docs`; do not edit"
OURS = frozenset(
    {"config", "events", "jobs", "projects", "feedback", "labeling", "monitoring", "retraining"}
)


# Not read by the product: docker-compose.yml makes DATABASE_URL and the database's account of it.
FOR_COMPOSE = [
    Setting("POSTGRES_PASSWORD", "", "For docker-compose.yml: the password of its PostgreSQL."),
]


def env_example() -> str:
    """Every setting with what it is for and what it is when nobody sets it."""
    lines = [f"# Every setting of Setright, {GENERATED}.", "# Uncomment what you change.", ""]
    for setting in _settings():
        lines += [f"# {setting.help}", f"# {setting.name}={_default(setting)}", ""]
    return "\n".join(lines)


def settings_page() -> str:
    rows = [
        f"| `{setting.name}` | {_code(_default(setting))} | {setting.help} |"
        for setting in _settings()
    ]
    return _page(
        "Settings",
        "All settings are read from the environment. Secrets can also come from a file.",
        ["| setting | default | what it is |", "| --- | --- | --- |", *rows],
    )


def commands_page() -> str:
    ours = sorted(name for name, app in get_commands().items() if app in OURS)
    rows = [
        f"| `manage.py {name}` | {load_command_class(get_commands()[name], name).help} |"
        for name in ours
    ]
    return _page(
        "Commands",
        "`manage.py COMMAND --help` shows the options of each.",
        ["| command | what it does |", "| --- | --- |", *rows],
    )


def openapi() -> str:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    rendered: bytes = OpenApiYamlRenderer().render(schema, renderer_context={})
    return rendered.decode()


WRITTEN: dict[str, Callable[[], str]] = {
    ".env.example": env_example,
    "docs/reference/settings.md": settings_page,
    "docs/reference/commands.md": commands_page,
    "docs/reference/openapi.yaml": openapi,
}


def stale() -> dict[Path, str]:
    """The files that are not what the code says, with what they should be."""
    wanted = {settings.BASE_DIR / name: write() for name, write in WRITTEN.items()}
    return {
        path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text
    }


def _settings() -> list[Setting]:
    return [*DECLARED.values(), *FOR_COMPOSE]


def _page(title: str, lead: str, body: list[str]) -> str:
    return "\n".join([f"# {title}", "", f"<!-- {GENERATED} -->", "", lead, "", *body, ""])


def _default(setting: Setting) -> str:
    """The default without the folders of the machine it was written on."""
    text = setting.default.replace(str(settings.DATA_DIR), "$DATA_DIR")
    return "var" if setting.name == "DATA_DIR" else text


def _code(text: str) -> str:
    return f"`{text}`" if text else "empty"
