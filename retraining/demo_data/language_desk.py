"""Which language team gets this message? Real messages from the catalogs in Django's wheel.

Django's translations are BSD-licensed and written by people; only messages of three or more
words, without placeholders or markup, that occur in one language only are taken.
"""

from __future__ import annotations

import gettext
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import django

from projects.task_types.text_classification import canonical_text
from retraining.chance import seeded_chance

KNOWN = {
    "German": "de",
    "French": "fr",
    "Spanish": "es",
    "Italian": "it",
    "Dutch": "nl",
    "Swedish": "sv",
    "Polish": "pl",
    "Portuguese": "pt",
    "Czech": "cs",
    "Danish": "da",
}
NEW = {"Greek": "el", "Indonesian": "id", "Vietnamese": "vi"}
FEWEST_WORDS = 3
LONG_WORDS = 8  # About the median: half of the messages are "long".
MARKS = set("%{}<>\\")  # Placeholders and markup.


@dataclass(frozen=True, slots=True)
class CatalogMessage:
    """One message; `app` is the part of Django it comes from."""

    text: str
    language: str
    app: str

    @property
    def length(self) -> str:
        return "long" if len(self.text.split()) >= LONG_WORDS else "short"


def language_messages(seed: int = 0) -> dict[str, list[CatalogMessage]]:
    """Each language's messages in random order; the same seed gives the same order."""
    found: dict[str, list[CatalogMessage]] = {}
    languages_of: dict[str, set[str]] = defaultdict(set)
    for language, code in {**KNOWN, **NEW}.items():
        found[language] = _read(language, code)
        for message in found[language]:
            languages_of[canonical_text(message.text)].add(language)
    chance = seeded_chance("language desk", seed)
    chosen = {}
    for language, messages in found.items():
        own = [m for m in messages if len(languages_of[canonical_text(m.text)]) == 1]
        chosen[language] = chance.sample(own, len(own))
    return chosen


def _read(language: str, code: str) -> list[CatalogMessage]:
    """Every catalog of the language, one message per canonical text."""
    top = Path(django.__file__).parent
    messages: dict[str, CatalogMessage] = {}
    for path in sorted(top.glob(f"**/locale/{code}/LC_MESSAGES/django*.mo")):
        app = path.relative_to(top).parts[-5] if len(path.parts) > 4 else "conf"
        with path.open("rb") as handle:
            catalog = gettext.GNUTranslations(handle)
        for text in _texts(catalog):
            if _is_fit(text):
                cleaned = " ".join(text.split())
                messages.setdefault(canonical_text(cleaned), CatalogMessage(cleaned, language, app))
    return list(messages.values())


def _texts(catalog: gettext.GNUTranslations) -> list[str]:
    entries = getattr(catalog, "_catalog", {})  # The class has no public way to list them.
    return sorted(str(text) for key, text in entries.items() if key and text and text != key)


def _is_fit(text: str) -> bool:
    return len(text.split()) >= FEWEST_WORDS and not MARKS & set(text)
