"""Our own errors: what happened and what to do next; front doors turn them into answers."""


class DomainError(Exception):
    """Something the person or program asking can understand and act on."""

    status = 400
    code = "invalid"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Invalid(DomainError):
    """The input is not what was asked for."""

    status = 422
    code = "invalid"


class NotFound(DomainError):
    """There is no such object, or not for the one who asks: outsiders cannot tell which."""

    status = 404
    code = "not_found"


class Refused(DomainError):
    """The object is there, but this person may not do this."""

    status = 403
    code = "refused"


class Conflict(DomainError):
    """The state has moved on, or the same id came with another body."""

    status = 409
    code = "conflict"


class TooLarge(DomainError):
    """A bound was passed; the message names it."""

    status = 413
    code = "too_large"
