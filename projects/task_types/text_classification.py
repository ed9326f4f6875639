"""One class for a text."""

import unicodedata
from typing import Any

from projects.errors import Invalid
from projects.task_types.base import Input


def canonical_text(text: str) -> str:
    """NFKC, case folded, white space collapsed: what "the same text" means here."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class TextClassification:
    """Text in, one class out."""

    slug = "text"
    title = "Text, one class"
    template = "projects/inputs/_text.html"
    example: object = "a text that your model was asked about"
    fields: tuple[str, ...] = ("text",)

    def clean(self, raw: object, *, longest: int) -> dict[str, Any]:
        text = raw.get("text") if isinstance(raw, dict) else raw
        if not isinstance(text, str) or not text.strip():
            raise Invalid('input must be a text that is not empty, or {"text": "..."}.')
        if "\x00" in text:
            raise Invalid("input holds a NUL character; remove it and send the line again.")
        if len(text) > longest:
            raise Invalid(f"input has {len(text)} characters; MAX_TEXT_CHARACTERS is {longest}.")
        return {"text": text}

    def canonical(self, value: Input) -> str:
        return canonical_text(value["text"])

    def excerpt(self, value: Input) -> str:
        return " ".join(str(value["text"]).split())[:200]
