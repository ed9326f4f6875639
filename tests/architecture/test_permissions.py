"""Every page x method x role x own and other project answers as the table says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from jobs.clock import SetClock
from projects.models import Role, User
from projects.policies import policy_of
from tests.architecture.permission_table import PUBLIC, PUBLIC_PREFIX, SIGNED_IN, pages
from tests.pages import Pages
from tests.people import Team, make_team

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
API = "api/"
# Values for the parts of an address; nothing is there under them, which is checked after the role.
PARTS = {
    "slug": "intents",
    "queue": "everyday",
    "number": 404,
    "pk": 404,
    "code": UUID(int=404),
    "digest": "0" * 64,
}


@dataclass(frozen=True)
class Route:
    name: str
    path: str
    view: Callable[..., Any]
    parts: tuple[str, ...]


def routes(
    patterns: Iterable[URLPattern | URLResolver] | None = None,
    prefix: str = "",
    spaces: tuple[str, ...] = (),
) -> Iterator[Route]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from routes(pattern.url_patterns, path, inner)
        else:
            parts = tuple(part for part in PARTS if f":{part}>" in path)
            yield Route(":".join([*spaces, pattern.name or ""]), path, pattern.callback, parts)


def page_routes() -> list[Route]:
    return [route for route in routes() if not route.path.startswith(API)]


PAGE_TABLE = pages()
BY_NAME = {route.name: route for route in page_routes()}


def address(name: str, slug: str = "intents") -> str:
    named = {part: PARTS[part] for part in BY_NAME[name].parts} | {"slug": slug}
    return reverse(name, kwargs=named)


def holders(team: Team) -> dict[Role, User]:
    """One person for each role, who holds that one alone."""
    return {
        Role.AGENT: team.ada,
        Role.ANNOTATOR: team.bob,
        Role.REVIEWER: team.rita,
        Role.LEAD: team.lena,
        Role.ENGINEER: team.ed,
        Role.VIEWER: team.vera,
    }


def test_every_route_declares_a_policy() -> None:
    silent = [route.path for route in routes() if policy_of(route.view) is None]

    assert silent == []


def test_the_table_holds_every_page_and_no_other() -> None:
    listed = {name for name, _, _ in PAGE_TABLE} | SIGNED_IN | PUBLIC
    there = {r.name for r in page_routes() if not r.name.startswith(PUBLIC_PREFIX)}

    assert listed == there


def test_only_what_the_table_names_is_open_to_everybody_or_to_every_account() -> None:
    open_to_all, open_to_accounts = set(), set()
    for route in page_routes():
        declared = policy_of(route.view)
        if declared and declared.public:
            open_to_all.add(route.name)
        if declared and declared.signed_in:
            open_to_accounts.add(route.name)

    assert {name for name in open_to_all if not name.startswith(PUBLIC_PREFIX)} == PUBLIC
    assert open_to_accounts == SIGNED_IN


@pytest.mark.django_db
def test_every_page_answers_each_role_as_the_table_says(clock: SetClock) -> None:
    team = make_team(at=clock.at)
    sessions = {role: Pages(person) for role, person in holders(team).items()}

    wrong = [
        f"{method} {name} as {role}: {status}"
        for name, methods, allowed in PAGE_TABLE
        for role, session in sessions.items()
        for method in METHODS
        if not _fits(
            status := session.client.generic(method, address(name)).status_code,
            is_allowed=role in allowed,
            is_method=method in methods,
        )
    ]

    assert wrong == []


@pytest.mark.django_db
def test_nobody_learns_of_another_project_whatever_their_role_in_their_own(
    clock: SetClock,
) -> None:
    make_team(at=clock.at)
    other = make_team(at=clock.at, name="Other", suffix="2")
    outsiders = [Pages(person) for person in (*holders(other).values(), other.olga)]

    told = [
        f"{method} {name}"
        for name, methods, _ in PAGE_TABLE
        for session in outsiders
        for method in methods
        if session.client.generic(method, address(name)).status_code != 404
    ]
    there = outsiders[0].get(address("retraining:project-home"))
    nowhere = outsiders[0].get(address("retraining:project-home", slug="no-such-project"))

    assert told == []
    assert _without_addresses(there.content) == _without_addresses(nowhere.content)


@pytest.mark.django_db
def test_visitors_without_an_account_are_sent_to_sign_in(clock: SetClock) -> None:
    make_team(at=clock.at)
    visitor = Pages()

    let_in = [
        f"{method} {name}"
        for name, methods, _ in PAGE_TABLE
        for method in methods
        if not _is_sign_in(visitor.client.generic(method, address(name)))
    ]

    assert let_in == []


def _fits(status: int, *, is_allowed: bool, is_method: bool) -> bool:
    """A role that may not is refused before anything else is looked at."""
    if not is_allowed:
        return status == 403
    if not is_method:
        return status == 405
    return status not in {401, 403, 405} and status < 500


def _is_sign_in(response: Any) -> bool:
    location = response.headers.get("Location", "")
    return bool(response.status_code == 302 and location.startswith("/account/login/"))


def _without_addresses(content: bytes) -> bytes:
    """A token against forgery differs in every answer."""
    kept = [line for line in content.splitlines() if b"csrf" not in line.lower()]
    return b"\n".join(kept)
