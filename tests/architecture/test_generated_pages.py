"""What is written from the code is what the code says."""

from django.conf import settings

from config.reference import WRITTEN, stale


def test_the_generated_pages_are_fresh() -> None:
    assert [path.name for path in stale()] == []


def test_no_generated_page_holds_a_secret_or_a_folder_of_this_machine() -> None:
    pages = "".join(write() for write in WRITTEN.values())

    assert settings.SECRET_KEY not in pages
    assert str(settings.BASE_DIR) not in pages
