"""The typed Python client that openapi-python-client builds from the API's document."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent
PACKAGE = "croft_client"


def generate(document: dict[str, Any], folder: Path) -> list[str]:
    """Build the package `croft_client` in `folder`; return what the generator had to leave out.

    Raises RuntimeError with the generator's words when it fails.
    """
    source = folder / "openapi.json"
    source.write_text(json.dumps(document))
    program = Path(sys.executable).with_name("openapi-python-client")
    settings = ["--meta", "none", "--config", HERE / "client.yml"]
    done = subprocess.run(
        [program, "generate", "--path", source, "--output-path", folder / PACKAGE, *settings],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    told = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(told)
    return re.findall(r"WARNING parsing (.*?) within", told)


class Client:
    """The generated package, loaded from `folder`: `client.call("projects.create_project", …)`.

    `http` is an httpx.Client that knows the portal's address and sends the token.
    """

    def __init__(self, folder: Path, http: Any) -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
        sys.path.insert(0, str(folder))
        try:
            self.package = importlib.import_module(PACKAGE)
            self.models: ModuleType = importlib.import_module(f"{PACKAGE}.models")
            self.types: ModuleType = importlib.import_module(f"{PACKAGE}.types")
            # Operations are loaded when they are used, from the same folder.
            self.package.__path__ = [str(folder / PACKAGE)]
        finally:
            sys.path.remove(str(folder))
        self.client = self.package.Client(base_url=str(http.base_url)).set_httpx_client(http)

    def call(self, operation: str, *arguments: Any, **named: Any) -> Any:
        """Call an operation (`<tag>.<operation in snake_case>`); return what the answer was read into."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        return module.sync(*arguments, client=self.client, **named)
