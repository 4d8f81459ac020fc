"""The plan for BUNDLE_SOURCE=modules: compile from pinned Go modules, build every image here."""

from __future__ import annotations

from bundle.build.lock import Lock
from bundle.build.plan import Piece, Plan, Planner
from bundle.build.settings import Settings


def plan_modules(lock: Lock, settings: Settings) -> Plan:
    """Local machines' image first, then binaries in the order of the lock file, then the other images."""
    planner = Planner(lock, settings)
    images = {name: image for name, image in lock.images.items() if not image.upstream_only}
    node = images.pop("node")
    planner.add_image_piece("node", node, planner.build_image("node", node))
    planner.add_browser_pieces()
    for name, component in lock.components.items():
        if component.go is not None:
            planner.compile(name)
    for target, references in lock.bundle.items():
        for reference in references:
            step, path = planner.locate(reference)
            planner.plan.pieces.append(Piece(target, step.name, path))
    for name, image in images.items():
        planner.add_image_piece(name, image, planner.build_image(name, image))
    return planner.plan
