"""Deny by default: a page without a declared policy answers 403, whoever asks."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from config.errors import answer_to
from projects.access import access_project
from projects.errors import DomainError, Refused
from projects.policies import Policy, policy_of

NO_STORE = "no-store, private"


class PolicyMiddleware:
    """Check the policy of a page and put the project and roles on the request.

    Endpoints of the API declare policies too; `projects.api.permissions` checks those, because
    a key is authenticated later than a session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = NO_STORE
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> HttpResponseBase | None:
        declared = policy_of(view)
        if declared is None:
            return answer_to(request, Refused("This address has no policy, so nobody may use it."))
        if declared.public or hasattr(view, "cls"):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return None if declared.signed_in else _enter_project(request, declared, named["slug"])


def _enter_project(request: HttpRequest, declared: Policy, slug: str) -> HttpResponseBase | None:
    """Django sends what a view raises to `process_exception`, but not what is raised here."""
    try:
        request.project, request.roles = access_project(  # type: ignore[attr-defined]  # See requests.py.
            request.user, slug, declared.roles
        )
    except DomainError as error:
        return answer_to(request, error)
    return None
