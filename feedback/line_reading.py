"""Cut a streamed body into numbered lines, bounded in line, body and unpacked size."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

from feedback.ingestion import Content, Line, Unreadable
from projects.errors import Invalid, TooLarge

PIECE_BYTES = 256 * 1024
GZIP = 16 + zlib.MAX_WBITS


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_pieces(stream: Readable) -> Iterator[bytes]:
    """The stream piece by piece; nothing is kept."""
    while piece := stream.read(PIECE_BYTES):
        yield piece


def bounded(pieces: Iterable[bytes], *, most: int, name: str = "MAX_BODY_BYTES") -> Iterator[bytes]:
    """The same pieces; raises TooLarge, naming the setting, once there were more than `most`."""
    seen = 0
    for piece in pieces:
        seen += len(piece)
        if seen > most:
            raise TooLarge(f"The body is larger than {name}, which is {most}. Send it in parts.")
        yield piece


def without_mark(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same pieces without the byte order mark that some programs begin a file with."""
    is_first = True
    for piece in pieces:
        yield piece.removeprefix(codecs.BOM_UTF8) if is_first else piece
        is_first = False


def unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Gunzip piece by piece; never holds more than one piece of the result."""
    decoder, is_inside = zlib.decompressobj(GZIP), False
    for piece in pieces:
        waiting = piece
        while waiting:
            out = _gunzip(decoder, waiting)
            is_inside = not decoder.eof
            waiting = decoder.unconsumed_tail or decoder.unused_data
            if decoder.eof:  # Another member may follow in the same file.
                decoder = zlib.decompressobj(GZIP)
            yield out
    if is_inside:
        yield decoder.flush()
        raise Invalid("The gzip body ends in the middle; send it again.")


def numbered_lines(pieces: Iterable[bytes], *, longest: int) -> Iterator[Line]:
    """Every line that is not blank with its number; a too long one is dropped as it arrives."""
    number = 1
    start: list[bytes] = []  # The beginning of a line whose end has not come yet.
    size = 0
    for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for part in ended:
            line = b"".join([*start, part]) if start else part
            if content := _content(line, size + len(part), longest):
                yield number, content
            number += 1
            size = 0
            start.clear()
        size += len(rest)
        if size > longest:
            start.clear()
        else:
            start.append(rest)
    if content := _content(b"".join(start), size, longest):
        yield number, content


def _gunzip(decoder: zlib._Decompress, packed: bytes) -> bytes:
    try:
        return decoder.decompress(packed, PIECE_BYTES)
    except zlib.error as error:
        raise Invalid(f"The body is not gzip: {error}.") from error


def _content(line: bytes, size: int, longest: int) -> Content | None:
    if size > longest:
        return Unreadable(f"the line has {size} bytes; MAX_LINE_BYTES is {longest}.")
    return line if line and not line.isspace() else None
