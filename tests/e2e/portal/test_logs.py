"""Logs of real pods: 100,000 lines, two pods in one log, a crash, and streams that go on after a cut."""

import itertools
import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.chromium import ARGUMENTS, CHROMIUM
from tests.e2e.portal.live import STAY, create, lines_of, printing, project_of
from tests.e2e.waiting import eventually
from tests.portal import Portal

pytestmark = pytest.mark.e2e

# Writes all lines as if they came now; the longest (ms) that the page answered nobody.
BUSIEST = """async () => {
  const box = document.getElementById("log");
  const { take } = await import(document.querySelector("script[src*='logs.js']").src);
  let longest = 0, before = performance.now(), going = true;
  const beat = () => {
    longest = Math.max(longest, performance.now() - before);
    before = performance.now();
    if (going) setTimeout(beat, 0);
  };
  beat();
  const line = { kind: "line", time: "2026-01-31T12:00:00.000000Z", pod: "a-b", container: "c" };
  for (let start = 0; start < 100000; start += 500) {
    take(Array.from({ length: 500 }, (_, n) => ({ ...line, text: `again ${start + n}` })));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await new Promise((resolve) => setTimeout(resolve, 1500));
  going = false;
  return longest;
}
"""

COUNT = 100_000
LOGS = "/api/v1/projects/e2e-logs/applications/{}/logs"
FLOOD = f"python3 -c \"[print('number', n) for n in range({COUNT})]\"; {STAY}"
TALK = "n=0; while true; do echo line $n; n=$((n+1)); sleep 0.2; done"


@pytest.fixture(scope="module")
def image(kubectl: Callable[..., str]) -> str:
    """The portal's image: every node that runs it has it, with Python and a shell in it."""
    pods = json.loads(
        kubectl("get", "pods", "-n", "croft", "-l", "app.kubernetes.io/name=portal", "-o", "json")
    )
    return pods["items"][0]["spec"]["containers"][0]["image"]


@pytest.fixture(scope="module")
def project(portal: Portal, image: str) -> Iterator[str]:
    """A project with an application that prints much, one that talks in two pods, and one that crashes."""
    with project_of(portal, "e2e-logs") as name:
        create(portal, name, "flood", printing(image, FLOOD))
        create(portal, name, "talk", printing(image, TALK, replicas=2))
        create(portal, name, "crash", printing(image, "echo begins; sleep 12; echo about to crash; exit 3"))
        yield name


@pytest.mark.usefixtures("project")
def test_100_000_lines_come_in_order_and_a_cut_stream_goes_on_exactly(portal: Portal) -> None:
    path = LOGS.format("flood")
    first = [pair for pair in itertools.islice(lines_of(portal, path), 30_000) if pair[0]["kind"] == "line"]
    # The line's event had been received as a whole: what came in earlier events is what the client has.
    last = first[-1][1]
    seen = [item["text"] for item, number in first if number != last]
    before = [number for _item, number in first if number != last][-1]
    for item, _number in lines_of(portal, path, before):
        seen.append(item["text"])
        if len(seen) == COUNT:
            break
    assert seen == [f"number {number}" for number in range(COUNT)]


@pytest.mark.usefixtures("project")
def test_the_download_and_the_search_have_all_lines(portal: Portal) -> None:
    with portal.http.stream("GET", f"{LOGS.format('flood')}/download") as answer:
        assert answer.headers["Content-Disposition"].endswith('"e2e-logs-flood.log"')
        numbers = [line.rsplit(" ", 1)[1] for line in answer.iter_lines() if " number " in line]
    assert numbers == [str(number) for number in range(COUNT)]
    found = portal.call("GET", f"{LOGS.format('flood')}?search=number 99999")["items"]
    assert [item["text"] for item in found] == ["number 99999"]


@pytest.mark.usefixtures("project")
def test_two_pods_make_one_log_in_order_of_time(portal: Portal) -> None:
    def in_order() -> bool:
        items = [item for item, _ in itertools.islice(lines_of(portal, f"{LOGS.format('talk')}?tail=20"), 60)]
        lines = [item for item in items if item["kind"] == "line"]
        history = [item["time"] for item in lines[:30]]
        return len({item["pod"] for item in lines}) == 2 and history == sorted(history)

    # A pod's log that takes long to open is not waited for.
    eventually(in_order, 30, "the lines of two pods are not in order of time")


@pytest.mark.usefixtures("project")
def test_a_pod_that_goes_and_one_that_comes_are_told(portal: Portal, kubectl: Callable[..., str]) -> None:
    stream = lines_of(portal, f"{LOGS.format('talk')}?tail=1")
    pod = next(item for item, _ in stream if item["kind"] == "line")["pod"]
    kubectl("delete", "pod", pod, "-n", "e2e-logs", "--wait=false", "--grace-period=1")
    notes: dict[str, str] = {}
    for item, _ in stream:
        if item["kind"] == "note":
            notes[item["text"]] = item["pod"]
        if "pod has come" in notes and "pod has ended and is gone" in notes:
            break
    assert notes["pod has ended and is gone"] == pod
    assert notes["pod has come"] != pod


@pytest.mark.usefixtures("project")
def test_the_log_before_a_crash(portal: Portal) -> None:
    for item, _ in lines_of(portal, LOGS.format("crash")):
        if item["text"] == "about to crash":
            break
    # The stream goes on with the container that comes after it.
    again = [item["text"] for item, _ in itertools.islice(lines_of(portal, LOGS.format("crash")), 2)]
    assert "begins" in again
    previous = f"{LOGS.format('crash')}?previous=true"
    items = eventually(lambda: portal.call("GET", previous)["items"], 60, "no log of before the crash")
    assert [item["text"] for item in items] == ["begins", "about to crash"]
    pods = portal.call("GET", f"{LOGS.format('crash').removesuffix('/logs')}/pods")["items"]
    assert pods[0]["containers"][0]["lastExit"] == "ended with exit code 3"


@pytest.mark.usefixtures("project")
def test_the_page_stays_quick_on_100_000_lines(portal_url: str, admin: tuple[str, str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_context(base_url=portal_url).new_page()
        page.goto("/projects/e2e-logs/applications/flood/logs")
        page.get_by_label("Name").fill(admin[0])
        page.get_by_label("Password").fill(admin[1])
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator("#log-lines li").last).to_contain_text("number 99999", timeout=30_000)
        # The machine may stand still for a moment; a page that freezes does so each time.
        for _time in range(3):
            longest = page.evaluate(BUSIEST)
            if longest < 1_000:
                break
        expect(page.locator("#log-lines li").last).to_contain_text("again 99999")
        assert page.locator("#log-lines li").count() <= 5_000
        expect(page.locator("#log-dropped")).to_contain_text("older lines are not shown")
        assert longest < 1_000, f"the page froze for {longest:.0f} ms"
        browser.close()
