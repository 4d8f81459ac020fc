"""Command line: `python -m bundle.build <command>`.

build       fill the bundle; the last line is the result as JSON; --check changes nothing
key         print the bundle's key
path        print the folder of the finished bundle; fails when there is none
verify      read every file of the bundle and compare it with the manifest
drop-caches delete Go's caches and finished steps (bundles stay)
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from bundle.build import process
from bundle.build.builder import SOURCES, Builder
from bundle.build.bundle import damaged_files, read_manifest
from bundle.build.errors import BuildError
from bundle.build.golang import drop_caches
from bundle.build.settings import Settings


def _mirrors(values: Sequence[str]) -> dict[str, str]:
    mirrors = {}
    for value in values:
        host, _, base = value.partition("=")
        if not host or not base.startswith(("http://", "https://")):
            raise BuildError(f"--mirror {value!r}: write it as host=https://mirror/path")
        mirrors[host] = base
    return mirrors


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bundle.build", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["build", "key", "path", "verify", "drop-caches"])
    parser.add_argument("--source", choices=SOURCES, default=os.environ.get("BUNDLE_SOURCE", "auto"))
    parser.add_argument(
        "--mirror", action="append", default=[], metavar="HOST=URL", help="fetch HOST's files there"
    )
    parser.add_argument("--check", action="store_true", help="change nothing, say what would be done")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Errors are one message on standard error."""
    options = _parser().parse_args(arguments)
    # Ended from outside, it ends its step's command too and clears up, as after Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = Settings(mirrors=_mirrors(options.mirror))
        if options.command == "drop-caches":
            drop_caches(settings)
            if settings.steps.exists():
                shutil.rmtree(settings.steps)
            return 0
        builder = Builder(settings, lambda line: print(line, flush=True))
        _command(builder, options)
    except BuildError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bundle: stopped; the next run goes on with the step that was not finished", file=sys.stderr)
        return 130
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Here as well as where a command is waited for: the signal may come while one is being started.
    process.end_children()
    raise KeyboardInterrupt


def _command(builder: Builder, options: argparse.Namespace) -> None:
    if options.command == "build":
        result = builder.check(options.source) if options.check else builder.build(options.source)
        print(result.as_json())
        return
    folder = builder.folder(builder.resolve(options.source))
    if options.command == "key":
        print(folder.name)
    elif options.command == "path":
        if read_manifest(folder) is None:
            raise BuildError(f"{folder} is not there yet: run `make up`")
        print(folder)
    else:
        damaged = damaged_files(folder)
        if damaged:
            raise BuildError(f"damaged in {folder}: {', '.join(damaged)}. Delete it and run `make up`")
        print(f"{folder}: every file is as its manifest says")


if __name__ == "__main__":
    sys.exit(main())
