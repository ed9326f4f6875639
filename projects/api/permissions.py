"""The API's check of declared policies: scopes for keys, roles for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission

from projects.access import access_project
from projects.errors import NotFound, Refused
from projects.models import ApiKey
from projects.policies import PERSONAL_SCOPES, Policy

if TYPE_CHECKING:  # DRF imports this module while it loads its own views.
    from rest_framework.request import Request
    from rest_framework.views import APIView


class HasPolicy(BasePermission):
    """Deny by default; puts the project of the URL on the request.

    A view declares `policy`, and in `policies` what holds for single methods instead.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        by_method: dict[str, Policy] = getattr(view, "policies", {})
        declared = by_method.get(request.method or "", getattr(view, "policy", None))
        if not isinstance(declared, Policy):
            return False
        if declared.public:
            return True
        if not request.user.is_authenticated:
            return False
        if request.method not in view.allowed_methods:  # No scope and no role would help.
            raise MethodNotAllowed(request.method or "")
        if isinstance(request.auth, ApiKey):
            request.project = _project_of_key(request.auth, view, declared)  # type: ignore[attr-defined]  # See requests.py.
        elif not declared.signed_in:
            request.project, request.roles = access_project(  # type: ignore[attr-defined]  # See requests.py.
                request.user, view.kwargs["slug"], declared.roles
            )
        return True


def _project_of_key(key: ApiKey, view: APIView, declared: Policy) -> object:
    if key.project.slug != view.kwargs.get("slug", key.project.slug):
        raise NotFound("There is no such project, or this key is not one of its keys.")
    granted = declared.scopes & set(key.scopes)
    if not granted:
        wanted = ", ".join(sorted(declared.scopes)) or "none: people only"
        raise Refused(f"This key lacks the scope for this. Wanted: {wanted}.")
    if granted <= PERSONAL_SCOPES:
        _check_maker(key, declared)
    return key.project


def _check_maker(key: ApiKey, declared: Policy) -> None:
    if not key.created_by.is_active:
        raise Refused("The account that made this key is closed.")
    access_project(key.created_by, key.project.slug, declared.roles)
