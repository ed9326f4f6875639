"""Deny by default: a page without a declared policy answers 403, whoever asks."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from config.errors import answer_to
from projects.access import access_project
from projects.errors import DomainError, Invalid, Refused
from projects.policies import Policy, policy_of
from projects.rendering import wants_part

NO_STORE = "no-store, private"
HOME = "/"


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
        if "\0" in request.path or "%00" in request.META["QUERY_STRING"]:
            return answer_to(request, Invalid("The address holds a NUL character; remove it."))
        if not request.user.is_authenticated:
            return _sign_in(request)
        return None if declared.signed_in else _enter_project(request, declared, named["slug"])


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    """It leads back to the page: no form can be asked for again, and a part is no place for it."""
    if wants_part(request):
        asked = redirect_to_login(request.htmx.current_url_abs_path or HOME)  # type: ignore[attr-defined]  # By its middleware.
        return HttpResponseClientRedirect(asked.url)
    if request.method in {"GET", "HEAD"}:
        return redirect_to_login(request.get_full_path())
    referer = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(referer, {request.get_host()})
    return redirect_to_login(urlsplit(referer).path if is_ours else HOME)


def _enter_project(request: HttpRequest, declared: Policy, slug: str) -> HttpResponseBase | None:
    """Django sends what a view raises to `process_exception`, but not what is raised here."""
    try:
        request.project, request.roles = access_project(  # type: ignore[attr-defined]  # See requests.py.
            request.user, slug, declared.roles
        )
    except DomainError as error:
        return answer_to(request, error)
    return None
