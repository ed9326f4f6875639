"""Images by API: sent as they are or in a form, stored re-encoded, read by their digest."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from feedback.api.serializers import StoredImageSerializer
from feedback.images import store_image
from jobs import clock
from projects.api.requests import project_of
from projects.errors import Invalid, TooLarge
from projects.files import SHOWN_TYPES, access_picture, read_file
from projects.models import Role
from projects.policies import members

FORM_BYTES = 64 * 1024  # What a form adds around its file.
BINARY = {"type": "string", "format": "binary"}


class ImageParser(BaseParser):
    """The body is the image; one byte more than allowed is read, so that too many are seen."""

    media_type = "image/*"

    def parse(
        self, stream: Any, media_type: Any = None, parser_context: Any = None
    ) -> DataAndFiles[Any, Any]:
        content = ContentFile(stream.read(settings.MAX_IMAGE_BYTES + 1), name="image")
        return DataAndFiles({}, {"file": content})


class ImageRenderer(JSONRenderer):
    """So that asking for an image is not refused; problems are JSON as ever."""

    media_type = "image/*"


class FileList(APIView):
    """Store an image of the project."""

    policy = members(Role.ENGINEER, scopes={"ingest"})
    problems = (413, 422)
    parser_classes = [ImageParser, MultiPartParser]  # noqa: RUF012  Declared, never changed.

    @extend_schema(
        summary="Send an image",
        description=(
            "PNG, JPEG, WEBP or GIF, as the body or as the field `file` of a form. Only its pixels "
            'are kept. Name it in a prediction as {"image": digest}; the same image twice is one.'
        ),
        request={
            **dict.fromkeys(SHOWN_TYPES, BINARY),
            "multipart/form-data": {"type": "object", "properties": {"file": BINARY}},
        },
        responses={201: StoredImageSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        length = int(request.headers.get("Content-Length") or 0)
        if length > settings.MAX_IMAGE_BYTES + FORM_BYTES:
            raise TooLarge(
                f"The body has {length} bytes; MAX_IMAGE_BYTES is {settings.MAX_IMAGE_BYTES}."
            )
        stored = store_image(project=project_of(request), content=_content(request), at=clock.now())
        return Response(StoredImageSerializer(stored).data, status.HTTP_201_CREATED)


class FileDetail(APIView):
    """One image of the project, as it was stored."""

    policy = members(*Role, scopes={"read", "label", "decide"})
    renderer_classes = [JSONRenderer, ImageRenderer]  # noqa: RUF012  Declared, never changed.

    @extend_schema(
        summary="Read an image",
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in SHOWN_TYPES},
    )
    def get(self, request: Request, slug: str, digest: str) -> HttpResponse:
        stored = access_picture(project_of(request), digest)
        return HttpResponse(read_file(stored.digest), content_type=stored.media_type)


def _content(request: Request) -> bytes:
    sent = request.FILES.get("file")
    if sent is None:
        raise Invalid("The form has no field 'file'. Send the image there, or as the body.")
    content: bytes = sent.read()
    return content
