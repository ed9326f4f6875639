"""Sign-in, sign-out and passwords: allauth's pages, open to everybody."""

from allauth.account import urls as allauth_urls

from projects.policies import PUBLIC, policy

urlpatterns = allauth_urls.urlpatterns
for pattern in urlpatterns:
    policy(PUBLIC)(pattern.callback)
