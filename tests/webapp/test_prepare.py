"""What the portal does to its database before it starts: refuse, copy, migrate, make the administrator."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, create_engine, text

from tests import postgres
from tests.webapp.population import KEY, contents, populate
from tests.webapp.test_populated_migrations import FOLDER, NEWEST, lost
from webapp import backup
from webapp.database_revision import RevisionError, wait_until_current

Prepare = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.slow


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """Run `python -m webapp.prepare` on a database, as the portal's init container does."""
    password = tmp_path / "password"
    password.write_text("correct horse battery staple\n")

    def run(url: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "CROFT_SECRET_KEY": "s" * 40,
            "CROFT_JWT_SECRET_KEY": "j" * 40,
            "CROFT_ENCRYPTION_KEYS": KEY.decode(),
            "CROFT_DATABASE_URL": url,
            "CROFT_ADMIN_PASSWORD_FILE": str(password),
            **settings,
        }
        arguments: dict[str, Any] = {"cwd": FOLDER.parent, "env": environ, "timeout": 120, "check": False}
        return subprocess.run(
            [sys.executable, "-m", "webapp.prepare"], capture_output=True, text=True, **arguments
        )

    return run


def filled(url: str, revision: str) -> Engine:
    """Return an engine on a database that is filled at this revision."""
    engine = create_engine(url)
    config = AlembicConfig(FOLDER / "alembic.ini")
    config.set_main_option("script_location", str(FOLDER))
    config.attributes.update(configure_logger=False, connection=engine)
    command.upgrade(config, revision)
    populate(engine)
    return engine


