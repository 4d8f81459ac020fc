"""Migrations on SQLite and PostgreSQL: up and down, on populated tables, and no drift from the models."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from pytest_alembic import MigrationContext, create_alembic_fixture, tests
from sqlalchemy import Engine, create_engine, inspect, text

from tests import postgres
from webapp.database_revision import newest_revision
from webapp.db import utcnow

FOLDER = Path(__file__).parents[2] / "migrations"
TABLES = (
    "users",
    "refresh_tokens",
    "login_attempts",
    "projects",
    "memberships",
    "applications",
    "jobs",
    "job_events",
)


def alembic_config() -> AlembicConfig:
    """Return the configuration that Flask-Migrate would build."""
    config = AlembicConfig(FOLDER / "alembic.ini")
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["configure_logger"] = False
    return config


alembic = create_alembic_fixture(alembic_config())


@pytest.fixture(params=["sqlite", "postgresql"])
def alembic_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on an empty database."""
    if request.param == "postgresql":
        url = postgres.new_database(request.getfixturevalue("postgres_url"))
    else:
        url = f"sqlite:///{tmp_path / 'portal.db'}"
    engine = create_engine(url)
    yield engine
    engine.dispose()


def populate(engine: Engine) -> None:
    """Put a row into every table of the first revision."""
    now = utcnow()
    rows = [
        (
            "users",
            "1, 'ada', 'hash', true, true, :now",
            "id, name, password_hash, is_admin, is_active, created_at",
        ),
        (
            "refresh_tokens",
            "1, 1, 'h', 'f', :now, :now",
            "id, user_id, jti_hash, family, expires_at, created_at",
        ),
        ("login_attempts", "1, 'ada', '127.0.0.1', :now", "id, name, address, created_at"),
        (
            "projects",
            "1, 'shop', '', 1, '{}', 'ready', :now, :now, 1",
            "id, name, description, owner_id, spec, state, created_at, updated_at, version",
        ),
        ("memberships", "1, 1, 1, 'viewer'", "id, project_id, user_id, role"),
        (
            "applications",
            "1, 1, 'web', 'x', 'ready', :now, :now, 1",
            "id, project_id, name, spec, state, created_at, updated_at, version",
        ),
        (
            "jobs",
            "'j', 'project.create', 'shop', 1, 'ada', 'succeeded', '', false, :now, 1, 1",
            "id, kind, project_name, user_id, user_name, state, message, cancel_requested, created_at, "
            "attempt, last_event",
        ),
        ("job_events", "1, 'j', 1, 'log', 'x', :now", "id, job_id, number, kind, text, created_at"),
    ]
    with engine.begin() as connection:
        for table, values, columns in rows:
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), {"now": now})  # noqa: S608


def counts(engine: Engine) -> dict[str, int]:
    """Number of rows by table."""
    with engine.connect() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
            for table in TABLES
        }


def test_one_line_of_revisions(alembic: MigrationContext) -> None:
    tests.test_single_head_revision(alembic)
    assert alembic.heads == [newest_revision(FOLDER / "versions")]


def test_upgrade(alembic: MigrationContext) -> None:
    tests.test_upgrade(alembic)


def test_models_and_migrations_agree(alembic: MigrationContext) -> None:
    tests.test_model_definitions_match_ddl(alembic)


def test_up_and_down(alembic: MigrationContext) -> None:
    tests.test_up_down_consistency(alembic)


def test_every_revision_keeps_the_rows(alembic: MigrationContext, alembic_engine: Engine) -> None:
    alembic.migrate_up_to("0001")
    populate(alembic_engine)
    for _ in range(2):
        alembic.migrate_up_to("heads")
        assert counts(alembic_engine) == dict.fromkeys(TABLES, 1)
        alembic.migrate_down_to("0001")
        assert counts(alembic_engine) == dict.fromkeys(TABLES, 1)
    alembic.migrate_down_to("base")
    assert set(inspect(alembic_engine).get_table_names()) == {"alembic_version"}


def test_constraints_have_names_of_the_convention(alembic: MigrationContext, alembic_engine: Engine) -> None:
    alembic.migrate_up_to("heads")
    inspector = inspect(alembic_engine)
    for table in TABLES:
        assert inspector.get_pk_constraint(table)["name"] == f"pk_{table}"
        for key in inspector.get_foreign_keys(table):
            column, target = key["constrained_columns"][0], key["referred_table"]
            assert key["name"] == f"fk_{table}_{column}_{target}"
        for unique in inspector.get_unique_constraints(table):
            assert unique["name"] == f"uq_{table}_{'_'.join(unique['column_names'])}"


def test_a_rebuilt_table_keeps_the_rows_that_refer_to_it(alembic_engine: Engine, tmp_path: Path) -> None:
    """SQLite's batch mode drops and renames `projects`; memberships and applications must survive that."""
    versions = tmp_path / "versions"
    versions.mkdir()
    for path in (FOLDER / "versions").glob("0001_*.py"):
        (versions / path.name).write_text(path.read_text())
    (versions / "0002_rebuild.py").write_text(_REBUILD)
    config = alembic_config()
    config.set_main_option("version_locations", str(versions))
    config.attributes["connection"] = alembic_engine
    command.upgrade(config, "0001")
    populate(alembic_engine)
    command.upgrade(config, "0002")
    assert counts(alembic_engine) == dict.fromkeys(TABLES, 1)
    command.downgrade(config, "0001")
    assert counts(alembic_engine) == dict.fromkeys(TABLES, 1)


def test_a_migration_that_breaks_a_reference_is_taken_back(tmp_path: Path) -> None:
    """On SQLite references are not enforced while migrating, so they are checked before the end."""
    engine = create_engine(f"sqlite:///{tmp_path / 'portal.db'}")
    versions = tmp_path / "versions"
    versions.mkdir()
    for path in (FOLDER / "versions").glob("0001_*.py"):
        (versions / path.name).write_text(path.read_text())
    (versions / "0002_break.py").write_text(_BREAK)
    config = alembic_config()
    config.set_main_option("version_locations", str(versions))
    config.attributes["connection"] = engine
    command.upgrade(config, "0001")
    populate(engine)
    with pytest.raises(RuntimeError, match="rows that refer to nothing"):
        command.upgrade(config, "0002")
    assert counts(engine) == dict.fromkeys(TABLES, 1)
    assert "left_over" not in inspect(engine).get_table_names()
    engine.dispose()


_REBUILD = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.batch_alter_table("projects", recreate="auto") as batch:
        batch.add_column(sa.Column("colour", sa.String(10)))
    op.execute("UPDATE projects SET colour = 'blue'")
    with op.batch_alter_table("projects", recreate="auto") as batch:
        batch.alter_column("colour", existing_type=sa.String(10), nullable=False)


def downgrade():
    with op.batch_alter_table("projects", recreate="auto") as batch:
        batch.drop_column("colour")
"""
_BREAK = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.create_table("left_over", sa.Column("id", sa.Integer()))
    op.execute("DELETE FROM projects")
"""
