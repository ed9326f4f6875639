"""The classes of a project: find, add, retire."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max

from events.recording import record
from projects.errors import Invalid
from projects.models import LabelClass, Project, User

LONGEST_NAME = 120


def clean_class_name(name: str) -> str:
    """One line without control characters; raises Invalid."""
    cleaned = " ".join(name.split())
    if not cleaned or not cleaned.isprintable():
        raise Invalid("A class needs a name of printable characters.")
    if len(cleaned) > LONGEST_NAME:
        raise Invalid(f"A class name has at most {LONGEST_NAME} characters.")
    return cleaned


def accepted_classes(project: Project) -> list[LabelClass]:
    """What can be chosen now, in the project's order."""
    return list(project.classes.filter(retired_at=None))


def find_class(project: Project, name: str) -> LabelClass | None:
    """The class of that name, retired or not."""
    return project.classes.filter(name=name).first()


def access_class(project: Project, name: str) -> LabelClass:
    """A class that can be chosen now; raises Invalid with what to do."""
    found = project.classes.filter(name=name, retired_at=None).first()
    if found is None:
        raise Invalid(
            f"{name!r} is not a class of this project. Choose a known class, or "
            "'none of these' with a proposed name."
        )
    return found


def add_class(
    *, project: Project, name: str, at: datetime, by: User | None = None, description: str = ""
) -> LabelClass:
    """Accept a class; one that is already there is returned, and comes back if it was retired."""
    label_class, is_new = LabelClass.objects.get_or_create(
        project=project,
        name=clean_class_name(name),
        defaults={
            "description": description,
            "accepted_at": at,
            "position": _next_position(project),
        },
    )
    if is_new or label_class.retired_at is not None:
        label_class.retired_at = None
        label_class.save(update_fields=["retired_at"])
        record("class.accepted", subject=label_class, at=at, actor=by)
    return label_class


def add_classes(*, project: Project, names: Iterable[str], at: datetime, by: User) -> None:
    """Accept those that are not there yet, however many, with a few statements and their events."""
    there = set(project.classes.values_list("name", flat=True))
    wanted = dict.fromkeys(clean_class_name(name) for name in names)
    new = [name for name in wanted if name not in there]
    LabelClass.objects.bulk_create(
        (
            LabelClass(project=project, name=name, accepted_at=at, position=position)
            for position, name in enumerate(new, _next_position(project))
        ),
        ignore_conflicts=True,  # An import may add the same one at this moment.
    )
    for label_class in project.classes.filter(name__in=new, accepted_at=at):
        record("class.accepted", subject=label_class, at=at, actor=by)


def _next_position(project: Project) -> int:
    last: int | None = project.classes.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1
