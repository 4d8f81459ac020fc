"""Downloads official releases; nothing is kept whose published checksum was not matched."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

import requests
import yaml

from bundle.build.errors import BuildError
from bundle.build.lock import Checksum

_CHUNK = 1 << 20
_TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds without a byte


class Downloader:
    """Fetches files over HTTP(S), through mirrors where the operator names some ({host: base URL})."""

    def __init__(self, mirrors: dict[str, str] | None = None) -> None:
        self._mirrors = {name: base.rstrip("/") for name, base in (mirrors or {}).items()}
        self._session = requests.Session()

    def address(self, url: str) -> str:
        """Where `url` is really fetched: a mirror's base stands in for "https://<host>"."""
        parts = urlsplit(url)
        base = self._mirrors.get(parts.netloc)
        return url if base is None else f"{base}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def answers(self, url: str, seconds: float) -> bool:
        """Whether `url` is there, asked once and within `seconds`."""
        try:
            return self._session.head(self.address(url), timeout=seconds, allow_redirects=True).ok
        except requests.RequestException:
            return False

    def fetch(self, url: str, target: Path, sha256: str) -> None:
        """Download `url` to `target`, which appears only when complete and with the SHA-256 asked for.

        Raises BuildError that names the file and the address; a half-written file never stays.
        """
        temporary = target.with_name(f"{target.name}.part")
        try:
            found = self._stream(url, temporary)
            if found != sha256:
                raise BuildError(
                    f"{_name(url)} from {self.address(url)} has the SHA-256 {found}, not {sha256}: "
                    "it is damaged or was exchanged. Nothing of it is kept. Try again, or look at the mirror"
                )
            temporary.rename(target)
        finally:
            temporary.unlink(missing_ok=True)

    def published_checksum(self, checksum: Checksum, url: str) -> str:
        """The SHA-256 that the project publishes for `url`, read in the checksum's format."""
        text = self._text(checksum.url)
        name = _name(url)
        found = (
            _from_index(text, name)
            if checksum.format == "helm-index"
            else _from_sums(text, name, checksum.format)
        )
        if found is None or len(found) != 64 or set(found) - set("0123456789abcdef"):
            raise BuildError(f"{self.address(checksum.url)} states no SHA-256 of {name}")
        return found

    def _text(self, url: str) -> str:
        try:
            response = self._session.get(self.address(url), timeout=_TIMEOUT)
            response.raise_for_status()
        except requests.RequestException as error:
            raise self._error(url, error) from error
        return response.text

    def _stream(self, url: str, target: Path) -> str:
        """Write the answer's body to `target` and return its SHA-256."""
        digest = hashlib.sha256()
        received = 0
        try:
            # Not compressed on the way: the length is then that of the file, and a cut answer is seen.
            headers = {"Accept-Encoding": "identity"}
            with self._session.get(
                self.address(url), stream=True, timeout=_TIMEOUT, headers=headers
            ) as response:
                response.raise_for_status()
                with target.open("wb") as file:
                    for chunk in response.iter_content(_CHUNK):
                        digest.update(chunk)
                        received += len(chunk)
                        file.write(chunk)
                expected = response.headers.get("Content-Length")
        except requests.RequestException as error:
            raise self._error(url, error) from error
        if expected is not None and received != int(expected):
            raise BuildError(
                f"{_name(url)} from {self.address(url)} ended after {received} of {expected} bytes: try again"
            )
        return digest.hexdigest()

    def _error(self, url: str, error: requests.RequestException) -> BuildError:
        if error.response is not None:
            reason = f"the server answered {error.response.status_code} {error.response.reason}"
        else:
            reason = f"the connection failed ({error})"
        return BuildError(
            f"cannot download {_name(url)} from {self.address(url)}: {reason}. "
            "Try again, name a mirror, or compile the bundle with BUNDLE_SOURCE=modules"
        )


def _name(url: str) -> str:
    return urlsplit(url).path.rsplit("/", 1)[-1]


def _from_sums(text: str, name: str, kind: str) -> str | None:
    """The digest in lines of "digest  name"; in a `plain` file the name may be missing."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 2 and fields[1].lstrip("*").rsplit("/", 1)[-1] == name:
            return fields[0].lower()
        if len(fields) == 1 and kind == "plain":
            return fields[0].lower()
    return None


def _from_index(text: str, name: str) -> str | None:
    """The digest in a Helm repository's index.yaml."""
    index = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe, and fast
    for versions in index["entries"].values():
        for version in versions:
            if any(_name(url) == name for url in version.get("urls", [])):
                return str(version.get("digest", "")).removeprefix("sha256:").lower()
    return None


def take(archive: Path, member: str, target: Path) -> None:
    """Copy a file or folder out of a tar archive to `target`; refuses links and paths that lead elsewhere."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as content:
        wanted = member.strip("/")
        found = False
        for entry in content.getmembers():
            name = entry.name.removeprefix("./").rstrip("/")
            if not entry.isfile() or (name != wanted and not name.startswith(f"{wanted}/")):
                continue
            relative = name[len(wanted) :].strip("/")
            if ".." in Path(relative).parts:
                raise BuildError(f"{archive.name} holds a path that leads out of it: {entry.name}")
            path = target / relative if relative else target
            source = content.extractfile(entry)
            if source is None:
                raise BuildError(f"{archive.name}: cannot read {entry.name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.read())
            path.chmod(0o755 if entry.mode & 0o100 else 0o644)
            found = True
    if not found:
        raise BuildError(f"{archive.name} holds no {member}")
