"""What is made of what: turns the lock file into steps, and says which gives which file of the bundle."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bundle.build.browser import collect
from bundle.build.errors import BuildError
from bundle.build.golang import GoToolchain
from bundle.build.images import ImageBuilder
from bundle.build.keys import key_of, key_of_files, sha256_of
from bundle.build.lock import Image, Lock
from bundle.build.settings import Settings
from bundle.build.steps import Step, StepStore
from bundle.build.wheels import download_portal_wheels, unpack_wheel

_BROWSER = "browser"


@dataclass(frozen=True)
class Piece:
    """A file or folder in a step's output that goes to `target` in the bundle."""

    target: str
    step: str
    path: str


def check_pins(folder: Path, version: str, pins: dict[str, str]) -> None:
    """Compare files of a Go module with the hashes that the lock file pins for the same files on the web.

    So a pin that was not renewed with its component's version is found where the right content is at hand.
    Raises BuildError that names the address.
    """
    found = {
        f"{version}/{file.relative_to(folder)}": sha256_of(file)
        for file in folder.rglob("*")
        if file.is_file()
    }
    for url, pin in pins.items():
        for end, sha256 in found.items():
            if url.endswith(end) and sha256 != pin:
                raise BuildError(
                    f"bundle/lock.yml pins {url} to {pin}, but the Go module has it with {sha256}"
                )


@dataclass
class Plan:
    """Ordered steps, the bundle's pieces, and the full names of images by their name in the lock file."""

    steps: list[Step] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    image_names: dict[str, str] = field(default_factory=dict)

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def pieces_of(self, step: Step) -> list[Piece]:
        return [piece for piece in self.pieces if piece.step == step.name]


