"""The benchmark's table, for the terminal, docs/benchmarks.json and docs/benchmarks.md."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

# What stands side by side: (what a user waits for, the portal's key, Helm's key, the playbook's key).
PAIRS = (
    (
        "project: submit → ready",
        "submit_to_project_ready_s",
        "helm_project_ready_s",
        "playbook_project_ready_s",
    ),
    (
        "application: submit → answers through Envoy",
        "submit_to_application_answers_s",
        "helm_application_answers_s",
        "playbook_application_answers_s",
    ),
    (
        "project with application: delete → namespace gone",
        "delete_to_gone_s",
        "helm_delete_to_gone_s",
        "playbook_delete_to_gone_s",
    ),
)
SINGLES = (
    ("submit → first task's event", "submit_to_first_task_s", "s", "under 1.5"),
    ("portal, web and worker, idle: resident memory", "portal_idle_rss_mb", "MB", "under 300"),
    ("cluster with portal, idle: memory without page cache", "cluster_idle_mb", "MB", "under 2000"),
    ("make up, one node, from a filled bundle", "make_up_filled_bundle_s", "s", "under 240"),
    ("make up again", "make_up_again_s", "s", "under 60"),
    ("make up again: changes reported", "make_up_again_changed", "", "0"),
    ("bundle from modules, empty caches", "bundle_modules_cold_s", "s", "under 2100"),
)


def machine() -> str:
    """Describe the machine in one line: processor, cores, memory, kernel, system."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    name = model.group(1) if model else platform.machine()
    kernel = platform.release().split("-")[0]
    return f"{os.cpu_count()} cores of {name}, {memory:.0f} GiB, Linux {kernel}, {system}"


def tables(numbers: dict[str, float]) -> str:
    """Return both tables as Markdown; 1.2× in a ratio means that the portal took 1.2 times as long."""
    lines = [
        "| medians, in seconds | portal | Helm | playbook by hand | portal ÷ Helm | portal ÷ playbook |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for title, portal, helm, playbook in PAIRS:
        ours = numbers[portal]
        lines.append(
            f"| {title} | {ours:.2f} | {numbers[helm]:.2f} | {numbers[playbook]:.2f} "
            f"| {ours / numbers[helm]:.2f}× | {ours / numbers[playbook]:.2f}× |"
        )
    lines += ["", "| | measured | aim |", "| --- | ---: | ---: |"]
    for title, key, unit, aim in SINGLES:
        if key in numbers:
            digits = 2 if numbers[key] < 10 and numbers[key] % 1 else 0
            lines.append(f"| {title} | {numbers[key]:.{digits}f} {unit} | {aim} |")
    return "\n".join(lines)


def write_report(numbers: dict[str, float], docs: Path, rounds: int) -> None:
    """Print the tables and write benchmarks.json and benchmarks.md below `docs`."""
    target = docs / "benchmarks.json"
    before = json.loads(target.read_text()) if target.exists() else {}
    if "bundle_modules_cold_s" in before:
        numbers = {"bundle_modules_cold_s": before["bundle_modules_cold_s"]} | numbers
    text = tables(numbers)
    print(text)
    rounded = {key: round(value, 3) for key, value in sorted(numbers.items())}
    target.write_text(json.dumps(rounded, indent=2) + "\n")
    (docs / "benchmarks.md").write_text(
        "# Benchmarks\n\n"
        f"Made by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {machine()}. One node; medians of {rounds} "
        "rounds, each of which does the same by the portal, by plain Helm (`helm upgrade --install --wait` "
        "of the same charts with the same values) and by the same playbooks by hand, so that a slow moment "
        "falls on all of them.\n\n"
        f"{text}\n\nThe numbers as JSON: [benchmarks.json](benchmarks.json).\n"
    )
