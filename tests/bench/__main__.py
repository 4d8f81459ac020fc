"""`make bench`: how long users wait, beside plain Helm and the same playbook by hand, in one run.

Prints a table and writes docs/benchmarks.json and docs/benchmarks.md. Every number of a pair is measured in
turn (portal, Helm, playbook, portal, …), so that a slow moment of the machine falls on all of them. ROUNDS
(5) says how often. COLD=1 also compiles a bundle with empty caches; without it, the last such number is kept.
"""

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench.cluster import ROOT, Cluster, cold_bundle_seconds
from tests.bench.report import write_report
from tests.portal import FollowedJob, Portal
from tests.samples import small_application

ROUNDS = int(os.environ.get("ROUNDS", "5"))


def seconds_until_answer(cluster: Cluster, project: str, start: float, limit: float = 120) -> float:
    """Return the seconds from `start` until the application answers 200 through Envoy."""
    url = f"http://127.0.0.1:{cluster.settings['HTTP_PORT']}/healthz"
    host = f"web.{project}.localhost:{cluster.settings['HTTP_PORT']}"
    while time.monotonic() - start < limit:
        if httpx.get(url, headers={"Host": host}, timeout=5).status_code == 200:
            return time.monotonic() - start
        time.sleep(0.02)
    raise TimeoutError(f"{host} does not answer after {limit:.0f} s")


def done(followed: FollowedJob) -> FollowedJob:
    """Return the job if it succeeded; raises RuntimeError with all that it told."""
    if followed.job["state"] != "succeeded":
        raise RuntimeError(followed.text())
    return followed


def by_portal(cluster: Cluster, portal: Portal, image: str, project: str, folder: Path) -> dict[str, float]:
    """Make and remove a project with one application by the API; keep both releases' values in `folder`."""
    found: dict[str, float] = {}
    made = done(portal.submit("POST", "/api/v1/projects", {"name": project}))
    found["submit_to_first_task_s"] = made.first_task
    found["submit_to_project_ready_s"] = made.end

    body = small_application(image, name="web")
    start = time.monotonic()
    job = portal.call("POST", f"/api/v1/projects/{project}/applications", body)["links"]["job"]
    found["submit_to_application_answers_s"] = seconds_until_answer(cluster, project, start)
    done(portal.follow(job))
    cluster.save_values(project, "croft-projects", folder / "project.json")
    cluster.save_values("web", project, folder / "application.json")

    start = time.monotonic()
    job = portal.call("DELETE", f"/api/v1/projects/{project}")["links"]["job"]
    found["delete_to_gone_s"] = cluster.wait_until_gone(project, start)
    done(portal.follow(job))
    return found


def by_helm(cluster: Cluster, project: str, folder: Path) -> dict[str, float]:
    """Make and remove the same by plain Helm, with the values that the portal's releases had."""
    found: dict[str, float] = {}
    found["helm_project_ready_s"] = cluster.helm_install(
        project, "croft-projects", "project", folder / "project.json"
    )
    start = time.monotonic()
    cluster.helm_install("web", project, "application", folder / "application.json")
    found["helm_application_answers_s"] = seconds_until_answer(cluster, project, start)
    start = time.monotonic()
    cluster.run("helm", "uninstall", "web", "--namespace", project, "--wait")
    cluster.run("helm", "uninstall", project, "--namespace", "croft-projects", "--wait")
    found["helm_delete_to_gone_s"] = cluster.wait_until_gone(project, start)
    return found


def by_playbook(cluster: Cluster, image: str, project: str, folder: Path) -> dict[str, float]:
    """Make and remove the same by the playbooks, as an operator does by hand."""
    found: dict[str, float] = {}
    project_request = folder / "project.yml"
    project_request.write_text(json.dumps({"project": {"name": project, "owner": "admin"}}))
    application_request = folder / "application.yml"
    application_request.write_text(
        json.dumps({"application": small_application(image, name="web", project=project)})
    )
    found["playbook_project_ready_s"] = cluster.playbook("project", project_request)
    start = time.monotonic()
    cluster.playbook("application", application_request)
    found["playbook_application_answers_s"] = seconds_until_answer(cluster, project, start)
    start = time.monotonic()
    cluster.playbook("project", project_request, state="absent")
    found["playbook_delete_to_gone_s"] = cluster.wait_until_gone(project, start)
    return found


def measure(cluster: Cluster) -> dict[str, float]:
    """Make the cluster, measure everything on it, and remove it."""
    numbers: dict[str, float] = {}
    print("croft: make up, twice", flush=True)
    numbers["make_up_filled_bundle_s"], _ = cluster.make_up()
    numbers["make_up_again_s"], numbers["make_up_again_changed"] = cluster.make_up()
    portal = Portal(cluster.url)
    portal.sign_in(*cluster.credentials())
    image = cluster.image("agnhost")
    time.sleep(20)  # lets the work of starting settle before memory is read
    numbers["portal_idle_rss_mb"] = cluster.portal_rss_mb()
    numbers["cluster_idle_mb"] = cluster.node_memory_mb()

    rounds = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(ROUNDS):
            print(f"croft: round {number + 1} of {ROUNDS}", flush=True)
            project, folder = f"bench-{number}", Path(name)
            rounds.append(
                by_portal(cluster, portal, image, project, folder)
                | by_helm(cluster, project, folder)
                | by_playbook(cluster, image, project, folder)
            )
    return numbers | {key: statistics.median(found[key] for found in rounds) for key in rounds[0]}


def main() -> None:
    """Measure, print the table, write the files."""
    names = ("CLUSTER", "HTTP_PORT", "HTTPS_PORT", "API_PORT", "SSH_PORT")
    cluster = Cluster({name: os.environ[name] for name in names} | {"NODES": "1"})
    if cluster.state.exists():
        raise SystemExit(
            f"croft: {cluster.state} exists: remove that cluster first, with make down CLUSTER=…"
        )
    try:
        numbers = measure(cluster)
    finally:
        cluster.run("make", "--no-print-directory", "down")
    if os.environ.get("COLD"):
        numbers["bundle_modules_cold_s"] = cold_bundle_seconds()
    write_report(numbers, ROOT / "docs", ROUNDS)


if __name__ == "__main__":
    main()
