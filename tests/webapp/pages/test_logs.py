"""The page of logs without a script: the last lines, what was chosen, and words where there is nothing."""

import pytest

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import Api
from tests.webapp.live.conftest import set_pods, web_pod
from tests.webapp.pages.conftest import Visit
from tests.webapp.requests import SHOP, WEB, end_jobs
from webapp.live.views import clean
from webapp.openapi import Portal

PAGE = "/projects/shop/applications/web/logs"


@pytest.fixture
def web(app: Portal, api: Api, cluster: StatedCluster) -> StatedCluster:
    """The cluster, in which ada's application web runs with two pods."""
    cluster.quotas["shop"] = quota_use()
    assert api("ada").send("POST", "/projects", SHOP).status_code == 202
    assert api("ada").send("POST", "/projects/shop/applications", WEB).status_code == 202
    end_jobs(app)
    set_pods(cluster, web_pod("web-a-11111"), web_pod("web-a-22222"))
    return cluster


def test_the_last_lines_and_a_link_to_newer_ones(web: StatedCluster, visit: Visit) -> None:
    web.logs.write("web-a-11111", "\x1b[32mGET /\x1b[0m <b>", "two")
    web.logs.write("web-a-22222", "between", start=0.5)
    page = visit("eve").get(PAGE)
    assert page.status == 200
    assert "12:00:00.000 11111 GET / <b> 12:00:00.500 22222 between 12:00:01.000 11111 two" in page.text
    assert "<b>" not in page.html, "what a container prints is text, whatever it looks like"
    assert "Refresh to see new ones" in page.text
    download = visit("eve").get(f"{PAGE}/download?search=two")
    assert download.html == "2026-01-31T12:00:01.000000000Z web-a-11111/web two\n"


def test_what_was_chosen_stays_chosen(web: StatedCluster, visit: Visit) -> None:
    web.logs.write("web-a-22222", "needle", "hay")
    page = visit("eve").get(f"{PAGE}?pod=web-a-22222&search=needle&since=&previous=")
    assert '<option value="web-a-22222" selected>' in page.html
    assert page.field("search") is None or "needle" in page.html
    assert "needle" in page.text
    assert "hay" not in page.text
    assert "logs/download?pod=web-a-22222&amp;search=needle" in page.html
    gone = visit("eve").get(f"{PAGE}?pod=web-a-99999")
    assert "has no pod &#39;web-a-99999&#39;" in gone.html
    assert "web-a-99999 (gone)" in gone.text
    wrong = visit("eve").get(f"{PAGE}?since=tomorrow&search=x")
    assert wrong.status == 422
    assert "'tomorrow' is no time" in wrong.error("since")
    assert 'value="x"' in wrong.html


def test_nothing_to_see_is_told_in_words(web: StatedCluster, visit: Visit) -> None:
    ada = visit("ada")
    assert "Nothing was written yet" in ada.get(PAGE).text
    assert "No line fits" in ada.get(f"{PAGE}?search=x").text
    assert "No container was restarted" in ada.get(f"{PAGE}?previous=yes").text
    set_pods(web)
    assert "Nothing runs" in ada.get(PAGE).text
    web.down = True
    page = ada.get(PAGE)
    assert page.status == 200
    assert "The pods cannot be read" in page.text
    assert visit("out").get(PAGE).status == 404
    assert visit().get(PAGE).status == 303


def test_control_sequences_of_terminals_are_left_out() -> None:
    for raw, shown in (
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\tb\x08c", "a\tbc"),
        ("grün 🙂", "grün 🙂"),
    ):
        assert clean(raw) == shown
