"""Logs as a stream: live, merged, resumable, bounded, and gone with the client."""

import threading
import time
from collections.abc import Callable

import pytest

from tests.webapp.cluster import StatedCluster
from tests.webapp.conftest import Api
from tests.webapp.live.conftest import LOGS, Events, set_pods, until, web_pod
from webapp.live import follow, sse
from webapp.live.slots import slots


def later(action: Callable[[], object], seconds: float = 0.2) -> None:
    """Do something a little later."""
    threading.Timer(seconds, action).start()


def test_lines_come_as_they_are_written_and_in_order(web: StatedCluster, api: Api) -> None:
    web.logs.write("web-a-11111", "one", "three")
    web.logs.write("web-a-22222", "two", start=0.5)
    stream = Events(api, LOGS)
    assert stream.lines(3) == ["11111 one", "22222 two", "11111 three"]
    begun = time.monotonic()
    later(lambda: web.logs.write("web-a-22222", "four", start=9))
    assert stream.lines(1) == ["22222 four"]
    assert time.monotonic() - begun < sse.HEARTBEAT / 2, "it came with the next heartbeat"
    stream.close()
    until(lambda: web.logs.open_now == 0)
    assert slots.taken == 0


def test_a_stream_goes_on_without_gaps_or_doubles(web: StatedCluster, api: Api) -> None:
    web.logs.write("web-a-11111", "a1", "a2")
    # Three lines of exactly one time, two of which are seen before the cut.
    for text in ("b1", "b2"):
        web.logs.write("web-a-22222", text, start=7)
    first = Events(api, f"{LOGS}?tail=100")
    assert first.lines(4) == ["11111 a1", "11111 a2", "22222 b1", "22222 b2"]
    first.close()
    web.logs.write("web-a-22222", "b3", start=7)
    web.logs.write("web-a-11111", "a3", start=8)
    for again in (
        Events(api, f"{LOGS}?tail=100", Last_Event_ID=first.last),
        Events(api, f"{LOGS}?tail=100&after={first.last}"),
    ):
        assert again.lines(2) == ["22222 b3", "11111 a3"]
        again.close()
    for wrong in ("x", "W10x", "eyJhIjoxfQ==", "WzFd"):
        headers = {"Accept": "text/event-stream", "Last-Event-ID": wrong}
        assert api("eve").send("GET", LOGS, headers=headers).status_code == 400, wrong


def test_pods_come_and_go(web: StatedCluster, api: Api) -> None:
    web.logs.write("web-a-11111", "old")
    stream = Events(api, f"{LOGS}?tail=1")
    assert stream.lines(1) == ["11111 old"]
    web.logs.write("web-a-33333", "first", "second", start=20)
    set_pods(web, web_pod("web-a-11111"), web_pod("web-a-22222"), web_pod("web-a-33333", age=20))
    assert stream.lines(3) == ["#33333 pod has come", "33333 first", "33333 second"], (
        "all of it, whatever tail"
    )
    web.logs.write("web-a-11111", "bye", start=30)
    web.logs.end("web-a-11111")
    set_pods(web, web_pod("web-a-22222"), web_pod("web-a-33333", age=20))
    assert stream.lines(2) == ["11111 bye", "#11111 pod has ended and is gone"]
    stream.close()


def test_a_restarted_container_goes_on(web: StatedCluster, api: Api) -> None:
    set_pods(web, web_pod("web-a-11111"))
    web.logs.write("web-a-11111", "one")
    stream = Events(api, LOGS)
    assert stream.lines(1) == ["11111 one"]
    # It crashes and starts again before anybody looks: what it said at the end is in the previous log.
    with web.logs.news:
        old = web.logs.lines.pop(("web-a-11111", "web", False))
        web.logs.lines["web-a-11111", "web", True] = old
    web.logs.write("web-a-11111", "panic", start=3, previous=True)
    web.logs.write("web-a-11111", "new", start=5)
    web.logs.end("web-a-11111")
    later(web.logs.ended.clear, 0.1)
    set_pods(web, web_pod("web-a-11111", restarts=1, age=4))
    assert stream.lines(2) == ["11111 panic", "11111 new"]
    stream.close()


