"""The child process of one job: ansible-runner drives the playbook, events leave through a pipe.

Started by a fork of the launcher, which has Ansible loaded. Where ansible-runner would execute
`ansible-playbook` in a new Python, the process that it makes for that goes on as ansible-playbook itself:
same arguments, same environment, same terminal, but half a second of imports less.
"""

import gc
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NoReturn

import ansible_runner.runner
import pexpect
from ansible import constants
from ansible.cli.playbook import PlaybookCLI
from ansible_runner.config.runner import RunnerConfig

from webapp.worker.environment import JOB_TAG
from webapp.worker.processes import become_subreaper, kill_descendants
from webapp.worker.translate import Translator

# How often (seconds) ansible-runner looks whether the playbook has ended without closing its terminal.
_LOOK_EVERY = 0.2


def play(spec: dict[str, Any], pipe: int) -> int:
    """Run one job to its end in this process; return the exit code.

    `spec`: job (id), folder (made by the worker, with request.json), playbook (path), cmdline (more
    arguments), variables. Lines of JSON go to `pipe`: {"event": …} for each event, at last
    {"end": {status, message, result}}.
    """
    become_subreaper()
    folder = Path(spec["folder"])
    os.chdir(folder)
    loaded_with = dict(os.environ)
    _move_into(folder, spec["job"])
    translator = Translator()

    def report(line: dict[str, Any]) -> None:
        data = json.dumps(line).encode() + b"\n"
        while data:
            data = data[os.write(pipe, data) :]

    def handle(event: dict[str, Any]) -> bool:
        try:
            if (line := translator.translate(event)) is not None:
                report({"event": line})
        except Exception:  # noqa: BLE001 - what escapes from here leaves the playbook running without its runner
            traceback.print_exc()
        return False

    config = RunnerConfig(
        private_data_dir=str(folder),
        playbook=spec["playbook"],
        inventory="localhost,",
        cmdline=spec["cmdline"] or None,
        extravars=spec["variables"],
        ident="run",
        quiet=True,
        fact_cache_type="memory",
        settings={"pexpect_timeout": _LOOK_EVERY, "suppress_output_file": True},
    )
    config.prepare()
    _check_environment(loaded_with, config.env)
    pexpect.spawn = _LoadedPlaybook
    status, code = ansible_runner.runner.Runner(config, event_handler=handle).run()
    kill_descendants()
    message = ""
    if status != "successful":
        message = translator.end_message(status, code)
        for line in translator.error_lines():
            report({"event": line})
    report({"end": {"status": status, "message": message, "result": translator.result}})
    return 0


def _move_into(folder: Path, job_id: str) -> None:
    """Let everything that the job writes aside land in its own folder, which goes with it."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(mode=0o700)
    os.environ.update({JOB_TAG: job_id, "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")})
    # ansible-runner sets both itself, and takes a callback that is set already for the user's own.
    for name in ("ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_CALLBACK_PLUGINS"):
        del os.environ[name]
    tempfile.tempdir = None
    constants.DEFAULT_LOCAL_TMP = str(folder / "tmp")


def _check_environment(loaded_with: dict[str, str], wanted: dict[str, str]) -> None:
    """Ansible reads its settings when it is imported: refuse to run with others than ansible-runner asks
    for.
    """
    names = {name for name in (*loaded_with, *wanted) if name.startswith(("ANSIBLE_", "_ANSIBLE_"))}
    different = sorted(name for name in names if loaded_with.get(name) != wanted.get(name))
    if different:
        raise RuntimeError(
            f"Ansible was loaded with other settings than this run needs: {', '.join(different)}"
        )


class _LoadedPlaybook(pexpect.spawn):
    """Starts ansible-playbook on a new terminal in a fork of this process, instead of executing the
    program.
    """

    def __init__(self, command: str, args: list[str], *, env: dict[str, str], **options: Any) -> None:
        def go_on_as_playbook() -> NoReturn:
            _run_playbook([command, *args], env)

        super().__init__(command, args, env=env, preexec_fn=go_on_as_playbook, **options)
        # It waits so long at the end for a process that is gone already.
        self.ptyproc.delayafterclose = 0


def _run_playbook(arguments: list[str], environment: dict[str, str]) -> NoReturn:
    """Be ansible-playbook, to the end of this process."""
    code: Any = 1
    try:
        # Also the pipe that pexpect watches for a failing exec, and the one that events take.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = arguments
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - open to the end of the process
        sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        gc.enable()
        PlaybookCLI.cli_executor(arguments)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - nothing may return into the copied runner
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)
