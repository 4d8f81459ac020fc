"""Prometheus' relabelling, as much of it as the scrape jobs use: tests say what becomes of a series.

Source: prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

import re
from typing import Any

Labels = dict[str, str]


def relabel(labels: Labels, rules: list[dict[str, Any]]) -> Labels | None:
    """Return what `rules` make of `labels`, without labels that are empty; None when they drop them."""
    found = dict(labels)
    for rule in rules:
        pattern = re.compile(str(rule.get("regex", "(.*)")), re.DOTALL)
        value = str(rule.get("separator", ";")).join(
            found.get(name, "") for name in rule.get("source_labels", [])
        )
        match, action = pattern.fullmatch(value), rule.get("action", "replace")
        if (action == "drop" and match) or (action == "keep" and not match):
            return None
        if action == "labeldrop":
            found = {name: text for name, text in found.items() if not pattern.fullmatch(name)}
        elif action == "replace" and match:
            found[rule["target_label"]] = _expand(str(rule.get("replacement", "$1")), match)
        else:
            assert action in ("drop", "keep", "replace"), f"no such action here: {action}"
    return {name: text for name, text in found.items() if text}


def _expand(replacement: str, match: re.Match[str]) -> str:
    return re.sub(r"\$(\d)", lambda group: match[int(group[1])] or "", replacement)


def target(labels: Labels, job: dict[str, Any]) -> Labels | None:
    """Return the labels of the target that a discovered object becomes in a job; None when it is none."""
    found = relabel({"job": job["job_name"], **labels}, job.get("relabel_configs", []))
    return found and {
        name: text
        for name, text in found.items()
        if not name.startswith("__") or name in ("__address__", "__metrics_path__")
    }


def series(labels: Labels, job: dict[str, Any]) -> Labels | None:
    """Return the labels of a series that a target of the job tells; None when it is dropped."""
    return relabel(labels, job.get("metric_relabel_configs", []))
