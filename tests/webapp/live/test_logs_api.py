"""Logs as JSON and as text: merged by time, chosen, searched, and bounded."""

from datetime import timedelta

import pytest

from tests.webapp.cluster import StatedCluster
from tests.webapp.conftest import Api
from tests.webapp.live.conftest import LOGS, set_pods, web_pod
from webapp.cluster.state import ClusterUnreachable
from webapp.db import utcnow
from webapp.live.logs import parse_since
from webapp.problems import Problem


def texts(answer: object) -> list[str]:
    """Return the lines of an answer as "pod text"."""
    return [f"{item['pod'][-5:]} {item['text']}" for item in answer.json["items"]]  # type: ignore[attr-defined]


def test_lines_of_all_pods_come_in_order_of_time(web: StatedCluster, api: Api) -> None:
    web.logs.write("web-a-11111", "one", "three", "five")
    web.logs.write("web-a-22222", "two", "four", start=0.5)
    answer = api("eve").send("GET", LOGS)
    assert answer.status_code == 200
    assert texts(answer) == ["11111 one", "22222 two", "11111 three", "22222 four", "11111 five"]
    first = answer.json["items"][0]
    assert first == {
        "kind": "line",
        "time": "2026-01-31T12:00:00.000000000Z",
        "pod": "web-a-11111",
        "container": "web",
        "text": "one",
    }
    assert answer.json["truncated"] is False
    assert answer.json["links"]["application"] == "/api/v1/projects/shop/applications/web"
    assert api("eve").send("GET", answer.json["links"]["download"]).status_code == 200


def test_the_newest_lines_are_shown(web: StatedCluster, api: Api) -> None:
    web.logs.write("web-a-11111", *(f"n{number}" for number in range(50)))
    answer = api("eve").send("GET", f"{LOGS}?limit=3")
    assert texts(answer) == ["11111 n47", "11111 n48", "11111 n49"]
    assert answer.json["truncated"] is True
    assert web.logs.queries[-1][1].tail == 4, "no more is read than is shown"
    assert texts(api("eve").send("GET", f"{LOGS}?tail=2")) == ["11111 n48", "11111 n49"]


def test_lines_are_chosen(web: StatedCluster, api: Api) -> None:
    both = ("web", "side")
    set_pods(web, web_pod("web-a-11111", containers=both), web_pod("web-a-22222", containers=both))
    web.logs.write("web-a-11111", "GET / 200", "get / 404", "GET /x? 500")
    web.logs.write("web-a-11111", "from the side", container="side")
    web.logs.write("web-a-22222", "GET / 201", start=10)
    client = api("eve")
    assert texts(client.send("GET", f"{LOGS}?pod=web-a-22222")) == ["22222 GET / 201"]
    assert texts(client.send("GET", f"{LOGS}?container=side")) == ["11111 from the side"]
    found = texts(client.send("GET", f"{LOGS}?search=GET /"))
    assert found == ["11111 GET / 200", "11111 GET /x? 500", "22222 GET / 201"]
    assert texts(client.send("GET", f"{LOGS}?search=/x?")) == ["11111 GET /x? 500"], (
        "no pattern: as it stands"
    )
    since = texts(client.send("GET", f"{LOGS}?since=2026-01-31T12:00:01.5Z"))
    assert since == ["11111 GET /x? 500", "22222 GET / 201"], "more exact than whole seconds"


