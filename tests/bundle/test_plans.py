"""Both sources lead to the same bundle; upstream's downloads are done for real, from a local server."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from bundle.build.bundle import place
from bundle.build.errors import BuildError
from bundle.build.golang import binary_name
from bundle.build.lock import Lock, Release
from bundle.build.modules import plan_modules
from bundle.build.plan import Plan, check_pins
from bundle.build.settings import Settings
from bundle.build.steps import StepStore
from bundle.build.upstream import plan_upstream
from tests.bundle.release_server import ReleaseServer


def targets(plan: Plan) -> set[str]:
    return {piece.target for piece in plan.pieces}


def test_both_sources_give_the_same_files_but_for_what_modules_lack(lock: Lock, tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path)
    modules, upstream = plan_modules(lock, settings), plan_upstream(lock, settings)
    assert targets(upstream) - targets(modules) == {"images/cilium-operator.tar", "images/grafana.tar"}
    assert targets(modules) <= targets(upstream)
    assert {"node-image.tar", "images/portal-base.tar", "bin/kubeadm", "cni/loopback"} <= targets(modules)
    names = {name: full for name, full in upstream.image_names.items() if name in modules.image_names}
    for name, image in lock.images.items():
        if not image.local and not image.upstream_only:
            assert names[name] == modules.image_names[name]


@pytest.mark.parametrize("make_plan", [plan_modules, plan_upstream])
def test_every_piece_comes_from_an_earlier_step(
    lock: Lock, tmp_path: Path, make_plan: Callable[[Lock, Settings], Plan]
) -> None:
    plan = make_plan(lock, Settings(cache=tmp_path))
    names = [step.name for step in plan.steps]
    assert len(names) == len(set(names))
    assert {piece.step for piece in plan.pieces} <= set(names)
    for name in ("image-node", "image-portal-base"):
        assert names.index("debian-base") < names.index(name)


def test_a_change_in_requirements_redoes_the_portal_image_alone(lock: Lock, tmp_path: Path) -> None:
    before = {step.name: step.key for step in plan_modules(lock, Settings(cache=tmp_path)).steps}
    repository = tmp_path / "checkout"
    (repository / "webapp").mkdir(parents=True)
    (repository / "webapp" / "requirements.txt").write_text("flask==0\n")
    (repository / "bundle").symlink_to(Settings().definitions)
    after = plan_modules(lock, Settings(cache=tmp_path, repository=repository)).steps
    assert {step.name for step in after if before[step.name] != step.key} == {
        "portal-wheels",
        "image-portal-base",
    }


def content_of(release: Release, lock: Lock) -> bytes:
    """What the server gives for a release: an archive with the members that are taken, or some YAML."""
    members = [lock.fill(member) for member in release.put.values()]
    if members == [""]:
        return f"---\nkind: {urlsplit(lock.fill(release.url)).path}\n".encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member in members:
            name = f"{member}/Chart.yaml" if member == "cilium" else member
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(name), 0o755
            archive.addfile(entry, io.BytesIO(name.encode()))
    return buffer.getvalue()


def path_of(url: str) -> str:
    """Where the server has what is at `url`: all hosts side by side."""
    parts = urlsplit(url)
    return f"/{parts.netloc}{parts.path}"


@pytest.fixture
def served(lock: Lock, server: ReleaseServer) -> Lock:
    """Put all releases and checksums on the server; returns the lock file with pins for their content."""
    releases = []
    for release in lock.upstream.files:
        url, content = lock.fill(release.url), content_of(release, lock)
        name, digest = url.rsplit("/", 1)[-1], hashlib.sha256(content).hexdigest()
        server.files[path_of(url)] = content
        if release.checksum is None:
            releases.append(release.model_copy(update={"sha256": digest}))
            continue
        releases.append(release)
        text = {
            "plain": f"{digest}\n",
            "sums": f"{digest}  {name}\n",
            "helm-index": yaml.safe_dump({"entries": {"cilium": [{"digest": digest, "urls": [url]}]}}),
        }[release.checksum.format]
        server.files[path_of(lock.fill(release.checksum.url))] = text.encode()
    return lock.model_copy(update={"upstream": lock.upstream.model_copy(update={"files": releases})})


def mirrors(lock: Lock, server: ReleaseServer) -> dict[str, str]:
    urls = [release.url for release in lock.upstream.files]
    urls += [release.checksum.url for release in lock.upstream.files if release.checksum]
    hosts = {urlsplit(url).netloc for url in urls}
    return {host: f"{server.url}/{host}" for host in hosts}


def download_everything(lock: Lock, settings: Settings, bundle: Path, logs: Path) -> None:
    plan, store = plan_upstream(lock, settings), StepStore(settings.steps)
    steps = [step for step in plan.steps if step.name.startswith("download-")]
    for step in steps:
        store.do(step, logs / f"{step.name}.log")
    place(bundle, store, plan, [piece for piece in plan.pieces if piece.step.startswith("download-")])


def test_downloads_every_release(served: Lock, server: ReleaseServer, tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path / "cache", mirrors=mirrors(served, server))
    bundle = tmp_path / "bundle"
    download_everything(served, settings, bundle, tmp_path / "logs")
    for target in served.bundle:
        assert (bundle / target).exists(), target
        if target.startswith(("bin/", "cni/")):
            assert (bundle / target).stat().st_mode & 0o777 == 0o755, target
    assert (bundle / "charts/cilium/Chart.yaml").read_bytes() == b"cilium/Chart.yaml"
    documents = list(yaml.safe_load_all((bundle / "manifests/cilium-crds.yaml").read_text()))
    assert len(documents) == sum(
        "manifests/cilium-crds.yaml" in release.put for release in served.upstream.files
    )


@pytest.mark.parametrize("broken", ["kubelet", "SHA256SUMS", "ciliumnodes.yaml"])
def test_a_release_that_was_exchanged_ends_it(
    served: Lock, server: ReleaseServer, tmp_path: Path, broken: str
) -> None:
    path = next(path for path in server.files if path.endswith(f"/{broken}"))
    server.files[path] = server.files[path].replace(b"0", b"1") + b" "
    if broken == "SHA256SUMS":
        server.files[path] = b"0" * 64 + server.files[path][64:]
    settings = Settings(cache=tmp_path / "cache", mirrors=mirrors(served, server))
    with pytest.raises(BuildError, match=r"has the SHA-256"):
        download_everything(served, settings, tmp_path / "bundle", tmp_path / "logs")
    assert not (tmp_path / "bundle").exists()
    assert not [
        path for path in settings.steps.rglob("*") if path.name.endswith((".tmp", ".part", ".download"))
    ]


def test_a_pin_that_was_not_renewed_is_found(tmp_path: Path) -> None:
    (tmp_path / "crds").mkdir()
    (tmp_path / "crds" / "a.yaml").write_text("new")
    digest = hashlib.sha256(b"new").hexdigest()
    check_pins(tmp_path, "/v2", {"https://x.org/p/v2/crds/a.yaml": digest, "https://x.org/p/v2/b.yaml": "0"})
    with pytest.raises(BuildError, match=r"pins https://x\.org/p/v2/crds/a\.yaml to 00, but"):
        check_pins(tmp_path, "/v2", {"https://x.org/p/v2/crds/a.yaml": "00"})


@pytest.mark.parametrize(
    ("package", "name"),
    [("k8s.io/kubernetes/cmd/kubelet", "kubelet"), ("go.etcd.io/etcd/server/v3", "server"), ("a/b/v2", "b")],
)
def test_names_of_compiled_commands(package: str, name: str) -> None:
    assert binary_name(package) == name
