"""A member of one project tries to learn anything of another one, by every way that there is."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.webapp.monitoring.conftest import Asker
from tests.webapp.monitoring.measurements import SECRET

BASE = "/projects/shop/prometheus/api/v1"
# Of lab: its name as a value, names that only it has, and a value that only it has.
TRACES = ('"lab"', SECRET, "424242")
ORDERS = f"{SECRET}_orders_total"
QUERIES = (
    ORDERS,
    f'{ORDERS}{{namespace="lab"}}',
    '{namespace="lab"}',
    '{namespace=~".+"}',
    '{namespace=~"lab|shop"}',
    '{namespace!="shop"}',
    '{namespace!~"shop"}',
    '{namespace=""}',
    '{"namespace"="lab"}',
    f'{{"{ORDERS}"}}',
    '{__name__=~".*orders.*"}',
    '{__name__=~".+", namespace="lab"}',
    f"shop_orders_total or {ORDERS}",
    f"{ORDERS} unless shop_orders_total",
    f"shop_orders_total + on() group_left(customer) {ORDERS}",
    f'shop_orders_total * on() group_left() ({ORDERS}{{namespace="lab"}} * 0 + 1)',
    f'label_replace({ORDERS}, "namespace", "shop", "", "")',
    f'label_replace({ORDERS}{{namespace="lab"}}, "namespace", "shop", "namespace", ".*")',
    f'label_join({ORDERS}, "x", "-", "namespace", "customer")',
    f"count({ORDERS})",
    f"sum({ORDERS}) or vector(0)",
    'count by (namespace) ({__name__=~".+"})',
    'group by (customer, namespace) ({__name__=~".*_orders_total"})',
    f"max_over_time({ORDERS}[1h:1m])",
    f"{ORDERS} offset 10m",
    f"{ORDERS} @ end()",
    f"last_over_time({ORDERS}[2h] @ start())",
    'topk(5, {namespace=~".+", __name__=~".*orders.*"})',
    f"quantile_over_time(0.5, {ORDERS}[1h])",
    f"scalar({ORDERS})",
    'info({__name__=~".*orders.*"})',
    'ALERTS{namespace="lab"}',
    "ALERTS",
    "node_memory_MemTotal_bytes",
    "up",
)
SELECTORS = (
    ORDERS,
    '{namespace="lab"}',
    '{namespace=~".+"}',
    '{namespace=~".*",__name__=~".+"}',
    '{namespace!="shop"}',
    f'{{__name__=~"{SECRET}.*"}}',
    '{workload=~".+"}',
)


@pytest.fixture(params=["ada", "linus"])
def member(request: pytest.FixtureRequest, ask_as: Callable[[str], Asker]) -> Asker:
    """The owner and a viewer of shop."""
    return ask_as(request.param)


def check(answer: Any, *, query: str = "") -> None:
    """Fail if there is anything of lab in an answer to `query`."""
    text = answer.get_data(as_text=True)
    assert answer.status_code in (200, 422), f"{query}: {text}"
    if answer.status_code != 200:
        # What is refused says the query again, and nothing else.
        assert answer.content_type == "application/problem+json", text
        assert "424242" not in text
        return
    for trace in TRACES:
        assert trace not in text, f"{query}: {text[:600]}"


def absent_is_all(answer: Any) -> None:
    """Fail unless lab's series are as good as none."""
    assert answer.status_code == 200, answer.text
    assert len(answer.json["data"]["result"]) == 1


def test_there_is_something_to_find(ask_as: Callable[[str], Asker], monitored: Any) -> None:
    grace = ask_as("grace").get(
        "/projects/lab/prometheus/api/v1/query", ("query", ORDERS), ("time", str(monitored.until))
    )
    assert grace.json["data"]["result"][0]["value"][1] == "424242"
    everything = ask_as("root").get(
        "/monitoring/prometheus/api/v1/query", ("query", ORDERS), ("time", str(monitored.until))
    )
    assert everything.json["data"]["result"][0]["metric"]["namespace"] == "lab"


@pytest.mark.parametrize("query", QUERIES)
def test_queries(member: Asker, monitored: Any, query: str) -> None:
    until = monitored.until
    check(member.get(f"{BASE}/query", ("query", query), ("time", str(until))), query=query)
    times = (("start", str(until - 3600)), ("end", str(until)), ("step", "60"))
    check(member.get(f"{BASE}/query_range", ("query", query), *times), query=query)
    check(member.get(f"{BASE}/query_exemplars", ("query", query), *times[:2]), query=query)


