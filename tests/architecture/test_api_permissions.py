"""Every endpoint answers each role and scope as the table says, and strangers as if it were not."""

from __future__ import annotations

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from jobs.clock import SetClock
from projects.models import ApiKey, Project, User
from projects.policies import PERSONAL_SCOPES
from tests.api import as_published, make_key
from tests.architecture.permission_table import PUBLIC_API, endpoints
from tests.architecture.test_permissions import METHODS, PARTS, Route, holders, routes
from tests.people import Team, make_team

ENDPOINTS: dict[str, Route] = {
    route.name: route for route in routes() if route.path.startswith("api/")
}
TABLE = endpoints()
ASKED = {(name, method) for name, method, _, _ in TABLE}

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def address(name: str) -> str:
    return reverse(name, kwargs={part: PARTS[part] for part in ENDPOINTS[name].parts})


def person(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def keys(project: Project, by: User, clock: SetClock) -> dict[str, APIClient]:
    """One key for each scope, which has that one alone."""
    made = {}
    for scope in ApiKey.Scope.values:
        secret = make_key(project, by, at=clock.at, scopes=[scope])
        made[scope] = APIClient(headers={"Authorization": f"Bearer {secret}"})
    return made


def ask(client: APIClient, method: str, name: str) -> int:
    answer = as_published(client.generic(method, address(name), "{}", "application/json"))
    status: int = answer.status_code
    return status


def fits(status: int, *, is_allowed: bool) -> bool:
    return status not in {401, 403, 405} and status < 500 if is_allowed else status == 403


def test_the_table_holds_every_endpoint_and_no_other() -> None:
    assert {name for name, _ in ASKED} | PUBLIC_API == set(ENDPOINTS)


def test_every_endpoint_answers_each_role_as_the_table_says(team: Team) -> None:
    clients = {role: person(user) for role, user in holders(team).items()}

    wrong = [
        f"{method} {name} as {role}: {status}"
        for name, method, allowed, _ in TABLE
        for role, client in clients.items()
        if not fits(status := ask(client, method, name), is_allowed=role in allowed)
    ]

    assert wrong == []


def test_every_endpoint_answers_each_scope_as_the_table_says(team: Team, clock: SetClock) -> None:
    """The maker holds every role, so that only the scope decides."""
    clients = keys(team.project, team.olga, clock)

    wrong = [
        f"{method} {name} with {scope}: {status}"
        for name, method, _, allowed in TABLE
        for scope, client in clients.items()
        if not fits(status := ask(client, method, name), is_allowed=scope in allowed)
    ]

    assert wrong == []


def test_what_a_key_does_as_its_maker_needs_the_role_too(team: Team, clock: SetClock) -> None:
    clients = {role: keys(team.project, user, clock) for role, user in holders(team).items()}

    wrong = [
        f"{method} {name} with {scope} of {role}: {status}"
        for name, method, allowed, scopes in TABLE
        for scope in scopes & PERSONAL_SCOPES
        for role, by_scope in clients.items()
        if not fits(status := ask(by_scope[scope], method, name), is_allowed=role in allowed)
    ]

    assert wrong == []


def test_what_the_table_does_not_name_is_no_method(team: Team) -> None:
    """Asked by somebody with every role."""
    client = person(team.olga)

    answered = [
        f"{method} {name}: {status}"
        for name in ENDPOINTS.keys() - PUBLIC_API
        for method in METHODS
        if (name, method) not in ASKED and (status := ask(client, method, name)) != 405
    ]

    assert answered == []


def test_strangers_and_foreign_keys_find_no_project_and_visitors_must_sign_in(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="2")
    foreign = keys(other.project, other.olga, clock).values()
    outside = [person(other.olga), person(other.lena), *foreign]

    told = [
        f"{method} {name}: {status}"
        for name, method in sorted(ASKED)
        for client in outside
        if (status := ask(client, method, name)) != 404
    ]
    let_in = [
        f"{method} {name}: {status}"
        for name, method in sorted(ASKED)
        if (status := ask(APIClient(), method, name)) != 401
    ]

    assert (told, let_in) == ([], [])
