"""bundle/lock.yml says the truth about the rest of bundle/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bundle.build.errors import BuildError
from bundle.build.lock import Lock, load
from bundle.build.settings import REPOSITORY

BUNDLE = REPOSITORY / "bundle"
# Modules of a group that are released with the component's main module.
_CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"
SIBLINGS = {
    "go.etcd.io/etcd/server/v3": ["go.etcd.io/etcd/etcdctl/v3"],
    f"{_CONTRIB}/receiver/k8sclusterreceiver": [
        f"{_CONTRIB}/exporter/prometheusexporter",
        "go.opentelemetry.io/collector/otelcol",
    ],
}
# Groups that use much of what Kubernetes is made of, and the modules that make up most of it.
SHARING = ("cadvisor", "cilium", "otel-collector", "prometheus")
SHARED = (
    "google.golang.org/grpc",
    "google.golang.org/protobuf",
    "k8s.io/api",
    "k8s.io/apimachinery",
    "k8s.io/client-go",
)


def required(go_mod: str) -> dict[str, str]:
    """Versions by module of a go.mod's `require` lines, with `replace` applied."""
    found = dict(re.findall(r"^(?:require)?\s+([^\s/]+/\S+) (v\S+)", go_mod, re.MULTILINE))
    found.update(re.findall(r"^\s*(?:replace )?(\S+) => \1 (v\S+)", go_mod, re.MULTILINE))
    return found


def test_go_modules_are_pinned_to_the_locked_versions(lock: Lock) -> None:
    for name, component in lock.components.items():
        if component.go is None:
            continue
        folder = BUNDLE / "go" / component.go.group
        versions = required((folder / "go.mod").read_text())
        sums = (folder / "go.sum").read_text()
        for module in [component.go.module, *SIBLINGS.get(component.go.module, [])]:
            assert versions[module] == component.version, f"{name}: {module}"
            assert f"{module} {component.version} h1:" in sums


def test_every_command_belongs_to_its_group(lock: Lock) -> None:
    for component in lock.components.values():
        if component.go is None:
            continue
        text = (BUNDLE / "go" / component.go.group / "go.mod").read_text()
        tools = set(re.findall(r"^(?:tool)?\s+(\S+)$", text, re.MULTILINE))
        for package in component.go.commands.values():
            assert package in tools or package == f"croft.dev/bundle/{component.go.group}"


def test_every_group_is_used(lock: Lock) -> None:
    groups = {component.go.group for component in lock.components.values() if component.go}
    assert {path.parent.name for path in (BUNDLE / "go").glob("*/go.mod")} == groups


def test_kubernetes_gets_the_versions_that_its_parts_share(lock: Lock) -> None:
    versions = required((BUNDLE / "go" / "kubernetes" / "go.mod").read_text())
    staging = lock.components["kubernetes"].version.replace("v1.", "v0.", 1)
    for module in ("k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go", "k8s.io/kubelet"):
        assert versions[module] == staging


@pytest.mark.parametrize("group", SHARING)
def test_what_kubernetes_has_compiled_is_not_compiled_again(group: str) -> None:
    kubernetes = required((BUNDLE / "go" / "kubernetes" / "go.mod").read_text())
    versions = required((BUNDLE / "go" / group / "go.mod").read_text())
    used = {module: version for module, version in versions.items() if module in SHARED}
    assert "google.golang.org/grpc" in used
    assert used == {module: kubernetes[module] for module in used}


def test_cadvisor_is_the_one_that_kubernetes_holds(lock: Lock) -> None:
    kubernetes = required((BUNDLE / "go" / "kubernetes" / "go.mod").read_text())
    assert lock.components["cadvisor"].version == kubernetes["github.com/google/cadvisor"]


def test_prometheus_is_named_by_the_release_of_its_module(lock: Lock) -> None:
    major, minor, patch = lock.components["prometheus-release"].version.removeprefix("v").split(".")
    assert lock.components["prometheus"].version == f"v0.{major}{minor:0>2}.{patch}"


