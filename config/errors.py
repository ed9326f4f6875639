"""Domain errors become pages or API problem details, in one place."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views import defaults
from django.views.csrf import csrf_failure
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from projects.api.serializers import PROBLEM
from projects.errors import DomainError, NotFound
from projects.policies import PUBLIC, policy

log = structlog.get_logger()

API = "/api/"
WRONG_METHOD = 405
ONLY_READ = "This page can only be read. Nothing was changed."
ONLY_SENT = (
    "This address only takes what a button of a page sends. Nothing was changed: go back to that "
    "page and press the button again."
)
UNAVAILABLE = {
    "title": "Unavailable",
    "status": 503,
    "code": "unavailable",
    "detail": "The database does not answer. What was not confirmed may be sent again.",
}


class BadRequest(DomainError):
    """Django has refused the request before any view saw it."""

    code = "bad_request"


class WrongMethod(DomainError):
    """The address is there, and takes another method."""

    status = WRONG_METHOD
    code = "method_not_allowed"


class DomainErrorMiddleware:
    """Turn our errors into answers: problem details for the API, a page or part for people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == WRONG_METHOD and not request.path.startswith(API):
            return _explain_method(request, allowed=response["Allow"])
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer_to(request, error) if isinstance(error, DomainError) else None


def answer_to(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The error as the one who asks can read it; htmx shows the header's words in a toast."""
    if request.path.startswith(API):
        return JsonResponse(problem(error), status=error.status, content_type=PROBLEM)
    context = {"message": error.message, "status": error.status}
    response = render(request, "error.html", context, status=error.status)
    response["X-Problem"] = " ".join(error.message.encode("ascii", "replace").decode().split())
    return response


def _explain_method(request: HttpRequest, *, allowed: str) -> HttpResponse:
    """Django's own answer is empty."""
    response = answer_to(request, WrongMethod(ONLY_READ if "GET" in allowed else ONLY_SENT))
    response["Allow"] = allowed
    return response


@policy(PUBLIC)
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return answer_to(request, BadRequest("This request cannot be read. Check host and size."))
    return defaults.bad_request(request, exception)


@policy(PUBLIC)
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(API):
        return answer_to(request, NotFound("The API has no such address. None ends in a slash."))
    return defaults.page_not_found(request, exception)


@policy(PUBLIC)
def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form of before the last sign-in, in this tab or another."""
    response = csrf_failure(request, reason)
    response["X-Problem"] = "This form was too old. Load the page anew and send it again."
    return response


@policy(PUBLIC)
def failed(request: HttpRequest) -> HttpResponse:
    return answer_failure() if request.path.startswith(API) else defaults.server_error(request)


def answer_failure() -> HttpResponse:
    """Nothing of what broke, but the id by which its lines are found in the log."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    failure = {
        "title": status.phrase,
        "status": status,
        "code": "failed",
        "detail": "Something broke on our side. It has been written to the log under request_id.",
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    return JsonResponse(failure, status=status, content_type=PROBLEM)


def api_problem(error: Exception, context: dict[str, object]) -> Response | None:
    """DRF's hook: RFC 9457 problem details, as JSON whatever the endpoint answers else."""
    request = context.get("request")
    if isinstance(request, Request):
        request.accepted_renderer = JSONRenderer()
        request.accepted_media_type = JSONRenderer.media_type
    return _told(error, context)


def _told(error: Exception, context: dict[str, object]) -> Response | None:
    """Our errors, the database's and DRF's own; what is nobody's is not handled here."""
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
