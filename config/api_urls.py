"""All addresses of the API, under `/api/v1/`: one include per app."""

from django.urls import URLPattern, URLResolver, include, path

from projects.api import documentation

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema", documentation.Schema.as_view(), name="api-schema"),
    path("docs", documentation.Documentation.as_view(), name="api-docs"),
    path("", include("feedback.api.urls")),
    path("", include("labeling.api.urls")),
    path("", include("retraining.api.urls")),
]
