"""What stands before and behind every address of the predictor: deny by default, answer in JSON."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from config.errors import WRONG_METHOD, WrongMethod, answer_failure, problem
from jobs import clock
from projects.api.authentication import SCHEME
from projects.api.serializers import PROBLEM
from projects.api_keys import find_key
from projects.errors import DomainError, NotFound, Refused, TooLarge
from projects.internal_signatures import SIGNATURE, SIGNED_AT, is_signed
from projects.models import Project
from projects.policies import PUBLIC, Policy, policy, policy_of
from retraining.live_models import Unavailable
from retraining.serving import PREDICTOR

RETRY_SECONDS = "1"
LOOKED_WITHIN = 5.0
READ_AWAY_BYTES = 64 * 1024


class NotSignedIn(DomainError):
    """No key, or one that is unknown, revoked or expired."""

    status = 401
    code = "not_authenticated"


class PredictorMiddleware:
    """Check the declared policy; turn what goes wrong into problem details."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == WRONG_METHOD:
            response = _explain_method(allowed=response["Allow"])
        response["Cache-Control"] = "no-store"
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> HttpResponse | None:
        try:
            _check_size(request)
            _check(request, policy_of(view), named.get("slug", ""))
        except (DomainError, DatabaseError) as error:
            return answer_to(error)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer_to(error) if isinstance(error, DomainError | DatabaseError) else None


def _explain_method(*, allowed: str) -> HttpResponse:
    """Django's own answer is empty."""
    response = answer_to(WrongMethod(f"This address takes {allowed}."))
    response["Allow"] = allowed
    return response


def answer_to(error: DomainError | DatabaseError) -> HttpResponse:
    if isinstance(error, DatabaseError):
        return answer_to(Unavailable("The database does not answer. Ask again."))
    response = JsonResponse(problem(error), status=error.status, content_type=PROBLEM)
    if error.status == Unavailable.status:
        response["Retry-After"] = RETRY_SECONDS
    if error.status == NotSignedIn.status:
        response["WWW-Authenticate"] = SCHEME
    return response


@policy(PUBLIC)
def readyz(request: HttpRequest) -> HttpResponse:
    """In words: whether the live versions are known and answer."""
    lines = []
    if PREDICTOR.models.seconds_since_look > LOOKED_WITHIN:
        lines.append("NOT  live versions: not looked at for seconds; does the database answer?")
    lines += [f"NOT  live version {words}" for words in PREDICTOR.models.problems()]
    return HttpResponse(
        "\n".join(lines or ["ok   live versions: known and open"]) + "\n",
        content_type="text/plain; charset=utf-8",
        status=503 if lines else 200,
    )


@policy(PUBLIC)
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer_to(NotFound("The predictor has no such address."))


@policy(PUBLIC)
def failed(request: HttpRequest) -> HttpResponse:
    return answer_failure()


def _check_size(request: HttpRequest) -> None:
    """Before the body is in memory; read away, so that the client gets to see the answer."""
    length = int(request.headers.get("Content-Length") or 0)
    if length <= settings.MAX_PREDICT_BYTES:
        return
    if length <= settings.MAX_BODY_BYTES:
        while request.read(READ_AWAY_BYTES):
            continue
    raise TooLarge(
        f"The body has {length} bytes; MAX_PREDICT_BYTES is {settings.MAX_PREDICT_BYTES}."
    )


def _check(request: HttpRequest, declared: Policy | None, slug: str) -> None:
    if declared is None:
        raise Refused("This address has no policy, so nobody may use it.")
    if declared.public:
        return
    if declared.internal:
        _check_signature(request)
    else:
        request.project = _project_of_key(request, declared, slug)  # type: ignore[attr-defined]  # See requests.py.


def _check_signature(request: HttpRequest) -> None:
    stamp, signature = (request.headers.get(name, "") for name in (SIGNED_AT, SIGNATURE))
    if not is_signed(request.body, stamp=stamp, signature=signature, at=clock.now()):
        raise Refused("Only another process of this install may ask this.")


def _project_of_key(request: HttpRequest, declared: Policy, slug: str) -> Project:
    scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
    key = find_key(raw.strip(), at=clock.now()) if scheme.lower() == SCHEME.lower() else None
    if key is None:
        raise NotSignedIn(f"Send an API key: 'Authorization: {SCHEME} sr_...'.")
    if key.project.slug != slug:
        raise NotFound("There is no such project, or this key is not one of its keys.")
    if not declared.scopes & set(key.scopes):
        raise Refused(f"This key lacks the scope for this: {', '.join(sorted(declared.scopes))}.")
    return key.project
