"""Deny by default: a page without a declared policy answers 403, whoever asks."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase  # noqa: TID251  Middleware speaks HTTP.

from projects.access import access_project
from projects.errors import Refused
from projects.policies import policy_of

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
            raise Refused("This address has no policy, so nobody may use it.")
        if declared.public or hasattr(view, "cls"):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not declared.signed_in:
            request.project, request.roles = access_project(  # type: ignore[attr-defined]  # See requests.py.
                request.user, named["slug"], declared.roles
            )
        return None
