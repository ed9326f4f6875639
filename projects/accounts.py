"""Accounts are by invitation only."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest  # noqa: TID251  The adapter's signature.


class InviteOnly(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types.
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
