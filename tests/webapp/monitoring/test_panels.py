"""What becomes of answers: names, units, thresholds, tables, links, and what is said about too much."""

from typing import Any

import pytest

from webapp.monitoring import panels, times
from webapp.monitoring.dashboards import Dashboard
from webapp.monitoring.fields import style_of
from webapp.monitoring.legend import series_name
from webapp.monitoring.links import Place
from webapp.monitoring.prometheus import Scope
from webapp.monitoring.queries import Answer, Series
from webapp.monitoring.results import PanelData
from webapp.monitoring.schema import FieldConfig, Link, Panel, Variable
from webapp.monitoring.times import Window
from webapp.monitoring.units import written
from webapp.monitoring.variables import Chosen
from webapp.problems import Problem

WINDOW = Window(0, 120, 60, 125)
TIME = (("from", "now-1h"), ("to", "now"))


def board(uid: str, *variables: str, tenant: bool = True) -> Dashboard:
    """An empty dashboard with these variables."""
    known = tuple(Variable(type="query", name=name) for name in variables)
    return Dashboard(uid, uid, "", tenant, known, (), (), "now-1h", "now")


BOARDS = {
    item.uid: item
    for item in (
        board("croft-application", "namespace", "application"),
        board("croft-project", "namespace"),
        board("croft-pods", "namespace", "application", "pod"),
        board("croft-cluster", tenant=False),
    )
}


def place(project: str | None = "shop", **chosen: str) -> Place:
    """Where links begin."""
    choices = {name: Chosen(Variable(type="query", name=name), (value,)) for name, value in chosen.items()}
    known = {uid: item for uid, item in BOARDS.items() if item.tenant or project is None}
    return Place(Scope(project), known, TIME, choices)


def draw(kind: str, *series: list[Series], **settings: Any) -> PanelData:
    """Draw a panel whose queries were answered so."""
    targets = [
        {"expr": "x", "refId": "ABC"[index], "legendFormat": "{{pod}}"} for index in range(len(series))
    ]
    panel = Panel.model_validate({"id": 1, "type": kind, "title": "X", "targets": targets, **settings})
    answers = [Answer(target, tuple(found)) for target, found in zip(panel.targets, series, strict=True)]
    return panels.draw(panel, answers, WINDOW, place())


NO_SERIES: list[Series] = []


def one(pod: str, *values: float, **labels: str) -> Series:
    """A series of a pod."""
    return Series({"pod": pod, **labels}, {at * 60: value for at, value in enumerate(values)})


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0.256, "percentunit", None, "25.6%"),
        (0.99999, "percentunit", 2, "100.00%"),
        (42, "percent", None, "42%"),
        (1536, "bytes", None, "1.5 KiB"),
        (3 * 2**30, "bytes", None, "3 GiB"),
        (1500, "decbytes", None, "1.5 kB"),
        (2_500_000, "Bps", None, "2.5 MB/s"),
        (2**20, "binBps", None, "1 MiB/s"),
        (1.5, "cores", None, "1.5 cores"),
        (0.025, "cores", None, "25 mcores"),
        (0.0042, "s", None, "4.2 ms"),
        (90, "s", None, "1.5 min"),
        (250, "ms", None, "250 ms"),
        (1500, "ms", None, "1.5 s"),
        (93_784, "dtdurations", None, "1d 2h"),
        (1234, "short", None, "1.23k"),
        (0, "short", None, "0"),
        (-0.0001, "short", 2, "0.00"),
        (12, "reqps", None, "12 req/s"),
        (12_000, "iops", None, "12 kio/s"),
        (3, "ops", None, "3 ops/s"),
        (36.6, "celsius", None, "36.6 °C"),
        (1_769_860_800_000, "dateTimeAsIso", None, "2026-01-31 12:00:00"),
        (7, "frogs", None, "7 frogs"),
        (7, "none", None, "7"),
        (None, "bytes", None, "–"),
        (float("nan"), "bytes", None, "–"),
        (float("inf"), "s", None, "∞"),
    ],
)
def test_units(value: float | None, unit: str, decimals: int | None, text: str) -> None:
    assert str(written(value, unit, decimals)) == text


@pytest.mark.parametrize(
    ("legend", "labels", "name"),
    [
        ("{{pod}} on {{ node }}", {"pod": "web-0", "node": "n1"}, "web-0 on n1"),
        ("{{missing}}", {"pod": "web-0"}, "Value"),
        ("plain", {}, "plain"),
        ("", {"pod": "web-0"}, "web-0"),
        ("__auto", {"__name__": "up", "b": "2", "a": "1"}, 'up{a="1", b="2"}'),
        ("", {}, "x"),
    ],
)
def test_names_of_series(legend: str, labels: dict[str, str], name: str) -> None:
    assert series_name(legend, labels, "x") == name


