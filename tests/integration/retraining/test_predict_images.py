"""Images are asked as they are or by the digest of a file; what is stored is our own copy."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pytest
from PIL import Image

from feedback.images import store_image
from feedback.models import Prediction
from jobs.clock import SetClock
from projects.errors import Conflict, DomainError, Invalid
from projects.files import store_file
from projects.models import ModelVersion, Project, ProjectFile
from projects.versions import deploy
from retraining.answer_recording import Outcome, Recorded
from retraining.artifacts import pack
from retraining.model_files import signing_keys
from retraining.project_file import ProjectSpec
from retraining.serving import Predictor
from retraining.setting_up import set_up_project
from retraining.trainers.image import ImageTrainer
from tests.people import make_person

pytestmark = pytest.mark.django_db(transaction=True)

DARK, BRIGHT = range(0, 100, 20), range(160, 256, 20)


def png(level: int, *, effort: int = 6) -> bytes:
    """A grey square of that brightness."""
    out = io.BytesIO()
    Image.new("L", (8, 8), level).save(out, "PNG", compress_level=effort)
    return out.getvalue()


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass
class Desk:
    """A project whose live version tells dark squares from bright ones."""

    project: Project
    predictor: Predictor
    clock: SetClock

    def ask(self, *inputs: object) -> list[Outcome]:
        """A question for each input, numbered from one."""
        return self.predictor.answer(
            project=self.project,
            questions=[
                {"external_id": f"p-{number}", "input": value}
                for number, value in enumerate(inputs, start=1)
            ],
            at=self.clock.at,
        )


def image_project(name: str, clock: SetClock) -> Project:
    spec = ProjectSpec(name=name, task_type="image", trainer="image", classes=["dark", "bright"])
    return set_up_project(spec=spec, owner=make_person(name.lower()), at=clock.at)


@pytest.fixture
def desk(clock: SetClock) -> Iterator[Desk]:
    project = image_project("Squares", clock)
    rows = [(png(n), "dark") for n in DARK] + [(png(n), "bright") for n in BRIGHT]
    pipeline = ImageTrainer().fit(
        pd.DataFrame(rows, columns=["input", "label"]),
        parameters={},
        seed=0,
        report=lambda step, share, note: None,
    )
    keys = signing_keys()
    packed = pack(pipeline, trainer="image", facts={}, key_id=list(keys)[-1], keys=keys)
    version = ModelVersion.objects.create(
        project=project,
        name="v1",
        kind=ModelVersion.Kind.TRAINED,
        artifact=store_file(content=packed.content, media_type="application/zip", at=clock.at),
        manifest=packed.manifest,
        created_at=clock.at,
    )
    deploy(version=version, expected=None, cause="first", at=clock.at, by=None)
    made = Desk(project, Predictor(), clock)
    yield made
    made.predictor.stop()


def recorded(outcome: Outcome) -> Recorded:
    assert isinstance(outcome, Recorded), outcome
    return outcome


def refused(outcome: Outcome) -> DomainError:
    assert isinstance(outcome, DomainError), outcome
    return outcome


@pytest.mark.parametrize("form", ["object", "address"])
def test_an_image_inside_the_question_is_answered_and_kept_as_a_file(desk: Desk, form: str) -> None:
    encoded = base64_of(png(30))
    value: object = (
        {"image_base64": encoded} if form == "object" else f"data:image/png;base64,{encoded}"
    )

    (outcome,) = desk.ask(value)

    digest = Prediction.objects.get().input["image"]
    assert recorded(outcome).answer == "dark"
    assert ProjectFile.objects.filter(project=desk.project, file=digest).exists()


def test_a_file_of_the_project_is_asked_by_its_digest(desk: Desk) -> None:
    stored = store_image(project=desk.project, content=png(230), at=desk.clock.at)

    (outcome,) = desk.ask({"image": stored.digest})

    assert recorded(outcome).answer == "bright"
    assert Prediction.objects.get().input == {"image": stored.digest}


def test_the_same_pixels_packed_otherwise_are_the_same_question(desk: Desk) -> None:
    first, second = png(30, effort=0), png(30, effort=9)
    assert first != second
    desk.ask({"image_base64": base64_of(first)})

    (again,) = desk.ask({"image_base64": base64_of(second)})

    assert not recorded(again).is_new
    assert Prediction.objects.count() == 1


def test_other_pixels_under_the_same_id_are_a_conflict(desk: Desk) -> None:
    desk.ask({"image_base64": base64_of(png(30))})

    (other,) = desk.ask({"image_base64": base64_of(png(31))})

    assert isinstance(other, Conflict)


def test_a_file_of_another_project_is_as_one_that_is_not_there(desk: Desk) -> None:
    other = image_project("Other", desk.clock)
    theirs = store_image(project=other, content=png(30), at=desk.clock.at).digest
    nobodys = "0" * 64

    answers = [refused(outcome).message for outcome in desk.ask({"image": theirs}, nobodys)]

    assert answers[0].replace(theirs[:12], "") == answers[1].replace(nobodys[:12], "")
    assert "no file of this project" in answers[0]
    assert not Prediction.objects.exists()


def test_an_image_that_cannot_be_read_costs_no_other_its_answer(desk: Desk) -> None:
    broken, text, good = desk.ask(
        {"image_base64": base64_of(b"no image")},
        {"image_base64": 7},
        {"image_base64": base64_of(png(230))},
    )

    assert isinstance(refused(broken), Invalid)
    assert isinstance(refused(text), Invalid)
    assert (recorded(good).external_id, recorded(good).answer) == ("p-3", "bright")


def test_what_our_pages_ask_about_an_image_is_not_kept(desk: Desk) -> None:
    stored = store_image(project=desk.project, content=png(30), at=desk.clock.at)

    version, answer = desk.predictor.answer_unrecorded(
        slug=desk.project.slug, value={"image": stored.digest}, at=desk.clock.at
    )

    assert (version.name, answer.label) == ("v1", "dark")
    assert not Prediction.objects.exists()