def test_a_stream_of_the_log_before_a_restart_ends(web: StatedCluster, api: Api) -> None:
    set_pods(web, web_pod("web-a-11111", restarts=1))
    web.logs.write("web-a-11111", "crash", previous=True)
    stream = Events(api, f"{LOGS}?previous=true")
    assert stream.lines(1) == ["11111 crash"]
    assert stream.event() == ("end", {"items": []})
    assert stream.event() == ("", None)
    stream.close()


def test_only_lines_with_the_text_are_sent(web: StatedCluster, api: Api) -> None:
    web.logs.write("web-a-11111", "GET /", "noise", "GET /x", "noise")
    stream = Events(api, f"{LOGS}?search=GET")
    assert stream.lines(2) == ["11111 GET /", "11111 GET /x"]
    stream.close()
    web.logs.write("web-a-11111", "noise", "GET /y", start=9)
    again = Events(api, f"{LOGS}?search=GET", Last_Event_ID=stream.last)
    assert again.lines(1) == ["11111 GET /y"]
    again.close()


def test_an_application_without_pods_waits_for_one(web: StatedCluster, api: Api) -> None:
    set_pods(web)
    stream = Events(api, LOGS)
    assert stream.lines(1) == ["# No pod is there now; lines appear when one starts."]
    web.logs.write("web-a-44444", "hello", start=50)
    later(lambda: set_pods(web, web_pod("web-a-44444", age=50)))
    assert stream.lines(2) == ["#44444 pod has come", "44444 hello"]
    stream.close()


def test_a_reader_that_is_slow_holds_no_more_than_a_little(web: StatedCluster, api: Api) -> None:
    set_pods(web, web_pod("web-a-11111"))
    # Those of earlier tests, which the garbage collector has not met yet.
    before = live_followers()
    stream = Events(api, LOGS)
    texts = [f"{number} {'x' * 100}" for number in range(20_000)]
    for start in range(0, len(texts), 500):
        web.logs.write("web-a-11111", *texts[start : start + 500], start=start)
    time.sleep(0.5)
    held = [item for item in live_followers() if item.waiting and item not in before]
    assert all(len(item.waiting) <= 20_500 and not item.finished for item in held)
    found = stream.lines(len(texts))
    assert [line.split(" ")[1] for line in found] == [str(number) for number in range(len(texts))]
    stream.close()


def live_followers() -> list[follow.Follower]:
    """Return what is being followed now."""
    import gc

    return [item for item in gc.get_objects() if isinstance(item, follow.Follower)]


def test_an_old_stream_ends_and_a_full_server_says_so(
    web: StatedCluster, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.live.slots.MOST", 1)
    stream = Events(api, LOGS)
    answer = api("eve").send("GET", LOGS, headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/too-many-streams")
    assert answer.headers["Retry-After"] == "60"
    assert api("eve").send("GET", LOGS).status_code == 200, "only what stays open is refused"
    # Closed before its first byte: the place is free all the same.
    stream.close()
    assert slots.taken == 0
    monkeypatch.setattr(sse, "MAX_AGE", 0.0)
    stream = Events(api, LOGS)
    assert stream.event() == ("", None)
    stream.close()


def test_positions_are_small_and_checked() -> None:
    place = {follow.Source("web-1", "web"): follow.Place("2026-01-31T12:00:00.000000001Z", 2)}
    assert follow.unpack(follow.pack(place)) == place
    for wrong in ("", "!!", "x" * 10_000):
        with pytest.raises(ValueError, match=r"position|long|Invalid|Expecting|decode"):
            follow.unpack(wrong)
