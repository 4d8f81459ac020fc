"""How times, amounts, states and events are written."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from webapp.jobs import kinds
from webapp.jobs.events import NewEvent, rows
from webapp.jobs.lines import lines_of
from webapp.jobs.models import KINDS
from webapp.jobs.models import STATES as JOB_STATES
from webapp.pages import formats
from webapp.projects.models import STATES as PROJECT_STATES

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7200, "2 hours ago"),
        (86400, "1 day ago"),
        (86400 * 45, "1 month ago"),
        (86400 * 800, "2 years ago"),
    ],
)
def test_relative_times(seconds: int, words: str) -> None:
    assert formats.relative(NOW - timedelta(seconds=seconds), NOW) == words


def test_a_time_keeps_its_exact_moment() -> None:
    html = formats.ago(NOW)
    assert 'datetime="2026-01-31T12:00:00+00:00"' in html
    assert 'title="2026-01-31 12:00:00 UTC"' in html
    assert formats.ago(None) == formats.NOTHING


def test_durations() -> None:
    assert formats.duration(NOW, NOW + timedelta(seconds=4.24)) == "4.2 s"
    assert formats.duration(NOW, NOW + timedelta(seconds=65)) == "1 min 05 s"
    assert formats.duration(None, None) == formats.NOTHING
    assert formats.offset(NOW + timedelta(seconds=122), NOW) == "+2:02 min"
    assert formats.age(datetime.now(UTC) - timedelta(hours=5, minutes=2)) == "5h"


def test_every_state_has_words() -> None:
    for state in (*JOB_STATES, *PROJECT_STATES):
        assert state in formats.STATES


def test_every_kind_of_job_has_a_title_and_a_sentence_for_its_success() -> None:
    assert set(kinds.TITLES) == set(kinds.SUCCESSES) == set(KINDS)


def test_quota_rows() -> None:
    quota = {"cpu": "2", "memory": "2Gi", "storage": "5Gi", "pods": 20}
    used = {"cpu": Decimal("1.7"), "memory": Decimal(512 * 1024**2), "storage": Decimal(6 * 1024**3)}
    found = {row["label"]: row for row in formats.quota_rows(quota, used)}
    cpu = {"label": "CPU", "used": "1.7", "free": "0.3", "hard": "2 cores", "percent": 85, "level": "high"}
    assert found["CPU"] == cpu
    assert (found["Memory"]["used"], found["Memory"]["percent"]) == ("512Mi", 25)
    assert (found["Storage"]["level"], found["Storage"]["percent"]) == ("full", 100)
    assert (found["Pods"]["used"], found["Pods"]["hard"], found["Pods"]["level"]) == ("0", "20", "normal")
    unknown = formats.quota_rows(quota, None)
    assert {row["percent"] for row in unknown} == {None}
    assert {row["used"] for row in unknown} == {None}


def test_the_end_of_a_task_marks_its_line() -> None:
    story = [
        NewEvent("state", "Started", {"state": "running"}, NOW),
        NewEvent("task", "Read", None, NOW),
        NewEvent("ok", "Read", {"duration": 0.24}, NOW + timedelta(seconds=1)),
        NewEvent("task", "Release", None, NOW + timedelta(seconds=2)),
        NewEvent("progress", "1 of 2", None, NOW + timedelta(seconds=3)),
        NewEvent("failed", "It broke", None, NOW + timedelta(seconds=4)),
        NewEvent("state", "It broke", {"state": "failed"}, NOW + timedelta(seconds=5)),
    ]
    found = lines_of(rows("id", 1, story), NOW)
    assert [(line.number, line.kind, line.text, line.at, line.took) for line in found] == [
        (1, "state", "Started", "+0.0 s", ""),
        (2, "ok", "Read", "+0.0 s", "0.2 s"),
        (4, "stopped", "Release", "+2.0 s", ""),
        (5, "progress", "1 of 2", "+3.0 s", ""),
        (6, "failed", "It broke", "+4.0 s", ""),
        (7, "state", "Failed", "+5.0 s", ""),
    ]
