"""`make upgrade-check`: a rehearsal on a copy, with what it took, and the original untouched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from tests import postgres
from tests.webapp.population import contents
from tests.webapp.test_populated_migrations import FOLDER, NEWEST
from tests.webapp.test_prepare import filled, revision_of, set_revision

pytestmark = pytest.mark.slow


def check(database: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the rehearsal as make does."""
    return subprocess.run(
        [sys.executable, "-m", "webapp.upgrade_check"],
        env={"PATH": os.environ["PATH"], "DB": database, **environ},
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def lines(output: str) -> list[list[str]]:
    """Return a printed table's cells."""
    return [line.split() for line in output.splitlines()]


def databases(engine: Engine) -> set[str]:
    """Return the names of all databases on the server."""
    with engine.connect() as connection:
        return set(connection.scalars(text("SELECT datname FROM pg_database")))


def test_sqlite_is_rehearsed_on_a_copy(tmp_path: Path) -> None:
    file = tmp_path / "portal.db"
    engine = filled(f"sqlite:///{file}", "0001")
    start = contents(engine)
    engine.dispose()
    done = check(str(file))
    assert done.returncode == 0, done.stderr
    found = lines(done.stdout)
    assert ["jobs", "5", "5"] in found
    assert ["sessions", "-", "2"] in found
    assert [row[0] for row in found if row and row[0].isdecimal()] == [
        f"{number:04d}" for number in range(2, int(NEWEST) + 1)
    ]
    assert f"The upgrade from 0001 to {NEWEST} works on a copy" in done.stdout
    assert revision_of(engine) == "0001"
    assert contents(engine) == start
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(("-wal", "-shm"))] == [
        "portal.db"
    ]


def test_postgresql_is_rehearsed_in_a_database_of_its_own(postgres_url: str) -> None:
    url = postgres.new_database(postgres_url)
    engine = filled(url, "0002")
    start, before = contents(engine), databases(engine)
    done = check(url)
    assert done.returncode == 0, done.stderr
    assert ["jobs", "5", "5"] in lines(done.stdout)
    assert ["application_revisions", "-", "2"] in lines(done.stdout)
    assert revision_of(engine) == "0002"
    assert contents(engine) == start
    assert databases(engine) == before
    engine.dispose()


def test_missing_tools_are_named(postgres_url: str, tmp_path: Path) -> None:
    url = postgres.new_database(postgres_url)
    engine = filled(url, "0001")
    before = databases(engine)
    done = check(url, PATH=str(tmp_path))
    assert done.returncode == 1
    assert "pg_dump is missing: install PostgreSQL's client tools" in done.stderr
    assert "Traceback" not in done.stderr
    assert databases(engine) == before
    engine.dispose()


def test_a_failing_upgrade_is_told(tmp_path: Path) -> None:
    engine = filled(f"sqlite:///{tmp_path / 'portal.db'}", "0001")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE sessions (id INTEGER)"))
    engine.dispose()
    done = check(f"sqlite:///{tmp_path / 'portal.db'}")
    assert done.returncode == 1
    assert "the upgrade would fail: table sessions already exists" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("revision", "code", "words"), [("9999", 1, "newer than"), (NEWEST, 0, "nothing to migrate")]
)
def test_nothing_to_rehearse(tmp_path: Path, revision: str, code: int, words: str) -> None:
    engine = filled(f"sqlite:///{tmp_path / 'portal.db'}", NEWEST)
    set_revision(engine, revision)
    engine.dispose()
    done = check(str(tmp_path / "portal.db"))
    assert done.returncode == code
    assert words in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("database", "words"),
    [
        ("/nonexistent/portal.db", "there is no file"),
        ("", "DB is not set"),
        ("://", "neither a file nor a URL"),
    ],
)
def test_wrong_addresses_are_named(database: str, words: str) -> None:
    done = check(database)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_password_is_not_on_any_command_line() -> None:
    from webapp.upgrade_check import libpq_environment

    url = make_url("postgresql+psycopg://ada:s3cret@db.example.org:5433/croft?sslmode=require")
    assert libpq_environment(url) == {
        "PGHOST": "db.example.org",
        "PGPORT": "5433",
        "PGUSER": "ada",
        "PGPASSWORD": "s3cret",
        "PGDATABASE": "croft",
        "PGSSLMODE": "require",
    }
    assert create_engine(url).url.password == "s3cret"
