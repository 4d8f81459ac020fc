"""The tables of what monitoring costs on a live cluster, as Markdown."""

from typing import Any, TypeAlias

from tests.bench.monitoring.cost import retention

Numbers: TypeAlias = dict[str, Any]
DAYS = (15, 30, 90)
SIZES = ((50, 1), (200, 4), (1000, 20))  # containers, nodes


def tables(cost: Numbers, aim_mb: float, aim_cores: float, aim_scrape_s: float) -> list[str]:
    """Return the part's text and tables."""
    return [_head(cost), _parts(cost, aim_mb, aim_cores), _jobs(cost, aim_scrape_s), _disk(cost)]


def total(cost: Numbers, key: str) -> float:
    """Return the sum of a number over all parts of monitoring."""
    return sum(one[key] for one in cost["parts"])


def _head(cost: Numbers) -> str:
    nodes = f"{cost['nodes']} node" + ("" if cost["nodes"] == 1 else "s")
    return (
        "## What monitoring costs\n\n"
        f"Measured on {cost['made']} on a live cluster with {nodes} and {cost['containers']:.0f} containers, "
        f"idle, watched for {cost['seconds']:.0f} s. Memory is the working set of the pods' cgroups, as the "
        f"kubelet reads it. Prometheus held {cost['series']:,.0f} series; evaluating all rules once took "
        f"{cost['rules_s'] * 1000:.0f} ms."
    )


def _parts(cost: Numbers, aim_mb: float, aim_cores: float) -> str:
    lines = ["| on each node | memory: median | largest | CPU, cores |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {one['part']} | {one['memory_mb']:.0f} MB | {one['memory_most_mb']:.0f} MB | {one['cpu']:.3f} |"
        for one in cost["parts"]
    ]
    lines.append(
        f"| all; aim under {aim_mb} MB and {aim_cores} cores | {total(cost, 'memory_mb'):.0f} MB "
        f"| {total(cost, 'memory_most_mb'):.0f} MB | {total(cost, 'cpu'):.3f} |"
    )
    return "\n".join(lines)


def _jobs(cost: Numbers, aim_scrape_s: float) -> str:
    lines = [
        f"A container has {cost['series_per_container']:.0f} series of cAdvisor (at most "
        f"{cost['series_per_container_most']:.0f}), a node {cost['series_per_node']:.0f} of node_exporter "
        f"and the kubelet. Scrapes; the aim is under {aim_scrape_s} s each. Read are the series "
        "that dashboards and rules read:",
        "",
        "| job | targets | every | scrape: mean | longest | samples a scrape | series | read |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {job} | {one['targets']:.0f} | {one['interval_s']:.0f} s | {one['mean_s']:.2f} s "
        f"| {one['most_s']:.2f} s | {one['samples']:,.0f} | {one['series']:,.0f} | {one['read']:,.0f} |"
        for job, one in cost["jobs"].items()
    ]
    return "\n".join(lines)


def _disk(cost: Numbers) -> str:
    size = cost["disk"]
    lines = [
        f"A sample takes {size['bytes_per_sample']:.2f} bytes on disk ({size['chunk_bytes_per_sample']:.2f} "
        f"itself, {size['index_bytes_per_sample']:.2f} in the index), in blocks of "
        f"{size['samples']:,.0f} samples of this cluster. What retention costs, when series of containers "
        "and of nodes grow from this cluster's:",
        "",
        "| containers | nodes |" + "".join(f" {days} days |" for days in DAYS),
        "| ---: | ---: |" + " ---: |" * len(DAYS),
    ]
    for containers, nodes in SIZES:
        cells = "".join(f" {retention(cost, containers, nodes, days):.1f} GB |" for days in DAYS)
        lines.append(f"| {containers:,} | {nodes} |{cells}")
    return "\n".join(lines)
