"""The report of `make bench-portal`: what was measured is told before the cluster is tidied up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bench import jobs, portal, portal_report, web

ANSWERS: dict[str, Any] = {
    "rows": [],
    "others": {},
    "left_out": [],
    "counts": {"projects": 1},
    "memory_mb": (1, 2),
}


class StuckPortal:
    """Knows every project for ever, takes deletions and never ends them."""

    def request(self, method: str, path: str) -> Any:
        class Answer:
            status_code = 200
            is_error = False

        return Answer()

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return {"items": [{"state": "running"}]}


@pytest.fixture
def docs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Measure nothing but have numbers: 120 s by hand and 50 s by the worker, and a cluster that is stuck."""

    @contextmanager
    def stand_in() -> Iterator[int]:
        yield 1

    @contextmanager
    def own_portal(cluster: Path, folder: Path) -> Iterator[tuple[Any, dict[str, str]]]:
        yield StuckPortal(), {}

    monkeypatch.setenv("CROFT_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(portal, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(web, "stand_in", stand_in)
    monkeypatch.setattr(portal, "answers", lambda *_arguments: ANSWERS)
    monkeypatch.setattr(jobs, "own_portal", own_portal)
    monkeypatch.setattr(jobs, "_by_hand", lambda *_arguments: 120 / jobs.PROJECTS)
    monkeypatch.setattr(jobs, "_by_portal", lambda *_arguments: (50.0, 0))
    monkeypatch.setattr(jobs, "_playbook", lambda *_arguments: None)
    monkeypatch.setattr(jobs, "TIDY_LIMIT_S", 0)
    folder = tmp_path / "docs"
    folder.mkdir()
    return folder


def test_a_cluster_that_cannot_be_tidied_up_fails_after_the_report_is_written(
    docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        portal.main()
    assert "after 0 s these projects are not deleted yet: gauge-00, gauge-01" in str(ended.value)
    written = json.loads((docs / "benchmarks-portal.json").read_text())
    assert (written["jobs"], written["job_projects"], written["jobs_ratio"]) == (200, 50, 2.4)
    text = (docs / "benchmarks-portal.md").read_text()
    assert "| 200 jobs over 50 projects, by a worker with 2 slots | 50 s |  |" in text
    assert "| by hand ÷ by the worker | 2.4 × | at least 2 |" in text
    printed = capsys.readouterr().out
    assert printed.index("| by hand ÷ by the worker | 2.4 ×") < printed.index("removing the projects")


def test_a_worker_below_its_aim_is_named(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_by_portal", lambda *_arguments: (80.0, 3))
    with pytest.raises(SystemExit):
        portal.main()
    text = (docs / "benchmarks-portal.md").read_text()
    assert (
        "Aims that were missed: the worker: only 1.5 times as quick as by hand; the order of jobs: 3" in text
    )


def test_a_report_without_a_cluster_says_so(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROFT_STATE_DIR")
    portal.main()
    assert "The worker was not measured: no cluster was up." in (docs / "benchmarks-portal.md").read_text()
    assert portal_report.missed({"requests": []}) == []


def test_the_worker_alone_keeps_the_other_numbers(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        portal.main()
    monkeypatch.setenv("ONLY", "jobs")
    monkeypatch.setattr(jobs, "_by_portal", lambda *_arguments: (40.0, 0))
    monkeypatch.delattr(portal, "answers")
    with pytest.raises(SystemExit):
        portal.main()
    written = json.loads((docs / "benchmarks-portal.json").read_text())
    assert (written["jobs_ratio"], written["counts"]) == (3.0, {"projects": 1})
    assert "Each request was sent 60 times" in (docs / "benchmarks-portal.md").read_text()


def test_an_unknown_part_is_refused(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLY", "everything")
    with pytest.raises(SystemExit, match="ONLY=everything is none of jobs, sqlite, postgresql"):
        portal.main()
    assert not list(docs.iterdir())


def test_the_worker_alone_needs_a_cluster(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLY", "jobs")
    monkeypatch.delenv("CROFT_STATE_DIR")
    with pytest.raises(SystemExit, match="none is up"):
        portal.main()
    assert not list(docs.iterdir())
