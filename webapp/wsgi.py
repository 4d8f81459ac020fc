"""What servers and the `flask` command load.

`application` is for servers and for `flask --app webapp.wsgi:application`; `app` is what `flask --app
webapp.wsgi` finds. Both refuse to start when a secret is missing, except for the command `openapi`, which
needs no settings.
"""

import sys
from pathlib import Path

from webapp.app import create_app
from webapp.config import ConfigurationError, load_config
from webapp.db import load_migrations
from webapp.openapi import Portal


def _create() -> Portal:
    """Build the portal from the environment. Exits with a sentence when a setting is missing or wrong."""
    shell = Path(sys.argv[0]).name in ("flask", "__main__.py")
    command = [word for word in sys.argv[1:] if word in ("db", "openapi", "run", "shell", "users")]
    try:
        config = load_config(complete=not (shell and command == ["openapi"]))
        portal = create_app(config)
        if shell:
            load_migrations(portal, config)
        return portal
    except ConfigurationError as error:
        print(f"The portal cannot start: {error}.", file=sys.stderr, flush=True)
        # gunicorn's code for a worker that cannot boot; at any other it would try again for ever.
        sys.exit(3)


if __name__ == "__main__":
    from gunicorn.app.wsgiapp import run

    sys.argv = [
        "gunicorn",
        "--config",
        str(Path(__file__).with_name("gunicorn.conf.py")),
        "webapp.wsgi:application",
    ]
    run()
else:
    application = app = _create()
