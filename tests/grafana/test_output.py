"""What is committed is what the code makes."""

from pathlib import Path

import pytest

from grafana import check, output
from grafana.__main__ import main


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that is generated, written into a folder of the test's own."""
    monkeypatch.setattr(output, "ROOT", tmp_path)
    monkeypatch.setattr(output, "DASHBOARDS", tmp_path / "grafana" / "dashboards")
    monkeypatch.setattr(output, "RULES", tmp_path / "grafana" / "rules")
    monkeypatch.setattr(output, "RUNBOOKS", Path(output.__file__).parents[1] / "docs" / "runbooks")
    output.write()
    return tmp_path


def test_committed_files_are_fresh_and_in_order() -> None:
    assert check.faults() == []


def test_the_same_definitions_give_the_same_text() -> None:
    assert output.files() == output.files()


def test_a_second_run_writes_nothing(elsewhere: Path) -> None:
    assert output.write() == []


@pytest.mark.parametrize(
    "name", ["grafana/dashboards/croft-pods.json", "grafana/rules/alerts.yml", "docs/dashboards.md"]
)
def test_a_changed_file_is_told(elsewhere: Path, name: str) -> None:
    (elsewhere / name).write_text((elsewhere / name).read_text() + "\n")
    assert output.stale() == [f"{name} is not what the code makes: run `make dashboards`"]


def test_a_missing_file_is_told(elsewhere: Path) -> None:
    (elsewhere / "grafana" / "rules" / "recording.yml").unlink()
    assert output.stale() == ["grafana/rules/recording.yml is not what the code makes: run `make dashboards`"]


def test_a_file_that_nothing_makes_is_told(elsewhere: Path) -> None:
    (elsewhere / "grafana" / "dashboards" / "mine.json").write_text("{}")
    assert "grafana/dashboards/mine.json is made by nothing: remove it" in output.stale()


def test_the_command_tells_faults_and_fails(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["grafana", "--check"])
    assert main() == 0
    (elsewhere / "grafana" / "dashboards" / "croft-nodes.json").write_text("{")
    assert main() == 1
    assert "croft-nodes.json: not readable as JSON" in capsys.readouterr().err
