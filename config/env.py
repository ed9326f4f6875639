"""Typed readers of the environment that fail loudly with the name of the setting."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Setting:
    """One line of `.env.example`."""

    name: str
    default: str
    help: str


T = TypeVar("T")

DECLARED: dict[str, Setting] = {}


def _read(name: str, default: str, help: str, parse: Callable[[str], T]) -> T:
    DECLARED[name] = Setting(name, default, help)
    raw = os.environ.get(name, "").strip() or default
    try:
        return parse(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={raw!r}: {error}") from error


def text(name: str, default: str = "", *, help: str) -> str:
    return _read(name, default, help, str)


def number(name: str, default: float, *, help: str) -> float:
    return _read(name, f"{default:g}", help, float)


def whole(name: str, default: int, *, help: str) -> int:
    return _read(name, str(default), help, int)


def flag(name: str, *, help: str) -> bool:
    """Off unless the variable says yes: nothing risky is ever on by accident."""
    return _read(name, "no", help, _as_flag)


def names(name: str, default: str = "", *, help: str) -> list[str]:
    return [part.strip() for part in text(name, default, help=help).split(",") if part.strip()]


def keys(name: str, *, help: str) -> dict[str, str]:
    """`id:key,id:key`; what is wrong is said without the keys."""
    pairs = [part.partition(":") for part in names(name, help=help)]
    if any(not key_id or not key for key_id, _, key in pairs):
        raise ImproperlyConfigured(f"{name} takes id:key,id:key; one part has no id or no key.")
    return {key_id: key for key_id, _, key in pairs}


def secret(name: str, *, fallback: Path, help: str) -> str:
    """The value, else the content of the file `NAME_FILE` names, else of `fallback`."""
    value = text(name, help=help)
    path = Path(text(f"{name}_FILE", help=f"A file that holds {name}.") or fallback)
    if not value and path.is_file():
        value = path.read_text().strip()
    if not value:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, or run bin/setup, which makes one.")
    return value


def _as_flag(raw: str) -> bool:
    if raw.lower() in {"1", "yes", "true", "on"}:
        return True
    if raw.lower() in {"0", "no", "false", "off"}:
        return False
    raise ValueError("say yes or no")
