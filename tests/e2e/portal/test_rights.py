"""What the portal's accounts may not do, asked of the real API server."""

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.e2e

WORKER = "--as=system:serviceaccount:croft:portal-worker"
WEB = "--as=system:serviceaccount:croft:portal-web"
ONLY_PROJECTS = "The portal may only"


@pytest.mark.parametrize(
    "command",
    [
        ("create", "configmap", "x", "-n", "default"),
        ("create", "secret", "generic", "x", "-n", "kube-system"),
        ("create", "role", "x", "-n", "croft", "--verb=get", "--resource=pods"),
        ("create", "namespace", "unlabelled"),
        ("delete", "namespace", "croft-ingress"),
        ("delete", "namespace", "croft-projects"),
        ("label", "namespace", "default", "croft.dev/project=default"),
        ("delete", "secret", "portal", "-n", "croft"),
    ],
)
def test_worker_writes_only_in_projects(kubectl: Callable[..., str], command: tuple[str, ...]) -> None:
    answer = kubectl(*command, "--dry-run=server", WORKER, check=False)
    assert ONLY_PROJECTS in answer


def test_worker_cannot_give_itself_more(kubectl: Callable[..., str]) -> None:
    grab = ("create", "clusterrolebinding", "x", "--clusterrole=cluster-admin", "--user=x")
    assert "forbidden" in kubectl(*grab, "--dry-run=server", WORKER, check=False)


@pytest.mark.parametrize(
    ("verb", "kind"),
    [("get", "secrets"), ("create", "pods"), ("create", "pods/exec"), ("delete", "namespaces")],
)
def test_web_only_reads(kubectl: Callable[..., str], verb: str, kind: str) -> None:
    assert kubectl("auth", "can-i", verb, kind, "-n", "croft-projects", WEB, check=False).startswith("no")


def test_web_asks_for_tokens_of_members_accounts_alone(kubectl: Callable[..., str]) -> None:
    refused = kubectl("create", "token", "portal-worker", "-n", "croft", WEB, check=False)
    assert "forbidden" in refused
    # By its name it could be a member's; its namespace is no project's.
    kubectl("create", "serviceaccount", "croft-owner", "-n", "default")
    try:
        refused = kubectl("create", "token", "croft-owner", "-n", "default", WEB, check=False)
        assert "may only ask for tokens, in namespaces of projects" in refused
    finally:
        kubectl("delete", "serviceaccount", "croft-owner", "-n", "default")