def test_curves_have_a_value_for_each_moment() -> None:
    data = draw("timeseries", [one("web-0", 1, float("nan"), 3), Series({"pod": "late"}, {120: 5.0})])
    assert [curve.values for curve in data.curves] == [[1, None, 3], [None, None, 5]]
    assert data.curves[0].summary["lastNotNull"].text == "3"


def test_too_many_series_are_cut_to_the_highest() -> None:
    data = draw("timeseries", [one(f"p{number}", number) for number in range(130)])
    assert len(data.curves) == 100
    assert data.curves[0].name == "p30"
    assert data.notes == ("100 of 130 series are drawn: those with the highest values.",)


def test_figures_have_levels_words_and_a_place_on_their_scale() -> None:
    steps = [
        {"color": "green", "value": None},
        {"color": "orange", "value": 0.5},
        {"color": "semi-dark-red", "value": 0.8},
    ]
    config = {
        "defaults": {
            "unit": "percentunit",
            "min": 0,
            "max": 1,
            "thresholds": {"mode": "absolute", "steps": steps},
        }
    }
    data = draw("gauge", [one("a", 0.2), one("b", 0.6), one("c", 7)], fieldConfig=config)
    assert [(item.value.level, item.share) for item in data.figures] == [
        ("ok", 0.2),
        ("warn", 0.6),
        ("bad", 1.0),
    ]
    assert data.figures[0].marks == ((0.5, "warn"), (0.8, "bad"))
    words = [
        {
            "type": "value",
            "options": {"1": {"text": "up", "color": "green"}, "0": {"text": "down", "color": "red"}},
        }
    ]
    stat = draw("stat", [one("a", 1), one("b", 0)], fieldConfig={"defaults": {"mappings": words}})
    assert [(item.value.text, item.value.level) for item in stat.figures] == [("up", "ok"), ("down", "bad")]


def test_bars_without_a_largest_value_are_measured_by_each_other() -> None:
    data = draw("bargauge", [one("a", 5), one("b", 10)], fieldConfig={"defaults": {"min": 0}})
    assert [item.share for item in data.figures] == [0.5, 1.0]


def test_overrides_hold_for_the_fields_that_match() -> None:
    config = FieldConfig.model_validate(
        {
            "defaults": {"unit": "short"},
            "overrides": [
                {
                    "matcher": {"id": "byName", "options": "a"},
                    "properties": [{"id": "unit", "value": "bytes"}],
                },
                {
                    "matcher": {"id": "byRegexp", "options": "/^b/"},
                    "properties": [{"id": "displayName", "value": "B"}],
                },
                {"matcher": {"id": "byRegexp", "options": "("}, "properties": [{"id": "unit", "value": "s"}]},
                {
                    "matcher": {"id": "byName", "options": "c"},
                    "properties": [{"id": "decimals", "value": "many"}],
                },
            ],
        }
    )
    assert style_of(config, "a").unit == "bytes"
    assert (style_of(config, "bb").name, style_of(config, "bb").unit) == ("B", "short")
    assert style_of(config, "c").value(1.5).text == "1.5"


def test_curves_have_the_places_of_their_colours() -> None:
    def colour(value: object) -> int | None:
        override = {
            "matcher": {"id": "byName", "options": "a"},
            "properties": [{"id": "color", "value": value}],
        }
        return style_of(FieldConfig.model_validate({"overrides": [override]}), "a").colour

    assert colour({"mode": "fixed", "fixedColor": "red"}) == 4
    assert colour({"mode": "fixed", "fixedColor": "semi-dark-green"}) == 0
    for other in ({"mode": "palette-classic"}, {"mode": "fixed", "fixedColor": ["red"]}, "red", None):
        assert colour(other) is None


def test_beyond_ten_curves_colours_come_again_and_say_so() -> None:
    curves = draw("timeseries", [one(f"p{number}", number) for number in range(12)]).curves
    assert [curve.colour for curve in curves] == [*range(10), 0, 1]
    assert [curve.repeated for curve in curves] == [False] * 10 + [True] * 2