def test_own_series_are_there(member: Asker, monitored: Any) -> None:
    moment = ("time", str(monitored.until))
    own = member.get(f"{BASE}/query", ("query", "shop_orders_total"), moment).json["data"]["result"]
    assert [one["metric"]["namespace"] for one in own] == ["shop"]
    named = member.get(f"{BASE}/query", ("query", 'shop_orders_total{namespace="shop"}'), moment)
    assert named.json["data"]["result"] == own
    everything = member.get(f"{BASE}/query", ("query", 'count by (namespace) ({__name__=~".+"})'), moment)
    assert [one["metric"] for one in everything.json["data"]["result"]] == [{"namespace": "shop"}]


@pytest.mark.parametrize("query", [f"absent({ORDERS})", f'absent({{customer="{SECRET}-inc"}})'])
def test_what_is_absent_is_absent_whether_or_not_others_have_it(
    member: Asker, monitored: Any, query: str
) -> None:
    moment = ("time", str(monitored.until))
    absent_is_all(member.get(f"{BASE}/query", ("query", query), moment))
    absent_is_all(member.get(f"{BASE}/query", ("query", query.replace(SECRET, "nobody")), moment))


@pytest.mark.parametrize("selector", SELECTORS)
def test_series_and_labels(member: Asker, monitored: Any, selector: str) -> None:
    times = (("start", str(monitored.until - 7200)), ("end", str(monitored.until)))
    for path in (
        "series",
        "labels",
        "label/workload/values",
        "label/namespace/values",
        "label/customer/values",
    ):
        check(member.get(f"{BASE}/{path}", ("match[]", selector), *times), query=selector)
        twice = (("match[]", "shop_orders_total"), ("match[]", selector))
        check(member.get(f"{BASE}/{path}", *twice, *times), query=selector)


def test_a_selector_selects_among_the_own_series(member: Asker, monitored: Any) -> None:
    times = (("start", str(monitored.until - 7200)), ("end", str(monitored.until)))
    one = ("match[]", "shop_orders_total")
    found = member.get(f"{BASE}/series", one, *times).json["data"]
    assert {item["__name__"] for item in found} == {"shop_orders_total"}
    names = member.get(f"{BASE}/labels", one, *times).json["data"]
    assert set(names) == {name for item in found for name in item}
    nothing = ("match[]", '{namespace="lab"}')
    assert member.get(f"{BASE}/labels", nothing, *times).json["data"] == []


def test_labels_without_a_selector(member: Asker, monitored: Any) -> None:
    times = (("start", str(monitored.until - 7200)), ("end", str(monitored.until)))
    names = member.get(f"{BASE}/label/__name__/values", *times)
    assert names.status_code == 200
    assert "shop_orders_total" in names.json["data"]
    check(names)
    check(member.get(f"{BASE}/labels", *times))
    assert member.get(f"{BASE}/label/namespace/values", *times).json["data"] == ["shop"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Croft_Namespace": "lab"},
        {"x_croft_namespace": "lab"},
        {"X_Croft_Namespace": "shop,lab"},
        {"X_Prom_Label_Proxy_Namespace": "lab"},
        {"Connection": "X-Croft-Namespace"},
        {"X_Forwarded_Host": "lab", "X_HTTP_Method_Override": "POST", "X_Original_URL": "/api/v1/query"},
    ],
)
def test_headers_are_not_passed_on(member: Asker, monitored: Any, headers: dict[str, str]) -> None:
    pairs = (("query", 'count by (namespace) ({__name__=~".+"})'), ("time", str(monitored.until)))
    answer = member.get(f"{BASE}/query", *pairs, **headers)
    assert [one["metric"] for one in answer.json["data"]["result"]] == [{"namespace": "shop"}]