def test_what_is_not_there_is_told(web: StatedCluster, api: Api) -> None:
    client = api("eve")
    answer = client.send("GET", f"{LOGS}?pod=gone")
    assert (answer.status_code, answer.json["type"]) == (404, "/problems/pod-not-found")
    answer = client.send("GET", f"{LOGS}?container=nope")
    assert answer.status_code == 404
    assert "it has: web" in answer.json["detail"]
    answer = client.send("GET", f"{LOGS}?since=yesterday")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "since")
    for wrong in ("limit=0", "tail=-1", "nonsense=1", "search=%00"):
        assert client.send("GET", f"{LOGS}?{wrong}").status_code in (400, 422), wrong
    waiting = 'container "web" in pod "web-a-11111" is waiting to start: trying and failing to pull image'
    web.logs.missing["web-a-11111", "web"] = waiting
    web.logs.write("web-a-22222", "here")
    items = client.send("GET", LOGS).json["items"]
    assert [(item["kind"], item["text"]) for item in items] == [
        ("note", "has not started yet: trying and failing to pull image"),
        ("line", "here"),
    ]
    web.down = True
    answer = client.send("GET", LOGS)
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/cluster-unreachable")


def test_the_log_before_a_restart(web: StatedCluster, api: Api) -> None:
    set_pods(web, web_pod("web-a-11111", restarts=2), web_pod("web-a-22222"))
    web.logs.write("web-a-11111", "crash", previous=True)
    web.logs.write("web-a-11111", "again", start=5)
    assert texts(api("eve").send("GET", f"{LOGS}?previous=true")) == ["11111 crash"]
    assert [pod for pod, _query in web.logs.queries] == ["web-a-11111"], "the other has none"


def test_the_download_is_text_and_is_read_as_it_is_sent(web: StatedCluster, api: Api) -> None:
    web.logs.write("web-a-11111", *("x" * 1000 for _ in range(200)))
    answer = api("eve").send("GET", f"{LOGS}/download", buffered=False)
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="shop-web.log"'
    pieces = answer.iter_encoded()
    first = next(pieces)
    assert 0 < len(first) < 50_000
    assert first.startswith(b"2026-01-31T12:00:00.000000000Z web-a-11111/web xxx")
    assert web.logs.open_now == 1
    answer.close()
    assert web.logs.open_now == 0, "who hangs up ends the reading"


def test_since_is_a_moment_or_how_long_ago() -> None:
    assert parse_since("") is None
    ago = parse_since("1h30m")
    assert ago is not None
    assert abs(utcnow() - timedelta(minutes=90) - ago) < timedelta(seconds=2)
    exact = parse_since("2026-01-31T13:00:00+01:00")
    assert exact is not None
    assert exact.isoformat() == "2026-01-31T12:00:00+00:00"
    assert parse_since("2026-01-31") is not None
    for wrong in ("x", "15", "-5m", "2026-13-01", "5 m"):
        with pytest.raises(Problem):
            parse_since(wrong)


def test_pods_and_events(web: StatedCluster, api: Api) -> None:
    from webapp.cluster.state import ClusterEvent

    web.noted["shop"] = [
        ClusterEvent("Deployment", "web", False, "Scaled", "Scaled up", 1, utcnow(), utcnow()),
        ClusterEvent("Deployment", "mail", True, "No", "not ours", 1, utcnow(), utcnow()),
    ]
    pods = api("eve").send("GET", "/projects/shop/applications/web/pods").json["items"]
    assert [item["name"] for item in pods] == ["web-a-11111", "web-a-22222"]
    assert pods[0]["containers"][0]["state"] == "runs"
    events = api("eve").send("GET", "/projects/shop/applications/web/events").json["items"]
    assert [(item["kind"], item["type"], item["message"]) for item in events] == [
        ("Deployment", "Normal", "Scaled up")
    ]
    web.down = True
    for path in ("pods", "events"):
        assert api("eve").send("GET", f"/projects/shop/applications/web/{path}").status_code == 503


def test_reading_stops_when_the_cluster_falls_silent_in_the_middle(
    web: StatedCluster, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def log(*_arguments: object) -> None:
        raise ClusterUnreachable("the Kubernetes API does not answer")

    monkeypatch.setattr(web, "log", log)
    assert api("eve").send("GET", LOGS).status_code == 503
    assert api("eve").send("GET", f"{LOGS}/download").status_code == 503
