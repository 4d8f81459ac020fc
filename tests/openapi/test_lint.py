"""The OpenAPI document under Redocly's linter: its recommended rules, with no warnings."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.webapp.conftest import make_config
from webapp.app import create_app

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def redocly() -> Path:
    """The linter, installed once per lock file into the cache, without running anything of the package's."""
    lock = (HERE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "croft" / "openapi-lint"
    folder = cache / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "installed").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        done = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        (folder / "installed").touch()
    return folder / "node_modules" / ".bin" / "redocly"


def lint(redocly: Path, document: dict[str, Any], folder: Path) -> tuple[int, list[str]]:
    """Lint a document; return the linter's exit code, and its rules that were broken with the place."""
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    done = subprocess.run(
        [redocly, "lint", "--config", HERE / "redocly.yaml", "--format", "json", file],
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found = json.loads(done.stdout)
    return done.returncode, [
        f"{item['ruleId']} at {item['location'][0].get('pointer')}: {item['message']}"
        for item in found["problems"]
    ]


@pytest.fixture
def document() -> dict[str, Any]:
    """The document as it is served."""
    application = create_app(make_config("sqlite:////nonexistent/portal.db"))
    served: dict[str, Any] = json.loads(json.dumps(application.api_doc))
    return served


def test_the_document_is_clean(redocly: Path, document: dict[str, Any], tmp_path: Path) -> None:
    assert lint(redocly, document, tmp_path) == (0, [])


def test_the_linter_can_fail(redocly: Path, document: dict[str, Any], tmp_path: Path) -> None:
    del document["paths"]["/api/v1/projects"]["get"]["summary"]
    document["info"].pop("license")
    code, found = lint(redocly, document, tmp_path)
    assert code == 1
    assert {item.split()[0] for item in found} == {"operation-summary", "info-license"}


def test_the_lock_names_no_registry() -> None:
    """Whoever installs it has their own; the checksums say that it is the same package."""
    lock = json.loads((HERE / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-"), name
