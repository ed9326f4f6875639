"""An engineer sets up, opens a way in, invites, and watches the work."""

from __future__ import annotations

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from events.models import Event
from feedback.models import Import, Prediction
from jobs.adding import add_job
from jobs.clock import SetClock
from jobs.models import Job
from jobs.running import drain_jobs
from labeling.models import Guideline, Item
from monitoring.audit_plans import change_audit_rate
from projects.api_keys import find_key
from projects.creating import give_role
from projects.models import ApiKey, Membership, Project, Role, User
from retraining.project_file import QuotaSpec
from retraining.setting_up import add_quota
from tests.pages import Pages, text_of
from tests.people import Team, make_person, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def url(name: str, **named: object) -> str:
    return reverse(name, kwargs={"slug": "intents", **named})


NEW = {
    "preset": "crowd of three",
    "name": "Help desk",
    "question": "Which desk?",
    "task_type": "text",
    "classes": "sales\nsupport",
    "segment_keys": "plan, channel",
    "guideline": "Judge the message.",
    "accuracy_target": "0.85",
    "audit_percent": "10",
}


@pytest.mark.parametrize(
    ("preset", "said", "rate"),
    [("regulated", "", 0.1), ("small team", "", 0.05), ("regulated", "3", 0.03)],
)
def test_the_preset_says_how_much_is_audited_unless_the_form_does(
    preset: str, said: str, rate: float
) -> None:
    Pages(make_person("sara")).post(
        "/projects/new", **{**NEW, "preset": preset, "audit_percent": said}
    )

    assert Project.objects.get(name="Help desk").audit_plans.get().rate == rate


def test_a_project_is_made_from_the_form_and_its_preset() -> None:
    person = make_person("sara")

    answer = Pages(person).post("/projects/new", **NEW)

    project = Project.objects.get(name="Help desk")
    assert answer.headers["Location"] == "/p/help-desk/setup/"
    assert project.queues.get().overlap == 3
    assert [c.name for c in project.classes.all()] == ["sales", "support"]
    assert project.segment_keys == ["plan", "channel"]
    assert project.audit_plans.get().rate == 0.1


def test_the_downloaded_file_makes_an_equal_project(team: Team) -> None:
    pages = Pages(team.ed)
    content = pages.get(url("retraining:project-file")).content.decode()
    other = re.sub(r"^slug: .*$", "slug: second", content, flags=re.M)

    pages.post("/projects/new/file", yaml=other)

    again = pages.get(
        reverse("retraining:project-file", kwargs={"slug": "second"})
    ).content.decode()
    assert again == other


def test_a_file_with_a_mistake_is_answered_with_its_place(team: Team) -> None:
    page = Pages(team.ed).post("/projects/new/file", yaml="name: A\ncolour: red\n")

    assert page.status_code == 422
    assert "colour" in text_of(page)


@pytest.mark.parametrize("slug", ["../x", "a b", "x" * 61])
def test_an_address_that_no_page_could_have_is_refused(team: Team, slug: str) -> None:
    page = Pages(team.ed).post("/projects/new/file", yaml=f"name: A\nslug: {slug}\n")

    assert page.status_code == 422
    assert "slug" in text_of(page)
    assert not Project.objects.filter(name="A").exists()


def test_many_classes_take_a_few_statements_and_keep_their_order(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    pages = Pages(make_person("sara"))
    names = [f"class {number}" for number in range(300)]
    yaml = f"name: Big\nclasses: [{', '.join(names[:200])}]\n"

    with django_assert_max_num_queries(300):  # One of each class is for its event.
        pages.post("/projects/new/file", yaml=yaml)
    with django_assert_max_num_queries(200):
        pages.post(
            reverse("retraining:project-change_from_file", kwargs={"slug": "big"}),
            yaml=f"name: Big\nclasses: [{', '.join(names)}]\n",
        )

    project = Project.objects.get()
    assert [c.name for c in project.classes.all()] == names
    assert [c.position for c in project.classes.all()] == list(range(300))
    assert Event.objects.filter(name="class.accepted").count() == 300


def test_a_long_name_makes_an_address_that_fits() -> None:
    name = f"{'x' * 59} {'y' * 59}"

    Pages(make_person("sara")).post("/projects/new", **{**NEW, "name": name})

    assert Project.objects.get(name=name).slug == "x" * 59


def test_only_engineers_and_people_without_a_project_make_new_ones(team: Team) -> None:
    assert Pages(team.ada).get("/projects/new").status_code == 403
    assert Pages(team.ed).get("/projects/new").status_code == 200
    assert Pages(team.mallory).get("/projects/new").status_code == 200


def test_a_change_of_the_set_up_keeps_people_and_adds_classes(team: Team) -> None:
    pages = Pages(team.ed)
    fields = {k: v for k, v in NEW.items() if k not in {"preset", "task_type"}}

    pages.post(
        url("retraining:project-change"),
        **{**fields, "classes": "billing\ndelivery\nrefund\njobs", "guideline": "Anew."},
    )

    team.project.refresh_from_db()
    assert team.project.name == "Help desk"
    assert [c.name for c in team.project.classes.all()][-1] == "jobs"
    assert Guideline.objects.filter(project=team.project).count() == 2
    assert Membership.objects.filter(project=team.project, user=team.ada).exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"classes": "delivery\nbilling"}, "'refund' is not one of the classes"),
        ({"segment_keys": "channel"}, "'plan' is not one of segment_keys"),
        ({"segment_keys": "plan, 7"}, "'7' needs a letter"),
    ],
)
def test_the_form_takes_nothing_away_that_a_quota_still_names(
    team: Team, changes: dict[str, str], told: str
) -> None:
    team.project.segment_keys = ["plan"]
    team.project.save()
    spec = QuotaSpec(wanted=5, label_class="refund", segment_key="plan", segment_value="pro")
    add_quota(project=team.project, spec=spec)
    same = {"classes": "billing\ndelivery\nrefund", "segment_keys": "plan"}
    fields = {k: v for k, v in NEW.items() if k not in {"preset", "task_type"}}

    page = Pages(team.ed).post(url("retraining:project-change"), **{**fields, **same, **changes})

    assert page.status_code == 422
    assert told in html.unescape(text_of(page))
    assert team.project.classes.filter(retired_at=None).count() == 3


