"""Variables: what is chosen, and how it gets into PromQL."""

from collections.abc import Sequence

import pytest

from webapp.monitoring.schema import Variable
from webapp.monitoring.times import Window
from webapp.monitoring.variables import ALL, Chosen, choose, interpolate, options
from webapp.problems import Problem

WINDOW = Window(1_000, 4_600, 60, 4_610)
NAMESPACE = Variable(type="query", name="namespace", query="label_values(up, namespace)")
POD = Variable(
    type="query",
    name="pod",
    query='label_values(up{namespace="$namespace"}, pod)',
    multi=True,
    include_all=True,
    current={"value": "$__all"},
)
BOTH = (NAMESPACE, POD)


def values(label: str, match: str) -> Sequence[str]:
    """What Prometheus would answer."""
    if label == "namespace":
        return ["shop", "lab"]
    return {'up{namespace="lab"}': ["lab-0"], 'up{namespace="shop"}': ["web.1", 'we"b', "db"]}[match]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('up{pod=~"$pod"}', 'up{pod=~"web-0"}'),
        ('up{pod=~"${pod}"}', 'up{pod=~"web-0"}'),
        ('up{pod=~"${pod:regex}"}', 'up{pod=~"web-0"}'),
        ('up{pod=~"[[pod]]"}', 'up{pod=~"web-0"}'),
        ('up{pod=~"$pod-[a-z]+"}', 'up{pod=~"web-0-[a-z]+"}'),
        ("rate(up[$__rate_interval])", "rate(up[240s])"),
        ("rate(up[$__interval])", "rate(up[60s])"),
        ("rate(up[$__range])", "rate(up[3600s])"),
        ("up / $__range_s", "up / 3600"),
        ("up $1", "up $1"),
    ],
)
def test_interpolation(text: str, expected: str) -> None:
    assert interpolate(text, {"pod": Chosen(POD, ("web-0",))}, WINDOW, 60) == expected


def test_a_step_holds_what_is_recorded_less_often() -> None:
    window = Window(0, 3600, 15, 3600)
    text = "sum_over_time(a:b:c[$__interval])"
    assert interpolate(text, {}, window) == "sum_over_time(a:b:c[15s])"
    assert interpolate(text, {}, window, 30) == "sum_over_time(a:b:c[30s])"


@pytest.mark.parametrize(
    ("step", "scrape", "expected"), [(15, 15, 60), (60, 15, 75), (15, 30, 120), (300, 30, 330)]
)
def test_the_rate_interval_holds_four_scrapes(step: int, scrape: int, expected: int) -> None:
    assert Window(0, 3600, step, 3600).rate_interval(scrape) == expected


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (("a.b",), r"a\\.b"),
        (("a", "b+"), r"(a|b\\+)"),
        (('x"} or up{a="',), r"x\x22\\} or up\\{a=\x22"),
        (("a\\", "'`\n"), r"(a\\\\|\x27\x60\n)"),
        ((), "^$"),
    ],
)
def test_whatever_is_chosen_stays_inside_of_its_quotes(chosen: tuple[str, ...], expected: str) -> None:
    assert interpolate("$pod", {"pod": Chosen(POD, chosen)}, WINDOW) == expected


def test_a_single_value_is_no_regex() -> None:
    assert interpolate("$namespace", {"namespace": Chosen(NAMESPACE, ('a"b\\',))}, WINDOW) == r"a\x22b\\"


def test_a_choice_depends_on_those_above_it() -> None:
    found = choose(BOTH, {"namespace": ["shop"]}, {}, values, WINDOW)
    assert found["pod"].all
    # What nobody could choose is in "all of them", escaped.
    assert found["pod"].values == ("db", 'we"b', "web.1")
    assert options(POD, found, values, WINDOW) == ["db", "web.1"]
    assert choose(BOTH, {}, {}, values, WINDOW)["namespace"].values == ("lab",)
    assert choose(BOTH, {}, {"namespace": "shop"}, values, WINDOW)["namespace"].fixed


def test_what_stands_for_all_is_not_asked_for() -> None:
    everything = POD.model_copy(update={"all_value": ".*"})
    found = choose((everything,), {"pod": [ALL]}, {}, pytest.fail, WINDOW)
    assert interpolate("$pod", found, WINDOW) == ".*"


@pytest.mark.parametrize(
    ("asked", "fixed"),
    [
        ({"namespace": ["a", "b"]}, {}),
        ({"namespace": [ALL]}, {}),
        ({"namespace": ["a b"]}, {}),
        ({"namespace": ['a"']}, {}),
        ({"namespace": ["-a"]}, {}),
        ({"namespace": ["a\n"]}, {}),
        ({"namespace": ["{{7*7}}"]}, {}),
        ({"namespace": ["x" * 254]}, {}),
        ({"namespace": ["lab"]}, {"namespace": "shop"}),
        ({"pod": [f"p{number}" for number in range(51)]}, {}),
        ({"other": ["a"]}, {}),
    ],
)
def test_what_cannot_be_chosen_is_refused(asked: dict[str, list[str]], fixed: dict[str, str]) -> None:
    with pytest.raises(Problem) as told:
        choose(BOTH, asked, fixed, values, WINDOW)
    assert told.value.type.slug == "validation-failed"
    assert told.value.errors[0].field == next(iter(asked))
