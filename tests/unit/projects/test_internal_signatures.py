"""Only another process of this install can sign a question, and not for long."""

from datetime import datetime, timedelta, timezone

import pytest
from pytest_django import Settings

from projects.internal_signatures import SIGNATURE, SIGNED_AT, is_signed, signed_headers

AT = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


def holds(body: bytes, headers: dict[str, str], at: datetime) -> bool:
    return is_signed(body, stamp=headers[SIGNED_AT], signature=headers[SIGNATURE], at=at)


def test_what_was_signed_a_moment_ago_holds() -> None:
    headers = signed_headers(b"question", at=AT)

    assert holds(b"question", headers, AT + timedelta(seconds=5))


@pytest.mark.parametrize("seconds", [-31, 31])
def test_an_old_signature_does_not_hold(seconds: int) -> None:
    headers = signed_headers(b"question", at=AT)

    assert not holds(b"question", headers, AT + timedelta(seconds=seconds))


def test_another_body_does_not_hold() -> None:
    headers = signed_headers(b"question", at=AT)

    assert not holds(b"other", headers, AT)


def test_another_time_does_not_hold() -> None:
    headers = {**signed_headers(b"question", at=AT), SIGNED_AT: f"{AT.timestamp() + 1:.3f}"}

    assert not holds(b"question", headers, AT)


def test_another_key_does_not_hold(settings: Settings) -> None:
    headers = signed_headers(b"question", at=AT)
    settings.INTERNAL_KEY = "another key altogether"

    assert not holds(b"question", headers, AT)


@pytest.mark.parametrize(("stamp", "signature"), [("", ""), ("soon", "é"), ("nan", "00")])
def test_nonsense_does_not_hold(stamp: str, signature: str) -> None:
    assert not is_signed(b"question", stamp=stamp, signature=signature, at=AT)