def test_what_is_read_back_from_a_small_rate_is_that_rate(team: Team, clock: SetClock) -> None:
    change_audit_rate(project=team.project, rate=1e-7, by=team.ed, at=clock.at)

    page = Pages(team.ed).get(url("retraining:project-edit")).content.decode()

    assert 'value="1e-05"' in page


def test_a_guideline_comes_back_from_its_file_as_it_is_stored() -> None:
    pages = Pages(make_person("sara"))
    pages.post("/projects/new/file", yaml="name: Help\nclasses: [a, b]\nguideline: |\n  Judge.\n")
    address = {"slug": "help"}
    made = pages.get(reverse("retraining:project-file", kwargs=address)).content.decode()

    pages.post(reverse("retraining:project-change_from_file", kwargs=address), yaml=made)

    assert Guideline.objects.get().text == "Judge."


def test_a_guideline_that_is_too_long_is_refused_for_a_new_project_too() -> None:
    page = Pages(make_person("sara")).post("/projects/new", **{**NEW, "guideline": "x" * 50_001})

    assert page.status_code == 422
    assert "at most 50,000" in text_of(page)
    assert not Project.objects.exists()


def test_the_kind_of_task_cannot_change(team: Team) -> None:
    pages = Pages(team.ed)
    content = pages.get(url("retraining:project-file")).content.decode()
    changed = content.replace("task_type: text", "task_type: image")

    page = pages.post(url("retraining:project-change_from_file"), yaml=changed)

    assert page.status_code == 422
    assert "kind of task cannot change" in text_of(page)


def test_a_key_is_shown_once_with_a_request_that_holds_it(team: Team, clock: SetClock) -> None:
    pages = Pages(team.ed)

    made = pages.post(url("projects:key-create"), name="web shop", scopes=["ingest"], days="30")
    later = text_of(pages.get(url("projects:key-list")))

    secret = re.search(r"sr_[0-9a-f]{8}_[\w-]+", text_of(made))
    assert secret
    assert find_key(secret[0], at=clock.at) == ApiKey.objects.get()
    assert f"Bearer {secret[0]}" in text_of(made)
    assert "http://testserver/api/v1/projects/intents/predictions" in text_of(made)
    assert made.headers["Cache-Control"] == "no-store, private"
    assert secret[0] not in later


def test_a_revoked_key_no_longer_opens(team: Team, clock: SetClock) -> None:
    pages = Pages(team.ed)
    pages.post(url("projects:key-create"), name="web shop", scopes=["ingest"], days="")

    pages.post(url("projects:key-revoke", pk=ApiKey.objects.get().pk))

    assert not ApiKey.objects.usable(clock.at).exists()


def test_an_unknown_address_gets_an_account_and_a_link_that_works_once(team: Team) -> None:
    page = Pages(team.ed).post(url("projects:member-add"), address="nora@example.org", role="agent")

    link = re.search(r"http://testserver(/account/password/reset/key/[^<\"\s]+)", text_of(page))
    nora = User.objects.get(email="nora@example.org")
    assert link
    assert not nora.has_usable_password()
    visitor = Pages()
    form = visitor.get(visitor.get(link[1]).headers["Location"])
    assert form.status_code == 200
    visitor.post(
        visitor.get(link[1]).headers["Location"],
        password1="a long pass phrase",
        password2="a long pass phrase",
    )
    nora.refresh_from_db()
    assert nora.check_password("a long pass phrase")
    assert Membership.objects.get(user=nora).role == Role.AGENT


