"""Commands for users: `flask --app webapp.wsgi users …`."""

from typing import TextIO

import click
from flask.cli import AppGroup

from webapp.auth import services
from webapp.problems import Problem

cli = AppGroup("users", help="Users of the portal.")

_PASSWORD_FILE = click.option(
    "--password-file",
    type=click.File("r"),
    required=True,
    help="File that holds the password; - reads it from standard input. Never given as an argument.",
)


@cli.command("create")
@click.argument("name")
@click.option("--admin", is_flag=True, help="May see and do everything.")
@_PASSWORD_FILE
def create(name: str, admin: bool, password_file: TextIO) -> None:
    """Create the user NAME."""
    try:
        services.create_user(name, _read(password_file), is_admin=admin)
    except Problem as problem:
        raise click.ClickException(problem.detail) from problem
    click.echo(f"User '{name}' can sign in{' as an administrator' if admin else ''}.")


@cli.command("set-password")
@click.argument("name")
@_PASSWORD_FILE
def set_password(name: str, password_file: TextIO) -> None:
    """Give the user NAME a new password and end their sessions."""
    user = services.find_user(name)
    if user is None:
        raise click.ClickException(f"There is no user '{name}'; create one with `users create`.")
    try:
        services.set_password(user, _read(password_file))
    except Problem as problem:
        raise click.ClickException(problem.detail) from problem
    click.echo(f"User '{name}' has a new password; all their sessions have ended.")


def _read(file: TextIO) -> str:
    # A file usually ends with a line break, which nobody means to be part of the password.
    return file.read().rstrip("\r\n")
