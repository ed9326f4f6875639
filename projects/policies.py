"""Policies as data: every view and endpoint declares who may use it; the rest is denied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from projects.models import Role

# What is done with these is a person's own work: the key's maker needs the role for it as well.
PERSONAL_SCOPES = frozenset({"label", "decide"})

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Policy:
    """Who may use a route: everybody, the signed in, holders of a role or scope, or ourselves."""

    public: bool = False
    signed_in: bool = False
    internal: bool = False  # Only another process of this install, by its signature.
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()


PUBLIC = Policy(public=True)
SIGNED_IN = Policy(signed_in=True)
INTERNAL = Policy(internal=True)


def members(*roles: Role, scopes: frozenset[str] | set[str] = frozenset()) -> Policy:
    """Holders of one of the roles, or keys with one of the scopes, in the project of the URL."""
    return Policy(roles=frozenset(roles), scopes=frozenset(scopes))


def policy(declared: Policy) -> Callable[[View], View]:
    """Declare the policy of a view."""

    def mark(view: View) -> View:
        view.policy = declared  # type: ignore[attr-defined]  # A function carries its policy.
        return view

    return mark


def policy_of(view: Callable[..., Any]) -> Policy | None:
    """The declared policy of a view function, class-based view or endpoint."""
    owner = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    declared = getattr(owner, "policy", None) or getattr(view, "policy", None)
    return declared if isinstance(declared, Policy) else None
