"""Talking to the cluster: plain JSON through the official client's connection, without its 700 model classes.

Importing the typed API classes costs 0.5 s of CPU in every playbook; connection, kubeconfig and service
account handling are the parts worth having.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ansible import constants
from kubernetes import config
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import kube_config
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

_SECONDS = (5, 30)  # to connect, to read
# An API server that restarts is away for a moment; that must not end a change that waits.
_RETRIES = Retry(total=4, backoff_factor=0.4, allowed_methods=["GET"])


class ClusterError(Exception):
    """The cluster could not be read; the text says why and what to do."""


class Cluster:
    """A connection to one cluster."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._host = client.configuration.host

    def get(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return the object or list at an API path such as "/api/v1/nodes", or None when there is none.

        Raises ClusterError.
        """
        status, text = self._request(path, query)
        if status == 404:
            return None
        if status >= 300:
            raise ClusterError(self._refusal(path, status, text))
        found: dict[str, Any] = json.loads(text)
        return found

    def list(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return the items of the list at `path`; none where the cluster does not know the kind."""
        return list((self.get(path, **query) or {}).get("items", []))

    def text(self, path: str, **query: str) -> str:
        """Return the text at `path` (a log), or "" when there is none."""
        status, text = self._request(path, query)
        return text if status < 300 else ""

    def delete(self, path: str) -> None:
        """Ask for the deletion of the object at `path`; it is fine when it is gone. Raises ClusterError."""
        status, text = self._request(path, {}, "DELETE")
        if status >= 300 and status != 404:
            raise ClusterError(self._refusal(path, status, text))

    def _request(self, path: str, query: dict[str, str], method: str = "GET") -> tuple[int, str]:
        url = f"{self._host}{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": "application/json"}
        try:
            self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
            answer = self._client.call_api(method, url, header_params=headers, _request_timeout=_SECONDS)
            return answer.status, answer.read().decode(errors="replace")
        except (HTTPError, ApiException) as error:
            reason = str(error).rsplit(": ", 1)[-1].rstrip(")\"'")
            raise ClusterError(f"the cluster at {self._host} does not answer: {reason}") from error

    @staticmethod
    def _refusal(path: str, status: int, text: str) -> str:
        try:
            message = json.loads(text)["message"]
        except (ValueError, KeyError, TypeError):
            message = text[:300]
        return f"the cluster refuses {path} ({status}): {message}"


@contextmanager
def connect(kubeconfig: str) -> Iterator[Cluster]:
    """Open the cluster that the file `kubeconfig` leads to; with "", KUBECONFIG's or the pod's own.

    Raises ClusterError when there is no way to a cluster.
    """
    path = kubeconfig or os.environ.get("KUBECONFIG", "")
    settings = Configuration()
    # The client writes a kubeconfig's keys into files and removes them at exit, which Ansible's processes
    # skip: here they lie in Ansible's own temporary folder, and only while the connection is open.
    with tempfile.TemporaryDirectory(prefix="croft-", dir=constants.DEFAULT_LOCAL_TMP) as keys:
        try:
            if path:
                config.load_kube_config(
                    path, client_configuration=settings, persist_config=False, temp_file_path=keys
                )
            else:
                config.load_incluster_config(client_configuration=settings)
        except ConfigException as error:
            hint = "give the cluster with -e croft_kubeconfig=FILE"
            source = f" in {path}" if path else ""
            raise ClusterError(f"no way to the cluster{source}: {error}; {hint}") from error
        if urlsplit(settings.host).hostname in ("127.0.0.1", "::1", "localhost"):
            settings.proxy = None  # as Go's programs do; the client would ask HTTPS_PROXY for this machine
        settings.retries = _RETRIES
        client = ApiClient(settings)
        try:
            yield Cluster(client)
        finally:
            client.rest_client.close()
            # Or a second connection of this process would look for the files that are gone now.
            kube_config._cleanup_temp_files()
