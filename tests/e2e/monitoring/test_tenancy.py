"""A member of one project tries everything to read another's metrics, through the portal and past it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.e2e.monitoring.conftest import BUSY
from tests.e2e.monitoring.prometheus import Prometheus, eventually
from tests.e2e.portal.live import create, project_of
from tests.portal import Portal
from tests.samples import small_application

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
MINE = "mon-curious"
MEMBER, PASSWORD = "mon-mallory", "a long enough passphrase 4711"
READ = f"/api/v1/projects/{MINE}/prometheus/api/v1"
OTHERS = f"/api/v1/projects/{BUSY}"
SECRET = f'up{{namespace="{BUSY}"}}'
VICTIM = f'container_memory_working_set_bytes{{namespace="{BUSY}"}}'


@pytest.fixture(scope="module")
def member(
    portal: Portal, portal_url: str, busy: str, prometheus: Prometheus, agnhost: str
) -> Iterator[Portal]:
    """Someone who owns a project of their own, and knows the other one's name; both have series."""
    portal.call("POST", "/api/v1/users", {"name": MEMBER, "password": PASSWORD, "isAdmin": False})
    with project_of(portal, MINE) as name:
        create(portal, name, "spy", small_application(agnhost, runAsUser=1000))
        added = portal.submit("PUT", f"/api/v1/projects/{name}/members/{MEMBER}", {"role": "owner"})
        assert added.job["state"] == "succeeded", added.text()
        client = Portal(portal_url)
        client.sign_in(MEMBER, PASSWORD)
        for namespace in (name, busy):
            expression = f'container_memory_working_set_bytes{{namespace="{namespace}"}}'
            eventually(lambda: prometheus.query(expression), 60, f"no series of {namespace}")  # noqa: B023
        yield client
    portal.call("DELETE", f"/api/v1/users/{MEMBER}")


def series(answer: httpx.Response) -> list[Any]:
    """What an answer gives away: its series, names or values; an error gives nothing."""
    if answer.status_code != 200:
        assert 400 <= answer.status_code < 500, f"{answer.status_code}: {answer.text[:500]}"
        return []
    data = answer.json()["data"]
    found: list[Any] = data["result"] if isinstance(data, dict) and "result" in data else data
    return found


def test_the_members_own_series_are_there(member: Portal) -> None:
    told = member.request("GET", f"{READ}/query?query=container_memory_working_set_bytes")
    assert {item["metric"]["namespace"] for item in series(told)} == {MINE}
    everything = member.request("GET", f"{READ}/query", params={"query": '{__name__=~".+"}'})
    assert {item["metric"].get("namespace") for item in series(everything)} == {MINE}
    assert series(member.request("GET", f"{READ}/label/namespace/values")) == [MINE]


CRAFTED = [
    VICTIM,
    f'{{namespace="{BUSY}"}}',
    f'{{namespace=~"{BUSY}|{MINE}",namespace!="{MINE}"}}',
    '{namespace=~".+",namespace!="' + MINE + '"}',
    f'container_memory_working_set_bytes{{namespace!="{MINE}"}}',
    f'absent(container_memory_working_set_bytes{{namespace="{MINE}"}}) or {VICTIM}',
    f"{VICTIM} or {VICTIM}",
    f"sum by (namespace) ({VICTIM}) * on () group_left () vector(1)",
    f'label_replace({VICTIM}, "namespace", "{MINE}", "", "")',
    f"max_over_time({VICTIM}[5m:15s])",
    f"{VICTIM} @ end()",
    f"{VICTIM} offset 15s",
    f'rate(container_cpu_usage_seconds_total{{namespace="{BUSY}"}}[1m] @ start())',
    f'{{__name__="container_memory_working_set_bytes","namespace"="{BUSY}"}}',
    f'{{"container_memory_working_set_bytes",namespace="{BUSY}"}}',
    "node_uname_info",
    "machine_memory_bytes",
    "croft_jobs",
    'ALERTS{namespace="' + BUSY + '"}',
]


@pytest.mark.parametrize("expression", CRAFTED)
def test_no_expression_reads_anothers_series(member: Portal, expression: str) -> None:
    span = {"start": "-1", "end": "0", "step": "15"}
    now = float(series(member.request("GET", f"{READ}/query?query=vector(time())"))[0]["value"][1])
    span = {"start": str(now - 300), "end": str(now), "step": "15"}
    for method in ("GET", "POST"):
        part = "params" if method == "GET" else "data"
        for path, more in (("query", {"time": str(now)}), ("query_range", span)):
            answer = member.request(method, f"{READ}/{path}", **{part: {"query": expression, **more}})
            found = [item for item in series(answer) if item["metric"].get("namespace") != MINE]
            assert found == [], f"{method} {path}"


