"""One class for an image; the input is the digest of the stored, re-encoded file."""

import re
from typing import Any

from projects.errors import Invalid
from projects.task_types.base import Input

# Eight by eight grey pixels, as PNG.
SMALL_IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR42mM8"
    "wQABTAwUMQA6AADYbMmlZgAAAABJRU5ErkJggg=="
)
DIGEST = re.compile(r"[0-9a-f]{64}")


class ImageClassification:
    """Image in, one class out."""

    slug = "image"
    title = "Image, one class"
    template = "projects/inputs/_image.html"
    example: object = {"image_base64": SMALL_IMAGE}
    fields: tuple[str, ...] = ("image", "image_base64")

    def clean(self, raw: object, *, longest: int) -> dict[str, Any]:
        digest = raw.get("image") if isinstance(raw, dict) else raw
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            raise Invalid(
                'input must be {"image": digest} of a file uploaded before; '
                "POST the file to /files first."
            )
        return {"image": digest}

    def canonical(self, value: Input) -> str:
        return str(value["image"])

    def excerpt(self, value: Input) -> str:
        return f"image {value['image'][:12]}"