class Planner:
    """What both sources share: the Debian base, local images, source references (modules.py, upstream.py)."""

    def __init__(self, lock: Lock, settings: Settings) -> None:
        self.lock = lock
        self.settings = settings
        self.store = StepStore(settings.steps)
        self.go = GoToolchain(settings, lock)
        self.images = ImageBuilder(settings)
        self.plan = Plan()

    def add(self, step: Step) -> Step:
        """Add a step unless one of its name is there already."""
        for known in self.plan.steps:
            if known.name == step.name:
                return known
        self.plan.steps.append(step)
        return step

    def locate(self, reference: str) -> tuple[Step, str]:
        """The step that gives a source reference of the lock file, and the path in its output."""
        kind, _, rest = reference.partition(":")
        name, _, path = rest.partition("/")
        if kind == "go":
            return self.compile(name), path
        if kind == "module":
            return self.module_files(name), path
        if kind == "wheel":
            return self.wheel(name), path or self.wheel_package(name)
        if kind == "bundle":
            return self.from_bundle(rest)
        if reference == "step:portal-wheels":
            return self.portal_wheels(), ""
        if reference == "step:browser":
            return self.browser(), _BROWSER
        raise BuildError(f"bundle/lock.yml: {reference!r} is no source")

    def from_bundle(self, target: str) -> tuple[Step, str]:
        """The step and path behind a file of the bundle."""
        for piece in self.plan.pieces:
            if piece.target == target:
                return self.plan.step(piece.step), piece.path
        raise BuildError(f"bundle/lock.yml: nothing makes {target}")

    def wheel_package(self, name: str) -> str:
        wheel = self.lock.components[name].wheel
        if wheel is None:
            raise BuildError(f"bundle/lock.yml: component {name} has no wheel")
        return wheel.package.replace("-", "_")

    def compile(self, name: str) -> Step:
        """Compile a component's commands."""
        component = self.lock.components[name]
        build = component.go
        if build is None:
            raise BuildError(f"bundle/lock.yml: component {name} is not compiled")
        folder = self.go.group_folder(build)
        key = key_of("compile", self.lock.fill(build.model_dump_json()), key_of_files([folder], folder))
        return self.add(
            Step(
                name=f"compile-{name}",
                title=f"compile {name} {component.version}",
                key=key,
                action=lambda out, log: self.go.compile(build, out, log),
                seconds=component.seconds,
                disk_mb=component.disk_mb,
                packages=tuple(component.packages),
            )
        )

    def module_files(self, name: str) -> Step:
        """Copy what the lock file takes from a component's module as it is."""
        component = self.lock.components[name]
        build = component.go
        if build is None:
            raise BuildError(f"bundle/lock.yml: component {name} has no module")
        sources = [s for group in self.lock.bundle.values() for s in group]
        sources += [s for image in self.lock.images.values() for s in image.files.values()]
        prefix = f"module:{name}/"
        patterns = sorted({source.removeprefix(prefix) for source in sources if source.startswith(prefix)})
        folder = self.go.group_folder(build)
        pins = self._pins()

        def action(out: Path, log: Path) -> None:
            self.go.copy_files(build, patterns, out, log)
            check_pins(out, f"/{component.version}", pins)

        return self.add(
            Step(
                name=f"files-{name}",
                title=f"copy files of {name} {component.version}",
                key=key_of(
                    "files", build.module, patterns, sorted(pins.items()), key_of_files([folder], folder)
                ),
                action=action,
                disk_mb=10,
            )
        )

    def _pins(self) -> dict[str, str]:
        """SHA-256 by address of the official files that the lock file itself pins."""
        files = self.lock.upstream.files
        return {self.lock.fill(release.url): release.sha256 for release in files if release.sha256}

    def wheel(self, name: str) -> Step:
        """Download and unpack a wheel that holds a binary."""
        component = self.lock.components[name]
        wheel = component.wheel
        if wheel is None:
            raise BuildError(f"bundle/lock.yml: component {name} has no wheel")
        return self.add(
            Step(
                name=f"wheel-{name}",
                title=f"download {name} {component.version}",
                key=key_of("wheel", wheel.model_dump_json()),
                action=lambda out, log: unpack_wheel(wheel, out, log),
                seconds=component.seconds,
                disk_mb=component.disk_mb,
            )
        )

    def portal_wheels(self) -> Step:
        """Download the wheels of webapp/requirements.txt for the portal image's Python."""
        requirements = self.settings.repository / "webapp" / "requirements.txt"
        return self.add(
            Step(
                name="portal-wheels",
                title="download the portal's wheels",
                key=key_of("wheels", self.lock.python, requirements.read_bytes()),
                action=lambda out, log: download_portal_wheels(requirements, self.lock.python, out, log),
                seconds=20,
                disk_mb=100,
            )
        )

    def browser(self) -> Step:
        """Get the files from npm that the portal's pages serve; in the output they are below browser/."""
        folder = self.settings.definitions / _BROWSER
        node = self.lock.components["nodejs"].wheel
        if node is None:
            raise BuildError("bundle/lock.yml: component nodejs has no wheel")
        files = self.lock.browser
        return self.add(
            Step(
                name=_BROWSER,
                title="get the browser's files from npm",
                key=key_of("browser", sorted(files.items()), key_of_files([folder], folder)),
                action=lambda out, log: collect(folder, files, node, out / _BROWSER, log),
                seconds=5,
                disk_mb=300,
            )
        )

    def add_browser_pieces(self) -> None:
        """Put the browser's files into the bundle."""
        step = self.browser()
        self.plan.pieces += [
            Piece(f"{_BROWSER}/{name}", step.name, f"{_BROWSER}/{name}") for name in self.lock.browser
        ]

    def debian_base(self) -> Step:
        """Bootstrap the Debian root file system that some images share."""
        folder = self.settings.definitions / "images" / "debian-base"
        debian = self.lock.components["debian"]
        return self.add(
            Step(
                name="debian-base",
                title=f"bootstrap Debian {debian.version}",
                key=key_of("debian-base", debian.version, key_of_files([folder], folder)),
                action=lambda out, log: self.images.bootstrap_base(debian.version, out, log),
                seconds=60,
                disk_mb=800,
                packages=tuple(debian.packages),
            )
        )

    def build_image(self, name: str, image: Image) -> Step:
        """Build one image from its definition; its archive is `image.tar` in the step's output."""
        folder = self.settings.definitions / "images" / name
        sources = {target: self.locate(reference) for target, reference in image.files.items()}
        base = self.debian_base() if image.base else None
        key = key_of(
            "image",
            self.lock.fill(image.name),
            key_of_files([folder], folder),
            [(target, step.key, path) for target, (step, path) in sorted(sources.items())],
            base.key if base else "",
        )
        full_name = self.lock.fill(image.name)
        # An image of our own is named by its content, unless charts have to know its name beforehand.
        if image.local and ":" not in full_name:
            full_name += f":{key}"
        self.plan.image_names[name] = full_name

        def action(out: Path, log: Path) -> None:
            files = {target: self.store.folder(step) / path for target, (step, path) in sources.items()}
            base_name = self.images.ensure_base(self.store.folder(base), base.key, log) if base else None
            self.images.build(
                name, full_name, files, out / "image.tar", log, base=base_name, keep=image.used_by == "host"
            )

        return self.add(
            Step(
                name=f"image-{name}",
                title=f"build image {full_name}",
                key=key,
                action=action,
                seconds=image.seconds,
                disk_mb=image.disk_mb,
            )
        )

    def add_image_piece(self, name: str, image: Image, step: Step) -> None:
        self.plan.pieces.append(Piece(image.archive or f"images/{name}.tar", step.name, "image.tar"))
