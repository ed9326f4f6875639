"""What "a word" is, for what is searched and for what is typed alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

SEARCHED_CHARACTERS = 50_000  # Of one text; a longer one is found by its beginning.
LONGEST_WORD = 60  # PostgreSQL keeps words of up to 2,046 bytes; nobody types such ones.
MOST_TYPED = 10

# Letters and digits in a row; signs of scripts that do not part words are words of their own.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")


def words_in(text: str) -> list[str]:
    """The different words of a text, without case and accents, in their order."""
    plain = text[:SEARCHED_CHARACTERS].casefold()
    if not plain.isascii():
        spread = unicodedata.normalize("NFKD", plain)
        plain = "".join(sign for sign in spread if not unicodedata.combining(sign))
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in _WORD.findall(plain)))


def words_typed(text: str) -> list[str]:
    """The words somebody looks for; the last one may be only the beginning of a word."""
    return words_in(text[:1_000])[:MOST_TYPED]


def words_of(*, value: Mapping[str, Any], names: str) -> list[str]:
    """What one prediction is found by: its ids and the text of its input."""
    return words_in(f"{names} {value.get('text', '')}")
