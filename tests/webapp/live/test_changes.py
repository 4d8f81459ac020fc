"""Streams that say that something has changed: at once, to those it concerns, and without a thread each."""

import threading
import time

import pytest

from tests.webapp.cluster import StatedCluster
from tests.webapp.conftest import Api
from tests.webapp.live.conftest import until
from tests.webapp.pages.conftest import URL, Visit, Visitor
from tests.webapp.requests import end_jobs
from webapp.live.slots import slots
from webapp.openapi import Portal


class Changes:
    """An open stream of changes, read by a thread; `count` is how many came."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        self.response = visitor.client.get(
            path, base_url=URL, headers={"Accept": "text/event-stream"}, buffered=False
        )
        assert self.response.status_code == 200
        assert self.response.mimetype == "text/event-stream"
        self.count = 0
        self.over = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for chunk in self.response.iter_encoded():
            if self.over:
                break
            self.count += b"event: changed" in chunk
        self.response.close()

    def close(self) -> None:
        """Hang up; the thread goes at the next piece."""
        self.over = True


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that notice quickly that their reader has gone."""
    monkeypatch.setattr("webapp.live.sse.HEARTBEAT", 0.1)
    monkeypatch.setattr("webapp.live.changes.PAUSE", 0.05)


@pytest.mark.usefixtures("short")
def test_changes_in_database_and_cluster_are_told(
    web: StatedCluster, api: Api, app: Portal, visit: Visit
) -> None:
    project = Changes(visit("eve"), "/projects/shop/changes")
    application = Changes(visit("eve"), "/projects/shop/applications/web/changes")
    jobs = Changes(visit("eve"), "/jobs/changes")
    opened = (project, application, jobs)
    # The first look of each kind is told as well, as what came before it has been seen by nobody.
    until(lambda: all(item.count > 0 for item in opened))
    time.sleep(0.8)
    counts = [item.count for item in opened]
    assert api("dev").send("PATCH", "/projects/shop/applications/web", {"replicas": 2}).status_code == 202
    until(lambda: all(item.count > old for item, old in zip(opened, counts, strict=True)))
    time.sleep(0.8)
    counts = [item.count for item in opened]
    end_jobs(app)
    until(lambda: all(item.count > old for item, old in zip(opened, counts, strict=True)))
    time.sleep(0.8)
    counts = [item.count for item in opened]
    web.changed.touch("shop", "web")
    until(lambda: project.count > counts[0] and application.count > counts[1])
    web.changed.touch("shop", kind="events", name="web-5c9d7b6f4-x2k9p.17a")
    until(lambda: application.count > counts[1] + 1)
    time.sleep(0.3)
    counts = [item.count for item in opened]
    web.changed.touch("shop", "mail")
    web.changed.touch("lab", "web")
    until(lambda: project.count > counts[0])
    time.sleep(0.3)
    assert application.count == counts[1], "another application is no concern of this page"
    assert jobs.count == counts[2], "nor are pods one of the list of jobs"
    for item in opened:
        item.close()
    until(lambda: slots.taken == 0)


@pytest.mark.usefixtures("short")
def test_many_streams_share_their_watchers(web: StatedCluster, visit: Visit) -> None:
    opened = [Changes(visit("eve"), "/projects/shop/changes") for _ in range(8)]
    until(lambda: opened[0].count > 0 and slots.taken == 8)
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("watch-")]
    assert len(names) == len(set(names)) == 6, "the database, and five kinds of the cluster"
    for item in opened:
        item.close()
    until(lambda: slots.taken == 0)


@pytest.mark.usefixtures("short")
def test_a_silent_cluster_does_not_end_the_stream(web: StatedCluster, api: Api, visit: Visit) -> None:
    web.down = True
    changes = Changes(visit("eve"), "/projects/shop/changes")
    time.sleep(0.5)
    before = changes.count
    assert api("dev").send("DELETE", "/projects/shop/applications/web").status_code == 202
    until(lambda: changes.count > before)
    changes.close()
    until(lambda: slots.taken == 0)


def test_strangers_and_the_signed_out_get_no_stream(web: StatedCluster, visit: Visit) -> None:
    accept = {"Accept": "text/event-stream"}
    for path in ("/projects/shop/changes", "/projects/shop/applications/web/changes"):
        assert visit("out").get(path, headers=accept).status == 404
        assert visit().get(path, headers=accept).status == 401
    assert visit().get("/jobs/changes", headers=accept).status == 401