@pytest.mark.parametrize(
    "pair",
    [
        ("namespace", "lab"),
        ("label", "namespace"),
        ("X-Croft-Namespace", "lab"),
        ("match[]", '{namespace="lab"}'),
        ("dedup", "false"),
        ("stats", "all"),
        ("lookback_delta", "5m"),
        ("query", ORDERS),
        ("time", "0"),
    ],
)
def test_other_and_doubled_parameters_are_refused(member: Asker, pair: tuple[str, str]) -> None:
    answer = member.get(f"{BASE}/query", ("query", "shop_orders_total"), ("time", "1"), pair)
    assert answer.status_code == 422, answer.text
    assert answer.json["type"] == "/problems/validation-failed"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["query", "query_range", "series", "labels", "label/pod/values"])
def test_other_verbs_are_refused(member: Asker, method: str, path: str) -> None:
    answer = member.get(f"{BASE}/{path}", ("query", ORDERS), method=method)
    assert answer.status_code == 405
    assert answer.json["type"] == "/problems/method-not-allowed"


@pytest.mark.parametrize(
    "path",
    [
        f"{BASE}/admin/tsdb/delete_series",
        f"{BASE}/admin/tsdb/snapshot",
        f"{BASE}/status/config",
        f"{BASE}/status/tsdb",
        f"{BASE}/targets",
        f"{BASE}/rules",
        f"{BASE}/alerts",
        f"{BASE}/metadata",
        f"{BASE}/read",
        f"{BASE}/write",
        f"{BASE}/../../../federate",
        f"{BASE}/..%2f..%2ffederate",
        f"{BASE}/label/..%2f..%2fquery/values",
        f"{BASE}/label/..%252f..%252fquery/values",
        f"{BASE}/label/namespace%2fvalues%3fmatch[]=x/values",
        "/projects/shop/prometheus/federate",
        "/projects/shop/prometheus/-/quit",
        "/projects/lab/prometheus/api/v1/query",
        "/projects/shop%2f..%2flab/prometheus/api/v1/query",
        "/projects/SHOP/prometheus/api/v1/query",
        "/monitoring/prometheus/api/v1/query",
    ],
)
def test_other_paths_lead_nowhere(member: Asker, path: str) -> None:
    answer = member.get(path, ("query", "up"))
    assert answer.status_code in (403, 404, 422), answer.text
    assert answer.content_type == "application/problem+json"


def test_panels_of_another_project(member: Asker) -> None:
    for path in ("", "/croft-application", "/croft-application/panels/326186"):
        hidden = member.get(f"/projects/lab/monitoring/dashboards{path}")
        missing = member.get(f"/projects/nope/monitoring/dashboards{path}")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json["detail"].replace("lab", "nope") == missing.json["detail"]
    for path in ("", "/croft-cluster", "/croft-cluster/panels/1"):
        assert member.get(f"/monitoring/dashboards{path}").status_code == 403
    assert member.get("/projects/shop/monitoring/dashboards/croft-cluster").status_code == 404


@pytest.mark.parametrize(
    "choice",
    [
        "namespace:lab",
        "namespace:$__all",
        'application:web", namespace="lab',
        'application:"} or topsecret_orders_total{x="',
        "application:.*|topsecret",
        "application:web\\",
        "application:$namespace",
        "pod:x",
        "application:a b",
        "application:" + "a" * 300,
    ],
)
def test_variables_are_no_way_out(member: Asker, choice: str) -> None:
    path = "/projects/shop/monitoring/dashboards/croft-application"
    for panel in member.get(path).json["sections"][0]["panels"][:3]:
        answer = member.get(f"{path}/panels/{panel['id']}", ("var", choice))
        assert answer.status_code == 422, answer.text
        assert answer.json["type"] == "/problems/validation-failed"


def test_no_panel_of_a_project_shows_another(member: Asker, monitored: Any) -> None:
    base = "/projects/shop/monitoring/dashboards"
    times = (("from", str(monitored.until - 3600)), ("to", str(monitored.until)))
    for dashboard in member.get(base).json["items"]:
        detail = member.get(f"{base}/{dashboard['uid']}").json
        for panel in (panel for section in detail["sections"] for panel in section["panels"]):
            # Also with the name of the other's application, which is nothing here.
            for choices in ((), (("var", f"application:{SECRET}"),)):
                known = {variable["name"] for variable in detail["variables"]}
                if choices and "application" not in known:
                    continue
                answer = member.get(f"{base}/{dashboard['uid']}/panels/{panel['id']}", *times, *choices)
                assert answer.status_code == 200, answer.text
                assert SECRET not in answer.text
                assert '"lab"' not in answer.text
