"""Issues: the list, and what a reviewer or lead may do to one."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import F, Max
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from feedback.access import access_issue
from feedback.flagging import decline_open_flags
from feedback.forms import MergeForm, ReasonForm, TitleForm, problem_of
from feedback.issues import merge_issues, rename_issue
from feedback.models import Issue
from feedback.words import issue_words, severity_words
from jobs import clock
from projects.errors import Invalid
from projects.models import Role
from projects.paging import page_of
from projects.policies import members, policy
from projects.requests import ProjectRequest
from projects.sorting import Column, sorting_of

READERS = members(Role.AGENT, Role.REVIEWER, Role.LEAD, Role.VIEWER)
DECIDERS = members(Role.REVIEWER, Role.LEAD)
COLUMNS = (
    Column("No.", "number", is_numeric=True),
    Column("Issue"),
    Column("State"),
    Column("Flags", "flag_count", is_numeric=True),
    Column("Customers", "customer_count", is_numeric=True),
    Column("Severity", "severity"),
    Column("First flag", "created_at"),
    Column("Changed", "changed_at"),
)
TABS = {"open": "Open", "fixed": "Fixed", "declined": "Declined", "all": "All"}


@policy(READERS)
@require_GET
def issue_list(request: ProjectRequest, slug: str) -> HttpResponse:
    """Most people hit first."""
    chosen = request.GET.get("state", "open")
    chosen = chosen if chosen in TABS else "open"
    sorting = sorting_of(COLUMNS, request.GET, default="-customer_count")
    issues = Issue.objects.of(request.project).in_group(chosen).select_related("fixed_in")
    issues = issues.annotate(severity=Max("flags__severity"))
    ordered = issues.order_by(sorting.order_by, F("flag_count").desc(), "number")
    page = page_of(ordered, request.GET)
    context = {
        "project": request.project,
        "tabs": [
            {"title": title, "url": f"?state={name}", "is_current": name == chosen}
            for name, title in TABS.items()
        ],
        "columns": sorting.heads,
        "issues": [_row(issue) for issue in page.rows],
        **page.links,
    }
    return render(request, "feedback/issue_list.html", context)


@policy(DECIDERS)
@require_POST
def issue_merge(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    form = MergeForm(request.POST)
    if not form.is_valid():
        raise Invalid(problem_of(form))
    into = access_issue(request.project, form.cleaned_data["into"])
    issue = access_issue(request.project, number)
    merge_issues(issue=issue, into=into, at=clock.now(), by=request.user)
    messages.success(request, f"Issue {number} is merged into issue {into.number}")
    return redirect(_url(into))


@policy(DECIDERS)
@require_POST
def issue_decline(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise Invalid(problem_of(form))
    issue = access_issue(request.project, number)
    reason = form.cleaned_data["reason"]
    count = decline_open_flags(issue=issue, by=request.user, at=clock.now(), reason=reason)
    messages.success(request, f"{count} flags are declined")
    return redirect(_url(issue))


@policy(DECIDERS)
@require_POST
def issue_rename(request: ProjectRequest, slug: str, number: int) -> HttpResponseBase:
    form = TitleForm(request.POST)
    if not form.is_valid():
        raise Invalid(problem_of(form))
    issue = access_issue(request.project, number)
    rename_issue(issue=issue, title=form.cleaned_data["title"], at=clock.now(), by=request.user)
    return redirect(_url(issue))


def _url(issue: Issue) -> str:
    return reverse(
        "feedback:issue-show", kwargs={"slug": issue.project.slug, "number": issue.number}
    )


def _row(issue: Issue) -> dict[str, object]:
    words, tone = issue_words(issue)
    return {
        "number": issue.number,
        "title": issue.title,
        "state_words": words,
        "tone": tone,
        "flag_count": getattr(issue, "flag_count", 0),
        "customer_count": getattr(issue, "customer_count", 0),
        "severity_words": severity_words(getattr(issue, "severity", None)),
        "first_at": issue.created_at,
        "changed_at": issue.changed_at,
    }
