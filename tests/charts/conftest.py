"""Rendering charts with the bundle's helm; no cluster."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.helm import helm_binary
from tests.playbook import ROOT

Json = dict[str, Any]
Render = Callable[..., dict[tuple[str, str], Json]]


class RefusedError(Exception):
    """Helm would not render these values; the text is what it said."""


def _helm(*arguments: str, values: Json) -> str:
    done = subprocess.run(
        [helm_binary(), *arguments, "--values", "-"],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise RefusedError(done.stderr + done.stdout)
    return done.stdout


@pytest.fixture(scope="session")
def render() -> Render:
    """Render a chart: render("application", values, name=…, namespace=…) → objects by kind and name."""

    def run(
        chart: str, values: Json, *, name: str = "web", namespace: str = "shop"
    ) -> dict[tuple[str, str], Json]:
        options = ("--namespace", namespace, "--kube-version", "1.36.3")
        text = _helm("template", name, str(ROOT / "charts" / chart), *options, values=values)
        objects = [item for item in yaml.safe_load_all(text) if item]
        return {(item["kind"], item["metadata"]["name"]): item for item in objects}

    return run


@pytest.fixture(scope="session")
def lint() -> Callable[[str, Json], str]:
    """Run `helm lint --strict` on a chart with values."""
    return lambda chart, values: _helm("lint", "--strict", str(ROOT / "charts" / chart), values=values)
