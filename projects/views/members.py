"""Who is in the project, and in which roles."""

from __future__ import annotations

from collections import defaultdict

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from jobs import clock
from projects.errors import Conflict, Invalid
from projects.forms import MemberForm, RolesForm, problem_of
from projects.inviting import (
    access_member,
    awaiting_password,
    invite,
    name_owner,
    remove_member,
    renew_invitation,
    set_roles,
)
from projects.models import Project, Role, User
from projects.policies import members, policy
from projects.requests import ProjectRequest
from projects.telling import telling

ENGINEERS = members(Role.ENGINEER)
MEMBERS = "projects:member-list"
INVITE_WORDS = (
    "An e-mail address without an account gets one. You are shown a link, once, by which that "
    "person sets a password; give it to nobody else."
)
Context = dict[str, object]


@policy(members(Role.ENGINEER, Role.LEAD))
@require_GET
def member_list(request: ProjectRequest, slug: str) -> HttpResponse:
    return _show(request, MemberForm())


@policy(ENGINEERS)
@require_POST
def member_add(request: ProjectRequest, slug: str) -> HttpResponseBase:
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    try:
        invited = invite(
            project=request.project, by=request.user, at=clock.now(), **form.cleaned_data
        )
    except Invalid as error:
        form.add_error("address", error.message)
        return _show(request, form, status=422)
    if invited.is_new:
        return _show(request, MemberForm(), link=password_link(request, invited.user))
    messages.success(request, f"{invited.user} is in the project")
    return redirect(MEMBERS, slug=slug)


@policy(ENGINEERS)
@require_POST
def member_change(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    user, form = access_member(request.project, pk), RolesForm(request.POST)
    with telling(request, f"The roles of {user} are saved", refusals=(Conflict, Invalid)):
        if not form.is_valid():
            raise Invalid(problem_of(form))
        roles = form.cleaned_data["role"]
        set_roles(project=request.project, user=user, roles=roles, by=request.user, at=clock.now())
    return redirect(MEMBERS, slug=slug)


@policy(ENGINEERS)
@require_POST
def member_remove(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    user = access_member(request.project, pk)
    with telling(request, f"{user} is out of the project"):
        remove_member(project=request.project, user=user, by=request.user, at=clock.now())
    return redirect(MEMBERS, slug=slug)


@policy(ENGINEERS)
@require_POST
def member_own(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    user = access_member(request.project, pk)
    with telling(request, f"{user} is the owner of the project"):
        name_owner(project=request.project, user=user, by=request.user, at=clock.now())
    return redirect(MEMBERS, slug=slug)


@policy(ENGINEERS)
@require_POST
def member_link(request: ProjectRequest, slug: str, pk: int) -> HttpResponseBase:
    """A lost invitation again; the links before stop working."""
    user = access_member(request.project, pk)
    try:
        user = renew_invitation(project=request.project, user=user, by=request.user, at=clock.now())
    except Conflict as refusal:
        messages.error(request, refusal.message)
        return redirect(MEMBERS, slug=slug)
    return _show(request, MemberForm(), link=password_link(request, user))


def password_link(request: HttpRequest, user: User) -> str:
    """Single use, and for a few days: it is void once the password is set."""
    token = default_token_generator.make_token(user)
    named = {"uidb36": user_pk_to_url_str(user), "key": token}
    return request.build_absolute_uri(reverse("account_reset_password_from_key", kwargs=named))


def _show(
    request: ProjectRequest, form: MemberForm, *, link: str = "", status: int = 200
) -> HttpResponse:
    context: Context = {
        "project": request.project,
        "can_manage": Role.ENGINEER in request.roles,
        "members": _rows(request.project, request.user),
        "form": form,
        "invite_words": INVITE_WORDS,
        "invite_link": link,
    }
    return render(request, "projects/members_page.html", context, status=status)


def _rows(project: Project, reader: User) -> list[Context]:
    waiting = set(awaiting_password(project).values_list("pk", flat=True))
    held: dict[User, set[str]] = defaultdict(set)
    for membership in project.memberships.select_related("user").order_by("user__username"):
        held[membership.user].add(membership.role)
    return [
        {
            "pk": user.pk,
            "name": str(user),
            "username": user.username,
            "email": user.email,
            "roles": [(role.value, role.label, role in roles) for role in Role],
            "is_owner": user.pk == project.owner_id,
            "is_deputy": user.pk == project.deputy_id,
            "is_you": user == reader,
            "is_waiting": user.pk in waiting,
        }
        for user, roles in held.items()
    ]
