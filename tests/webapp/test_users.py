"""Commands for users: passwords come from files, never from arguments."""

from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from tests.webapp.conftest import PASSWORD, Api
from webapp.openapi import Portal


@pytest.fixture
def run(app: Portal) -> FlaskCliRunner:
    """Runs the application's commands."""
    return app.test_cli_runner()


def sign_in(api: Api, name: str, password: str) -> int:
    return api().send("POST", "/auth/token", {"name": name, "password": password}).status_code


def test_create_from_a_file_and_from_standard_input(run: FlaskCliRunner, api: Api, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("a password from a file\n")
    done = run.invoke(args=["users", "create", "grace", "--password-file", str(file)])
    assert done.output == "User 'grace' can sign in.\n"
    assert sign_in(api, "grace", "a password from a file") == 200
    done = run.invoke(
        args=["users", "create", "boss", "--admin", "--password-file", "-"], input="typed password\n"
    )
    assert done.output == "User 'boss' can sign in as an administrator.\n"
    assert sign_in(api, "boss", "typed password") == 200


@pytest.mark.parametrize(
    ("name", "password", "sentence"),
    [
        ("ada", PASSWORD, "There is a user 'ada' already."),
        ("short", "x", "The password must have 12 to 256 characters."),
        ("long", "x" * 257, "The password must have 12 to 256 characters."),
        ("Not A Name", PASSWORD, "'Not A Name' cannot be a user's name"),
        ("{{ 7*7 }}", PASSWORD, "cannot be a user's name"),
    ],
)
def test_what_cannot_be_is_said(run: FlaskCliRunner, name: str, password: str, sentence: str) -> None:
    done = run.invoke(args=["users", "create", name, "--password-file", "-"], input=password)
    assert done.exit_code == 1
    assert sentence in done.output


def test_a_password_is_no_argument(run: FlaskCliRunner) -> None:
    assert run.invoke(args=["users", "create", "eve2"]).exit_code == 2
    assert run.invoke(args=["users", "create", "eve2", "--password", PASSWORD]).exit_code == 2


def test_a_new_password(run: FlaskCliRunner, api: Api) -> None:
    args = ["users", "set-password", "ada", "--password-file", "-"]
    assert "new password" in run.invoke(args=args, input="another long password").output
    assert sign_in(api, "ada", PASSWORD) == 401
    assert sign_in(api, "ada", "another long password") == 200
    args[2] = "nobody"
    done = run.invoke(args=args, input="another long password")
    assert (done.exit_code, "There is no user 'nobody'" in done.output) == (1, True)
