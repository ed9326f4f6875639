"""All addresses. A name's first part is its subject; a page about several is its highest app's."""

from django.urls import URLPattern, URLResolver, include, path

from config import errors, health
from feedback import urls as feedback_urls
from projects import urls as projects_urls
from retraining import feedback_urls as feedback_story_urls

FEEDBACK = [*feedback_urls.urlpatterns, *feedback_story_urls.urlpatterns]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("account/", include("config.account_urls")),
    path("api/v1/", include("config.api_urls")),
    path("", include("retraining.urls")),
    path("", include("monitoring.urls")),
    path("", include("labeling.urls")),
    path("", include((FEEDBACK, "feedback"))),
    path("", include((projects_urls.urlpatterns, "projects"))),
]
handler400 = errors.bad_request
handler404 = errors.not_found
handler500 = errors.failed
