"""`python -m webapp.worker`: work. `python -m webapp.worker --check`: tell whether a worker here is alive
(a probe).
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from webapp.config import ConfigurationError, load_config
from webapp.worker.folder import ALIVE_WITHIN, FolderError, WorkerFolder, youngest_sign_of_life

# Seconds to wait for the process that migrates the database.
PATIENCE = 600.0


# Notifications that are on their way at the same time.
SENDERS = 3


def main() -> None:
    """Run until SIGTERM. Exits with a sentence when the worker cannot start, or (--check) is not alive."""
    parser = argparse.ArgumentParser(prog="python -m webapp.worker", description="Runs the portal's jobs.")
    parser.add_argument(
        "--check", action="store_true", help="exit 0 when the worker of CROFT_JOB_DIR is alive"
    )
    parser.add_argument(
        "--grace", type=float, default=20.0, help="seconds that running jobs have to end after SIGTERM (20)"
    )
    arguments = parser.parse_args()
    try:
        config = load_config(complete=not arguments.check)
        if arguments.check:
            _check(config.job_dir)
            return
        folder = WorkerFolder.take(config.job_dir)
    except (ConfigurationError, FolderError) as error:
        sys.exit(f"croft worker: {error}")
    # Files are the worker's alone, whatever the shell that starts it says.
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    from flask import Flask

    from webapp import db as database
    from webapp.database_revision import RevisionError, wait_until_current
    from webapp.metrics import serving, zero
    from webapp.notifications import sender
    from webapp.worker import background, housekeeping
    from webapp.worker.loop import Worker, WorkerError

    app = Flask("croft-worker")
    database.init_app(app, config)
    tasks = [
        background.Task("housekeeping", 30.0, lambda: housekeeping.turn(config, folder.worker)),
        # A receiver that is slow to answer must not hold up the others.
        *(
            background.Task(f"notifications-{number}", 1.0, lambda: sender.send_next(config))
            for number in range(SENDERS)
        ),
    ]
    zero.start_at_zero()
    serving.serve(serving.worker_registry(), config.metrics_port)
    with app.app_context():
        try:
            wait_until_current(database.db.engine, config.home, PATIENCE)
            worker = Worker(config, folder, arguments.grace)
            with background.running(app, tasks):
                worker.run()
        except (WorkerError, RevisionError) as error:
            sys.exit(f"croft worker: {error}")
    folder.release()


def _check(base: Path) -> None:
    age = youngest_sign_of_life(base)
    if age is None:
        sys.exit(f"croft worker: no worker runs with CROFT_JOB_DIR={base}")
    if age > ALIVE_WITHIN:
        sys.exit(f"croft worker: the last sign of life is {age:.0f} s old")


if __name__ == "__main__":
    main()
