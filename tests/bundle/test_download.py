"""The downloader against a real server: right, wrong, cut off, missing, gone."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from bundle.build.download import Downloader, take
from bundle.build.errors import BuildError
from bundle.build.lock import Checksum
from tests.bundle.release_server import ReleaseServer

HOST = "releases.example.org"
CONTENT = b"a release\n" * 200_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
URL = f"https://{HOST}/v1/tool.tar.gz"


@pytest.fixture
def downloader(server: ReleaseServer) -> Downloader:
    server.files["/v1/tool.tar.gz"] = CONTENT
    return Downloader({HOST: server.url})


def assert_nothing_left(folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == []


def test_keeps_a_file_with_the_right_checksum(downloader: Downloader, tmp_path: Path) -> None:
    downloader.fetch(URL, tmp_path / "tool.tar.gz", DIGEST)
    assert (tmp_path / "tool.tar.gz").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["tool.tar.gz"]


def test_refuses_a_wrong_checksum(downloader: Downloader, tmp_path: Path) -> None:
    with pytest.raises(
        BuildError, match=rf"tool\.tar\.gz from http://127.* has the SHA-256 {DIGEST}, not 0000"
    ):
        downloader.fetch(URL, tmp_path / "tool.tar.gz", "0" * 64)
    assert_nothing_left(tmp_path)


def test_refuses_a_truncated_file(downloader: Downloader, server: ReleaseServer, tmp_path: Path) -> None:
    server.files["/v1/tool.tar.gz"] = CONTENT[:-1]
    with pytest.raises(BuildError, match=r"tool\.tar\.gz .*SHA-256"):
        downloader.fetch(URL, tmp_path / "tool.tar.gz", DIGEST)
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("sent", [0, 1, 1_500_000])
def test_a_connection_that_ends_half_way(
    downloader: Downloader, server: ReleaseServer, tmp_path: Path, sent: int
) -> None:
    server.cut["/v1/tool.tar.gz"] = sent
    with pytest.raises(BuildError, match=r"tool\.tar\.gz from http://127\.0\.0\.1:.*(ended after|failed)"):
        downloader.fetch(URL, tmp_path / "tool.tar.gz", DIGEST)
    assert_nothing_left(tmp_path)


def test_a_missing_file(downloader: Downloader, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"cannot download gone\.tgz from http://127.*answered 404"):
        downloader.fetch(f"https://{HOST}/gone.tgz", tmp_path / "gone.tgz", DIGEST)
    assert_nothing_left(tmp_path)


def test_a_server_that_is_gone(downloader: Downloader, server: ReleaseServer, tmp_path: Path) -> None:
    server.stop()
    with pytest.raises(BuildError, match=r"tool\.tar\.gz .*connection failed.*BUNDLE_SOURCE=modules"):
        downloader.fetch(URL, tmp_path / "tool.tar.gz", DIGEST)
    assert_nothing_left(tmp_path)


def test_a_failed_download_does_not_touch_what_was_there(downloader: Downloader, tmp_path: Path) -> None:
    target = tmp_path / "tool.tar.gz"
    target.write_bytes(b"before")
    with pytest.raises(BuildError):
        downloader.fetch(URL, target, "0" * 64)
    assert target.read_bytes() == b"before"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("plain", f"{DIGEST}\n"),
        ("plain", f"{DIGEST}  tool.tar.gz\n"),
        ("plain", f"{DIGEST.upper()} *tool.tar.gz\n"),
        ("sums", f"{'1' * 64}  other.tar.gz\n{DIGEST}  ./tool.tar.gz\n"),
        ("helm-index", f"entries:\n  tool:\n  - digest: {DIGEST}\n    urls: [https://x.org/tool.tar.gz]\n"),
    ],
)
def test_reads_published_checksums(
    downloader: Downloader, server: ReleaseServer, kind: str, text: str
) -> None:
    server.files["/v1/sums"] = text.encode()
    checksum = Checksum(url=f"https://{HOST}/v1/sums", format=kind)
    assert downloader.published_checksum(checksum, URL) == DIGEST


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("plain", ""),
        ("plain", "<html>not found</html>\n"),
        ("plain", f"{DIGEST[:-1]}\n"),
        ("sums", f"{DIGEST}\n"),
        ("sums", f"{DIGEST}  other.tar.gz\n"),
        ("sums", f"{DIGEST}  not-tool.tar.gz\n"),
        ("helm-index", "entries: {}\n"),
        ("helm-index", "entries:\n  tool:\n  - urls: [https://x.org/tool.tar.gz]\n"),
    ],
)
def test_refuses_checksum_files_that_do_not_tell(
    downloader: Downloader, server: ReleaseServer, kind: str, text: str
) -> None:
    server.files["/v1/sums"] = text.encode()
    with pytest.raises(BuildError, match=r"/v1/sums states no SHA-256 of tool\.tar\.gz"):
        downloader.published_checksum(Checksum(url=f"https://{HOST}/v1/sums", format=kind), URL)


def test_a_missing_checksum_file_ends_the_download(downloader: Downloader) -> None:
    checksum = Checksum(url=f"https://{HOST}/none.sha256", format="plain")
    with pytest.raises(BuildError, match=r"cannot download none\.sha256 .*404"):
        downloader.published_checksum(checksum, URL)


def test_asks_whether_a_server_answers(downloader: Downloader, server: ReleaseServer) -> None:
    assert downloader.answers(URL, 2)
    assert not downloader.answers(f"https://{HOST}/none", 2)
    server.stop()
    assert not downloader.answers(URL, 2)


def test_other_hosts_are_asked_themselves(downloader: Downloader) -> None:
    assert downloader.address("https://dl.k8s.io/a?b=c") == "https://dl.k8s.io/a?b=c"


def make_archive(path: Path, members: dict[str, bytes], mode: int = 0o755) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_takes_a_file_and_a_folder_out_of_an_archive(tmp_path: Path) -> None:
    archive = make_archive(
        tmp_path / "a.tgz", {"./bin/tool": b"1", "chart/a/b.yaml": b"2", "chartmuseum/c": b"3"}
    )
    take(archive, "bin/tool", tmp_path / "out" / "tool")
    take(archive, "chart", tmp_path / "out" / "chart")
    assert (tmp_path / "out" / "tool").read_bytes() == b"1"
    assert (tmp_path / "out" / "tool").stat().st_mode & 0o777 == 0o755
    assert sorted(p.name for p in (tmp_path / "out" / "chart").rglob("*")) == ["a", "b.yaml"]


def test_an_archive_without_the_member(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tgz", {"bin/other": b"1"})
    with pytest.raises(BuildError, match=r"a\.tgz holds no bin/tool"):
        take(archive, "bin/tool", tmp_path / "tool")


def test_an_archive_that_leads_out_of_its_folder(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tgz", {"chart/../../evil": b"1"})
    with pytest.raises(BuildError, match="leads out of it"):
        take(archive, "chart", tmp_path / "out" / "chart")
    assert not (tmp_path / "evil").exists()