def test_nobody_gets_a_password_link_for_an_account_that_is_there(team: Team) -> None:
    answer = Pages(team.ed).post(
        url("projects:member-add"), address=team.mallory.email.upper(), role="viewer"
    )

    assert answer.status_code == 302
    assert Membership.objects.get(user=team.mallory).role == Role.VIEWER


def link_in(page: HttpResponse) -> str:
    found = re.search(r"http://testserver(/account/password/reset/key/[^<\"\s]+)", text_of(page))
    assert found
    return found[1]


def opens(link: str) -> bool:
    """A link that works leads on to the form."""
    return Pages().get(link).status_code == 302


def test_a_lost_invitation_is_made_anew_and_the_one_before_stops_working(team: Team) -> None:
    pages = Pages(team.ed)
    address = {"address": "nora@example.org", "role": "agent"}
    lost = link_in(pages.post(url("projects:member-add"), **address))
    nora = User.objects.get(email="nora@example.org")
    assert opens(lost)

    again = link_in(pages.post(url("projects:member-link", pk=nora.pk)))

    assert (opens(lost), opens(again)) == (False, True)
    assert Event.objects.get(name="invitation.renewed").data == {"user": nora.pk}


def test_a_closed_account_gets_no_new_invitation(team: Team) -> None:
    pages = Pages(team.ed)
    pages.post(url("projects:member-add"), address="nora@example.org", role="agent")
    User.objects.filter(email="nora@example.org").update(is_active=False)
    nora = User.objects.get(email="nora@example.org")

    pages.post(url("projects:member-link", pk=nora.pk))

    assert not Event.objects.filter(name="invitation.renewed").exists()


@pytest.mark.parametrize("opened", ["has a password", "is elsewhere too", "runs the install"])
def test_no_link_opens_an_account_that_is_more_than_an_invitation(
    team: Team, clock: SetClock, opened: str
) -> None:
    if opened == "has a password":
        team.ada.set_password("a long pass phrase")
    elif opened == "is elsewhere too":
        other = make_team(at=clock.at, name="Other", suffix="2")
        give_role(project=other.project, user=team.ada, role="viewer", at=clock.at, by=other.ed)
    else:
        team.ada.is_superuser = True
    team.ada.save()
    pages = Pages(team.ed)

    answer = pages.post(url("projects:member-link", pk=team.ada.pk))

    page = pages.get(url("projects:member-list"))
    assert answer.status_code == 302
    assert "cannot be made here" in text_of(page)
    assert url("projects:member-link", pk=team.ada.pk) not in page.content.decode()


def test_an_engineer_names_another_owner_who_then_stays(team: Team) -> None:
    pages = Pages(team.ed)

    pages.post(url("projects:member-own", pk=team.lena.pk))
    pages.post(url("projects:member-remove", pk=team.olga.pk))
    pages.post(url("projects:member-remove", pk=team.lena.pk))

    team.project.refresh_from_db()
    assert team.project.owner == team.lena
    assert not Membership.objects.filter(project=team.project, user=team.olga).exists()
    assert Membership.objects.filter(project=team.project, user=team.lena).exists()
    told = Event.objects.get(name="project.owner_named")
    assert (told.actor_id, told.data) == (team.ed.pk, {"user": team.lena.pk})


def test_nobody_outside_becomes_the_owner(team: Team) -> None:
    answer = Pages(team.ed).post(url("projects:member-own", pk=team.mallory.pk))

    team.project.refresh_from_db()
    assert (answer.status_code, team.project.owner) == (404, team.olga)


def test_nobodys_own_account_joins_the_demo_where_anybody_could_act_as_it(
    team: Team, clock: SetClock
) -> None:
    Project.objects.filter(pk=team.project.pk).update(is_demo=True)
    real = make_team(at=clock.at, name="Real", suffix="2").olga

    page = Pages(team.ed).post(url("projects:member-add"), address=real.username, role="viewer")

    assert page.status_code == 422
    assert "Anybody can act as the people of the demo" in text_of(page)
    assert not Membership.objects.filter(project=team.project, user=real).exists()


def test_who_anybody_may_act_as_owns_no_real_project(team: Team, clock: SetClock) -> None:
    demo = make_team(at=clock.at, name="Demo", suffix="2")
    Project.objects.filter(pk=demo.project.pk).update(is_demo=True)
    give_role(project=team.project, user=demo.ada, role="viewer", at=clock.at, by=team.ed)
    pages = Pages(team.ed)

    pages.post(url("projects:member-own", pk=demo.ada.pk))

    team.project.refresh_from_db()
    assert team.project.owner == team.olga
    assert "they own what they made themselves" in text_of(pages.get(url("projects:member-list")))


