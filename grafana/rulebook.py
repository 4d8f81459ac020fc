"""Recording rules and alerts, and how they are written for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from grafana.errors import DefinitionError
from grafana.series import PLATFORM, ROUND_S

# The range of rates in recorded series, which their names tell.
RATE_WINDOW = "5m"
SEVERITIES = ("critical", "warning", "info")
OPERATOR = "operator"
PROJECT = "project"
# An alert about a pod is its project's; in a namespace that is none, of the platform or of the operator, it
# is the operator's. A project is what has the quota of charts/project, which is measured a moment after a new
# namespace is, and goes before one that ends.
_OTHERS = (
    "k8s_namespace_phase{job='kube-state',namespace='%s'} == 1 "
    "and on (namespace) k8s_namespace_phase{job='kube-state'} offset 3m "
    "unless on (namespace) k8s_resource_quota_hard_limit{job='kube-state',resourcequota='project'}"
)
OF_THE_NAMESPACE = (
    '{{ if match "^(' + PLATFORM + ')$" $labels.namespace }}operator'
    '{{ else if printf "' + _OTHERS + '" $labels.namespace | query }}operator'
    "{{ else }}project{{ end }}"
)
_NAME = re.compile(r"[A-Z][a-zA-Z0-9]+")
_RECORD = re.compile(r"[a-z_]+:[a-z0-9_]+(:[a-z0-9_]+)?")


@dataclass(frozen=True)
class Recording:
    """A series that Prometheus computes beforehand, named `<labels>:<what it is>:<how it was made>`."""

    record: str
    expr: str

    def __post_init__(self) -> None:
        if not _RECORD.fullmatch(self.record):
            raise DefinitionError(f"recording rule '{self.record}' is not named <labels>:<what>:<how>")

    def rule(self) -> dict[str, Any]:
        return {"record": self.record, "expr": self.expr}


@dataclass(frozen=True)
class Alert:
    """An alert. `pending` is how long its expression has to hold; `audience` who is told.

    `summary` and `description` may hold Prometheus' templates ({{ $labels.pod }}). Its runbook is
    docs/runbooks/<name>.md.
    """

    name: str
    expr: str
    pending: str
    severity: str
    summary: str
    description: str
    audience: str = OPERATOR
    keep: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DefinitionError(f"alert '{self.name}' is not written LikeThis")
        if self.severity not in SEVERITIES:
            raise DefinitionError(f"alert '{self.name}' has the severity '{self.severity}'")
        if not self.summary or not self.description.endswith("."):
            raise DefinitionError(f"alert '{self.name}' needs a summary and a description in whole sentences")
        if self.audience != OPERATOR and "namespace" not in self.expr:
            raise DefinitionError(f"alert '{self.name}' is for projects and keeps no namespace")

    @property
    def runbook(self) -> str:
        return f"docs/runbooks/{self.name}.md"

    def rule(self) -> dict[str, Any]:
        held = {"keep_firing_for": self.keep} if self.keep else {}
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.pending,
            **held,
            "labels": {"severity": self.severity, "audience": self.audience, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": self.runbook,
            },
        }


Rule = Recording | Alert


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, so that later ones can use earlier ones."""

    name: str
    rules: tuple[Rule, ...]
    interval: str = f"{ROUND_S}s"

    def as_dict(self) -> dict[str, Any]:
        rules = [rule.rule() for rule in self.rules]
        return {"name": self.name, "interval": self.interval, "rules": rules}


_HEAD = """# Generated from grafana/ by `make dashboards`; edit the definitions there.
# yamllint disable rule:line-length
"""


class _Dumper(yaml.SafeDumper):
    """YAML with lists indented below their keys, as yamllint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _lines(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    """Text of several lines as such."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _lines)


def text(groups: Sequence[Group]) -> str:
    """A file of rules for Prometheus."""
    names = [rule.name for group in groups for rule in group.rules if isinstance(rule, Alert)]
    names += [rule.record for group in groups for rule in group.rules if isinstance(rule, Recording)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefinitionError(f"rules that are defined twice: {', '.join(twice)}")
    body = {"groups": [group.as_dict() for group in groups]}
    return _HEAD + yaml.dump(body, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)