def test_every_image_has_a_definition_and_every_definition_an_image(lock: Lock) -> None:
    built = {name for name, image in lock.images.items() if not image.upstream_only}
    assert {path.parent.name for path in (BUNDLE / "images").glob("*/Containerfile")} == built
    for name in built:
        text = (BUNDLE / "images" / name / "Containerfile").read_text()
        assert ("${DEBIAN_BASE}" in text) == lock.images[name].base, name


def test_image_definitions_take_what_the_lock_gives_them(lock: Lock) -> None:
    for name, image in lock.images.items():
        if image.upstream_only:
            continue
        text = (BUNDLE / "images" / name / "Containerfile").read_text()
        for file in image.files:
            assert re.search(rf"(COPY|/mnt/context).*\b{re.escape(file)}\b", text), f"{name}: {file}"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("prometheus", "/bin/prometheus"),
        ("alertmanager", "/bin/alertmanager"),
        ("prom-label-proxy", "/bin/prom-label-proxy"),
        ("node-exporter", "/bin/node_exporter"),
        ("cadvisor", "/usr/bin/cadvisor"),
        ("otel-collector", "/otelcol-contrib"),
    ],
)
def test_images_of_monitoring_start_as_the_official_ones_do(name: str, command: str) -> None:
    """The charts give arguments alone, and fit the images of both sources."""
    text = (BUNDLE / "images" / name / "Containerfile").read_text()
    assert f'ENTRYPOINT ["{command}"' in text
    assert re.search(rf"^COPY \S+ {command}$", text, re.MULTILINE)


def test_upstream_gives_exactly_the_files_of_the_bundle(lock: Lock) -> None:
    assert {target for release in lock.upstream.files for target in release.put} == set(lock.bundle)


def test_downloads_are_https_and_of_a_locked_version(lock: Lock) -> None:
    for release in lock.upstream.files:
        assert release.url.startswith("https://")
        assert lock.fill(release.url) != release.url, "the version is a placeholder"
        assert "{" not in lock.fill(release.url)
        if release.checksum:
            assert release.checksum.url.startswith("https://")
            assert "{" not in lock.fill(release.checksum.url)


def test_image_names_are_official_and_complete(lock: Lock) -> None:
    for image in lock.images.values():
        name = lock.fill(image.name)
        if image.local:
            assert re.fullmatch(r"localhost/croft/[a-z-]+(:\d+-\d+)?", name)
        else:
            assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+/[a-z0-9./-]+:v?\d[\w.-]*", name)


def test_no_image_can_replace_another_in_the_bundle(lock: Lock) -> None:
    archives = [image.archive or f"images/{name}.tar" for name, image in lock.images.items()]
    assert len(archives) == len(set(archives))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("components", "helm", "verzion"), "v1", "components.helm.verzion"),
        (("components", "helm", "version"), None, "components.helm.version"),
        (("components", "envoy", "wheel", "sha256"), "abc", "components.envoy.wheel.sha256"),
        (("images", "etcd", "used_by"), "everyone", "images.etcd.used_by"),
        (("upstream", "files", 0, "checksum"), None, "either a published checksum or a sha256"),
        (("upstream", "files", 0, "checksum", "format"), "md5", "upstream.files.0.checksum.format"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, path: tuple[str | int, ...], value: object, message: str) -> None:
    data = yaml.safe_load((BUNDLE / "lock.yml").read_text())
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    file = tmp_path / "lock.yml"
    file.write_text(yaml.safe_dump(data))
    with pytest.raises(BuildError, match=message):
        load(file)


def test_fills_versions_in(lock: Lock) -> None:
    version = lock.components["cilium"].version
    assert lock.fill("cilium-{cilium#v}.tgz of {cilium}") == f"cilium-{version[1:]}.tgz of {version}"
    with pytest.raises(BuildError, match=r"\{nothing\} in 'a\{nothing\}' names no component"):
        lock.fill("a{nothing}")
