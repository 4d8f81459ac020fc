"""What is generated, and where it is committed."""

from __future__ import annotations

from pathlib import Path

from grafana import alerts, documents, recordings, rulebook
from grafana.board import Board
from grafana.boards import application, cluster, control_plane, namespaces, nodes, pods, portal, project

ROOT = Path(__file__).resolve().parents[1]
DASHBOARDS = ROOT / "grafana" / "dashboards"
RULES = ROOT / "grafana" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"

BOARDS: tuple[Board, ...] = (
    cluster.BOARD,
    namespaces.BOARD,
    nodes.BOARD,
    control_plane.BOARD,
    portal.BOARD,
    project.BOARD,
    application.BOARD,
    pods.BOARD,
)


def files() -> dict[Path, str]:
    """Every generated file with its text."""
    made = {DASHBOARDS / f"{board.uid}.json": board.json() for board in BOARDS}
    made[ROOT / "docs" / "dashboards.md"] = documents.dashboards(BOARDS)
    made[ROOT / "docs" / "alerts.md"] = documents.alerts(alerts.GROUPS, recordings.GROUPS)
    made[RULES / "recording.yml"] = rulebook.text(recordings.GROUPS)
    made[RULES / "alerts.yml"] = rulebook.text(alerts.GROUPS)
    return made


def write() -> list[Path]:
    """Write every file whose text has changed; return those."""
    written = []
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            written.append(path.relative_to(ROOT))
    return written


def stale() -> list[str]:
    """One sentence for each file that is not as it would be written, or that nothing writes any more."""
    made = files()
    faults = [
        f"{path.relative_to(ROOT)} is not what the code makes: run `make dashboards`"
        for path, text in made.items()
        if not path.exists() or path.read_text() != text
    ]
    left = [*DASHBOARDS.glob("*"), *RULES.glob("*")]
    return faults + [
        f"{path.relative_to(ROOT)} is made by nothing: remove it" for path in left if path not in made
    ]
