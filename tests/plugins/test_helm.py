"""plugins/module_utils/helm.py: one release, whatever state it was left in."""

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils.helm import HelmCommand, HelmError, secret_texts
from plugins.module_utils.release import Chart, Outcome, Release
from tests.plugins.conftest import StatedHelm

VALUES: dict[str, Any] = {"a": 1, "nothing": None, "secrets": [{"name": "KEY", "value": "hunter2hunter2"}]}


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart in a folder."""
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: thing\nversion: 1.2.3\n")
    (folder / "templates" / "one.yaml").write_text("kind: One\n")
    return folder


def deploy(helm: StatedHelm, chart: Path, values: dict[str, Any] = VALUES, *, check: bool = False) -> Outcome:
    """Deploy release shop/web."""
    command = HelmCommand(str(helm.path), "/nowhere/kubeconfig", 30, secret_texts(values))
    release = Release(command, "web", "shop", 30)
    return asyncio.run(
        release.deploy(Chart.read(str(chart)), values, create_namespace=False, wait=False, check=check)
    )


def remove(helm: StatedHelm, *, check: bool = False) -> Outcome:
    """Remove release shop/web."""
    release = Release(HelmCommand(str(helm.path), "", 30), "web", "shop", 30)
    return asyncio.run(release.remove(wait=True, check=check))


def test_first_release_then_nothing_to_do(helm: StatedHelm, chart: Path) -> None:
    assert deploy(helm, chart) == Outcome(True, "deployed", 1)
    assert helm.verbs == ["status", "upgrade"]
    helm.forget()
    assert deploy(helm, chart) == Outcome(False, "deployed", 1)
    assert helm.verbs == ["status"]


def test_changed_values_or_chart_make_a_revision(helm: StatedHelm, chart: Path) -> None:
    deploy(helm, chart)
    assert deploy(helm, chart, {**VALUES, "a": 2}).revision == 2
    (chart / "templates" / "one.yaml").write_text("kind: Two\n")
    assert deploy(helm, chart, {**VALUES, "a": 2}) == Outcome(True, "deployed", 3)


def test_check_mode_tells_and_does_nothing(helm: StatedHelm, chart: Path) -> None:
    assert deploy(helm, chart, check=True) == Outcome(True, "absent", None)
    deploy(helm, chart)
    helm.forget()
    assert deploy(helm, chart, check=True).changed is False
    assert deploy(helm, chart, {"a": 9}, check=True) == Outcome(True, "deployed", 1)
    helm.set_status("pending-upgrade")
    assert deploy(helm, chart, check=True).changed is True
    assert remove(helm, check=True).changed is True
    assert set(helm.verbs) == {"status"}


@pytest.mark.parametrize("status", ["pending-install", "uninstalling"])
def test_first_install_that_was_killed_is_done_anew(helm: StatedHelm, chart: Path, status: str) -> None:
    deploy(helm, chart)
    helm.set_status(status)
    helm.forget()
    assert deploy(helm, chart) == Outcome(True, "deployed", 1)
    assert helm.verbs == ["status", "uninstall", "upgrade"]


@pytest.mark.parametrize("status", ["pending-upgrade", "pending-rollback"])
@pytest.mark.parametrize(
    ("revisions", "back_to"),
    [
        ([(1, "superseded"), (2, "deployed"), (3, "pending-upgrade")], "2"),
        ([(1, "failed"), (2, "pending-upgrade")], "1"),
        ([(1, "superseded"), (2, "superseded"), (3, "failed"), (4, "pending-rollback")], "2"),
    ],
)
def test_change_that_was_killed_is_rolled_back_first(
    helm: StatedHelm, chart: Path, status: str, revisions: list[tuple[int, str]], back_to: str
) -> None:
    deploy(helm, chart)
    helm.set_status(status)
    helm.set_history(*revisions)
    helm.forget()
    assert deploy(helm, chart, {"a": 2}).status == "deployed"
    assert helm.verbs == ["status", "history", "rollback", "status", "upgrade"]
    assert helm.calls[2]["argv"][:3] == ["rollback", "web", back_to]


def test_failed_release_is_released_again(helm: StatedHelm, chart: Path) -> None:
    deploy(helm, chart)
    helm.set_status("failed")
    helm.forget()
    assert deploy(helm, chart).changed is True
    assert helm.verbs == ["status", "upgrade"]


def test_helm_that_is_still_at_work_is_given_time(
    helm: StatedHelm, chart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.module_utils.release.LIVE_SECONDS", 5)
    deploy(helm, chart)
    helm.set_status("pending-install", datetime.now(UTC).isoformat().replace("+00:00", "789Z"))
    helm.forget()
    deploy(helm, chart)
    assert helm.verbs.count("status") >= 3
    assert helm.verbs[-2:] == ["uninstall", "upgrade"]


def test_removal_waits_for_what_hangs_below(helm: StatedHelm, chart: Path) -> None:
    assert remove(helm) == Outcome(False, "absent", None)
    deploy(helm, chart)
    assert remove(helm) == Outcome(True, "absent", None)
    argv = helm.calls[-1]["argv"]
    assert argv[:2] == ["uninstall", "web"]
    assert argv[argv.index("--cascade") + 1] == "foreground"


def test_no_secret_on_the_command_line_in_logs_or_files(
    helm: StatedHelm,
    chart: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HELM_KUBETOKEN", "token-of-the-environment")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    deploy(helm, chart)
    for call in helm.calls:
        assert "hunter2hunter2" not in str(call["argv"])
        assert call["environment"]["KUBECONFIG"] == "/nowhere/kubeconfig"
        assert not [key for key in call["environment"] if key.startswith("HELM_")]
    assert "hunter2hunter2" in helm.calls[1]["stdin"]
    assert "hunter2hunter2" not in caplog.text
    assert "upgrade" not in caplog.text
    assert not list((tmp_path / "tmp").iterdir())


def test_names_are_never_a_shell_line(helm: StatedHelm, chart: Path, tmp_path: Path) -> None:
    command = HelmCommand(str(helm.path), "", 30)
    release = Release(command, f"web; touch {tmp_path}/owned", "$(id)", 30)
    asyncio.run(release.deploy(Chart.read(str(chart)), {}, create_namespace=False, wait=False, check=False))
    assert helm.calls[0]["argv"][1] == f"web; touch {tmp_path}/owned"
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("validate", [True, False])
def test_the_look_at_the_openapi_document_can_be_left_out(
    helm: StatedHelm, chart: Path, validate: bool
) -> None:
    command = HelmCommand(str(helm.path), "", 30, validate=validate)
    release = Release(command, "web", "shop", 30)
    asyncio.run(
        release.deploy(Chart.read(str(chart)), VALUES, create_namespace=False, wait=False, check=False)
    )
    status, upgrade = (call["argv"] for call in helm.calls)
    assert ("--disable-openapi-validation" in upgrade) is not validate
    assert "--disable-openapi-validation" not in status


def test_failure_reads_well_and_hides_secrets(helm: StatedHelm, chart: Path) -> None:
    helm.fail(
        'level=WARN msg="x"\nError: UPGRADE FAILED: bad value hunter2hunter2, aHVudGVyMmh1bnRlcjI= there\n'
    )
    with pytest.raises(HelmError) as failure:
        deploy(helm, chart)
    assert str(failure.value) == "bad value ***, *** there"


def test_missing_chart_and_missing_helm_say_what_to_do(helm: StatedHelm, tmp_path: Path) -> None:
    with pytest.raises(HelmError, match=r"there is no chart in .*Chart\.yaml"):
        Chart.read(str(tmp_path / "nothing"))
    with pytest.raises(HelmError, match="set croft_helm to the helm binary's path"):
        asyncio.run(Release(HelmCommand("/no/helm", "", 30), "a", "b", 30).read())


def test_what_changes_is_told_before_it_is_done(helm: StatedHelm, chart: Path) -> None:
    told: list[Any] = []
    command = HelmCommand(str(helm.path), "/nowhere/kubeconfig", 30)
    release = Release(command, "web", "shop", 30)

    def run(check: bool) -> Outcome:
        return asyncio.run(
            release.deploy(
                Chart.read(str(chart)),
                {"a": 1},
                create_namespace=False,
                wait=False,
                check=check,
                tell=told.append,
            )
        )

    planned = run(check=True)
    assert (planned.changed, planned.revision) == (True, None)
    assert [(item["action"], item["kind"]) for item in told[0]] == [("created", "One")]
    assert helm.verbs == ["status", "upgrade"]
    assert "--dry-run=server" in helm.calls[-1]["argv"]
    assert run(check=False).changed
    assert len(told) == 2
    assert run(check=True).objects == []
    helm.set_status("pending-upgrade")
    assert run(check=True).objects
    assert helm.verbs[-1] == "template", "Helm would not upgrade a pending release, even for show"
