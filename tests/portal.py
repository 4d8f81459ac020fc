"""A small client of the portal's API for end-to-end tests and the benchmark; notes when things happen."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class FollowedJob:
    """What a job's event stream told; seconds count from its submission."""

    job: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    first_task: float = 0.0
    end: float = 0.0

    def text(self) -> str:
        """Return all that a user could have read."""
        return "\n".join([*(event["text"] for event in self.events), self.job["message"]])


class Portal:
    """The API of the portal at `url` (scheme, host and port).

    Every name below localhost is this machine, but not every resolver knows it: the connection goes to
    127.0.0.1, and the name travels in the Host header.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # What sign_in got, and until when (monotonic seconds) it is good; renewed before that.
        self._tokens: dict[str, Any] = {}
        self._until = 0.0
        host = url.partition("://")[2]
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{host.rpartition(':')[2]}",
            headers={"Host": host},
            timeout=60,
            trust_env=False,
        )

    def sign_in(self, name: str, password: str) -> dict[str, Any]:
        """Sign in and use the access token from now on; return the answer with both tokens."""
        self._tokens = {}
        return self._take(self.call("POST", "/api/v1/auth/token", {"name": name, "password": password}))

    def _take(self, tokens: dict[str, Any]) -> dict[str, Any]:
        self._tokens, self._until = tokens, time.monotonic() + tokens["expiresIn"] - 60
        self.http.headers["Authorization"] = f"Bearer {tokens['accessToken']}"
        return tokens

    def _renew(self) -> None:
        """Renew an access token that is about to end, unless the caller has put another one in its place."""
        mine = f"Bearer {self._tokens.get('accessToken')}"
        if time.monotonic() > self._until and self.http.headers.get("Authorization") == mine:
            body = {"refreshToken": self._tokens["refreshToken"]}
            answer = self.http.post("/api/v1/auth/refresh", json=body)
            if answer.is_error:
                raise RuntimeError(f"the tokens are not renewed: {answer.status_code}: {answer.text[:1000]}")
            self._take(answer.json())

    def request(self, method: str, path: str, body: Any = None, **arguments: Any) -> httpx.Response:
        """Send a request and return whatever is answered."""
        if body is not None:
            arguments["json"] = body
        self._renew()
        return self.http.request(method, path, **arguments)

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Send a request that has to succeed; return its answer. Raises RuntimeError."""
        answer = self.request(method, path, body)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code}: {answer.text[:1000]}")
        return answer.json()

    def submit(self, method: str, path: str, body: Any = None) -> FollowedJob:
        """Send a change and follow its job to the end, whatever that is."""
        start = time.monotonic()
        answer = self.call(method, path, body)
        return self.follow(answer["links"]["job"], start)

    def follow(self, job: str, start: float | None = None) -> FollowedJob:
        """Follow the job at the path `job` to its end; times count from `start` (monotonic seconds)."""
        start = time.monotonic() if start is None else start
        followed = FollowedJob()
        for event in self.events(job):
            followed.events.append(event)
            if event["kind"] == "task" and not followed.first_task:
                followed.first_task = time.monotonic() - start
        followed.end = time.monotonic() - start
        followed.job = self.call("GET", job)
        return followed

    def events(self, job: str, after: int = 0, seconds: float = 300) -> Iterator[dict[str, Any]]:
        """Yield a job's events after number `after` from its stream, until the stream ends."""
        self._renew()
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(after)} if after else {})
        with self.http.stream("GET", f"{job}/events", headers=headers, timeout=seconds) as stream:
            if stream.is_error:
                raise RuntimeError(f"{job}/events: {stream.status_code}: {stream.read().decode()[:500]}")
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])
