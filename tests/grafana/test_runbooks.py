"""Each alert has a runbook that tells what it means, how to look and how to cure it."""

import re

import pytest

from grafana import output
from grafana.alerts import ALERTS
from grafana.board import TITLES

PAGES = {path.stem: path for path in output.RUNBOOKS.glob("*.md") if path.stem != "README"}


def test_each_alert_has_its_page_and_each_page_its_alert() -> None:
    assert set(PAGES) == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_page_tells_what_to_do(alert) -> None:
    page = PAGES[alert.name].read_text()
    assert output.ROOT / alert.runbook == PAGES[alert.name]
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    assert headings == [alert.name, "What it means", "How to look", "How to cure it"]
    assert "```sh\n" in page, "no command"
    assert re.search(r"^\* ", page.partition("How to cure it")[2], re.MULTILINE), "no cure"


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda path: path.stem)
def test_links_of_a_page_lead_somewhere(page) -> None:
    anchors = {title.lower().replace(" ", "-") for title in TITLES.values()}
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        assert (page.parent / path).resolve().exists(), target
        assert not anchor or anchor in anchors, target


def test_each_page_names_a_dashboard() -> None:
    assert [name for name, page in PAGES.items() if "../dashboards.md#" not in page.read_text()] == []
