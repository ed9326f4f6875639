"""What one process of this install asks another over HTTP carries a signature and its time."""

import hashlib
import hmac
from datetime import datetime, timedelta

from django.conf import settings

SIGNATURE = "X-Setright-Signature"
SIGNED_AT = "X-Setright-Signed-At"
FRESH = timedelta(seconds=30)  # The processes share the database's clock, so this is ample.


def signed_headers(body: bytes, *, at: datetime) -> dict[str, str]:
    """The headers that `is_signed` accepts for this body, for a short time."""
    stamp = f"{at.timestamp():.3f}"
    return {SIGNED_AT: stamp, SIGNATURE: _signature(stamp, body)}


def is_signed(body: bytes, *, stamp: str, signature: str, at: datetime) -> bool:
    """Whether the body was signed with our key, not long ago."""
    expected = _signature(stamp, body)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        return False
    return abs(at.timestamp() - float(stamp)) <= FRESH.total_seconds()


def _signature(stamp: str, body: bytes) -> str:
    message = stamp.encode("utf-8", "replace") + b"." + body
    return hmac.digest(settings.INTERNAL_KEY.encode(), message, hashlib.sha256).hex()
