"""How many requests a caller may make in a minute, counted in the shared cache."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

from projects.models import ApiKey

if TYPE_CHECKING:  # DRF imports this module while it loads its own views.
    from rest_framework.request import Request
    from rest_framework.views import APIView

WINDOW_SECONDS = 60


class PerCaller(BaseThrottle):
    """Counts by key, else by person, else by address."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        window = int(time.time() // WINDOW_SECONDS)
        key = f"requests:{self._caller(request)}:{window}"
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        try:
            count = cache.incr(key)
        except ValueError:  # The cache was emptied in between.
            return True
        return bool(count <= settings.API_REQUESTS_PER_MINUTE)

    def wait(self) -> float:
        """Until the next minute begins."""
        return math.ceil(WINDOW_SECONDS - time.time() % WINDOW_SECONDS)

    def _caller(self, request: Request) -> str:
        if isinstance(request.auth, ApiKey):
            return f"key-{request.auth.pk}"
        if request.user.is_authenticated:
            return f"user-{request.user.pk}"
        return f"address-{self.get_ident(request)}"
