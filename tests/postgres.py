"""A throw-away PostgreSQL server for tests: its own folder, a Unix socket only, gone at the end."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url


@contextmanager
def server() -> Iterator[str]:
    """Run a server; yield the SQLAlchemy URL of an empty database on it.

    Started as root it runs as `nobody`, because PostgreSQL refuses to run as root. Raises FileNotFoundError
    when PostgreSQL is not installed, RuntimeError with its output when it does not start.
    """
    user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    # Socket paths are limited to 107 characters, so not below pytest's long ones.
    folder = Path(tempfile.mkdtemp(prefix="croft-postgres-"))
    data = str(folder / "data")
    try:
        if os.getuid() == 0:
            shutil.chown(folder, user)
        _run(
            user,
            folder,
            "initdb",
            "-D",
            data,
            "--auth=trust",
            "--username=croft",
            "--no-sync",
            "--encoding=UTF8",
        )
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        _run(user, folder, "pg_ctl", "start", "-w", "-D", data, "-l", str(folder / "log"), "-o", options)
        try:
            yield new_database(f"postgresql+psycopg://croft@/postgres?host={folder}")
        finally:
            _run(user, folder, "pg_ctl", "stop", "-w", "-D", data, "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def new_database(url: str) -> str:
    """Make an empty database on the server of `url`, and return its URL."""
    address = make_url(url)
    name = f"croft_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(
        host=str(address.query["host"]), user="croft", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return address.set(database=name).render_as_string(hide_password=False)


def _run(user: str, folder: Path, program: str, *arguments: str) -> None:
    found = shutil.which(program) or next(
        (str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{program}")), None
    )
    if found is None:
        raise FileNotFoundError(f"{program} is missing: install PostgreSQL (Debian's package `postgresql`)")
    other_user: dict[str, Any] = {"user": user, "extra_groups": []} if os.getuid() == 0 else {}
    # Not through a pipe: the server would hold it open.
    with (folder / f"{program}.log").open("ab+") as output:
        done = subprocess.run(
            [found, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            **other_user,
        )
        if done.returncode:
            output.seek(0)
            raise RuntimeError(f"{program} failed: {output.read().decode(errors='replace')[-2000:]}")
