"""How to reach a cluster: from a kubeconfig, or as the service account of the pod.

The official client reads more kinds of kubeconfig, and takes 0.25 s of CPU to import in every playbook, a
fifth of the whole. What Croft's clusters and pods have are certificates and tokens.
"""

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible import constants

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class AccessError(Exception):
    """There is no way to a cluster; the text says what to do."""


@dataclass(frozen=True)
class Access:
    """Address of an API server (https://…), its TLS settings, and a token or the file that holds it."""

    server: str
    tls: ssl.SSLContext
    server_name: str | None = None
    token: str = ""
    token_file: Path | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers that authenticate a request; a token file is read anew, as Kubernetes renews it."""
        token = self.token_file.read_text().strip() if self.token_file else self.token
        return {"Authorization": f"Bearer {token}"} if token else {}


def find_access(kubeconfig: str) -> Access:
    """Return the way to the cluster that the file `kubeconfig` names; with "", KUBECONFIG's or the pod's own.

    Raises AccessError.
    """
    path = kubeconfig or os.environ.get("KUBECONFIG", "")
    try:
        return _from_file(Path(path)) if path else _from_pod()
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        # Only the kind of error: the text could quote the file, and with it a key.
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise AccessError(
            f"{path or 'the service account of this pod'} leads to no cluster ({why})"
        ) from None


def _from_pod() -> Access:
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
    if not host:
        raise AccessError("no cluster is given: add -e croft_kubeconfig=FILE")
    address = f"[{host}]" if ":" in host else host
    tls = ssl.create_default_context(cafile=str(SERVICE_ACCOUNT / "ca.crt"))
    return Access(f"https://{address}:{port}", tls, token_file=SERVICE_ACCOUNT / "token")


def _from_file(path: Path) -> Access:
    content = yaml.safe_load(path.read_text())
    context = _named(content["contexts"], content["current-context"])["context"]
    cluster = _named(content["clusters"], context["cluster"])["cluster"]
    user = _named(content["users"], context["user"])["user"] or {}
    certificate = _bytes(path, cluster, "certificate-authority")
    tls = ssl.create_default_context(cadata=certificate.decode() if certificate else None)
    if cluster.get("insecure-skip-tls-verify"):
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    pair = _bytes(path, user, "client-certificate"), _bytes(path, user, "client-key")
    if pair[0] and pair[1]:
        # Python loads keys from files alone: this one is its owner's, and gone when it has been read.
        with tempfile.NamedTemporaryFile(dir=constants.DEFAULT_LOCAL_TMP) as file:
            file.write(b"\n".join(part for part in pair if part))
            file.flush()
            tls.load_cert_chain(file.name)
    elif not (user.get("token") or user.get("tokenFile")):
        raise AccessError(f"{path} signs in neither by certificate nor by token; Croft knows no other way")
    return Access(
        cluster["server"],
        tls,
        server_name=cluster.get("tls-server-name"),
        token=user.get("token", ""),
        token_file=path.parent / user["tokenFile"] if user.get("tokenFile") else None,
    )


def _named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the entry of this name. Raises KeyError."""
    found = next((item for item in items if item["name"] == name), None)
    if found is None:
        raise KeyError(name)
    return found


def _bytes(path: Path, entry: dict[str, Any], key: str) -> bytes | None:
    """Return what an entry holds as base64 (`<key>-data`) or in a file (`<key>`) beside the kubeconfig."""
    if entry.get(f"{key}-data"):
        return base64.b64decode(entry[f"{key}-data"])
    return (path.parent / entry[key]).read_bytes() if entry.get(key) else None
