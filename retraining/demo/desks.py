"""The demo's two projects: what they are about, and which rows play which part."""

from __future__ import annotations

from dataclasses import dataclass

from retraining.demo_data import language_desk, postcode_desk
from retraining.project_file import ProjectSpec, QueueSpec, TriggerSpec
from retraining.rehearsal.corpus import LabeledRow

LANGUAGES_GUIDELINE = """Judge the message, not the names in it.
Greek is written in its own letters: λ δ ξ. Indonesian has no accents and many words with me-, \
di-, -kan, -nya. Vietnamese puts marks above and below short words: ắ ế ợ, and has đ.
If a message is in none of the languages, choose "None of these" and name it."""

DIGITS_GUIDELINE = """Say which digit was written, not which one it should have been.
A 9 is closed at the top, a 3 is open at the left. An 8 has two closed loops.
If it is no digit that you can choose, take "None of these" and name it."""

QUOTA_TRIGGER = TriggerSpec(
    "Quotas met or a month", [{"kind": "quota"}, {"kind": "time", "days": 30}], cool_down_hours=1
)


@dataclass(frozen=True)
class Desk:
    """One demo project; `known` and `new` hold each class's rows in random order."""

    spec: ProjectSpec
    known: dict[str, list[LabeledRow]]
    new: dict[str, list[LabeledRow]]
    base: int
    frozen: int
    clean_per_day: int
    new_per_day: int
    wanted: int  # Quota of each new class.
    last_class: str  # The one whose quota lacks six labels.


def language_desk_of(seed: int) -> Desk:
    """Text: which language team gets this message?"""
    messages = language_desk.language_messages(seed)
    rows = {
        language: [LabeledRow(m.text, language, {"app": m.app, "length": m.length}) for m in found]
        for language, found in messages.items()
    }
    return Desk(
        spec=ProjectSpec(
            name="Language desk",
            slug="language-desk",
            question="Which language team should get this?",
            classes=list(language_desk.KNOWN),
            segment_keys=["app", "length"],
            audit_rate=0.2,
            guideline=LANGUAGES_GUIDELINE,
            queues=[QueueSpec(overlap=3)],
            triggers=[QUOTA_TRIGGER],
        ),
        known={name: rows[name] for name in language_desk.KNOWN},
        new={name: rows[name] for name in language_desk.NEW},
        base=100,
        frozen=20,
        clean_per_day=24,
        new_per_day=7,
        wanted=20,
        last_class="Vietnamese",
    )


def postcode_desk_of(seed: int) -> Desk:
    """Images: which digit is this?"""
    digits = postcode_desk.digits_by_class(seed)
    rows = {
        label: [LabeledRow(image.png, label, {}) for image in images]
        for label, images in digits.items()
    }
    return Desk(
        spec=ProjectSpec(
            name="Postcode desk",
            slug="postcode-desk",
            task_type="image",
            trainer="image",
            question="Which digit is this?",
            classes=[label for label in rows if label not in {"8", "9"}],
            audit_rate=0.2,
            guideline=DIGITS_GUIDELINE,
            queues=[QueueSpec(overlap=3)],
            triggers=[QUOTA_TRIGGER],
        ),
        known={label: rows[label] for label in rows if label not in {"8", "9"}},
        new={label: rows[label] for label in ("8", "9")},
        base=60,
        frozen=20,
        clean_per_day=24,
        new_per_day=8,
        wanted=20,
        last_class="9",
    )


DESKS = {"language-desk": language_desk_of, "postcode-desk": postcode_desk_of}