def test_a_curve_of_its_own_colour_takes_it_from_the_others() -> None:
    red = {
        "matcher": {"id": "byName", "options": "failed"},
        "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}}],
    }
    series = [one(name, 1) for name in ("failed", *"abcdefghij")]
    curves = draw("timeseries", series, fieldConfig={"defaults": {}, "overrides": [red]}).curves
    assert [curve.colour for curve in curves] == [4, 0, 1, 2, 3, 5, 6, 7, 8, 9, 0]
    assert [curve.repeated for curve in curves] == [False] * 10 + [True]


def test_tables_are_merged_and_organized() -> None:
    organize = {
        "excludeByName": {"Time": True, "job": True},
        "indexByName": {"pod": 0, "Value #B": 1, "Value #A": 2},
        "renameByName": {"pod": "Pod", "Value #A": "CPU", "Value #B": "Memory"},
    }
    link = {"title": "Open", "url": "/d/croft-pods?var-pod=${__data.fields.pod}&${__url_time_range}"}
    data = draw(
        "table",
        [one("b", 2, job="x"), one("a", 1, job="x")],
        [one("a", 1024, job="x")],
        transformations=[{"id": "merge"}, {"id": "organize", "options": organize}],
        fieldConfig={
            "defaults": {"links": [link]},
            "overrides": [
                {
                    "matcher": {"id": "byName", "options": "Memory"},
                    "properties": [{"id": "unit", "value": "bytes"}],
                }
            ],
        },
    )
    assert data.table is not None
    assert data.table.columns == ("Pod", "Memory", "CPU")
    assert [[cell.text for cell in row] for row in data.table.rows] == [["a", "1 KiB", "1"], ["b", "–", "2"]]
    assert data.table.rows[0][0].link == "/projects/shop/monitoring/croft-pods?var-pod=a&from=now-1h&to=now"
    assert not data.table.rows[0][1].link


def test_nothing_is_said_in_words() -> None:
    assert (
        draw("stat", NO_SERIES, fieldConfig={"defaults": {"noValue": "no requests"}}).empty == "no requests"
    )
    assert draw("table", NO_SERIES).empty == "No data in this time."


@pytest.mark.parametrize(
    ("project", "url", "address"),
    [
        ("shop", "/d/croft-cluster", ""),
        ("shop", "/d/nothing", ""),
        ("shop", "https://example.org/", ""),
        ("shop", "/d/croft-project?var-namespace=lab", ""),
        ("shop", "/d/croft-project?var-namespace=shop", "/projects/shop/monitoring"),
        ("shop", "/d/croft-application?var-application=web", "/projects/shop/applications/web/monitoring"),
        ("shop", "/d/croft-application?var-application=${__field.labels.workload}", ""),
        ("shop", "/d/croft-pods?var-pod=a%22b", ""),
        ("shop", "/d/croft-pods?var-pod=${pod}", "/projects/shop/monitoring/croft-pods?var-pod=web-0"),
        (None, "/d/croft-cluster/a-name?orgId=1", "/monitoring/croft-cluster"),
        (None, "/d/croft-project?var-namespace=lab", "/monitoring/croft-project?var-namespace=lab"),
    ],
)
def test_links_become_addresses_of_the_portal(project: str | None, url: str, address: str) -> None:
    hostile = {"__field.labels.workload": '"><script>'}
    assert place(project, pod="web-0").translate(Link(url=url), hostile.get) == address


def test_links_of_the_head_keep_what_is_shown() -> None:
    link = Link(url="/d/croft-pods", keep_time=True, include_vars=True)
    found = place(application="web", other="x").translate(link)
    assert found == "/projects/shop/monitoring/croft-pods?var-application=web&from=now-1h&to=now"


def test_times_and_steps() -> None:
    now = 1_769_860_807
    hour = times.window("now-1h", "now", width=1200, retention_days=15, now=now)
    assert (hour.step, hour.start % 15, hour.now) == (15, 0, now)
    assert times.window("now-7d", "now", width=600, retention_days=15, now=now).step == 3600
    exact = times.window(
        "2026-01-31T11:00:00Z", "2026-01-31T12:00:00+00:00", step=60, retention_days=15, now=now
    )
    assert (exact.start, exact.end) == (1_769_857_200, 1_769_860_800)
    assert len(exact.moments) == 61
    assert times.window("1769857200000", "1769860800", retention_days=15, now=now).start == exact.start
    widest = times.window("now-15d", "now", width=4000, retention_days=15, now=now)
    assert len(widest.moments) <= times.MAX_POINTS
    with pytest.raises(Problem):
        times.window("now-7d", "now", step=30, retention_days=15, now=now)
