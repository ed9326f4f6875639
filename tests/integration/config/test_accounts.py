"""No page promises a mail that nobody sends."""

from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse

from tests.pages import Pages, text_of
from tests.people import make_person

pytestmark = pytest.mark.django_db


def test_a_password_is_not_reset_by_mail() -> None:
    person = make_person("sara")
    person.set_password("a long pass phrase")
    person.save()
    pages = Pages()

    asked = pages.get(reverse("account_reset_password"))
    sent = pages.post(reverse("account_reset_password"), email=person.email)

    assert (asked.status_code, sent.status_code) == (404, 404)
    assert "sends no mail" in text_of(asked)
    assert mail.outbox == []


def test_a_used_password_link_still_has_its_page() -> None:
    named = {"uidb36": "1", "key": "used-up"}

    page = Pages().get(reverse("account_reset_password_from_key", kwargs=named))

    assert page.status_code == 200
