"""One log line for every request, and an id that ties it to the lines in between."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase

log = structlog.get_logger("request")

SAFE_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")
QUIET = frozenset({"healthz", "readyz"})  # Asked every few seconds by whoever watches us.


class RequestLogMiddleware:
    """Binds `request_id`, answers it as a header, logs route and result but no path or query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = _given_id(request) or uuid.uuid4().hex
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            match = request.resolver_match
            if match is None or match.url_name not in QUIET:
                log.info(
                    "request",
                    method=request.method,
                    route=match.route if match else None,
                    status=response.status_code,
                    milliseconds=round((time.monotonic() - started) * 1000),
                    user_id=getattr(getattr(request, "user", None), "pk", None),
                )
        return response


def _given_id(request: HttpRequest) -> str:
    """The caller's id, where it is one that is safe to log."""
    given = request.headers.get("X-Request-ID", "")
    return given if SAFE_ID.fullmatch(given) else ""
