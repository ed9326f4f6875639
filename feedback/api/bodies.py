"""A request's body as numbered lines: NDJSON as it streams in, JSON as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec
from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType

from feedback.ingestion import Line, Unreadable
from feedback.inputs import longest_line
from feedback.line_reading import (
    Readable,
    bounded,
    numbered_lines,
    read_pieces,
    unpacked,
    without_mark,
)
from projects.errors import DomainError, Invalid, TooLarge
from projects.models import Project

NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
JSON = "application/json"
GZIP = frozenset({"gzip", "x-gzip"})


class LengthMissing(DomainError):
    """A body of unknown length that this server cannot read."""

    status = 411
    code = "length_required"


class SentLines:
    """The lines of a request, its hash once they are read, and what stopped the reading."""

    def __init__(self, request: HttpRequest, project: Project) -> None:
        self.request = request
        self.project = project
        self.kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self.coding = request.headers.get("Content-Encoding", "identity").strip().lower()
        self.stopped_by: DomainError | None = None
        self.is_single = False
        self._hash = hashlib.sha256()
        self._stream = _stream(request)
        if self.kind != JSON and self.kind not in NDJSON:
            raise UnsupportedMediaType(
                self.kind,
                f"Content-Type is {self.kind or 'missing'}; send application/json for one "
                "prediction or a list, or application/x-ndjson for one in every line.",
            )
        if self.coding != "identity" and self.coding not in GZIP:
            raise UnsupportedMediaType(
                self.kind, f"Content-Encoding is {self.coding}; send gzip, or leave it out."
            )

    @property
    def body_hash(self) -> str:
        return self._hash.hexdigest()

    def read_all(self) -> None:
        """Read to the end without keeping anything, for the hash."""
        for _ in bounded(self._hashed(), most=settings.MAX_BODY_BYTES):
            continue

    def lines(self) -> Iterator[Line]:
        """The lines; where the body breaks off or grows too large, a last one that says so."""
        number = 0
        try:
            for number, content in self._lines():
                yield number, content
        except (Invalid, TooLarge) as error:
            self.stopped_by = error
            self._read_away()
            yield number + 1, Unreadable(f"{error.message} Nothing was read from here on.")

    def _read_away(self) -> None:
        """Whoever is still sending would not see the answer."""
        try:
            for _ in bounded(read_pieces(self._stream), most=settings.MAX_BODY_BYTES):
                continue
        except TooLarge:
            return

    def _lines(self) -> Iterator[Line]:
        most = settings.MAX_JSON_BYTES if self.kind == JSON else settings.MAX_BODY_BYTES
        name = "MAX_JSON_BYTES" if self.kind == JSON else "MAX_BODY_BYTES"
        pieces = bounded(self._hashed(), most=most, name=name)
        if self.coding in GZIP:
            pieces = bounded(unpacked(pieces), most=most, name=name)
        pieces = without_mark(pieces)
        if self.kind == JSON:
            return self._json_lines(b"".join(pieces))
        return numbered_lines(pieces, longest=longest_line(self.project))

    def _json_lines(self, body: bytes) -> Iterator[Line]:
        if not body.strip():
            return
        if not body.lstrip().startswith(b"["):
            self.is_single = True
            yield 1, body
            return
        try:
            members = msgspec.json.decode(body, type=list[msgspec.Raw])
        except (msgspec.DecodeError, RecursionError) as error:
            raise Invalid(
                f"The body is not a JSON array: {error}. Nothing was stored; "
                "NDJSON stores the good lines around a bad one."
            ) from error
        for number, member in enumerate(members, 1):
            yield number, bytes(member)

    def _hashed(self) -> Iterator[bytes]:
        for piece in read_pieces(self._stream):
            self._hash.update(piece)
            yield piece


def _stream(request: HttpRequest) -> Readable:
    """Django reads no body without a length; the server marks one that ends by itself."""
    environ: dict[str, object] = getattr(request, "environ", request.META)
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        length = int(request.headers.get("Content-Length") or 0)
        if length > settings.MAX_BODY_BYTES:
            raise TooLarge(
                f"The body has {length} bytes; MAX_BODY_BYTES is {settings.MAX_BODY_BYTES}."
            )
        return request
    if not environ.get("wsgi.input_terminated"):
        raise LengthMissing("Send a Content-Length: this server does not take a body in chunks.")
    stream: Readable = environ["wsgi.input"]  # type: ignore[assignment]  # Of the WSGI standard.
    return stream
