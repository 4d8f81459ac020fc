#!/usr/bin/env python3
"""Inventory of the node containers on this machine.

Settings come from, first wins: the environment (CLUSTER, NODES, HTTP_PORT, HTTPS_PORT, API_PORT, SSH_PORT,
BUNDLE_SOURCE), what the cluster was made with (`.croft/<cluster>/cluster.yml`), the defaults below.

`hosts.py --list` prints the inventory as JSON. A wrong setting ends it with code 1 and a line on stderr.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]

try:
    import yaml
except ModuleNotFoundError:
    # Ansible was started by its path, so the first python3 is the system's: use the one of the checkout.
    python = CHECKOUT / ".venv/bin/python"
    if not python.exists() or sys.prefix == str(CHECKOUT / ".venv"):
        sys.exit("croft: PyYAML is missing; make .venv first (`make` does it) and use its ansible-playbook")
    os.execv(python, [str(python), __file__, *sys.argv[1:]])  # noqa: S606

PORTS = {"http_port": 8080, "https_port": 8443, "api_port": 16443, "ssh_port": 12220}
NODES_MAX = 20
SOURCES = ("auto", "upstream", "modules")
NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


class SettingError(Exception):
    """A setting has a value that cannot be used; the message names it and says what can."""


def cluster_name(environ: Mapping[str, str]) -> str:
    """Return the cluster's name. Raises SettingError when it is not a short DNS label."""
    name = environ.get("CLUSTER") or "croft"
    if not NAME.fullmatch(name):
        raise SettingError(
            f"CLUSTER is {name!r}; use 1 to 40 lower-case letters, digits and dashes, a letter first"
        )
    return name


def saved_settings(state_dir: Path) -> dict[str, Any]:
    """Return what `cluster.yml` in the state folder holds, or nothing when the cluster is not made yet."""
    path = state_dir / "cluster.yml"
    if not path.exists():
        return {}
    try:
        saved = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SettingError(f"{path} cannot be read ({error}); correct it or remove it") from error
    if not isinstance(saved, dict):
        raise SettingError(f"{path} does not hold settings; correct it or remove it")
    return saved


def whole_number(name: str, value: Any, highest: int) -> int:
    """Return the setting as a number from 1 to `highest`. Raises SettingError when it is anything else."""
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= highest:
        raise SettingError(f"{name.upper()} is {value!r}; give a number from 1 to {highest}")
    return int(text)


def read_settings(environ: Mapping[str, str], saved: Mapping[str, Any]) -> dict[str, Any]:
    """Merge environment, saved settings and defaults into checked ones: nodes, the ports, bundle_source."""

    def value(name: str, default: Any) -> Any:
        return environ.get(name.upper()) or saved.get(name) or default

    settings: dict[str, Any] = {"nodes": whole_number("nodes", value("nodes", 1), NODES_MAX)}
    for name, default in PORTS.items():
        settings[name] = whole_number(name, value(name, default), 65535)
    settings["bundle_source"] = value("bundle_source", "auto")
    if settings["bundle_source"] not in SOURCES:
        raise SettingError(f"BUNDLE_SOURCE is {settings['bundle_source']!r}; use one of {', '.join(SOURCES)}")
    refuse_same_ports(settings)
    return settings


def refuse_same_ports(settings: Mapping[str, Any]) -> None:
    """Raise SettingError when two of the cluster's ports are the same, or one is past the last."""
    users: dict[int, str] = {}
    wanted = [(name.upper(), settings[name]) for name in ("http_port", "https_port", "api_port")]
    for number in range(1, settings["nodes"] + 1):
        wanted.append((f"SSH_PORT (node {number} takes SSH_PORT + {number})", settings["ssh_port"] + number))
    for name, port in wanted:
        if port > 65535:
            raise SettingError(f"{name} would be {port}; choose a lower one")
        if port in users:
            raise SettingError(f"{users[port]} and {name} are both {port}; choose another for one of them")
        users[port] = name


def inventory(name: str, settings: Mapping[str, Any], state_dir: Path) -> dict[str, Any]:
    """Return Ansible's inventory: node 1 is control plane and ingress node, the others are workers."""
    hosts = [f"{name}-{number}" for number in range(1, settings["nodes"] + 1)]
    hostvars: dict[str, dict[str, Any]] = {
        host: {"ansible_port": settings["ssh_port"] + number} for number, host in enumerate(hosts, start=1)
    }
    hostvars["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    common = {
        "croft_cluster": name,
        "croft_state_dir": str(state_dir),
        "croft_settings": dict(settings),
        "croft_http_port": settings["http_port"],
        "croft_https_port": settings["https_port"],
        "croft_api_port": settings["api_port"],
        "croft_ssh_port": settings["ssh_port"],
        "croft_bundle_source": settings["bundle_source"],
    }
    return {
        "all": {"vars": common},
        "container_hosts": {"hosts": ["localhost"]},
        "control_plane": {"hosts": hosts[:1]},
        "workers": {"hosts": hosts[1:]},
        "ingress_nodes": {"hosts": hosts[:1]},
        "nodes": {"children": ["control_plane", "workers"]},
        "_meta": {"hostvars": hostvars},
    }


def main(arguments: list[str]) -> int:
    """Print what Ansible asks for, `--list` or `--host NAME` (which adds nothing). Returns the exit code."""
    if arguments[:1] == ["--host"]:
        print("{}")
        return 0
    try:
        name = cluster_name(os.environ)
        state_dir = CHECKOUT / ".croft" / name
        print(json.dumps(inventory(name, read_settings(os.environ, saved_settings(state_dir)), state_dir)))
    except SettingError as error:
        print(f"croft: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
