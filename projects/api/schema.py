"""The published schema says of every operation which problems it can answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from projects.api.serializers import PROBLEM, ProblemSerializer
from projects.policies import Policy, policy_of

WORDS = {
    400: "The body cannot be read, or a field is wrong.",
    401: "No key, or one that is unknown, revoked or expired.",
    403: "The key lacks the scope for this, or the person the role.",
    404: "There is no such object, or not for the one who asks.",
    409: "The state has moved on, or the same id came with another body.",
    411: "The body says no length, and cannot be read without.",
    413: "A bound was passed; its setting is named.",
    415: "The body is of another kind than this takes.",
    422: "This cannot be done as it was asked; the detail says what to change.",
    429: "Too many requests: wait for `Retry-After`.",
    503: "The database does not answer: wait for `Retry-After` and send the same again.",
}
OF_ALL = (401, 403, 404, 429, 503)
OF_BODIES = (400, 415)
OF_QUERIES = (422,)
OF_CHANGES = (409,)


class ProblemSchema(AutoSchema):
    """A view whose change has other problems than a state that moved on names them: `problems`."""

    def get_operation(self, *given: Any, **named: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*given, **named)
        if operation is None or self._policy.public:
            return operation
        responses = operation["responses"]
        schema = {"schema": self.resolve_serializer(ProblemSerializer, "response").ref}
        for status in self._statuses(operation):
            told = responses.setdefault(str(status), {"description": WORDS[status]})
            told.setdefault("content", {})[PROBLEM] = schema
        operation["responses"] = dict(sorted(responses.items()))
        return operation

    @property
    def _policy(self) -> Policy:
        by_method: dict[str, Policy] = getattr(self.view, "policies", {})
        return by_method.get(self.method) or policy_of(type(self.view)) or Policy()

    def _statuses(self, operation: dict[str, Any]) -> tuple[int, ...]:
        if self.method != "GET":
            return (*OF_ALL, *OF_BODIES, *getattr(self.view, "problems", OF_CHANGES))
        asked = [one for one in operation.get("parameters", []) if one["in"] == "query"]
        return (*OF_ALL, *OF_QUERIES) if asked else OF_ALL
