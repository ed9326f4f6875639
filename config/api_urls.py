"""All addresses of the API, under `/api/v1/`: one include per app."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("retraining.api.urls")),
]
