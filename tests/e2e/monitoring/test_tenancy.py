"""A member of one project tries everything to read another's metrics, through the portal and past it."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.e2e.monitoring.conftest import BUSY
from tests.e2e.monitoring.conftest import CURIOUS as MINE
from tests.portal import Portal

pytestmark = pytest.mark.e2e
Json = dict[str, Any]
READ = f"/api/v1/projects/{MINE}/prometheus/api/v1"
OTHERS = f"/api/v1/projects/{BUSY}"
VICTIM = f'container_memory_working_set_bytes{{namespace="{BUSY}"}}'


def ask(member: Portal, method: str, path: str, **more: Any) -> httpx.Response:
    """Send a request; once more when the query took longer than 2 s, after which the portal gives it up."""
    answer = member.request(method, path, **more)
    return member.request(method, path, **more) if answer.status_code == 503 else answer


def series(answer: httpx.Response) -> list[Any]:
    """What an answer gives away: its series, names or values; an error gives nothing."""
    if answer.status_code != 200:
        assert 400 <= answer.status_code < 500, f"{answer.status_code}: {answer.text[:500]}"
        return []
    data = answer.json()["data"]
    found: list[Any] = data["result"] if isinstance(data, dict) and "result" in data else data
    return found


def test_the_members_own_series_are_there(member: Portal) -> None:
    told = ask(member, "GET", f"{READ}/query?query=container_memory_working_set_bytes")
    assert {item["metric"]["namespace"] for item in series(told)} == {MINE}
    everything = member.request("GET", f"{READ}/query", params={"query": '{__name__=~".+"}'})
    assert {item["metric"].get("namespace") for item in series(everything)} == {MINE}
    assert series(ask(member, "GET", f"{READ}/label/namespace/values")) == [MINE]


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
    now = float(series(ask(member, "GET", f"{READ}/query?query=vector(time())"))[0]["value"][1])
    span = {"start": str(now - 300), "end": str(now), "step": "15"}
    for method in ("GET", "POST"):
        part = "params" if method == "GET" else "data"
        for path, more in (("query", {"time": str(now)}), ("query_range", span)):
            answer = ask(member, method, f"{READ}/{path}", **{part: {"query": expression, **more}})
            found = [item for item in series(answer) if item["metric"].get("namespace") != MINE]
            assert found == [], f"{method} {path}"


def test_no_list_names_anothers_series(member: Portal) -> None:
    matchers = [f'{{namespace="{BUSY}"}}', VICTIM, '{__name__=~".+"}', f'{{namespace!="{MINE}"}}']
    for match in matchers:
        listed = series(ask(member, "GET", f"{READ}/series", params={"match[]": match}))
        assert [item for item in listed if item.get("namespace") != MINE] == [], match
        for label in ("namespace", "pod", "workload"):
            values = series(ask(member, "GET", f"{READ}/label/{label}/values", params={"match[]": match}))
            assert not [value for value in values if BUSY in value or value in ("web", "disk")], match
        several = [("match[]", f'{{namespace="{MINE}"}}'), ("match[]", match)]
        listed = series(ask(member, "GET", f"{READ}/series", params=several))
        assert [item for item in listed if item.get("namespace") != MINE] == [], match
    named = series(ask(member, "GET", f"{READ}/labels", params={"match[]": f'{{namespace="{BUSY}"}}'}))
    assert named == []
    # What is asked for counts as well: not all that the member may see.
    one = "container_memory_working_set_bytes"
    listed = series(ask(member, "GET", f"{READ}/series", params={"match[]": one}))
    assert {item["__name__"] for item in listed} == {one}
    exemplars = {"query": VICTIM, "start": "0", "end": "9999999999"}
    assert series(ask(member, "GET", f"{READ}/query_exemplars", params=exemplars)) == []


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


# The member's own series at most.
HARMLESS = [
    f"{READ}/query?query={quote(VICTIM)}&namespace={BUSY}",
    f"{READ}/query?namespace={BUSY}&query=container_memory_working_set_bytes",
    f"{READ}/query?query=up&query={quote(VICTIM)}",
    f"{READ}/query/../../v1/query?query={quote(VICTIM)}",
    f"{READ}/query;namespace={BUSY}?query={quote(VICTIM)}",
]
REFUSED = [
    f"{READ}/../../../../{BUSY}/prometheus/api/v1/query?query=up",
    f"{READ}/%2e%2e/%2e%2e/%2e%2e/%2e%2e/{BUSY}/prometheus/api/v1/query?query=up",
    *(f"{READ}/{path}" for path in ("status/config", "status/tsdb", "targets", "rules", "alerts", "read")),
    f"{READ}/metadata/../targets",
    f"{READ}/label/..%2Ftargets/values",
    f"{READ}/label/..%2F..%2Fstatus%2Fconfig%3F/values",
    f"/api/v1/projects/{MINE}/prometheus/federate?match[]={quote(VICTIM)}",
    f"{OTHERS}/prometheus/api/v1/query?query=up",
    f"{OTHERS}/prometheus/api/v1/series?match[]=up",
    f"{OTHERS}/prometheus/api/v1/label/pod/values",
    f"{OTHERS}/alerts",
    "/api/v1/monitoring/prometheus/api/v1/query?query=up",
    "/api/v1/alerts",
    "/internal/alerts",
]


def raw(member: Portal, path: str) -> tuple[int, bytes]:
    """Ask for a path as it stands; ordinary clients tidy it up first."""
    address = urlsplit(str(member.http.base_url))
    connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
    headers = {name: member.http.headers[name] for name in ("Host", "Authorization")}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


@pytest.mark.parametrize("path", HARMLESS)
def test_no_parameter_leads_to_anothers_series(member: Portal, path: str) -> None:
    status, body = raw(member, path)
    found = json.loads(body)["data"]["result"] if status == 200 else []
    assert status == 200 or 400 <= status < 500
    assert [item for item in found if item["metric"].get("namespace") != MINE] == []


@pytest.mark.parametrize("path", REFUSED)
def test_no_path_leads_to_anothers_series(member: Portal, path: str) -> None:
    status, body = raw(member, path)
    assert 400 <= status < 500, body[:500]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_verbs_are_refused(member: Portal, method: str) -> None:
    for path in ("query", "series", "admin/tsdb/delete_series"):
        answer = ask(member, method, f"{READ}/{path}", params={"match[]": VICTIM, "query": VICTIM})
        assert answer.status_code in (404, 405), answer.text
