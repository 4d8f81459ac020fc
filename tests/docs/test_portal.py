"""What docs/portal.md says of tests and pictures is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "portal.md").read_text()


def test_every_named_test_is_there() -> None:
    named = set(re.findall(r"\btests/[\w/]+(?:\.py)?(?:::\w+)?", TEXT))
    assert len(named) > 50
    missing = []
    for name in sorted(named):
        path, _, function = name.partition("::")
        found = ROOT / path.rstrip("/")
        if not found.exists() or (function and f"def {function}(" not in found.read_text()):
            missing.append(name)
    assert missing == []


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"\]\((images/[^)]+)\)", TEXT)
    assert [name for name in pictures if not (ROOT / "docs" / name).exists()] == []
