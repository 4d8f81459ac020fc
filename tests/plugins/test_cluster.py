"""plugins/module_utils/cluster.py and access.py: the way to a cluster, against a server of the test's own."""

import base64
import datetime
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from plugins.module_utils import access
from plugins.module_utils.cluster import ClusterError, connect

ANSWERS = {
    "/api/v1/nodes": (200, '{"items": [{"metadata": {"name": "node-1"}}]}'),
    "/api/v1/secrets": (403, '{"message": "secrets is forbidden: User \\"croft\\" cannot list"}'),
    "/log": (200, "one\ntwo\n"),
}


class Server(http.server.BaseHTTPRequestHandler):
    """An API server with three answers; it notes what it was asked."""

    asked: list[tuple[str, str | None]] = []  # noqa: RUF012 (the handler's class is all the test sees)

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        status, text = ANSWERS.get(self.path.split("?")[0], (404, "{}"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    """Address of an API server."""
    Server.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


def kubeconfig(folder: Path, address: str, user: dict[str, Any], **cluster: Any) -> str:
    """Write a kubeconfig and return its path."""
    file = folder / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": address, **cluster}}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )
    return str(file)


def test_objects_lists_texts_and_refusals(server: str, tmp_path: Path) -> None:
    with connect(kubeconfig(tmp_path, server, {"token": "secret-token"})) as cluster:
        assert cluster.list("/api/v1/nodes", labelSelector="a=b") == [{"metadata": {"name": "node-1"}}]
        assert cluster.get("/api/v1/nothing") is None
        assert cluster.list("/apis/unknown/v1/kinds") == []
        assert cluster.text("/log", tailLines="10") == "one\ntwo\n"
        with pytest.raises(ClusterError) as refusal:
            cluster.get("/api/v1/secrets")
    assert str(refusal.value) == (
        'the cluster refuses /api/v1/secrets (403): secrets is forbidden: User "croft" cannot list'
    )
    assert Server.asked[0] == ("/api/v1/nodes?labelSelector=a%3Db", "Bearer secret-token")


def test_pod_uses_its_service_account_and_reads_a_renewed_token(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(access, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    (tmp_path / "ca.crt").write_bytes(certificate()[0])
    (tmp_path / "token").write_text("first\n")
    found = access.find_access("")
    assert found.server == "https://[fd00::1]:443"
    assert found.headers == {"Authorization": "Bearer first"}
    (tmp_path / "token").write_text("second\n")
    assert found.headers == {"Authorization": "Bearer second"}


def certificate() -> tuple[bytes, bytes]:
    """A certificate that signs itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return built.public_bytes(pem), secret


@pytest.mark.parametrize("inline", [True, False])
def test_certificate_and_key_are_loaded_and_leave_no_file(
    inline: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    parts = dict(zip(("client-certificate", "client-key"), certificate(), strict=True))
    user: dict[str, str] = {}
    for name, part in parts.items():
        (tmp_path / name).write_bytes(part)
        user |= {f"{name}-data": base64.b64encode(part).decode()} if inline else {name: name}
    authority = {"certificate-authority-data": base64.b64encode(parts["client-certificate"]).decode()}
    found = access.find_access(kubeconfig(tmp_path, "https://127.0.0.1:1", user, **authority))
    assert found.headers == {}
    assert found.tls.cert_store_stats()["x509"] == 1
    assert not list((tmp_path / "tmp").iterdir())


def test_what_leads_nowhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    cases = {
        "": "no cluster is given: add -e croft_kubeconfig=FILE",
        str(tmp_path / "none"): "leads to no cluster (No such file or directory)",
        kubeconfig(tmp_path, "https://x", {"exec": {}}): "neither by certificate nor by token",
    }
    for path, sentence in cases.items():
        with pytest.raises(ClusterError) as refusal, connect(path):
            pass
        assert sentence in str(refusal.value)
    (tmp_path / "kubeconfig").write_text("secret: [")
    with (
        pytest.raises(ClusterError, match="leads to no cluster") as refusal,
        connect(str(tmp_path / "kubeconfig")),
    ):
        pass
    assert "secret" not in str(refusal.value)
