"""Images are decoded within bounds and written anew before anything else sees them."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from feedback.images import store_base64_image, store_image
from feedback.ingestion import store_predictions
from feedback.models import Prediction
from jobs.clock import SetClock
from projects.creating import create_project
from projects.errors import Invalid, NotFound, TooLarge
from projects.files import access_file, read_file
from projects.models import Project
from tests.people import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(clock: SetClock) -> Project:
    return create_project(
        name="Digits",
        task_type="image",
        trainer="image",
        owner=make_person("olga"),
        classes=["0", "1"],
        at=clock.at,
    )


def picture(
    kind: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "RGB", **save: Any
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 90).save(out, kind, **save)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_is_stored_and_can_be_read_again(
    project: Project, clock: SetClock, kind: str
) -> None:
    stored = store_image(project=project, content=picture(kind), at=clock.at)

    assert (stored.width, stored.height) == (8, 6)
    assert Image.open(io.BytesIO(read_file(stored.digest))).size == (8, 6)
    assert access_file(project, stored.digest).media_type == stored.media_type


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_colour_mode_is_taken(project: Project, clock: SetClock, mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"

    stored = store_image(project=project, content=picture(kind, mode=mode), at=clock.at)

    assert Image.open(io.BytesIO(read_file(stored.digest))).mode in {"L", "RGB", "RGBA"}


def test_nothing_but_the_pixels_is_kept(project: Project, clock: SetClock) -> None:
    note = PngInfo()
    note.add_text("Comment", "<script>alert(1)</script>")
    sent = picture(pnginfo=note) + b"<html>trailing</html>"

    stored = store_image(project=project, content=sent, at=clock.at)

    assert b"script" not in read_file(stored.digest)
    assert b"html" not in read_file(stored.digest)


def test_a_photo_lies_as_its_camera_was_held(project: Project, clock: SetClock) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned by a quarter.

    stored = store_image(project=project, content=picture("JPEG", exif=exif), at=clock.at)

    assert (stored.width, stored.height) == (6, 8)


def test_the_same_picture_twice_is_one_file(project: Project, clock: SetClock) -> None:
    first = store_image(project=project, content=picture(), at=clock.at)

    assert store_image(project=project, content=picture(), at=clock.at) == first


def test_another_project_does_not_see_the_file(project: Project, clock: SetClock) -> None:
    other = create_project(
        name="Other", task_type="image", trainer="image", owner=project.owner, at=clock.at
    )
    stored = store_image(project=project, content=picture(), at=clock.at)

    with pytest.raises(NotFound):
        access_file(other, stored.digest)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"GIF89a",
        picture()[:40],
        picture("BMP"),
        picture("TIFF"),
    ],
    ids=["nothing", "svg", "pdf", "gif header", "half a png", "bmp", "tiff"],
)
def test_what_is_no_image_is_refused_in_words(
    project: Project, clock: SetClock, content: bytes
) -> None:
    with pytest.raises(Invalid, match="PNG, JPEG, WEBP, GIF"):
        store_image(project=project, content=content, at=clock.at)


def test_a_large_file_is_refused_with_the_name_of_the_setting(
    project: Project, clock: SetClock, settings: LazySettings
) -> None:
    settings.MAX_IMAGE_BYTES = 20

    with pytest.raises(TooLarge, match="MAX_IMAGE_BYTES is 20"):
        store_image(project=project, content=picture(), at=clock.at)


def test_a_bomb_is_refused_before_it_is_unpacked(project: Project, clock: SetClock) -> None:
    bomb = picture(size=(30_000, 30_000), mode="1")
    assert len(bomb) < 1_000_000

    with pytest.raises(TooLarge, match="30000 x 30000 pixels; MAX_IMAGE_PIXELS"):
        store_image(project=project, content=bomb, at=clock.at)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]),
    at_byte=st.integers(0, 400),
    change=st.binary(min_size=1, max_size=8),
)
def test_a_damaged_picture_is_stored_or_refused_but_never_breaks(
    project: Project, clock: SetClock, kind: str, at_byte: int, change: bytes
) -> None:
    good = picture(kind)
    damaged = good[:at_byte] + change + good[at_byte + len(change) :]

    try:
        stored = store_image(project=project, content=damaged, at=clock.at)
    except (Invalid, TooLarge):
        return  # Refused in words: nothing else may come out.
    assert Image.open(io.BytesIO(read_file(stored.digest))).size[0] > 0


def test_a_prediction_may_carry_its_picture(project: Project, clock: SetClock) -> None:
    encoded = base64.b64encode(picture()).decode()
    for number, value in enumerate([encoded, f"data:image/png;base64,{encoded}"]):
        body = {
            "external_id": str(number),
            "model_version": "v1",
            "input": {"image_base64": value},
            "output": "0",
        }
        store_predictions(project=project, lines=[(1, json.dumps(body).encode())], at=clock.at)

    digest = store_image(project=project, content=picture(), at=clock.at).digest
    assert [p.input for p in Prediction.objects.order_by("id")] == [{"image": digest}] * 2
    assert Prediction.objects.values("identity").distinct().count() == 1


def test_a_prediction_whose_picture_is_none_is_refused(project: Project, clock: SetClock) -> None:
    bodies = [
        {"image_base64": "!!!"},
        {"image_base64": base64.b64encode(b"text").decode()},
        {"image_base64": 7},
        {"image": "0" * 64},
        {"image": "short"},
        {"image": "0" * 64, "image_base64": "AAAA"},
    ]
    lines = [
        (
            number,
            json.dumps(
                {"external_id": str(number), "model_version": "v1", "input": body, "output": "0"}
            ).encode(),
        )
        for number, body in enumerate(bodies, 1)
    ]

    ingested = store_predictions(project=project, lines=lines, at=clock.at)

    reasons = [answer.reason for answer in ingested.answers]
    assert "not base64" in reasons[0]
    assert "no image" in reasons[1]
    assert "must be a text" in reasons[2]
    assert "no file of this project" in reasons[3]
    assert "POST the file to /files first" in reasons[4]
    assert "and not both" in reasons[5]


def test_base64_of_a_picture_is_the_picture(project: Project, clock: SetClock) -> None:
    encoded = base64.b64encode(picture()).decode()

    inside = store_base64_image(project=project, encoded=encoded, at=clock.at)

    assert inside == store_image(project=project, content=picture(), at=clock.at)
