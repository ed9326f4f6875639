"""The API's own description: the schema, a page to try it on, and how to sign in to it."""

from __future__ import annotations

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from projects.policies import PUBLIC


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """Says in the schema that keys go into the Authorization header."""

    target_class = "projects.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key of the project."}


class Schema(SpectacularAPIView):
    policy = PUBLIC


class Documentation(SpectacularSwaggerSplitView):
    """Its script comes from an address of its own, so the page needs nothing inline."""

    policy = PUBLIC
    url_name = "api-schema"
    template_name = "projects/api_page.html"
