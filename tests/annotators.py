"""Annotators over HTTP against a running product: browsers as htmx asks, without a screen."""

from __future__ import annotations

import http.client
import random
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from projects.models import User

CSRF = "a" * 32
LEASED = re.compile(r"/work/answer/([0-9a-f-]{36})")
NOBODY_LOOKS_AGAIN_BEFORE = 1.0  # Seconds until an empty queue is asked again.


@dataclass
class Room:
    """What all annotators of one run share; an answer is noted when the server has said yes."""

    work_url: str
    class_id: int
    walk_away: float = 0.0
    lease_seconds: float = 600
    over: threading.Event = field(default_factory=threading.Event)
    faults: list[str] = field(default_factory=list)
    walks: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


@dataclass
class Annotator:
    """One signed-in browser. An answer that got no reply is sent again, as a person would."""

    room: Room
    session: str
    seed: int

    def work(self) -> None:
        room, chance = self.room, random.Random(self.seed)
        code = self._ask(room.work_url)
        while not room.over.is_set():
            if code is None:
                room.over.wait(0.2)
                code = self._ask(room.work_url)
            elif code and chance.random() < room.walk_away:
                room.walks.append(code)
                room.over.wait(room.lease_seconds + chance.random() * 6)
                if chance.random() < 0.5 and self._answer(code) is not None:
                    room.late.append(code)
                code = self._ask(room.work_url)
            elif code:
                code = self._answer_until_taken(code)
            else:
                room.over.wait(NOBODY_LOOKS_AGAIN_BEFORE)
                code = self._ask(room.work_url)

    def _answer_until_taken(self, code: str) -> str | None:
        while not self.room.over.is_set():
            offered = self._answer(code)
            if offered is not None:
                self.room.answers.append(code)
                return offered
            self.room.over.wait(0.2)
        return None

    def _answer(self, code: str) -> str | None:
        fields = urllib.parse.urlencode({"answer": self.room.class_id}).encode()
        return self._ask(f"{self.room.work_url.rsplit('/', 2)[0]}/answer/{code}", fields)

    def _ask(self, url: str, content: bytes | None = None) -> str | None:
        """The lease that the answer offers next, or "" for none; None where there was no answer."""
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}; csrftoken={CSRF}"
        headers = {"Cookie": cookies, "X-CSRFToken": CSRF, "HX-Request": "true"}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, content, headers), timeout=60
            ) as answer:
                offered = LEASED.search(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                self.room.faults.append(f"{error.code} {url} {error.read()[:200]!r}")
            return None
        except (OSError, http.client.HTTPException) as error:
            self.room.faults.append(f"{url} {error!r}")
            return None
        return offered[1] if offered else ""


def sign_in(person: User) -> str:
    """The session's key, made past the form: fifty passwords would take longer than the test."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    assert session.session_key is not None
    return session.session_key
