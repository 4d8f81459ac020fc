"""schemathesis on the whole API: all checks, valid, invalid and stateful, as users of every role."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.openapi.fuzzing import Report, run, serve

pytestmark = pytest.mark.slow

# Who asks, and for how many seconds: ada owns the projects, grace is a developer, linus a viewer of one.
USERS = {"ada": 50, "root": 40, "grace": 20, "linus": 15, None: 10}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Flask, str]]:
    """A filled portal of this test's own, and its address."""
    with serve(tmp_path) as found:
        yield found


@pytest.mark.parametrize("user", USERS)
def test_no_request_finds_a_fault(served: tuple[Flask, str], user: str | None) -> None:
    report: Report = run(*served, user, USERS[user])
    assert not report.failures, "\n\n".join(report.failures)
    if user is None:
        assert {label for label in report.succeeded if "/auth/" not in label} == set()
    else:
        assert report.succeeded


def test_no_row_of_requests_finds_a_fault(served: tuple[Flask, str]) -> None:
    report = run(*served, "ada", 40, stateful=True)
    assert not report.failures, "\n\n".join(report.failures)
    assert report.phases == {"stateful"}
    # Along links: what was made is asked for, changed or deleted.
    assert any("{" in label for label in report.succeeded), report.succeeded


def test_a_fault_is_found(served: tuple[Flask, str]) -> None:
    app, url = served
    view = "projects_api.list_projects"
    assert view in app.view_functions
    app.view_functions[view] = lambda **_: ("{}", 200, {"Content-Type": "application/json"})
    report = run(app, url, "ada", 5, only="/api/v1/projects")
    assert any(
        item.startswith("GET /api/v1/projects: response_schema_conformance") for item in report.failures
    )