def test_an_owner_without_the_role_is_sent_to_somebody_else(team: Team) -> None:
    Pages(team.ed).post(url("projects:member-change", pk=team.olga.pk), role=["agent"])

    page = Pages(team.olga).get(url("projects:key-list"))

    assert page.status_code == 403
    assert "Ask the project's engineers" in html.unescape(text_of(page))


def test_a_name_that_adds_nobody_is_answered_with_what_to_do(team: Team) -> None:
    answer = Pages(team.ed).post(url("projects:member-add"), address="nobody", role="viewer")

    assert answer.status_code == 422
    assert "Nobody was added" in text_of(answer)
    assert "no account" not in text_of(answer)


def test_the_last_engineer_cannot_be_taken_away(team: Team) -> None:
    pages = Pages(team.ed)
    pages.post(url("projects:member-change", pk=team.olga.pk), role=["agent", "lead"])

    pages.post(url("projects:member-change", pk=team.ed.pk), role=["agent"])

    engineers = Membership.objects.filter(project=team.project, role=Role.ENGINEER)
    assert [m.user for m in engineers] == [team.ed]


def test_a_file_of_predictions_comes_in_by_two_forms(
    team: Team, clock: SetClock, settings: Settings
) -> None:
    pages = Pages(team.ed)
    content = b"message,predicted,score\nwhere is my money,delivery,0.4\n,delivery,0.5\n"

    asked = pages.post(
        url("labeling:import-create"),
        kind="predictions",
        file=SimpleUploadedFile("log.csv", content),
    )
    token = re.search(r'name="token" value="([^"]+)"', asked.content.decode())
    assert token
    pages.post(
        url("labeling:import-map"),
        token=token[1],
        field_input="message",
        field_output="predicted",
        field_confidence="score",
        version="v1",
    )
    drain_jobs()
    page = text_of(pages.get(url("labeling:import-list")))

    assert "message (“where is my money”)" in text_of(asked)
    assert Prediction.objects.get().confidence == 0.4
    assert "1 problem" in page


def test_a_test_set_comes_in_as_evaluation_and_adds_its_classes(team: Team) -> None:
    pages = Pages(team.ed)
    asked = pages.post(
        url("labeling:import-create"),
        kind="evaluation",
        file=SimpleUploadedFile("test.csv", b"text,label\nhire me,jobs\n"),
    )
    token = re.search(r'name="token" value="([^"]+)"', asked.content.decode())
    assert token

    pages.post(
        url("labeling:import-map"),
        token=token[1],
        field_input="text",
        field_label="label",
        add_classes="on",
    )
    drain_jobs()

    item = Item.objects.get()
    assert (item.use, item.truth and item.truth.answer and item.truth.answer.name) == (
        "evaluation",
        "jobs",
    )


def test_a_column_that_was_not_chosen_is_asked_for_again(team: Team) -> None:
    pages = Pages(team.ed)
    asked = pages.post(
        url("labeling:import-create"),
        kind="training",
        file=SimpleUploadedFile("base.csv", b"a,b\n1,2\n"),
    )
    token = re.search(r'name="token" value="([^"]+)"', asked.content.decode())
    assert token

    again = pages.post(url("labeling:import-map"), token=token[1], field_input="a", field_label="")

    assert again.status_code == 422
    assert "Choose a column for: The right class" in text_of(again)
    assert not Import.objects.exists()


def test_a_file_that_is_not_utf_8_is_refused_with_words(team: Team) -> None:
    page = Pages(team.ed).post(
        url("labeling:import-create"),
        kind="predictions",
        file=SimpleUploadedFile("log.csv", b"text,answer\ncaf\xe9,x\n"),
    )

    assert page.status_code == 422
    assert "UTF-8" in text_of(page)


def test_failed_work_is_shown_with_its_reason_and_tried_again(team: Team, clock: SetClock) -> None:
    job = add_job("feedback.import_predictions", at=clock.at, project_id=team.project.pk)
    Job.objects.update(state=Job.State.FAILED, error="The disk is full.", attempt=3)
    pages = Pages(team.ed)

    page = text_of(pages.get(url("retraining:operations-show")))
    pages.post(url("retraining:job-retry", pk=job.pk))

    job.refresh_from_db()
    assert "The disk is full." in page
    assert (job.state, job.attempt) == (Job.State.QUEUED, 0)


def test_the_work_of_another_project_cannot_be_tried_again(team: Team, clock: SetClock) -> None:
    job = add_job("feedback.import_predictions", at=clock.at, project_id=team.project.pk + 1)
    Job.objects.update(state=Job.State.FAILED)

    assert Pages(team.ed).post(url("retraining:job-retry", pk=job.pk)).status_code == 404
