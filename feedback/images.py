"""Take images in: decoded within bounds and written anew, so that only pixels are kept."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from PIL import Image, ImageOps

from projects.errors import Invalid, TooLarge
from projects.files import store_file
from projects.models import Project

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
JPEG_QUALITY = 95
# What Pillow raises for files that are damaged or only look like images.
UNREADABLE = (OSError, SyntaxError, ValueError, IndexError, EOFError, struct.error, zlib.error)

# Our own bound is checked before anything is decoded, and its error names the setting.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class StoredImage:
    """A stored, re-encoded image; `digest` is how inputs name it."""

    digest: str
    media_type: str
    bytes: int
    width: int
    height: int


def store_image(*, project: Project, content: bytes, at: datetime) -> StoredImage:
    """Re-encode and store the image for this project; the same one twice is one file."""
    if len(content) > settings.MAX_IMAGE_BYTES:
        raise TooLarge(
            f"The image has {len(content)} bytes; MAX_IMAGE_BYTES is {settings.MAX_IMAGE_BYTES}."
        )
    try:
        pixels, clean, media_type = _re_encode(content)
    except UNREADABLE as error:
        raise Invalid(
            f"This is no image that can be read; send one of: {', '.join(FORMATS)}."
        ) from error
    stored = store_file(content=clean, media_type=media_type, at=at, project=project)
    return StoredImage(stored.digest, stored.media_type, stored.size, *pixels)


def store_base64_image(*, project: Project, encoded: object, at: datetime) -> StoredImage:
    """The same for an image inside JSON; a `data:` address is taken too."""
    if not isinstance(encoded, str):
        raise Invalid("image_base64 must be a text.")
    _, _, plain = encoded.rpartition(",")
    try:
        content = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(f"image_base64 is not base64: {error}.") from error
    return store_image(project=project, content=content, at=at)


def _re_encode(content: bytes) -> tuple[tuple[int, int], bytes, str]:
    """Size, new bytes and media type of the first frame, upright and without metadata."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        width, height = image.size
        if width * height > settings.MAX_IMAGE_PIXELS:
            raise TooLarge(
                f"The image has {width} x {height} pixels; "
                f"MAX_IMAGE_PIXELS is {settings.MAX_IMAGE_PIXELS}."
            )
        is_photo = image.format == "JPEG"
        upright = ImageOps.exif_transpose(image)
        plain = upright.convert(_mode(upright))
    plain.info.clear()
    out = io.BytesIO()
    if is_photo:
        plain.save(out, "JPEG", quality=JPEG_QUALITY)
    else:
        plain.save(out, "PNG")
    return plain.size, out.getvalue(), "image/jpeg" if is_photo else "image/png"


def _mode(image: Image.Image) -> str:
    if image.has_transparency_data:
        return "RGBA"
    return "L" if image.mode in {"1", "L", "I", "F", "I;16"} else "RGB"
