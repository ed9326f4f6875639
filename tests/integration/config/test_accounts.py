"""No page promises a mail that nobody sends."""

from __future__ import annotations

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
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
    assert "ask an engineer of your project for a new link" in text_of(page)


def test_an_invitation_leads_to_a_password_and_to_the_sign_in() -> None:
    person = make_person("sara")
    named = {
        "uidb36": user_pk_to_url_str(person),
        "key": default_token_generator.make_token(person),
    }
    pages = Pages()
    asked = pages.get(reverse("account_reset_password_from_key", kwargs=named))

    page = pages.get(asked.headers["Location"])
    password = "a long pass phrase"
    done = pages.post(asked.headers["Location"], password1=password, password2=password)

    assert "Choose a password" in text_of(page)
    person.refresh_from_db()
    assert person.check_password(password)
    assert reverse("account_login") in pages.get(done.headers["Location"]).content.decode()