def manage(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m webapp.backup` on a database's file."""
    return subprocess.run(
        [sys.executable, "-m", "webapp.backup", *arguments],
        env={"PATH": os.environ["PATH"], "CROFT_DATABASE_URL": f"sqlite:///{file}"},
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def set_revision(engine: Engine, revision: str) -> None:
    """Let the database say that it is at this revision."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": revision})


def revision_of(engine: Engine) -> str:
    """Return the revision that the database says it is at."""
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def test_an_empty_database_is_set_up_without_a_backup(prepare: Prepare, tmp_path: Path) -> None:
    file = tmp_path / "portal.db"
    done = prepare(f"sqlite:///{file}")
    assert done.returncode == 0, done.stderr
    assert f"from revision none to {NEWEST}" in done.stdout
    assert "made the administrator 'admin'" in done.stdout
    assert list(tmp_path.glob("*.before-*")) == []
    again = prepare(f"sqlite:///{file}")
    assert (again.returncode, again.stdout) == (0, "")


def test_sqlite_is_copied_before_it_is_migrated(prepare: Prepare, tmp_path: Path) -> None:
    file = tmp_path / "portal.db"
    engine = filled(f"sqlite:///{file}", "0001")
    start = contents(engine)
    # Held open, so that what was written last is only in the write-ahead log.
    with engine.connect():
        done = prepare(f"sqlite:///{file}")
    assert done.returncode == 0, done.stderr
    copy = tmp_path / f"portal.db.before-{NEWEST}"
    assert str(copy) in done.stdout
    assert copy.stat().st_mode & 0o777 == 0o600
    kept = create_engine(f"sqlite:///{copy}")
    assert revision_of(kept) == "0001"
    assert contents(kept) == start
    assert revision_of(engine) == NEWEST
    after = contents(engine)
    after["users"] = [row for row in after["users"] if row["name"] != "admin"]
    assert lost(start, after) == []

    # The way back, while somebody holds the database open: the version of before finds what it knew.
    kept.dispose()
    with engine.connect():
        restored = manage(file, "restore", f"before-{NEWEST}")
    assert restored.returncode == 0, restored.stderr
    assert revision_of(engine) == "0001"
    assert contents(engine) == start
    engine.dispose()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_newer_database_is_refused_and_left_as_it_is(
    prepare: Prepare, tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    if database == "postgresql":
        url = postgres.new_database(request.getfixturevalue("postgres_url"))
    else:
        url = f"sqlite:///{tmp_path / 'portal.db'}"
    engine = filled(url, NEWEST)
    set_revision(engine, "9999")
    start = contents(engine)
    done = prepare(url)
    assert done.returncode == 1
    assert "revision 9999, newer than this version of the portal" in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(engine) == start
    assert revision_of(engine) == "9999"
    assert list(tmp_path.glob("*.before-*")) == []
    engine.dispose()


def test_postgresql_says_that_nothing_is_backed_up_and_lets_a_backup_be_required(
    prepare: Prepare, postgres_url: str
) -> None:
    url = postgres.new_database(postgres_url)
    engine = filled(url, "0001")
    refused = prepare(url, CROFT_DATABASE_BACKUP="required")
    assert refused.returncode == 1
    assert "a backup is required" in refused.stderr
    assert 'portal_database_backup to "0001"' in refused.stderr
    assert revision_of(engine) == "0001"
    # A backup of another revision is not the one that is needed.
    assert prepare(url, CROFT_DATABASE_BACKUP="0002").returncode == 1
    named = prepare(url, CROFT_DATABASE_BACKUP="0001")
    assert named.returncode == 0, named.stderr
    assert "has a backup of the database at revision 0001" in named.stdout
    assert revision_of(engine) == NEWEST
    # Nothing is left to migrate, so nothing is required.
    assert prepare(url, CROFT_DATABASE_BACKUP="required").returncode == 0
    engine.dispose()

    optional = filled(postgres.new_database(postgres_url), "0001")
    done = prepare(optional.url.render_as_string(hide_password=False))
    assert done.returncode == 0, done.stderr
    assert "NOT backed up" in done.stdout
    optional.dispose()


def test_several_replicas_start_at_once(prepare: Prepare, postgres_url: str) -> None:
    url = postgres.new_database(postgres_url)
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(prepare, [url] * 3))
    assert [run.returncode for run in ended] == [0, 0, 0], [run.stderr for run in ended]
    assert sum("migrates the database" in run.stdout for run in ended) == 1


def test_a_wrong_setting_is_named(prepare: Prepare, tmp_path: Path) -> None:
    done = prepare(f"sqlite:///{tmp_path / 'portal.db'}", CROFT_DATABASE_BACKUP="maybe")
    assert done.returncode == 1
    assert "CROFT_DATABASE_BACKUP is 'maybe'" in done.stderr


def test_the_newest_three_copies_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "portal.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (id)")
    for number in range(2, 7):
        path = backup.before(file, f"{number:04d}")
        os.utime(path, (number, number))
    assert {path.suffix for path in tmp_path.glob("*.before-*")} == {
        ".before-0004",
        ".before-0005",
        ".before-0006",
    }


def test_a_copy_that_fails_leaves_nothing_half(tmp_path: Path) -> None:
    file = tmp_path / "portal.db"
    file.write_bytes(b"this is no database, only text that is long enough" * 100)
    with pytest.raises(backup.BackupError, match="cannot be copied"):
        backup.before(file, "0002")
    assert [path.name for path in tmp_path.iterdir()] == ["portal.db"]


def test_a_worker_waits_until_the_database_fits(tmp_path: Path, prepare: Prepare) -> None:
    url = f"sqlite:///{tmp_path / 'portal.db'}"
    engine = filled(url, "0001")
    with pytest.raises(RevisionError, match="older than"):
        wait_until_current(engine, FOLDER.parent, patience=0)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(wait_until_current, engine, FOLDER.parent, 60)
        assert prepare(url).returncode == 0
        waiting.result(timeout=60)
    set_revision(engine, "9999")
    with pytest.raises(RevisionError, match="newer than"):
        wait_until_current(engine, FOLDER.parent, patience=60)
    engine.dispose()


def test_copies_by_hand_are_listed_and_restored(tmp_path: Path) -> None:
    file = tmp_path / "portal.db"
    engine = filled(f"sqlite:///{file}", NEWEST)
    start = contents(engine)
    assert manage(file, "copy", "monday").returncode == 0
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM login_attempts"))
    listed = manage(file)
    assert listed.stdout.startswith("monday ")
    assert manage(file, "restore", "monday").returncode == 0
    assert contents(engine) == start
    engine.dispose()


def test_a_copy_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "portal.db"
    engine = filled(f"sqlite:///{file}", NEWEST)
    start = contents(engine)
    for arguments in (("restore", "nothing"), ("restore",), ("restore", "../portal.db")):
        done = manage(file, *arguments)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
    assert contents(engine) == start
    engine.dispose()
    postgresql = subprocess.run(
        [sys.executable, "-m", "webapp.backup"],
        env={"PATH": os.environ["PATH"], "CROFT_DATABASE_URL": "postgresql://db.example.org/croft"},
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "use pg_dump" in postgresql.stderr