def test_no_list_names_anothers_series(member: Portal) -> None:
    matchers = [f'{{namespace="{BUSY}"}}', VICTIM, '{__name__=~".+"}', f'{{namespace!="{MINE}"}}']
    for match in matchers:
        listed = series(member.request("GET", f"{READ}/series", params={"match[]": match}))
        assert [item for item in listed if item.get("namespace") != MINE] == [], match
        for label in ("namespace", "pod", "workload"):
            values = series(member.request("GET", f"{READ}/label/{label}/values", params={"match[]": match}))
            assert not [value for value in values if BUSY in value or value in ("web", "disk")], match
        several = [("match[]", f'{{namespace="{MINE}"}}'), ("match[]", match)]
        listed = series(member.request("GET", f"{READ}/series", params=several))
        assert [item for item in listed if item.get("namespace") != MINE] == [], match
    named = series(member.request("GET", f"{READ}/labels", params={"match[]": f'{{namespace="{BUSY}"}}'}))
    assert named == []
    exemplars = {"query": VICTIM, "start": "0", "end": "9999999999"}
    assert series(member.request("GET", f"{READ}/query_exemplars", params=exemplars)) == []


@pytest.mark.parametrize(
    "name", ["X-Croft-Namespace", "x-croft-namespace", "X_Croft_Namespace", "Connection"]
)
def test_no_header_changes_whose_series_are_read(member: Portal, name: str) -> None:
    values = [BUSY, f"{BUSY},{MINE}"] if name != "Connection" else ["X-Croft-Namespace, keep-alive"]
    for value in values:
        headers = [(name, value), ("X-Croft-Namespace", value), ("X-Forwarded-Host", "label-proxy")]
        answer = member.http.get(
            f"{READ}/query?query=container_memory_working_set_bytes",
            headers=[*headers, *member.http.headers.items()],
        )
        assert {item["metric"]["namespace"] for item in series(answer)} <= {MINE}


@pytest.mark.parametrize(
    "path",
    [
        f"{READ}/query?query={quote(VICTIM)}&namespace={BUSY}",
        f"{READ}/query?namespace={BUSY}&query=up",
        f"{READ}/../../../../{BUSY}/prometheus/api/v1/query?query=up",
        f"{READ}/%2e%2e/%2e%2e/{BUSY}/prometheus/api/v1/query?query=up",
        f"{READ}/query/../../v1/query?query={quote(VICTIM)}",
        f"{READ}/status/config",
        f"{READ}/status/tsdb",
        f"{READ}/targets",
        f"{READ}/rules",
        f"{READ}/alerts",
        f"{READ}/metadata/../targets",
        f"{READ}/label/..%2Ftargets/values",
        f"/api/v1/projects/{MINE}/prometheus/federate?match[]={quote(VICTIM)}",
        f"/api/v1/projects/{MINE}/prometheus/api/v1/read",
        f"{OTHERS}/prometheus/api/v1/query?query=up",
        f"{OTHERS}/prometheus/api/v1/series?match[]=up",
        f"{OTHERS}/monitoring/dashboards",
        f"{OTHERS}/monitoring/dashboards/croft-project",
        f"{OTHERS}/alerts",
        "/api/v1/monitoring/prometheus/api/v1/query?query=up",
        "/api/v1/monitoring/dashboards",
        "/api/v1/monitoring/dashboards/croft-cluster",
        "/api/v1/alerts",
    ],
)
def test_no_path_leads_to_anothers_series(member: Portal, path: str) -> None:
    answer = member.http.request("GET", httpx.URL(member.http.base_url).join(path))
    assert [
        item
        for item in (answer.json().get("data", {}).get("result", []) if answer.status_code == 200 else [])
        if item["metric"].get("namespace") != MINE
    ] == []
    assert BUSY not in answer.text.replace(path, "") or answer.status_code >= 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_verbs_are_refused(member: Portal, method: str) -> None:
    for path in ("query", "series", "admin/tsdb/delete_series"):
        answer = member.request(method, f"{READ}/{path}", params={"match[]": VICTIM, "query": VICTIM})
        assert answer.status_code in (404, 405), answer.text
