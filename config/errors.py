"""Domain errors become pages or API problem details, in one place."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from projects.errors import DomainError

log = structlog.get_logger()

PROBLEM = "application/problem+json"
UNAVAILABLE = {
    "title": "Unavailable",
    "status": 503,
    "code": "unavailable",
    "detail": "The database does not answer. What was not confirmed may be sent again.",
}


class DomainErrorMiddleware:
    """Turn our errors into answers: problem details for the API, a page or part for people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer_to(request, error) if isinstance(error, DomainError) else None


def answer_to(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The error as the one who asks can read it; htmx shows the header's words in a toast."""
    if request.path.startswith("/api/"):
        return JsonResponse(problem(error), status=error.status)
    context = {"message": error.message, "status": error.status}
    response = render(request, "error.html", context, status=error.status)
    response["X-Problem"] = " ".join(error.message.encode("ascii", "replace").decode().split())
    return response


def api_problem(error: Exception, context: dict[str, object]) -> Response | None:
    """DRF's hook: RFC 9457 problem details for our errors, the database's and DRF's own."""
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database_unavailable", exc_info=error)
        return Response(UNAVAILABLE, 503, headers={"Retry-After": "1"}, content_type=PROBLEM)
    if isinstance(error, DomainError):
        return Response(problem(error), error.status, content_type=PROBLEM)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    response = exception_handler(error, context)
    if response is not None and isinstance(error, exceptions.APIException):
        response.data = {
            "title": _title(error),
            "status": response.status_code,
            "code": error.default_code,
            "detail": error.detail,
        }
        response.content_type = PROBLEM
    return response


def _title(error: exceptions.APIException) -> str:
    """What is true of every error of its kind; some of DRF's have places to fill in."""
    title = str(error.default_detail)
    return HTTPStatus(error.status_code).phrase if "{" in title else title


def problem(error: DomainError) -> dict[str, object]:
    return {
        "title": type(error).__name__,
        "status": error.status,
        "code": error.code,
        "detail": error.message,
        **error.details,
    }
