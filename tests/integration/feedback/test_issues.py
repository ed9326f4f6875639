"""Issues follow their flags, are merged and renamed, and open again only for a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.models import Event
from feedback import issues
from feedback.flagging import decide_flag, withdraw_flag
from feedback.models import Flag, Issue, IssueInput
from feedback.words import issue_words
from jobs.clock import SetClock
from projects.errors import Conflict, Invalid
from projects.models import ModelVersion
from projects.versions import deploy, external_version
from tests.people import Team, make_team
from tests.stories import flagged, predicted

pytestmark = pytest.mark.django_db

STATE = Issue.State
FLAG = Flag.State
COUNTS = ("flag_count", "customer_count")


@pytest.fixture
def team(clock: SetClock) -> Team:
    return make_team(at=clock.at)


def flag_text(team: Team, clock: SetClock, text: str, **named: object) -> Flag:
    prediction = predicted(team, text, "billing", at=clock.at, **named)  # type: ignore[arg-type]  # Columns.
    return flagged(prediction, team.ada, at=clock.at)


def issue_of(flag: Flag) -> Issue:
    issue = Flag.objects.select_related("issue").get(pk=flag.pk).issue
    assert issue is not None
    return issue


def deployed(team: Team, name: str, clock: SetClock) -> ModelVersion:
    champion = team.project.deployments.order_by("-sequence").first()
    version = external_version(team.project, name, at=clock.at)
    deploy(
        version=version,
        expected=champion.version if champion else None,
        cause="promotion",
        at=clock.at,
        by=team.lena,
    )
    return version


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([FLAG.FIXED], STATE.FIXED),
        ([FLAG.FIXED, FLAG.DECLINED, FLAG.WITHDRAWN], STATE.FIXED),
        ([FLAG.DECLINED, FLAG.WITHDRAWN], STATE.DECLINED),
        ([FLAG.FIXED, FLAG.OPEN], STATE.NEW),
        ([FLAG.FIXED, FLAG.STILL_WRONG], STATE.NEW),
        ([], STATE.NEW),
    ],
)
def test_an_issue_ends_when_all_its_flags_have_and_is_fixed_if_one_is(
    team: Team, clock: SetClock, states: list[str], expected: str
) -> None:
    issue = Issue.objects.create(
        project=team.project, number=1, title="it", created_at=clock.at, changed_at=clock.at
    )
    for number, state in enumerate(states):
        prediction = predicted(team, f"text {number}", "billing", at=clock.at)
        flag = flagged(prediction, team.ada, at=clock.at)
        Flag.objects.filter(pk=flag.pk).update(state=state, issue=issue)

    issues.settle_issue(issue_id=issue.pk, at=clock.at)

    issue.refresh_from_db()
    assert issue.state == expected


@pytest.mark.parametrize("state", [STATE.FIXED, STATE.DECLINED])
def test_an_ended_issue_opens_again_when_one_flag_is_still_wrong(
    team: Team, clock: SetClock, state: str
) -> None:
    flag = flag_text(team, clock, "a")
    Flag.objects.update(state=FLAG.STILL_WRONG)
    Issue.objects.update(state=state)

    issues.settle_issue(issue_id=issue_of(flag).pk, at=clock.at)

    assert issue_of(flag).state == STATE.REOPENED


@pytest.mark.parametrize(
    ("state", "targets"),
    [
        (STATE.FIXED, {STATE.REOPENED}),
        (STATE.DECLINED, {STATE.REOPENED}),
        (STATE.WAITING, {STATE.LABELING, STATE.DECLINED, STATE.MERGED}),
        (STATE.MERGED, set()),
    ],
)
def test_an_issue_that_has_ended_moves_nowhere_by_itself(
    team: Team, clock: SetClock, state: str, targets: set[str]
) -> None:
    issue = issue_of(flag_text(team, clock, "a"))

    reached = set()
    for target in STATE.values:
        Issue.objects.update(state=state)
        if issues.move_issue(issue=issue, state=target, at=clock.at):
            reached.add(target)

    assert reached == targets


def test_a_move_notes_its_time_and_its_event(team: Team, clock: SetClock) -> None:
    issue = issue_of(flag_text(team, clock, "a"))
    clock.advance(timedelta(hours=1))

    issues.move_issue(issue=issue, state=STATE.LABELING, at=clock.at, by=team.rita)

    stored = Issue.objects.get()
    assert (stored.state, stored.changed_at) == (STATE.LABELING, clock.at)
    event = Event.objects.get(name="issue.moved")
    assert (event.actor_id, event.data) == (team.rita.pk, {"state": "labeling"})


def test_numbers_count_up_in_each_project_for_itself(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    flags = [
        flag_text(team, clock, "a"),
        flag_text(other, clock, "b"),
        flag_text(team, clock, "c"),
        flag_text(other, clock, "d"),
    ]

    assert [issue_of(flag).number for flag in flags] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("wanted", "title"),
    [
        ("refund", "refund goes to billing"),
        ("toys", "toys goes to billing"),
        ("", "billing is wrong"),
    ],
)
def test_an_issue_is_named_for_what_was_wanted_and_what_came(
    team: Team, clock: SetClock, wanted: str, title: str
) -> None:
    flag = flagged(predicted(team, "a", "billing", at=clock.at), team.ada, wanted, at=clock.at)

    assert issue_of(flag).title == title


def test_all_flags_and_inputs_go_with_a_merge_and_later_flags_follow(
    team: Team, clock: SetClock
) -> None:
    goes, stays = flag_text(team, clock, "a"), flag_text(team, clock, "b")
    into = issue_of(stays)

    issues.merge_issues(issue=issue_of(goes), into=into, at=clock.at, by=team.lena)
    later = flagged(
        predicted(team, "A", "billing", at=clock.at, external_id="p2"), team.alan, at=clock.at
    )

    assert [issue_of(flag) for flag in (goes, stays, later)] == [into, into, into]
    assert set(IssueInput.objects.values_list("issue", flat=True)) == {into.pk}
    merged = Issue.objects.exclude(pk=into.pk).get()
    assert (merged.state, merged.merged_into) == (STATE.MERGED, into)
    event = Event.objects.get(name="issue.merged")
    assert (event.subject_id, event.data, event.actor_id) == (
        merged.pk,
        {"into": into.pk},
        team.lena.pk,
    )


def test_an_issue_is_not_merged_into_itself_or_another_project(team: Team, clock: SetClock) -> None:
    other = make_team(at=clock.at, name="Other", suffix="-2")
    issue, theirs = issue_of(flag_text(team, clock, "a")), issue_of(flag_text(other, clock, "b"))

    for into in (issue, theirs):
        with pytest.raises(Invalid, match="another issue of the same project"):
            issues.merge_issues(issue=issue, into=into, at=clock.at, by=team.lena)


@pytest.mark.parametrize("state", [STATE.FIXED, STATE.DECLINED, STATE.MERGED])
def test_an_issue_that_has_ended_is_not_merged_away(
    team: Team, clock: SetClock, state: str
) -> None:
    goes, stays = flag_text(team, clock, "a"), flag_text(team, clock, "b")
    Issue.objects.filter(pk=issue_of(goes).pk).update(state=state)

    with pytest.raises(Conflict, match="cannot be merged"):
        issues.merge_issues(issue=issue_of(goes), into=issue_of(stays), at=clock.at, by=team.lena)

    assert issue_of(goes) != issue_of(stays)


def test_an_issue_that_takes_in_the_last_fixed_flag_is_fixed(team: Team, clock: SetClock) -> None:
    goes, stays = flag_text(team, clock, "a"), flag_text(team, clock, "b")
    Flag.objects.filter(pk=goes.pk).update(state=FLAG.FIXED)
    Flag.objects.filter(pk=stays.pk).update(state=FLAG.DECLINED)

    issues.merge_issues(issue=issue_of(goes), into=issue_of(stays), at=clock.at, by=team.lena)

    assert issue_of(stays).state == STATE.FIXED


def test_a_chain_of_merges_ends_in_the_issue_that_is_left(team: Team, clock: SetClock) -> None:
    first, second, third = (flag_text(team, clock, text) for text in ("a", "b", "c"))
    gone = issue_of(first)
    issues.merge_issues(issue=gone, into=issue_of(second), at=clock.at, by=team.lena)
    issues.merge_issues(issue=issue_of(second), into=issue_of(third), at=clock.at, by=team.lena)

    assert issues.hold_issue(gone.pk) == issue_of(third)


def test_a_title_is_one_line_of_bounded_length(team: Team, clock: SetClock) -> None:
    issue = issue_of(flag_text(team, clock, "a"))

    issues.rename_issue(issue=issue, title=" lost \n parcels ", at=clock.at, by=team.lena)
    assert Issue.objects.get().title == "lost parcels"

    issues.rename_issue(issue=issue, title="x" * 201, at=clock.at, by=team.lena)
    assert Issue.objects.get().title == "x" * 200


def test_the_same_title_again_is_no_event_and_none_at_all_is_refused(
    team: Team, clock: SetClock
) -> None:
    issue = issue_of(flag_text(team, clock, "a"))
    for _ in range(2):
        issues.rename_issue(issue=issue, title="lost parcels", at=clock.at, by=team.lena)

    with pytest.raises(Invalid, match="Give the issue a title"):
        issues.rename_issue(issue=issue, title=" \n ", at=clock.at, by=team.lena)

    assert Event.objects.filter(name="issue.renamed").count() == 1


@pytest.mark.parametrize(
    ("answered_by", "expected"),
    [("v1", STATE.FIXED), ("v2", STATE.REOPENED), ("v3", STATE.REOPENED), ("shadow", STATE.FIXED)],
)
def test_a_fixed_issue_opens_again_only_for_the_fixing_version_or_a_later_one(
    team: Team, clock: SetClock, answered_by: str, expected: str
) -> None:
    fixing = deployed(team, "v2", clock)
    deployed(team, "v3", clock)
    external_version(team.project, "shadow", at=clock.at)
    fixed = flag_text(team, clock, "a")
    decide_flag(flag=fixed, state=FLAG.FIXED, at=clock.at, version=fixing)
    issues.mark_fixed_in(issue_ids=[issue_of(fixed).pk], version=fixing)

    version = team.project.versions.get(name=answered_by)
    later = predicted(team, "A", "billing", at=clock.at, external_id="p2", version=version)
    flagged(later, team.alan, at=clock.at)

    assert issue_of(fixed).state == expected


def test_a_version_that_went_live_again_after_the_fix_opens_the_issue_again(
    team: Team, clock: SetClock
) -> None:
    fixing = deployed(team, "v2", clock)
    fixed = flag_text(team, clock, "a")
    decide_flag(flag=fixed, state=FLAG.FIXED, at=clock.at, version=fixing)
    issues.mark_fixed_in(issue_ids=[issue_of(fixed).pk], version=fixing)
    deployed(team, "v1", clock)

    later = predicted(team, "A", "billing", at=clock.at, external_id="p2", version=team.version)
    flagged(later, team.alan, at=clock.at)

    assert issue_of(fixed).state == STATE.REOPENED


def test_an_issue_that_opens_again_is_no_longer_called_fixed(team: Team, clock: SetClock) -> None:
    fixing = deployed(team, "v2", clock)
    fixed = flag_text(team, clock, "a")
    decide_flag(flag=fixed, state=FLAG.FIXED, at=clock.at, version=fixing)
    issues.mark_fixed_in(issue_ids=[issue_of(fixed).pk], version=fixing)
    before = issue_words(issue_of(fixed))

    flagged(
        predicted(team, "A", "billing", at=clock.at, external_id="p2", version=fixing),
        team.alan,
        at=clock.at,
    )

    assert [before, issue_words(issue_of(fixed))] == [
        ("fixed in v2", "good"),
        ("open again", "bad"),
    ]


def test_a_declined_issue_opens_again_for_any_new_flag(team: Team, clock: SetClock) -> None:
    declined = flag_text(team, clock, "a")
    decide_flag(flag=declined, state=FLAG.DECLINED, at=clock.at)
    assert issue_of(declined).state == STATE.DECLINED

    again = predicted(team, "A", "billing", at=clock.at, external_id="p2")
    flagged(again, team.alan, at=clock.at)

    assert issue_of(declined).state == STATE.REOPENED


def test_only_issues_that_are_fixed_name_the_version_that_fixed_them(
    team: Team, clock: SetClock
) -> None:
    fixed, waits = flag_text(team, clock, "a"), flag_text(team, clock, "b")
    decide_flag(flag=fixed, state=FLAG.FIXED, at=clock.at)

    issues.mark_fixed_in(issue_ids=[issue_of(fixed).pk, issue_of(waits).pk], version=team.version)

    assert [issue_of(flag).fixed_in for flag in (fixed, waits)] == [team.version, None]


def test_an_issue_whose_flags_were_all_taken_back_is_declined(team: Team, clock: SetClock) -> None:
    flag = flag_text(team, clock, "a")

    withdraw_flag(flag=flag, at=clock.at)

    assert issue_of(flag).state == STATE.DECLINED


@pytest.mark.parametrize(
    ("group", "found"),
    [
        (
            "open",
            {STATE.NEW, STATE.LABELING, STATE.AWAITING_RETRAIN, STATE.WAITING, STATE.REOPENED},
        ),
        ("fixed", {STATE.FIXED}),
        ("declined", {STATE.DECLINED}),
        ("all", set(STATE.values) - {STATE.MERGED}),
    ],
)
def test_a_tab_lists_the_issues_of_its_states_and_never_merged_ones(
    team: Team, clock: SetClock, group: str, found: set[str]
) -> None:
    for number, state in enumerate(STATE.values):
        Issue.objects.create(
            project=team.project,
            number=number,
            title=state,
            state=state,
            created_at=clock.at,
            changed_at=clock.at,
        )

    listed = Issue.objects.of(team.project).in_group(group)

    assert set(listed.values_list("state", flat=True)) == found


def test_an_issue_counts_its_flags_and_each_customer_once_and_unknown_ones_not_at_all(
    team: Team, clock: SetClock
) -> None:
    first = flag_text(team, clock, "a", customer_ref="ann")
    for number, customer in enumerate(["ann", "ben", ""]):
        named = {"external_id": f"p{number}", "customer_ref": customer}
        prediction = predicted(team, "A", "billing", at=clock.at, **named)
        flagged(prediction, team.ada, at=clock.at)

    counted = Issue.objects.of(team.project).values_list(*COUNTS)

    assert list(counted) == [(4, 2)]
    assert issue_of(first).number == 1


def test_a_flag_taken_back_hit_no_customer(team: Team, clock: SetClock) -> None:
    flag_text(team, clock, "a", customer_ref="ann")
    prediction = predicted(team, "A", "billing", at=clock.at, external_id="p2", customer_ref="ben")
    withdraw_flag(flag=flagged(prediction, team.alan, at=clock.at), at=clock.at)

    counted = Issue.objects.of(team.project).values_list(*COUNTS)

    assert list(counted) == [(1, 1)]


@pytest.mark.parametrize("state", STATE.values)
def test_every_state_of_an_issue_has_words(state: str) -> None:
    words, _ = issue_words(Issue(state=state))

    assert words
