"""The SQL that migrations send to PostgreSQL, under squawk: short locks, nothing a running portal minds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import create_engine, event

from tests import postgres
from tests.webapp.test_populated_migrations import FOLDER, REVISIONS

# Rules that are not followed, each with the reason; all others hold for every revision.
EXCLUDED = {
    "prefer-bigint-over-int": (
        "The tables with the most rows, job_events and audit_entries, are kept for a limited time: at 10,000 "
        "jobs of 50 events a day their numbers last 11 years, and on SQLite they are 64 bits wide anyway."
    ),
    "prefer-identity": "SQLAlchemy's serial columns behave alike; nothing inserts into them by another role.",
    "prefer-text-field": (
        "The lengths are the same as those that the API promises, and SQLite and PostgreSQL then agree. To "
        "lengthen a varchar takes no rewrite since PostgreSQL 9.2."
    ),
    "require-concurrent-index-creation": (
        "CREATE INDEX CONCURRENTLY cannot run in a transaction, and a failed one leaves an invalid index "
        "that somebody has to remove. The tables here hold some 100,000 rows at most, which takes less than "
        "a second; lock_timeout ends the wait for a table that is busy."
    ),
}
EXCLUDED_IN = {
    ("0002", "ban-drop-not-null"): (
        "users.password_hash is NULL only for users who sign in through OpenID Connect, whom the version "
        "before does not know and cannot make."
    ),
}


@pytest.fixture(scope="module")
def sent(request: pytest.FixtureRequest) -> dict[str, str]:
    """What each revision sends to a real PostgreSQL, as a script by revision."""
    engine = create_engine(postgres.new_database(request.getfixturevalue("postgres_url")))
    config = AlembicConfig(FOLDER / "alembic.ini")
    config.set_main_option("script_location", str(FOLDER))
    config.attributes.update(configure_logger=False, connection=engine)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        # Alembic's own questions and its note of the revision have parameters, or are SELECTs.
        if not parameters and not statement.lstrip().upper().startswith(("SELECT", "RESET")):
            statements.append(statement.strip())

    event.listen(engine, "before_cursor_execute", note)
    scripts = {}
    for revision in REVISIONS:
        statements.clear()
        command.upgrade(config, revision)
        scripts[revision] = ";\n".join(item for item in statements if "alembic_version" not in item) + ";\n"
    engine.dispose()
    return scripts


def squawk(script: str) -> list[dict[str, Any]]:
    """Return what squawk has to say about a script that runs in a transaction."""
    program = Path(sys.executable).with_name("squawk")
    arguments = ["--reporter=json", "--assume-in-transaction", "--pg-version=15", "--stdin-filepath=up.sql"]
    done = subprocess.run(
        [program, *arguments], input=script, capture_output=True, text=True, check=False, timeout=60
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert (done.returncode != 0) == bool(found), done.stderr
    return found


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_sql_is_clean(sent: dict[str, str], revision: str) -> None:
    assert "CREATE TABLE" in sent[revision] or "ALTER TABLE" in sent[revision]
    found = [
        f"{item['rule_name']} at line {item['line']}: {sent[revision].splitlines()[item['line']]}"
        for item in squawk(sent[revision])
        if item["rule_name"] not in EXCLUDED and (revision, item["rule_name"]) not in EXCLUDED_IN
    ]
    assert found == []


def test_every_exclusion_is_needed(sent: dict[str, str]) -> None:
    found = {(revision, item["rule_name"]) for revision in sent for item in squawk(sent[revision])}
    assert {rule for _, rule in found} >= set(EXCLUDED)
    assert found >= set(EXCLUDED_IN)


def test_the_lint_can_fail() -> None:
    script = "ALTER TABLE users ADD COLUMN age int NOT NULL;"
    assert {"adding-required-field", "require-lock-timeout"} <= {item["rule_name"] for item in squawk(script)}
