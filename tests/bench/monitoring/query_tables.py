"""The tables of the dashboards' queries and of the rules, as Markdown."""

from typing import Any, TypeAlias

Numbers: TypeAlias = dict[str, Any]


def tables(found: Numbers, aim_ms: float) -> list[str]:
    """Return the part's text and tables."""
    return [
        _head(found, aim_ms),
        _dashboards(found),
        _slowest(found),
        _proxy(found),
        _pairs(found),
        _groups(found),
    ]


def _head(found: Numbers, aim_ms: float) -> str:
    data = found["data"]
    return (
        "## Queries of the dashboards\n\n"
        f"Measured on {found['made']}. Prometheus {found['version']} as a process of its own, with a day of "
        f"samples of a made-up cluster: {data['nodes']} nodes, {data['pods']:,} pods, {data['series']:,} "
        f"series, a sample every {data['resolution_s']} s of what is scraped most often and every "
        f"{2 * data['resolution_s']} s of all else, {data['samples'] / 1e6:.0f} million samples in "
        f"{data['disk_mb'] / 1000:.1f} GB, in blocks of two hours. Only series that dashboards and rules "
        "read are made, recorded ones as often as their rules run. Each query of each panel, in collapsed "
        f"rows too, was asked {found['rounds']} times, in turn, over the last hour, 6 hours and day, in the "
        "portal's steps. A project's dashboards show a project with 80 pods and ask through the label proxy, "
        "as the portal does. A page is all queries of a dashboard, 6 at a time; variables are the lookups of "
        f"their values; CPU is Prometheus's own time for one query, which other work hardly changes. "
        f"Aim: a 95th percentile under {aim_ms} ms. Prometheus itself held {found['memory_mb']:.0f} MB at "
        "the end."
    )


def _dashboards(found: Numbers) -> str:
    names = list(found["dashboards"][0]["ranges"])
    columns = "".join(f" {name}: p50 | p95 | CPU | page |" for name in names)
    lines = [
        f"| in ms | queries |{columns} variables |",
        "| --- | ---: |" + " ---: |" * (4 * len(names) + 1),
    ]
    for board in found["dashboards"]:
        cells = "".join(
            f" {one['p50_ms']:.0f} | {one['p95_ms']:.0f} | {one['cpu_ms']:.1f} | {one['page_ms']:.0f} |"
            for one in board["ranges"].values()
        )
        lines.append(f"| {board['uid']} | {board['queries']} |{cells} {board['lookup_ms']:.0f} |")
    return "\n".join(lines)


def _slowest(found: Numbers) -> str:
    lines = [
        "The slowest queries:",
        "",
        "| dashboard | panel | range | p50 | p95 | CPU | series |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['dashboard']} | {row['panel']} | {row['range']} | {row['p50_ms']:.0f} ms "
        f"| {row['p95_ms']:.0f} ms | {row['cpu_ms']:.0f} ms | {row['series']} |"
        for row in found["slowest"]
    ]
    return "\n".join(lines)


def _proxy(found: Numbers) -> str:
    lines = [
        "What the label proxy adds: the medians of all queries of a dashboard, over all ranges, summed up, "
        "asked in turn:",
        "",
        "| dashboard | Prometheus itself | through the label proxy | proxy ÷ itself |",
        "| --- | ---: | ---: | ---: |",
    ]
    for board in found["dashboards"]:
        if one := board.get("proxy"):
            lines.append(
                f"| {board['uid']} | {one['direct_ms']:.0f} ms | {one['proxy_ms']:.0f} ms "
                f"| {one['proxy_ms'] / one['direct_ms']:.2f}× |"
            )
    return "\n".join(lines)


def _pairs(found: Numbers) -> str:
    lines = [
        "What recording rules save: the recorded series over a day beside the expression that they record, "
        "asked in turn:",
        "",
        "| series | how many | recorded | expression | expression ÷ recorded |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| `{one['record']}` | {one['series']} | {one['recorded_ms']:.0f} ms | "
        + (
            "refused | – |"
            if one["problem"]
            else f"{one['raw_ms']:.0f} ms | {one['raw_ms'] / one['recorded_ms']:.1f}× |"
        )
        for one in sorted(found["pairs"], key=lambda one: -one["raw_ms"])
    ]
    return "\n".join(lines)


def _groups(found: Numbers) -> str:
    lines = [
        "What evaluating the rules takes on this data:",
        "",
        "| group | rules | every | one evaluation | CPU | share of a core | slowest rule |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {one['group']} | {one['rules']} | {one['interval_s']:.0f} s | {one['evaluation_ms']:.0f} ms "
        f"| {one['cpu_ms']:.0f} ms | {one['cpu_ms'] / one['interval_s'] / 10:.1f} % "
        f"| {one['slowest']} ({one['slowest_ms']:.0f} ms) |"
        for one in found["groups"]
    ]
    return "\n".join(lines)
