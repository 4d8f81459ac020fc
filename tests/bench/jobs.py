"""200 jobs over 50 projects by a real worker on a real cluster, beside the same playbooks run by hand."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from tests.bench import web
from tests.portal import Portal
from tests.ports import free_port
from webapp import dev

PROJECTS = int(os.environ.get("JOB_PROJECTS", "50"))
# Each project is made and then changed three times.
JOBS_EACH = 4
# By hand so many projects are done; what they take is multiplied, as each takes the same.
BY_HAND = max(2, PROJECTS // 10)
LIMIT_S = 900
# Deletions wait for Kubernetes to empty each namespace: tidying up may take longer than what is measured.
TIDY_LIMIT_S = 1800


class TidyingError(Exception):
    """What was measured is told, but something of it is still on the cluster; the text names it."""


@contextmanager
def own_portal(cluster: Path, folder: Path) -> Iterator[tuple[Portal, dict[str, str]]]:
    """Run web and worker against the cluster of a state folder; yield a client and the settings."""
    for name in ("kubeconfig", "cluster.yml", "bundle"):
        (folder / name).symlink_to((cluster / name).resolve())
    settings = dev.settings(folder, free_port())
    environment = os.environ | settings
    with (folder / "worker.log").open("w") as log:
        prepared = (sys.executable, "-m", "webapp.prepare")
        subprocess.run(prepared, cwd=web.ROOT, env=environment, check=True, stdout=log, stderr=log)
        worker = subprocess.Popen(
            [sys.executable, "-m", "webapp.worker"], cwd=web.ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            with web.serve(settings, folder / "web.log") as served:
                portal = Portal(served.url)
                password = Path(settings["CROFT_ADMIN_PASSWORD_FILE"]).read_text().strip()
                portal.sign_in("admin", password)
                yield portal, settings
        finally:
            worker.terminate()
            worker.wait(timeout=60)


@contextmanager
def measured(cluster: Path) -> Iterator[dict[str, float]]:
    """Yield the seconds of all jobs by the worker and by hand, their ratio, and how many broke the order.

    The projects are removed when the caller has told the numbers: that may fail, and raises TidyingError.
    """
    with tempfile.TemporaryDirectory() as name, own_portal(cluster, Path(name)) as (portal, settings):
        names = [f"gauge-{number:02d}" for number in range(PROJECTS)]
        hand = [f"gauge-hand-{number:02d}" for number in range(BY_HAND)]
        half = BY_HAND // 2
        try:
            # Half of it before and half of it after, so that a slow moment falls on both.
            by_hand = sum(_by_hand(one, settings, Path(name)) for one in hand[:half])
            by_portal, out_of_order = _by_portal(portal, names)
            by_hand += sum(_by_hand(one, settings, Path(name)) for one in hand[half:])
            by_hand *= PROJECTS / BY_HAND
            yield {
                "jobs": PROJECTS * JOBS_EACH,
                "job_projects": PROJECTS,
                "jobs_portal_s": by_portal,
                "jobs_by_hand_s": by_hand,
                "jobs_ratio": by_hand / by_portal,
                "jobs_out_of_order": out_of_order,
            }
        finally:
            print("croft: removing the projects of the measurement", flush=True)
            _tidy_up(portal, settings, Path(name), names, hand)


def _settings_of(change: int) -> dict[str, Any]:
    return {
        "description": f"Change {change} of a benchmark",
        "quota": {"cpu": "1", "memory": "1Gi", "pods": 5 + change},
    }


def _by_portal(portal: Portal, names: list[str]) -> tuple[float, int]:
    start = time.monotonic()
    for name in names:
        portal.call("POST", "/api/v1/projects", {"name": name, **_settings_of(0)})
    for change in range(1, JOBS_EACH):
        for name in names:
            portal.call("PATCH", f"/api/v1/projects/{name}", _settings_of(change))
    jobs = _ended(portal, names, start + LIMIT_S, JOBS_EACH)
    seconds = time.monotonic() - start
    if failed := [job for job in jobs if job["state"] != "succeeded"]:
        raise RuntimeError(f"{len(failed)} jobs failed; the first one: {failed[0]['message']}")
    return seconds, _out_of_order(jobs)


def _ended(portal: Portal, names: list[str], until: float, each: int) -> list[dict[str, Any]]:
    """Return all jobs of the projects once none of them waits or runs.

    `until`: when to give up, in seconds of time.monotonic(). Raises TimeoutError.
    """
    while time.monotonic() < until:
        waiting = [
            portal.call("GET", f"/api/v1/jobs?state={state}&limit=1")["items"]
            for state in ("queued", "running")
        ]
        if not any(waiting):
            jobs = [
                job for name in names for job in portal.call("GET", f"/api/v1/jobs?project={name}")["items"]
            ]
            if len(jobs) < len(names) * each:
                raise RuntimeError(f"there are {len(jobs)} jobs, not {len(names) * each}")
            return jobs
        # As rarely as is exact enough: whoever asks takes from what is measured.
        time.sleep(1)
    raise TimeoutError("jobs still wait or run, and the time for them is over")


def _out_of_order(jobs: list[dict[str, Any]]) -> int:
    """Return how many jobs began before an earlier one of their project had ended."""
    by_project = defaultdict(list)
    for job in sorted(jobs, key=lambda job: job["createdAt"]):
        by_project[job["project"]].append(job)
    return sum(
        _moment(later["startedAt"]) < _moment(earlier["finishedAt"])
        for found in by_project.values()
        for earlier, later in pairwise(found)
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _by_hand(name: str, settings: dict[str, str], folder: Path) -> float:
    start = time.monotonic()
    for change in range(JOBS_EACH):
        _playbook(name, _settings_of(change), settings, folder, "present")
    return time.monotonic() - start


def _playbook(name: str, values: dict[str, Any], settings: dict[str, str], folder: Path, state: str) -> None:
    request = folder / f"{name}.json"
    request.write_text(json.dumps({"project": {"name": name, "owner": "admin", **values}}))
    command = (
        str(web.ROOT / ".venv/bin/ansible-playbook"), "-i", "localhost,", "playbooks/project.yml",
        "-e", f"request_file={request}", "-e", f"state={state}", "-e", f"croft_helm={settings['CROFT_HELM']}",
    )  # fmt: skip
    done = subprocess.run(
        command,
        cwd=web.ROOT,
        env=os.environ | {"KUBECONFIG": settings["CROFT_KUBECONFIG"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    if done.returncode:
        raise RuntimeError(f"the playbook failed for {name}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")


def _tidy_up(
    portal: Portal, settings: dict[str, str], folder: Path, names: list[str], hand: list[str]
) -> None:
    """Remove the projects of the portal (`names`) and those made by hand. Raises TidyingError."""
    problems = []
    for one in hand:
        try:
            _playbook(one, {}, settings, folder, "absent")
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            problems.append(f"{one}: {error}")
    try:
        _remove(portal, names)
    except (RuntimeError, TimeoutError, httpx.HTTPError) as error:
        problems.append(str(error))
    if problems:
        raise TidyingError("\n".join(problems))


def _remove(portal: Portal, names: list[str]) -> None:
    """Delete the projects through the portal. Raises RuntimeError or TimeoutError that name what is left."""
    until = time.monotonic() + TIDY_LIMIT_S
    asked, refused = [], []
    for name in _there(portal, names):
        answer = portal.request("DELETE", f"/api/v1/projects/{name}")
        (refused if answer.is_error else asked).append(name)
    try:
        _ended(portal, asked, until, 1)
    except TimeoutError as error:
        left = ", ".join(_there(portal, names))
        raise TimeoutError(f"after {TIDY_LIMIT_S} s these projects are not deleted yet: {left}") from error
    if left := _there(portal, names):
        raise RuntimeError(f"not deleted: {', '.join(left)} (refused: {', '.join(refused) or 'none'})")


def _there(portal: Portal, names: list[str]) -> list[str]:
    """Return those of the projects that the portal knows."""
    return [name for name in names if portal.request("GET", f"/api/v1/projects/{name}").status_code != 404]
