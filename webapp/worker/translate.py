"""Turn ansible-runner's events into the lines of a job: what a user reads, and nothing of a task's
arguments.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

PROGRESS_PREFIX = "croft: "
MAX_EVENTS = 5_000
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_ERROR_PREFIX = "[ERROR]: "
_MAX_ERRORS = 20
# Actions that only hold a playbook together say nothing to a user.
_STRUCTURE = frozenset({"include_tasks", "import_tasks", "include_role", "import_role", "meta"})
_ARGUMENTS = "validate_argument_spec"
_CHECKS = "Check the arguments"


@dataclass
class Translator:
    """Reads a run's events in order, and remembers what its end needs: the failure, and the result."""

    failure: str | None = None
    result: dict[str, Any] | None = None
    errors: list[str] = field(default_factory=list)
    _count: int = 0

    def translate(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Return the job event (kind, text, data, time) for one event of ansible-runner, or None for none."""
        data = event.get("event_data") or {}
        line = self._line(event.get("event", ""), data, event.get("stdout") or "")
        if line is None:
            return None
        self._count += 1
        if self._count > MAX_EVENTS and line[0] != "failed":
            return None
        kind, text, extra = line
        if self._count == MAX_EVENTS:
            kind, text, extra = (
                "log",
                f"More than {MAX_EVENTS} events: only failures are recorded from here on",
                None,
            )
        return _stamped(kind, text, extra)

    def error_lines(self) -> list[dict[str, Any]]:
        """Return what Ansible said when no task is to blame (a playbook that does not parse), as events."""
        return [] if self.failure else [_stamped("log", text) for text in self.errors]

    def end_message(self, status: str, code: int | None) -> str:
        """Return the sentence for a run that did not succeed."""
        if self.failure:
            return self.failure
        if self.errors:
            return self.errors[0]
        return f"The playbook ended with code {code} ({status}) and gave no reason; see the worker's log"

    def _line(
        self, kind: str, data: dict[str, Any], stdout: str
    ) -> tuple[str, str, dict[str, Any] | None] | None:
        action = str(data.get("task_action") or "").removeprefix("ansible.builtin.")
        if action in _STRUCTURE and kind not in ("runner_on_failed", "runner_on_unreachable"):
            return None
        task = _CHECKS if action == _ARGUMENTS else str(data.get("task") or "")
        match kind:
            case "playbook_on_task_start" | "playbook_on_handler_task_start":
                return "task", task, {"role": data["role"]} if data.get("role") else None
            case "runner_on_ok":
                result = data.get("res") or {}
                if isinstance(result.get("croft_result"), dict):
                    self.result = result["croft_result"]
                return "changed" if result.get("changed") else "ok", task, _duration(data)
            case "runner_on_skipped":
                return "skipped", task, None
            case "runner_on_failed" | "runner_on_unreachable":
                if data.get("ignore_errors"):
                    return "log", f"{task}: {failure_text(task, data.get('res') or {})}", _duration(data)
                self.failure = clean(failure_text(task, data.get("res") or {}))
                return "failed", self.failure, {"task": task, **_duration(data)}
            case "runner_retry":
                result = data.get("res") or {}
                return (
                    "progress",
                    f"{task}: attempt {result.get('attempts')} of {result.get('retries')}",
                    None,
                )
            case "verbose" | "error":
                text = clean(stdout)
                if text.startswith(PROGRESS_PREFIX):
                    return "progress", text.removeprefix(PROGRESS_PREFIX), None
                # Before the first play, what Ansible says comes as plain lines.
                if text.startswith(_ERROR_PREFIX) and len(self.errors) < _MAX_ERRORS:
                    self.errors.append(text.removeprefix(_ERROR_PREFIX))
            case "playbook_on_no_hosts_matched":
                self.errors.append("The playbook's hosts match nothing")
        return None


def failure_text(task: str, result: dict[str, Any]) -> str:
    """Return the sentence that tells a user why a task failed."""
    if "censored" in result:
        return f"'{task}' failed; its output is not shown because it may hold secrets"
    failed = [item for item in result.get("results") or [] if isinstance(item, dict) and item.get("failed")]
    if failed:
        texts = dict.fromkeys(failure_text(task, item) for item in failed)
        return "; ".join(list(texts)[:5])
    message = result.get("msg") or f"'{task}' failed and gave no reason"
    text = "; ".join(str(part) for part in message) if isinstance(message, list) else str(message)
    details = str(result.get("stderr") or "").strip()
    return f"{text}: {details[-500:]}" if details and details not in text else text


def clean(text: str) -> str:
    """Return the text without colours and control characters (but with line ends)."""
    return _CONTROL.sub("", text).strip()


def _stamped(kind: str, text: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"kind": kind, "text": clean(text), "data": data, "time": datetime.now(UTC).isoformat()}


def _duration(data: dict[str, Any]) -> dict[str, Any]:
    """Return the task's seconds, to the millisecond, as event data."""
    seconds = data.get("duration")
    return {"duration": round(seconds, 3)} if isinstance(seconds, int | float) else {}
