"""Who comes into a project and stays, which versions are live, and what a key opens."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from events.models import Event
from jobs.clock import SetClock
from projects.access import access_project
from projects.api_keys import USED_EVERY, find_key, issue_key, revoke_key
from projects.classes import add_class, clean_class_name
from projects.creating import (
    LONGEST_SLUG,
    create_project,
    give_role,
    may_create,
    take_role,
    tell_again_alike,
)
from projects.errors import Conflict, Invalid, NotFound, Refused
from projects.idempotency import (
    KEPT_FOR,
    check_same_body,
    clean_key,
    find_answer,
    forget_old_answers,
    remember_answer,
)
from projects.inviting import access_member, invite, remove_member, set_roles
from projects.models import (
    ApiKey,
    Deployment,
    IdempotentAnswer,
    Membership,
    ModelVersion,
    Project,
    Role,
    User,
)
from projects.versions import deploy, external_version, find_champion
from tests.people import Team, make_person, make_team

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def create(owner: User, at: datetime, name: str = "Support", slug: str = "") -> Project:
    return create_project(
        name=name, slug=slug, task_type="text", trainer="text", owner=owner, at=at
    )


def roles_of(project: Project, user: User) -> set[str]:
    return set(Membership.objects.filter(project=project, user=user).values_list("role", flat=True))


def membership(team: Team, user: User, role: str) -> Membership:
    return Membership.objects.get(project=team.project, user=user, role=role)


# Creating


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My  Support Desk!", "my-support-desk"),
        ("Ärger & Co", "arger-co"),
        ("x" * 80, "x" * 60),
        ("a" * 59 + " b", "a" * 59),
    ],
)
def test_the_address_of_a_project_follows_from_its_name(
    clock: SetClock, name: str, slug: str
) -> None:
    assert create(make_person("olga"), clock.at, name=name).slug == slug


@pytest.mark.parametrize("slug", ["with space", "a/b", "ä", "x" * (LONGEST_SLUG + 1), "a\n"])
def test_what_cannot_be_part_of_an_address_is_refused(clock: SetClock, slug: str) -> None:
    with pytest.raises(Invalid, match="part of addresses"):
        create(make_person("olga"), clock.at, slug=slug)


def test_a_name_of_signs_alone_makes_no_address(clock: SetClock) -> None:
    with pytest.raises(Invalid, match="letters or digits"):
        create(make_person("olga"), clock.at, name="!!!")


def test_two_projects_do_not_share_an_address(clock: SetClock) -> None:
    olga = make_person("olga")
    create(olga, clock.at)

    with pytest.raises(Conflict, match="'support' already"):
        create(olga, clock.at, name="SUPPORT")


def test_an_owner_holds_every_role(clock: SetClock) -> None:
    olga = make_person("olga")

    assert roles_of(create(olga, clock.at), olga) == set(Role.values)


def test_two_projects_hide_their_uses_behind_keys_of_their_own(clock: SetClock) -> None:
    olga = make_person("olga")
    first, second = create(olga, clock.at), create(olga, clock.at, name="Second")
    assert first.identity_key != second.identity_key

    tell_again_alike(first, story="a")
    tell_again_alike(second, story="a")

    keys = Project.objects.values_list("identity_key", flat=True)
    assert len(set(keys)) == 1


def test_engineers_staff_and_people_without_a_project_make_new_ones(team: Team) -> None:
    staff = User.objects.create_user("sam", is_staff=True)
    give_role(
        project=team.project, user=staff, role=Role.VIEWER, at=team.project.created_at, by=team.olga
    )

    people = (team.ed, team.mallory, staff, team.lena, team.vera)
    assert [may_create(person) for person in people] == [True, True, True, False, False]


# Roles


def test_a_role_given_twice_is_one_and_told_once(team: Team, clock: SetClock) -> None:
    told = Event.objects.filter(name="membership.given").count()
    for _ in range(2):
        give_role(
            project=team.project, user=team.mallory, role=Role.VIEWER, at=clock.at, by=team.olga
        )

    assert roles_of(team.project, team.mallory) == {Role.VIEWER}
    assert Event.objects.filter(name="membership.given").count() == told + 1


def test_the_last_engineer_of_a_project_stays(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    take_role(membership=membership(team, team.ed, Role.ENGINEER), at=clock.at, by=team.olga)

    with pytest.raises(Conflict, match="last engineer"):
        take_role(membership=membership(team, team.olga, Role.ENGINEER), at=clock.at, by=team.olga)

    assert Membership.objects.filter(project=other.project, role=Role.ENGINEER).count() == 2


def test_exactly_the_chosen_roles_are_left(team: Team, clock: SetClock) -> None:
    set_roles(
        project=team.project,
        user=team.bob,
        roles=[Role.REVIEWER, Role.VIEWER],
        by=team.olga,
        at=clock.at,
    )

    assert roles_of(team.project, team.bob) == {Role.REVIEWER, Role.VIEWER}
    taken = Event.objects.get(name="membership.taken")
    assert taken.data == {"user": team.bob.pk, "role": "annotator"}


def test_no_role_at_all_is_refused_and_changes_nothing(team: Team, clock: SetClock) -> None:
    with pytest.raises(Invalid, match="at least one role"):
        set_roles(project=team.project, user=team.bob, roles=[], by=team.olga, at=clock.at)

    assert roles_of(team.project, team.bob) == {Role.ANNOTATOR}


def test_roles_that_would_leave_no_engineer_are_refused_as_a_whole(
    team: Team, clock: SetClock
) -> None:
    remove_member(project=team.project, user=team.ed, by=team.olga, at=clock.at)
    take_role(membership=membership(team, team.olga, Role.VIEWER), at=clock.at, by=team.olga)

    with pytest.raises(Conflict):
        set_roles(
            project=team.project, user=team.olga, roles=[Role.VIEWER], by=team.olga, at=clock.at
        )

    assert roles_of(team.project, team.olga) == set(Role.values) - {Role.VIEWER}


def test_a_person_taken_out_leaves_one_project_and_not_the_others(
    team: Team, clock: SetClock
) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    give_role(project=other.project, user=team.bob, role=Role.VIEWER, at=clock.at, by=other.olga)

    remove_member(project=team.project, user=team.bob, by=team.olga, at=clock.at)

    assert roles_of(team.project, team.bob) == set()
    assert roles_of(other.project, team.bob) == {Role.VIEWER}


def test_the_owner_is_not_taken_out(team: Team, clock: SetClock) -> None:
    with pytest.raises(Conflict, match="owner stays"):
        remove_member(project=team.project, user=team.olga, by=team.ed, at=clock.at)


def test_who_is_in_another_project_is_no_member_of_this_one(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")

    assert access_member(team.project, team.olga.pk) == team.olga
    with pytest.raises(NotFound):
        access_member(team.project, other.bob.pk)


def test_a_project_opens_to_its_members_by_role_and_hides_from_all_others(team: Team) -> None:
    project, held = access_project(team.bob, team.project.slug)
    assert (project, set(held)) == (team.project, {Role.ANNOTATOR})

    with pytest.raises(Refused, match="ML lead"):
        access_project(team.bob, team.project.slug, [Role.LEAD])
    with pytest.raises(NotFound):
        access_project(team.mallory, team.project.slug)


# Inviting


@pytest.mark.parametrize("address", ["bob", "BOB", " bob ", "bob@example.org", "Bob@Example.ORG"])
def test_an_account_is_found_by_its_name_or_address(
    team: Team, clock: SetClock, address: str
) -> None:
    invited = invite(
        project=team.project, address=address, role=Role.VIEWER, by=team.ed, at=clock.at
    )

    assert (invited.user, invited.is_new) == (team.bob, False)
    assert roles_of(team.project, team.bob) == {Role.ANNOTATOR, Role.VIEWER}


def test_an_unknown_address_gets_an_account_without_a_password(team: Team, clock: SetClock) -> None:
    invited = invite(
        project=team.project, address="nina.k@corp.org", role=Role.AGENT, by=team.ed, at=clock.at
    )

    assert invited.is_new
    assert (invited.user.username, invited.user.email) == ("nina.k", "nina.k@corp.org")
    assert not invited.user.has_usable_password()


def test_a_name_that_is_taken_gets_the_next_number(team: Team, clock: SetClock) -> None:
    names = [
        invite(project=team.project, address=address, role=Role.AGENT, by=team.ed, at=clock.at)
        for address in ("BOB@corp.org", "bob@shop.org", "bob@bank.org")
    ]

    assert [invited.user.username for invited in names] == ["BOB2", "bob3", "bob4"]


def test_a_closed_account_is_not_brought_back_by_an_invitation(team: Team, clock: SetClock) -> None:
    User.objects.filter(pk=team.bob.pk).update(is_active=False)

    invited = invite(
        project=team.project, address="bob@example.org", role=Role.AGENT, by=team.ed, at=clock.at
    )

    assert invited.is_new
    assert invited.user != team.bob


@pytest.mark.parametrize("address", ["", "nobody", "a@", "a b@c.org", "@corp.org"])
def test_what_is_neither_a_name_nor_an_address_adds_nobody(
    team: Team, clock: SetClock, address: str
) -> None:
    before = User.objects.count()

    with pytest.raises(Invalid, match="Nobody was added"):
        invite(project=team.project, address=address, role=Role.AGENT, by=team.ed, at=clock.at)

    assert User.objects.count() == before


# Versions


def test_the_version_expected_to_be_live_has_to_be(team: Team, clock: SetClock) -> None:
    second = external_version(team.project, "v2", at=clock.at)

    with pytest.raises(Conflict, match="changed meanwhile"):
        deploy(version=second, expected=None, cause="promotion", at=clock.at, by=team.lena)
    with pytest.raises(Conflict, match="changed meanwhile"):
        deploy(version=second, expected=second, cause="promotion", at=clock.at, by=team.lena)

    assert find_champion(team.project) == team.version


def test_the_line_of_deployments_counts_up_and_knows_what_was_live_when(
    team: Team, clock: SetClock
) -> None:
    start, project = clock.at, team.project
    second = external_version(project, "v2", at=start)
    deploy(
        version=second,
        expected=team.version,
        cause="promotion",
        at=start + 10 * SECOND,
        by=team.lena,
    )
    deploy(
        version=team.version,
        expected=second,
        cause="rollback",
        at=start + 20 * SECOND,
        by=team.lena,
        reason="worse",
    )

    moments = [-1, 0, 9, 10, 19, 20, 99]
    live = [Deployment.objects.live_at(project.pk, start + n * SECOND) for n in moments]
    names = [version.name if version else "" for version in live]
    assert names == ["", "v1", "v1", "v2", "v2", "v1", "v1"]
    assert [line.sequence for line in Deployment.objects.champions(project.pk)] == [3, 2, 1]


def test_a_version_is_known_by_its_name_in_its_project(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")

    assert external_version(team.project, "v1", at=clock.at) == team.version
    assert external_version(other.project, "v1", at=clock.at) == other.version
    new = external_version(team.project, "v9", at=clock.at)
    assert (new.kind, new.created_at) == (ModelVersion.Kind.EXTERNAL, clock.at)


# Keys


def issue(team: Team, clock: SetClock, **named: datetime) -> tuple[ApiKey, str]:
    return issue_key(
        project=team.project,
        name=" ci ",
        scopes=[ApiKey.Scope.values[0], ApiKey.Scope.values[0]],
        by=team.ed,
        at=clock.at,
        **named,
    )


def test_a_key_opens_its_project_and_only_its_digest_is_kept(team: Team, clock: SetClock) -> None:
    key, raw = issue(team, clock)

    assert find_key(raw, at=clock.at) == key
    assert (key.name, key.scopes) == ("ci", [ApiKey.Scope.values[0]])
    secret = raw.split("_", 2)[2]
    assert secret not in str(ApiKey.objects.values().get())


@pytest.mark.parametrize("scopes", [[], ["everything"], ["*", ApiKey.Scope.values[0]]])
def test_a_key_for_nothing_or_for_what_is_no_scope_is_refused(
    team: Team, clock: SetClock, scopes: list[str]
) -> None:
    with pytest.raises(Invalid, match="at least one scope"):
        issue_key(project=team.project, name="ci", scopes=scopes, by=team.ed, at=clock.at)


@pytest.mark.parametrize(
    "changed",
    [
        "sr_{prefix}_{secret}x",
        "xx_{prefix}_{secret}",
        "sr_{prefix}_",
        "sr_{prefix}_other",
        "sr__{secret}",
        "{prefix}_{secret}",
        "sr",
        "",
    ],
)
def test_a_key_that_differs_in_any_part_opens_nothing(
    team: Team, clock: SetClock, changed: str
) -> None:
    _, raw = issue(team, clock)
    _, prefix, secret = raw.split("_", 2)

    assert find_key(changed.format(prefix=prefix, secret=secret), at=clock.at) is None


@pytest.mark.parametrize(("seconds", "is_open"), [(-1, True), (0, False), (1, False)])
def test_a_key_opens_until_the_moment_it_expires(
    team: Team, clock: SetClock, seconds: int, is_open: bool
) -> None:
    expires_at = clock.at + timedelta(days=1)
    _, raw = issue(team, clock, expires_at=expires_at)

    found = find_key(raw, at=expires_at + timedelta(seconds=seconds))

    assert (found is not None) is is_open


def test_a_revoked_key_opens_nothing_and_is_revoked_once(team: Team, clock: SetClock) -> None:
    key, raw = issue(team, clock)
    revoked_at = clock.at
    revoke_key(key=key, by=team.ed, at=revoked_at)
    clock.advance(SECOND)

    revoke_key(key=key, by=team.olga, at=clock.at)

    assert find_key(raw, at=clock.at) is None
    assert ApiKey.objects.get().revoked_at == revoked_at
    assert Event.objects.filter(name="api_key.revoked").count() == 1


def test_the_last_use_of_a_key_is_noted_once_a_minute(team: Team, clock: SetClock) -> None:
    _, raw = issue(team, clock)
    used = []
    for step in (timedelta(0), USED_EVERY, SECOND):
        clock.advance(step)
        find_key(raw, at=clock.at)
        used.append(ApiKey.objects.get().used_at)

    assert used == [clock.at - USED_EVERY - SECOND, clock.at - USED_EVERY - SECOND, clock.at]


# Classes


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("  late \n parcels ", "late parcels"),
        ("x" * 120, "x" * 120),
        ("\u00e9t\u00e9 \u2600", "\u00e9t\u00e9 \u2600"),
    ],
)
def test_a_class_name_is_one_line(raw: str, name: str) -> None:
    assert clean_class_name(raw) == name


@pytest.mark.parametrize(
    "raw", ["", "\t", "a\x00", "a\x07b", "\u200b", "\u202eabc", "x" * 121], ids=repr
)
def test_what_cannot_be_shown_on_one_line_is_no_class_name(raw: str) -> None:
    with pytest.raises(Invalid, match=r"class name|needs a name"):
        clean_class_name(raw)


def test_a_class_added_again_stays_as_it_is_and_a_new_one_comes_last(
    team: Team, clock: SetClock
) -> None:
    again = add_class(project=team.project, name=" refund ", at=clock.at, description="other")
    new = add_class(project=team.project, name="toys", at=clock.at)

    assert (again.description, again.position) == ("", 2)
    assert new.position == 3


# Requests sent twice


def remember(team: Team, at: datetime, key: str = "k") -> None:
    remember_answer(
        project=team.project, key=key, body_hash="a", status=201, response={"id": 1}, at=at
    )


def test_an_answer_is_known_again_in_its_project_only(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    remember(team, clock.at)

    answer = find_answer(team.project, "k")

    assert answer is not None
    assert (answer.status, answer.response) == (201, {"id": 1})
    assert find_answer(other.project, "k") is None
    check_same_body(answer, "a")
    with pytest.raises(Conflict, match="another body"):
        check_same_body(answer, "b")


def test_without_a_key_nothing_is_kept_and_nothing_found(team: Team, clock: SetClock) -> None:
    remember(team, clock.at, key="")

    assert not IdempotentAnswer.objects.exists()
    assert find_answer(team.project, "") is None


def test_answers_are_kept_for_a_week_to_the_moment(team: Team, clock: SetClock) -> None:
    remember(team, clock.at - KEPT_FOR - SECOND, key="old")
    remember(team, clock.at - KEPT_FOR, key="kept")

    forget_old_answers(at=clock.at)

    assert [answer.key for answer in IdempotentAnswer.objects.all()] == ["kept"]


@pytest.mark.parametrize(("raw", "key"), [(" k ", "k"), ("x" * 200, "x" * 200), ("", "")])
def test_a_key_of_a_request_is_kept_without_its_margins(raw: str, key: str) -> None:
    assert clean_key(raw) == key


@pytest.mark.parametrize("raw", ["x" * 201, "a\x00b", "a\nb"])
def test_a_key_of_a_request_that_cannot_be_kept_is_refused(raw: str) -> None:
    with pytest.raises(Invalid, match="Idempotency-Key"):
        clean_key(raw)
