"""All addresses: one include per app."""

from django.urls import URLPattern, URLResolver, include, path

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("account/", include("config.account_urls")),
    path("", include("retraining.urls")),
    path("", include("labeling.urls")),
]
