"""What an alert's labels and annotations mean: whom it is for, what it is about, and where to look."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

# The gravest first; what has another word, or none, comes after them.
SEVERITIES = ("critical", "warning", "info")
Labels = Mapping[str, str]


def project_of(labels: Labels) -> str:
    """Return the project whose members the alert is for; empty for one that is for the operator alone."""
    return labels.get("namespace", "") if labels.get("audience") == "project" else ""


def application_of(labels: Labels) -> str:
    """Return the application that a project's alert is about; empty when it is about none, or several."""
    return labels.get("workload", "") if project_of(labels) else ""


def summary_of(labels: Labels, annotations: Labels) -> str:
    """Return one line that says what is the matter."""
    return annotations.get("summary") or labels.get("alertname") or "An alert without a name"


def runbook_of(annotations: Labels) -> str | None:
    """Return where it is written what to do: an address, else a path in Croft's documentation; or None."""
    runbook = annotations.get("runbook_url", "")
    # An address of another kind, like javascript:, is nothing to be led to.
    good = ":" not in runbook or runbook.startswith(("http://", "https://"))
    return runbook if runbook and good else None


def dashboard_of(labels: Labels) -> str:
    """Return the path of the page with the measurements behind an alert, for an administrator."""
    namespace, workload, node = (labels.get(name, "") for name in ("namespace", "workload", "node"))
    if project_of(labels):
        uid, variables = "croft-project", {"var-namespace": namespace}
        if workload:
            uid, variables = "croft-application", {**variables, "var-application": workload}
    elif labels.get("job") == "portal":
        uid, variables = "croft-portal", {}
    elif labels.get("job") in ("apiserver", "etcd", "scheduler", "controller-manager"):
        uid, variables = "croft-control-plane", {}
    elif node:
        uid, variables = "croft-nodes", {"var-node": node}
    elif namespace:
        uid, variables = "croft-namespaces", {"var-namespace": namespace}
    else:
        uid, variables = "croft-cluster", {}
    return f"/monitoring/{uid}" + (f"?{urlencode(variables)}" if variables else "")


def member_dashboard_of(project: str, application: str) -> str:
    """Return the path of the page with the measurements behind a project's alert, for its members.

    `application`: one that the project has, or empty.
    """
    below = f"/applications/{quote(application, safe='')}" if application else ""
    return f"/projects/{project}{below}/monitoring"
