"""Bring in a file: upload, say which column is what, watch it come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from feedback.models import Import
from feedback.table_reading import read_table
from jobs import clock
from labeling import import_plan
from labeling.import_forms import MappingForm, UploadForm, problem_of
from labeling.views.import_context import Context, import_rows, mapping_context, work_context
from projects.errors import Conflict, Invalid, NotFound, TooLarge
from projects.files import access_file, read_file, store_file
from projects.models import Role
from projects.policies import members, policy
from projects.requests import ProjectRequest

ENGINEERS = members(Role.ENGINEER)
IMPORTS = "labeling:import-list"
SALT = "import"
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Upload:
    """A file that has been read and waits for its mapping."""

    digest: str
    file_name: str
    kind: str

    @property
    def token(self) -> str:
        return signing.dumps(vars(self), salt=SALT)


@policy(ENGINEERS)
@require_GET
def import_list(request: ProjectRequest, slug: str) -> HttpResponse:
    return _show(request, UploadForm())


@policy(ENGINEERS)
@require_POST
def import_create(request: ProjectRequest, slug: str) -> HttpResponse:
    """Keep the file and ask which column is what."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form, status=422)
    file: UploadedFile[bytes] = form.cleaned_data["file"]
    try:
        content = _content(file)
        read_table(content, file_name=file.name or "")
    except (Invalid, TooLarge) as error:
        form.add_error("file", error.message)
        return _show(request, form, status=422)
    stored = store_file(
        content=content, media_type="text/plain", at=clock.now(), project=request.project
    )
    upload = Upload(stored.digest, file.name or "file", form.cleaned_data["kind"])
    return _ask_mapping(request, upload)


@policy(ENGINEERS)
@require_POST
def import_map(request: ProjectRequest, slug: str) -> HttpResponseBase:
    """Start the job, or ask again with what is missing."""
    upload = _upload(request.POST.get("token", ""))
    content = read_file(access_file(request.project, upload.digest).digest)
    form = MappingForm(request.POST)
    try:
        if not form.is_valid():
            raise Invalid(problem_of(form))
        import_plan.start(
            project=request.project,
            kind=upload.kind,
            content=content,
            file_name=upload.file_name,
            chosen=form.chosen(upload.kind),
            choices=form.choices,
            columns=read_table(content, file_name=upload.file_name).columns,
            by=request.user,
            at=clock.now(),
        )
    except Invalid as error:
        return _ask_mapping(request, upload, problem=error.message, status=422)
    messages.success(request, f"{upload.file_name} is coming in")
    return redirect(IMPORTS, slug=slug)


@policy(ENGINEERS)
@require_GET
def import_progress(request: ProjectRequest, slug: str, pk: int) -> HttpResponse:
    """The bar alone; when it is over the page loads anew, with the counts."""
    imported = Import.objects.filter(project=request.project, pk=pk).select_related("job").first()
    if imported is None:
        raise NotFound("There is no such import in this project.")
    work = work_context(imported, slug)
    context: Context = {"work": work, "poll_url": work["poll_url"]}
    response = render(request, "components/_progress.html", context)
    if work["is_over"]:
        response["HX-Refresh"] = "true"
    return response


def _show(request: ProjectRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    return render(
        request, "projects/import_page.html", _context(request) | {"form": form}, status=status
    )


def _ask_mapping(
    request: ProjectRequest, upload: Upload, *, problem: str = "", status: int = 200
) -> HttpResponse:
    content = read_file(access_file(request.project, upload.digest).digest)
    mapping = mapping_context(
        request.project,
        kind=upload.kind,
        table=read_table(content, file_name=upload.file_name),
        sent=request.POST,
        problem=problem,
    )
    mapping |= {"token": upload.token, "file_name": upload.file_name}
    context = _context(request) | {"mapping": mapping}
    return render(request, "projects/import_page.html", context, status=status)


def _context(request: ProjectRequest) -> Context:
    imports = Import.objects.filter(project=request.project).select_related("job", "by")
    newest = list(imports.order_by("-pk")[:50])
    running = next((one for one in newest if one.state in {"waiting", "running"}), None)
    return {
        "project": request.project,
        "imports": import_rows(newest),
        "work": work_context(running, request.project.slug) if running else None,
    }


def _content(file: UploadedFile[bytes]) -> bytes:
    if file.size is None or file.size > settings.MAX_BODY_BYTES:
        raise TooLarge(f"The file is larger than MAX_BODY_BYTES, {settings.MAX_BODY_BYTES:,}.")
    content: bytes = file.read()
    return content


def _upload(token: str) -> Upload:
    try:
        held: dict[str, Any] = signing.loads(token, salt=SALT, max_age=DAY_SECONDS)
    except signing.BadSignature:
        raise Conflict("This upload is too old, or not ours. Upload the file again.") from None
    return Upload(**held)
