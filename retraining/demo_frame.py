"""The demo's extras in the header: whom one can act as, the reset button and the tour."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from zlib import crc32

from django.http import HttpRequest  # noqa: TID251  Read by the context processor.
from django.urls import reverse

from projects.demo_people import DEMO_PASSWORD, demo_people, demo_visitors
from projects.models import Membership, Project, Role, User
from retraining.demo_rebuild import is_being_rebuilt
from retraining.tour import VISITOR_AGENT, VISITOR_ANNOTATOR, TourStrip, tour_strip

TOUR_HIDDEN = "tour_hidden"  # In the session.


@dataclass(frozen=True)
class DemoPerson:
    id: int
    name: str
    role: str
    is_current: bool


@dataclass(frozen=True)
class DemoSignIn:
    username: str
    password: str
    role: str


@dataclass(frozen=True)
class DemoFrame:
    people: list[DemoPerson]
    act_url: str
    reset_url: str
    home_url: str  # Where one is as somebody else: of this project, which everybody here may see.
    tour: TourStrip | None
    tour_person: DemoPerson | None  # Whose step it is, where that is somebody else.
    rebuild_url: str  # In place of the tour while the demo is being built again.
    strip_url: str  # Where the strip asks whether it still says what is so.
    strip_seen: str  # What it says, in short.


def demo_frame(request: HttpRequest, *, user: User, project: Project | None) -> DemoFrame | None:
    """None for people who are not of the demo."""
    is_rebuilt = is_being_rebuilt()
    memberships = Membership.objects.filter(user__in=demo_people()).select_related("user")
    if project is not None and project.is_demo:
        memberships = memberships.filter(project=project)
    roles: dict[User, set[str]] = {}
    for membership in memberships.order_by("user_id"):
        roles.setdefault(membership.user, set()).add(membership.role)
    # While the demo is built its people have no roles.
    if user not in roles and not (is_rebuilt and demo_visitors().contains(user)):
        return None
    is_tour_hidden = is_rebuilt or bool(request.session.get(TOUR_HIDDEN))
    tour = tour_strip(_toured(project), hidden=is_tour_hidden)
    people = {
        person: DemoPerson(person.pk, str(person), _role_words(held), person == user)
        for person, held in roles.items()
    }
    return DemoFrame(
        people=list(people.values()),
        act_url=reverse("retraining:demo-act_as"),
        reset_url=reverse("retraining:demo-reset"),
        home_url=_home_url(project),
        tour=tour,
        tour_person=next((people[p] for p in people if tour and _is_for(tour, p, user)), None),
        rebuild_url=reverse("retraining:demo-rebuild") if is_rebuilt else "",
        strip_url=_strip_url(project),
        strip_seen=f"{crc32(f'{tour} {is_rebuilt}'.encode()):x}",
    )


def _strip_url(project: Project | None) -> str:
    named = urlencode({"project": project.slug}) if project else ""
    return f"{reverse('retraining:tour-show')}?{named}"


def _is_for(tour: TourStrip, person: User, user: User) -> bool:
    return person.username == tour.who and person != user


def _toured(project: Project | None) -> Project | None:
    """On the pages of all projects the tour is through the demo's first."""
    return project or Project.objects.filter(is_demo=True).order_by("name").first()


def _home_url(project: Project | None) -> str:
    if project is None or not project.is_demo:
        return reverse("retraining:home-show")
    return reverse("retraining:project-home", kwargs={"slug": project.slug})


def demo_sign_ins() -> list[DemoSignIn]:
    """For the sign-in page: an account of each role, the one that the tour names if it does."""
    memberships = Membership.objects.filter(user__in=demo_people()).select_related("user")
    roles: dict[User, set[str]] = {}
    for membership in memberships.order_by("user__username"):
        roles.setdefault(membership.user, set()).add(membership.role)
    first: dict[str, str] = {}
    named = {VISITOR_AGENT, VISITOR_ANNOTATOR}
    for person, held in sorted(roles.items(), key=lambda pair: pair[0].username not in named):
        first.setdefault(_role_words(held), person.username)
    order = [*(role.label for role in Role), "Owner"]
    return [
        DemoSignIn(first[words], DEMO_PASSWORD, words)
        for words in sorted(first, key=lambda words: order.index(words.split(", ")[0]))
    ]


def _role_words(held: set[str]) -> str:
    if len(held) == len(Role):
        return "Owner"
    return ", ".join(role.label for role in Role if role in held)
