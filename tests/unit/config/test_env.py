"""Settings from the environment fail loudly, with the name of the setting."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.databases import database_from


@pytest.fixture(autouse=True)
def _declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests declare does not reach the generated pages."""
    monkeypatch.setattr(env, "DECLARED", {})


def test_a_number_that_is_none_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIDTH", "wide")

    with pytest.raises(ImproperlyConfigured, match="WIDTH='wide'"):
        env.whole("WIDTH", 3, help="")


@pytest.mark.parametrize("said", ["1", "yes", "TRUE", "on"])
def test_a_flag_is_on_when_somebody_says_so(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKY", said)

    assert env.flag("RISKY", help="")


def test_a_flag_is_off_when_nobody_says_anything() -> None:
    assert not env.flag("RISKY", help="")


def test_a_flag_with_another_word_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKY", "perhaps")

    with pytest.raises(ImproperlyConfigured, match="RISKY"):
        env.flag("RISKY", help="")


def test_keys_are_read_up_to_their_first_colon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLD", "k0:one: with a colon, k1:two")

    assert env.keys("OLD", help="") == {"k0": "one: with a colon", "k1": "two"}


@pytest.mark.parametrize("raw", ["hushhush", "k0:hushhush,hush", "k0:", ":hushhush"])
def test_keys_without_an_id_are_an_error_that_tells_no_key(
    raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLD", raw)

    with pytest.raises(ImproperlyConfigured, match="OLD takes id:key") as caught:
        env.keys("OLD", help="")

    assert "hush" not in str(caught.value)


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("hush\n")
    monkeypatch.setenv("WORD_FILE", str(tmp_path / "key"))

    assert env.secret("WORD", fallback=tmp_path / "none", help="") == "hush"


def test_a_missing_secret_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="Set WORD or WORD_FILE"):
        env.secret("WORD", fallback=tmp_path / "none", help="")


def test_an_absolute_sqlite_path_keeps_its_first_slash() -> None:
    assert database_from("sqlite:////srv/data.sqlite3")["NAME"] == "/srv/data.sqlite3"


def test_a_postgresql_url_gives_its_parts() -> None:
    database = database_from("postgresql://ann:p%40ss@db:5433/setright")

    assert (database["USER"], database["PASSWORD"]) == ("ann", "p@ss")
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db", "5433", "setright")


def test_a_postgresql_url_may_name_a_socket_folder() -> None:
    database = database_from("postgresql://ann@/setright?host=%2Frun%2Fpg")

    assert database["HOST"] == "/run/pg"


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        database_from("mysql://localhost/setright")
