"""The database: column types, and transactions that read and then write."""

from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier, Thread

import pytest
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select, text

from tests.webapp.conftest import make_config
from webapp.app import create_app
from webapp.auth.models import User
from webapp.config import ConfigurationError
from webapp.db import EncryptedJSON, db, writing
from webapp.openapi import Portal
from webapp.projects.models import Project


def make_project(name: str = "shop", description: str = "0") -> Project:
    owner = db.session.scalars(select(User).where(User.name == "ada")).one()
    return Project(name=name, owner=owner, spec={"name": name}, description=description)


def test_times_are_utc_and_aware(app: Portal) -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=5)))
    with app.app_context():
        project = make_project()
        project.created_at = noon
        db.session.add(project)
        db.session.commit()
        db.session.expire_all()
        assert project.created_at == noon
        assert project.created_at.tzinfo == UTC
        project.created_at = datetime(2026, 1, 31, 12)
        with pytest.raises(Exception, match="without a time zone"):
            db.session.commit()


def test_keys_can_be_changed(portal: Portal) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    column = EncryptedJSON()
    value = {"password": "hunter2"}

    def with_keys(*keys: str) -> Portal:
        config = make_config("sqlite://")
        object.__setattr__(config, "encryption_keys", keys)
        return create_app(config)

    dialect = None
    with with_keys(old).app_context():
        stored = column.process_bind_param(value, dialect)  # type: ignore[arg-type]
    assert stored is not None
    assert "hunter2" not in stored
    with with_keys(new, old).app_context():
        assert column.process_result_value(stored, dialect) == value  # type: ignore[arg-type]
    with with_keys(new).app_context(), pytest.raises(InvalidToken):
        column.process_result_value(stored, dialect)  # type: ignore[arg-type]
    with (
        with_keys().app_context(),
        pytest.raises(ConfigurationError, match="CROFT_ENCRYPTION_KEYS is not set"),
    ):
        column.process_bind_param(value, dialect)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="no Fernet key"):
        with_keys("short")


def test_writers_that_read_first_wait_for_each_other(app: Portal) -> None:
    with app.app_context(), writing() as session:
        session.add(make_project())
    start = Barrier(8)
    failures: list[BaseException] = []

    def count() -> None:
        try:
            with app.app_context():
                start.wait(10)
                for _ in range(5):
                    with writing() as session:
                        query = select(Project).where(Project.name == "shop").with_for_update(of=Project)
                        project = session.scalars(query).one()
                        project.description = str(int(project.description) + 1)
        except BaseException as error:  # noqa: BLE001 (a thread's failure has to reach the test)
            failures.append(error)

    threads = [Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with app.app_context():
        assert db.session.scalars(select(Project.description)).one() == "40"


def fail_after_writing() -> None:
    with writing() as session:
        session.add(make_project())
        session.flush()
        raise ZeroDivisionError


def test_a_failed_block_leaves_nothing(app: Portal) -> None:
    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            fail_after_writing()
        assert db.session.scalars(select(Project)).all() == []
        db.session.add(make_project())
        with pytest.raises(RuntimeError, match="before anything is changed"), writing():
            pass


def test_references_are_enforced(app: Portal) -> None:
    with app.app_context():
        db.session.add(Project(name="x", owner_id=-1, spec={}))
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            db.session.commit()
        db.session.rollback()


def test_sqlite_is_set_up_for_readers_beside_a_writer(app: Portal) -> None:
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            assert db.session.scalar(text("SHOW TimeZone")) is not None
            return
        settings = {
            name: db.session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000}
