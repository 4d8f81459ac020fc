"""Talking to the cluster: its API's plain JSON, over one connection."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from plugins.module_utils.access import Access, AccessError, find_access

_TIMEOUT = urllib3.Timeout(connect=5, read=30)
# An API server that restarts is away for a moment; that must not end a change that waits.
_RETRIES = urllib3.Retry(total=4, backoff_factor=0.4, allowed_methods=["GET"])


class ClusterError(Exception):
    """The cluster could not be read; the text says why and what to do."""


class Cluster:
    """A connection to one cluster."""

    def __init__(self, access: Access, pool: urllib3.PoolManager) -> None:
        self._access = access
        self._pool = pool

    def get(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return the object or list at an API path such as "/api/v1/nodes", or None when there is none.

        Raises ClusterError.
        """
        status, text = self._request("GET", path, query)
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
        status, text = self._request("GET", path, query)
        return text if status < 300 else ""

    def delete(self, path: str) -> None:
        """Ask for the deletion of the object at `path`; it is fine when it is gone. Raises ClusterError."""
        status, text = self._request("DELETE", path, {})
        if status >= 300 and status != 404:
            raise ClusterError(self._refusal(path, status, text))

    def patch(self, path: str, change: dict[str, Any]) -> None:
        """Merge `change` into the object at `path` (RFC 7396). Raises ClusterError."""
        status, text = self._request("PATCH", path, {}, json.dumps(change))
        if status >= 300:
            raise ClusterError(self._refusal(path, status, text))

    def _request(
        self, method: str, path: str, query: dict[str, str], body: str | None = None
    ) -> tuple[int, str]:
        url = f"{self._access.server}{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        try:
            headers = {"Accept": "application/json", **self._access.headers}
            if body is not None:
                headers["Content-Type"] = "application/merge-patch+json"
            answer = self._pool.request(
                method, url, headers=headers, body=body, timeout=_TIMEOUT, retries=_RETRIES
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            reason = str(error).rsplit(": ", 1)[-1].rstrip(")\"'")
            raise ClusterError(f"the cluster at {self._access.server} does not answer: {reason}") from error
        return answer.status, answer.data.decode(errors="replace")

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
    try:
        access = find_access(kubeconfig)
    except AccessError as error:
        raise ClusterError(str(error)) from None
    with urllib3.PoolManager(ssl_context=access.tls, server_hostname=access.server_name) as pool:
        yield Cluster(access, pool)
