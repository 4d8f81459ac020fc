"""docs/api.md: its commands work in their order, and its list of resources is the document's."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.openapi.fuzzing import serve
from tests.webapp.conftest import PASSWORD, make_config
from tests.webapp.requests import end_jobs
from webapp.app import create_app

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
METHODS = ("get", "post", "put", "patch", "delete")


def table() -> str:
    """Return the table of all resources, as it has to stand at the end of docs/api.md."""
    application = create_app(make_config("sqlite:////nonexistent/portal.db"))
    document = json.loads(json.dumps(application.api_doc))
    rows = [
        f"| `{path.replace('{', '<').replace('}', '>')}` | "
        f"{', '.join(method.upper() for method in METHODS if method in item)} |"
        for path, item in document["paths"].items()
    ]
    return "\n".join(["| resource | methods |", "| --- | --- |", *rows])


def test_the_resources_are_those_of_the_document() -> None:
    assert TEXT.rpartition("## Resources\n\n")[2].strip().splitlines() == table().splitlines()


@pytest.mark.slow
def test_the_commands_work(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 8
    with serve(tmp_path) as (app, url):
        # The first block says where and who; here it is another portal.
        script = f"set -euo pipefail\nportal={url} name=ada password='{PASSWORD}'\n"
        said = []
        for block in blocks[1:]:
            script += block + "declare -p portal name password token tokens > state\n"
            done = subprocess.run(
                ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
            )
            assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
            said.append(done.stdout)
            # What was found so far goes on in the next command; a worker has done what was asked.
            script = "set -euo pipefail\nsource ./state\n"
            end_jobs(app)
    assert "shop" in said[0].split()
    assert json.loads(said[2])["name"] == "nightly"
    assert said[3] == "queued\n"
    assert said[4] == "project.update\n"
    assert "project.create example succeeded" in said[5]
    assert f"```\n{said[6]}```" in TEXT
