"""Bodies are cut into bounded lines as they arrive."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.ingestion import Unreadable
from feedback.line_reading import bounded, numbered_lines, read_pieces, unpacked
from projects.errors import Invalid, TooLarge


def cut(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The body in pieces of these sizes, the last one for all the rest."""
    start = 0
    for size in sizes:
        yield body[start : start + size]
        start += size
    yield body[start:]


@given(
    lines=st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=8),
    sizes=st.lists(st.integers(1, 9), max_size=20),
)
def test_lines_do_not_depend_on_how_the_body_is_cut(lines: list[bytes], sizes: list[int]) -> None:
    body = b"\n".join(lines)

    read = list(numbered_lines(cut(body, sizes), longest=100))

    assert read == [(n, line) for n, line in enumerate(lines, 1) if line and not line.isspace()]


@given(
    lines=st.lists(st.integers(1, 30).map(lambda size: b"x" * size), min_size=1, max_size=6),
    sizes=st.lists(st.integers(1, 9), max_size=20),
)
def test_every_line_over_the_bound_is_named_and_the_others_are_read(
    lines: list[bytes], sizes: list[int]
) -> None:
    read = dict(numbered_lines(cut(b"\n".join(lines), sizes), longest=10))

    assert list(read) == list(range(1, len(lines) + 1))
    for number, line in enumerate(lines, 1):
        content = read[number]
        if len(line) <= 10:
            assert content == line
        else:
            assert isinstance(content, Unreadable)
            assert f"{len(line)} bytes; MAX_LINE_BYTES is 10" in content.reason


def test_a_line_far_over_the_bound_is_not_kept_in_memory() -> None:
    held = [0]

    class Endless:
        """Fifty megabytes without a line end, made as they are read."""

        left = 50 * 2**20

        def read(self, size: int, /) -> bytes:
            size = min(size, self.left)
            self.left -= size
            held[0] = max(held[0], size)
            return b"x" * size

    (answer,) = numbered_lines(read_pieces(Endless()), longest=2**20)

    assert isinstance(answer[1], Unreadable)
    assert held[0] < 2**20


def test_a_body_over_the_bound_is_refused_with_the_name_of_the_setting() -> None:
    with pytest.raises(TooLarge, match="MAX_BODY_BYTES, which is 10"):
        list(bounded([b"12345", b"678901"], most=10))


@given(body=st.binary(max_size=2000), sizes=st.lists(st.integers(1, 50), max_size=30))
def test_gzip_is_unpacked_however_it_is_cut(body: bytes, sizes: list[int]) -> None:
    packed = gzip.compress(body[:1000]) + gzip.compress(body[1000:])

    assert b"".join(unpacked(cut(packed, sizes))) == body


def test_a_small_gzip_body_cannot_grow_past_the_bound() -> None:
    packed = gzip.compress(b"\0" * 50 * 2**20)

    with pytest.raises(TooLarge):
        list(bounded(unpacked(read_pieces(io.BytesIO(packed))), most=2**20))


@given(end=st.integers(1, 60))
def test_a_gzip_body_that_was_cut_off_is_refused(end: int) -> None:
    packed = gzip.compress(bytes(range(64)))

    with pytest.raises(Invalid, match="gzip"):
        list(unpacked([packed[:end]]))


@given(body=st.binary(min_size=1, max_size=100))
def test_what_is_not_gzip_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(Invalid, match="gzip"):
        list(unpacked([b"!" + body]))
