"""Migrations of databases that hold data: from every revision to the newest, and back to nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, select

from tests import postgres
from tests.webapp.conftest import make_config
from tests.webapp.population import KEY, WEB, Contents, contents, populate, rows
from webapp import models
from webapp.app import create_app
from webapp.applications.models import Application, Revision
from webapp.auth.models import UserSession
from webapp.database_revision import newest_revision
from webapp.db import db

FOLDER = Path(__file__).parents[2] / "migrations"
NEWEST = newest_revision(FOLDER / "versions")
TABLES = models.User.metadata.tables
REVISIONS = [f"{number:04d}" for number in range(1, int(NEWEST) + 1)]


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on an empty database."""
    if request.param == "postgresql":
        url = postgres.new_database(request.getfixturevalue("postgres_url"))
    else:
        url = f"sqlite:///{tmp_path / 'portal.db'}"
    made = create_engine(url)
    yield made
    made.dispose()


@pytest.fixture
def alembic(engine: Engine) -> AlembicConfig:
    """Alembic on this database."""
    config = AlembicConfig(FOLDER / "alembic.ini")
    config.set_main_option("script_location", str(FOLDER))
    config.attributes.update(configure_logger=False, connection=engine)
    return config


def lost(before: Contents, after: Contents) -> list[str]:
    """Return what `after` no longer holds as `before` did, in the tables and columns that both have."""
    found = []
    for table in before.keys() & after.keys():
        if len(before[table]) != len(after[table]):
            found.append(f"{table}: {len(before[table])} rows became {len(after[table])}")
        for old, new in zip(before[table], after[table], strict=False):
            found += [
                f"{table}.{key}: {old[key]!r} became {new[key]!r}"
                for key in old.keys() & new.keys()
                if old[key] != new[key]
            ]
    return found


def test_the_revisions_are_one_numbered_line(alembic: AlembicConfig) -> None:
    line = ScriptDirectory.from_config(alembic).walk_revisions()
    assert [script.revision for script in line] == REVISIONS[::-1]


def test_the_samples_fill_every_column_of_every_table() -> None:
    """A new table or column gets its sample in tests/webapp/population.py."""
    samples = rows()
    assert set(samples) == set(TABLES)
    for name, table in TABLES.items():
        filled = {key for row in samples[name] for key, value in row.items() if value is not None}
        assert filled == set(table.c.keys()), name


@pytest.mark.slow
@pytest.mark.parametrize("revision", REVISIONS)
def test_up_from_every_revision_and_down_to_nothing(
    alembic: AlembicConfig, engine: Engine, revision: str
) -> None:
    command.upgrade(alembic, revision)
    populate(engine)
    start = contents(engine)
    assert all(start.values()), "every table of this revision holds rows"

    command.upgrade(alembic, "head")
    assert lost(start, contents(engine)) == []
    command.check(alembic)

    for lower in [*reversed(REVISIONS[:-1]), "base"]:
        before = contents(engine)
        command.downgrade(alembic, lower)
        assert lost(before, contents(engine)) == [], f"down to {lower}"
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}


def test_every_family_of_tokens_becomes_a_session(alembic: AlembicConfig, engine: Engine) -> None:
    command.upgrade(alembic, "0001")
    populate(engine)
    command.upgrade(alembic, "head")
    found = {row["id"]: row for row in contents(engine)["sessions"]}
    for wanted in rows()["sessions"]:
        kept = found.pop(wanted["id"])
        for key in ("user_id", "created_at", "last_used_at", "expires_at"):
            assert kept[key] == wanted[key], key
        assert kept["revoked_at"] == wanted.get("revoked_at")
        assert (kept["user_agent"], kept["address"]) == ("", "")
    assert found == {}


def test_every_application_gets_its_first_revision(alembic: AlembicConfig, engine: Engine) -> None:
    command.upgrade(alembic, "0001")
    populate(engine)
    command.upgrade(alembic, "head")
    applications = {row["id"]: row for row in contents(engine)["applications"]}
    revisions = contents(engine)["application_revisions"]
    assert {row["application_id"] for row in revisions} == set(applications)
    for row in revisions:
        application = applications[row["application_id"]]
        assert (row["number"], row["spec"]) == (application["version"], application["spec"])
        assert (row["user_name"], row["job_id"]) == ("ada", None)


def test_jobs_belong_to_the_owner_of_their_project(alembic: AlembicConfig, engine: Engine) -> None:
    command.upgrade(alembic, "0001")
    populate(engine)
    command.upgrade(alembic, "head")
    assert {row["owner_name"] for row in contents(engine)["jobs"]} == {"ada"}


def test_the_portal_reads_what_was_migrated(alembic: AlembicConfig, engine: Engine) -> None:
    """The encrypted settings, and times with their zone."""
    command.upgrade(alembic, "0001")
    populate(engine)
    command.upgrade(alembic, "head")
    url = engine.url.render_as_string(hide_password=False)
    config = replace(make_config(url), encryption_keys=(KEY.decode(),))
    with create_app(config).app_context():
        for model in (Application, Revision):
            assert [item.spec for item in db.session.scalars(select(model))] == [WEB, WEB]
        assert all(item.created_at.tzinfo is UTC for item in db.session.scalars(select(UserSession)))
        db.session.remove()
        db.engine.dispose()


def test_a_user_without_a_password_cannot_sign_in_with_one_after_a_downgrade(
    alembic: AlembicConfig, engine: Engine
) -> None:
    command.upgrade(alembic, "head")
    populate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET password_hash = NULL WHERE name = 'ada'")
    command.downgrade(alembic, "0001")
    assert {row["name"]: row["password_hash"] for row in contents(engine)["users"]} == {
        "ada": "!",
        "eve": "hash-eve",
    }
