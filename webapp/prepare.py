"""Bring the database to the newest revision and make the first administrator, before web and worker start.

Runs as the portal's init container. Reads the administrator's password from the file that
CROFT_ADMIN_PASSWORD_FILE names, and the name from the one that CROFT_ADMIN_NAME_FILE names
("admin" without it). An administrator that exists already is left alone.
"""

import os
import sys
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import text

from webapp.app import create_app
from webapp.auth import services as auth
from webapp.db import db

# Any number that nobody else locks in the portal's own database.
LOCK = 0x43726F6674


def main() -> None:
    """Upgrade, then make the administrator. Exits with a sentence when a setting is missing."""
    source = os.environ.get("CROFT_ADMIN_PASSWORD_FILE")
    if not source:
        sys.exit(
            "CROFT_ADMIN_PASSWORD_FILE is not set: name the file with the first administrator's password"
        )
    name_source = os.environ.get("CROFT_ADMIN_NAME_FILE")
    app = create_app()
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # Several replicas start side by side; one prepares, the others wait until this connection ends.
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
        upgrade(directory=str(app.config["CROFT"].home / "migrations"))
        name = Path(name_source).read_text().strip() if name_source else "admin"
        if auth.find_user(name) is None:
            auth.create_user(name, Path(source).read_text().strip(), is_admin=True)
            db.session.commit()
            print(f"croft: made the administrator '{name}'", flush=True)


if __name__ == "__main__":
    main()
