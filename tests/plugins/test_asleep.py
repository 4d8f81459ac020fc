"""Applications that sleep: what Helm's own records tell, and which releases have to be made anew."""

import base64
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugins.module_utils import asleep
from plugins.module_utils.helm import HelmError
from tests.plugins.conftest import StatedCluster

Json = dict[str, Any]
SECRETS = "/api/v1/namespaces/shop/secrets"
CHART: Json = {
    "metadata": {"name": "application", "version": "1.0.0", "apiVersion": "v2"},
    "values": {"asleep": False, "replicas": 1},
    "schema": base64.b64encode(b'{"type": "object"}').decode(),
    "templates": [
        {"name": "templates/a.yaml", "data": base64.b64encode(b"kind: {{ .Release.Name }}").decode()}
    ],
    "files": None,
}


def record(name: str, revision: int = 1, **more: Any) -> Json:
    """Return Helm's Secret of a release."""
    info = {
        "status": more.pop("status", "deployed"),
        "description": "croft: chart application-1.0.0 sha256:0123456789abcdef",
        "last_deployed": more.pop("deployed", "2020-01-01T00:00:00.123456789Z"),
    }
    release = {"name": name, "version": revision, "info": info, "chart": CHART, "config": {}, **more}
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode()))
    return {
        "metadata": {"name": f"sh.helm.release.v1.{name}.v{revision}", "labels": {"name": name}},
        "data": {"release": base64.b64encode(packed).decode()},
    }


def now() -> str:
    """The present, as Go writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "123Z")


def test_latest_revisions_are_found_and_those_on_their_way_out_left() -> None:
    cluster = StatedCluster(
        {
            SECRETS: [
                record("web", 3, config={"replicas": 2, "asleep": True}),
                record("web", 2, config={"replicas": 9}),
                record("mail"),
                record("old", status="uninstalling"),
            ]
        }
    )
    found = {stored.name: stored for stored in asleep.releases_of(cluster, "shop")}
    assert list(found) == ["mail", "web"]
    assert (found["web"].revision, found["web"].asleep, found["mail"].asleep) == (3, True, False)
    assert found["web"].values(asleep=False) == {"replicas": 2}
    assert found["mail"].values(asleep=True) == {"asleep": True}


@pytest.mark.parametrize(
    ("wanted", "sleeps", "status", "slept_before", "turn"),
    [
        (True, False, "deployed", False, True),
        (True, True, "deployed", False, False),
        # A killed Helm left it half-way.
        (True, True, "pending-upgrade", False, True),
        (False, True, "deployed", False, True),
        (False, False, "deployed", True, False),
        (False, False, "pending-upgrade", True, True),
        # Broken by something else: that is not for a project's change to cure.
        (False, False, "pending-upgrade", False, False),
    ],
)
def test_what_is_made_anew(wanted: bool, sleeps: bool, status: str, slept_before: bool, turn: bool) -> None:
    before = record("web", 1, config={"asleep": slept_before})
    latest = record("web", 2, config={"asleep": sleeps}, status=status)
    cluster = StatedCluster({SECRETS: [latest], f"{SECRETS}/sh.helm.release.v1.web.v1": before})
    (stored,) = asleep.releases_of(cluster, "shop")
    assert asleep.has_to_turn(cluster, "shop", stored, wanted) is turn


@pytest.mark.parametrize(
    ("deployed", "slept_before", "lately"),
    [(now(), True, True), (now(), False, False), ("2020-01-01T00:00:00.123456789Z", True, False)],
    ids=["just now, out of sleep", "just now, awake before", "long ago"],
)
def test_what_woke_a_moment_ago_is_waited_for_again(deployed: str, slept_before: bool, lately: bool) -> None:
    before = record("web", 1, config={"asleep": slept_before})
    cluster = StatedCluster(
        {SECRETS: [record("web", 2, deployed=deployed)], f"{SECRETS}/sh.helm.release.v1.web.v1": before}
    )
    (stored,) = asleep.releases_of(cluster, "shop")
    assert asleep.woken_lately(cluster, "shop", stored) is lately


def test_the_releases_own_chart_is_used_with_the_mark_that_it_had(tmp_path: Path) -> None:
    (stored,) = asleep.releases_of(StatedCluster({SECRETS: [record("web")]}), "shop")
    with asleep.chart_of(stored, tmp_path) as chart:
        assert chart is not None
        assert chart.mark == stored.description
        assert (chart.path / "templates/a.yaml").read_text() == "kind: {{ .Release.Name }}"
        assert json.loads((chart.path / "values.yaml").read_text()) == CHART["values"]
        assert (chart.path / "values.schema.json").read_text() == '{"type": "object"}'
    assert not chart.path.exists()


@pytest.mark.parametrize(
    "change", [{"values": {}}, {"metadata": {**CHART["metadata"], "dependencies": [{}]}}]
)
def test_a_chart_that_cannot_be_had_from_the_release_is_taken_from_the_folder(
    tmp_path: Path, change: Json
) -> None:
    (stored,) = asleep.releases_of(
        StatedCluster({SECRETS: [record("web", chart={**CHART, **change})]}), "shop"
    )
    with asleep.chart_of(stored, tmp_path) as chart:
        assert chart is None
    folder = tmp_path / "catalog" / "application"
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text("name: application\nversion: 2.0.0\n")
    (folder / "values.yaml").write_text("asleep: false\n")
    with asleep.chart_of(stored, tmp_path) as chart:
        assert chart is not None
        assert chart.version == "2.0.0"


def test_a_chart_does_not_write_outside_of_its_folder(tmp_path: Path) -> None:
    templates = [{"name": "../../evil", "data": ""}]
    (stored,) = asleep.releases_of(
        StatedCluster({SECRETS: [record("web", chart={**CHART, "templates": templates})]}), "shop"
    )
    with pytest.raises(HelmError, match="outside of its folder"), asleep.chart_of(stored, tmp_path):
        pass


def test_a_record_that_cannot_be_read_is_named_without_its_content() -> None:
    broken = {**record("web"), "data": {"release": base64.b64encode(b"s3cret").decode()}}
    with pytest.raises(HelmError, match="release 'web' cannot be read") as caught:
        asleep.releases_of(StatedCluster({SECRETS: [broken]}), "shop")
    assert "s3cret" not in str(caught.value)


def test_pods_that_stay_are_named() -> None:
    pods = [
        {"metadata": {"name": "web-1"}, "status": {"phase": "Running"}},
        {"metadata": {"name": "done"}, "status": {"phase": "Succeeded"}},
    ]
    cluster = StatedCluster({"/api/v1/namespaces/shop/pods": pods})
    told: list[str] = []
    with pytest.raises(asleep.NotAsleep, match=r"still there is web-1\. Stop what made it"):
        asleep.wait_until_asleep(cluster, "shop", 0, told.append)
    assert told == ["1 pod still ends"]
    cluster.objects["/api/v1/namespaces/shop/pods"] = pods[1:]
    asleep.wait_until_asleep(cluster, "shop", 0, told.append)


def test_a_release_without_a_deployment_of_its_name_is_not_waited_for() -> None:
    asleep.wait_until_awake(StatedCluster({}), "shop", ["chart"], 0, print)
