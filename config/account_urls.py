"""Sign-in, sign-out and passwords: allauth's pages, open to everybody, but for those that mail."""

from typing import NoReturn

from allauth.account import urls as allauth_urls
from django.http import HttpRequest
from django.urls import URLPattern

from projects.errors import NotFound
from projects.policies import PUBLIC, policy

# No mail server is configured: their links, which open an account, would go to the log.
NEED_MAIL = frozenset(
    {
        "account_reset_password",
        "account_reset_password_done",
        "account_email",
        "account_email_verification_sent",
        "account_confirm_email",
    }
)


def cannot_mail(request: HttpRequest, **named: str) -> NoReturn:
    raise NotFound(
        "Setright sends no mail, so a password cannot be reset by mail. Ask whoever runs it to set "
        "a new one for you (manage.py changepassword)."
    )


urlpatterns = [
    URLPattern(pattern.pattern, cannot_mail, name=pattern.name)
    if pattern.name in NEED_MAIL
    else pattern
    for pattern in allauth_urls.urlpatterns
]
for pattern in urlpatterns:
    policy(PUBLIC)(pattern.callback)
