"""Render a page for a browser, or only its part for htmx."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse  # noqa: TID251  What every front door answers.
from django.shortcuts import render  # noqa: TID251  As above.
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails


def render_part(
    request: HttpRequest, template: str, context: Mapping[str, object], status: int = 200
) -> HttpResponse:
    """`app/page.html#part`: the part to htmx, the whole page to any other request."""
    name = template if wants_part(request) else template.partition("#")[0]
    response = render(request, name, dict(context), status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asked for a part; a boosted link or a restored page wants the whole."""
    htmx = getattr(request, "htmx", None)
    if not isinstance(htmx, HtmxDetails):
        return False
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request
