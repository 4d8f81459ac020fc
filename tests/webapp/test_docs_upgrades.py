"""The commands of docs/upgrades.md: what they name is there, and PostgreSQL's way back works as written."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests import postgres
from tests.webapp.population import contents
from tests.webapp.test_populated_migrations import FOLDER, NEWEST
from tests.webapp.test_prepare import Prepare, filled, prepare, revision_of
from webapp.upgrade_check import libpq_environment

pytestmark = pytest.mark.slow
ROOT = FOLDER.parent
TEXT = (ROOT / "docs" / "upgrades.md").read_text()
__all__ = ["prepare"]


def test_what_the_commands_name_is_there() -> None:
    assert "upgrade-check:" in (ROOT / "Makefile").read_text()
    defaults = yaml.safe_load((ROOT / "roles/portal/defaults/main.yml").read_text())
    assert set(re.findall(r"\bportal_database_\w+", TEXT)) <= set(defaults)
    assert (ROOT / "playbooks" / "portal.yml").is_file()
    for module in re.findall(r"python -m webapp\.(\w+)", TEXT):
        assert (ROOT / "webapp" / f"{module}.py").is_file()


def test_postgresql_goes_back_to_its_dump(prepare: Prepare, postgres_url: str, tmp_path: Path) -> None:
    url = postgres.new_database(postgres_url)
    engine = filled(url, "0001")
    start = contents(engine)
    dump, drop, restore = re.findall(r"^((?:pg_dump|psql|pg_restore) .*)$", TEXT, re.MULTILINE)
    environ = {
        "PATH": "/usr/bin:/bin",
        "DATABASE": engine.url.database or "",
        **libpq_environment(engine.url),
    }
    subprocess.run(["sh", "-ec", dump], cwd=tmp_path, env=environ, check=True, timeout=60)
    assert prepare(url, CROFT_DATABASE_BACKUP="0001").returncode == 0
    assert revision_of(engine) == NEWEST
    engine.dispose()
    for command in (drop, restore):
        subprocess.run(["sh", "-ec", command], cwd=tmp_path, env=environ, check=True, timeout=60)
    assert revision_of(engine) == "0001"
    found = contents(engine)
    assert {name: found[name] for name in start} == start
    engine.dispose()
