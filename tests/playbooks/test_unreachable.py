"""Nodes that cannot be reached end the run, with one sentence for each; nothing goes on without them."""

import json
import re
import subprocess
from pathlib import Path

from tests.playbook import ROOT


def test_a_run_ends_where_nodes_cannot_be_reached(tmp_path: Path) -> None:
    nowhere = {"ansible_host": "127.0.0.1", "ansible_port": 1}
    nodes = {"control_plane": {"hosts": {"one": nowhere}}, "workers": {"hosts": {"two": nowhere}}}
    children = {**nodes, "nodes": {"children": {name: {} for name in nodes}}}
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(json.dumps({"all": {"children": children}}))
    up = tmp_path / "up.yml"
    imported = [ROOT / "playbooks" / name for name in ("nodes.yml", "cluster.yml")]
    up.write_text(json.dumps([{"ansible.builtin.import_playbook": str(path)} for path in imported]))
    command = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", str(inventory), str(up)]
    command += ["-e", f"croft_state_dir={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode != 0
    said = " ".join(done.stdout.split())
    for name in ("one", "two"):
        assert f"msg: {name} could not be reached over SSH" in said
    assert re.findall(r"PLAY \[(.+?)\]", said)[-1] == "Expect that every node could be reached"
