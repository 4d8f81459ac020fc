"""TLS with real receivers: mail, password and webhooks go to nobody who cannot prove who they are."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.worker.channels import add_channel, all_are, deliveries, end_a_job
from tests.worker.portal import WorkerPortal, WorkerProcess
from tests.worker.receivers import HookServer, MailServer, server_context

pytestmark = pytest.mark.slow

PASSWORD = "the pass word"
UNKNOWN = (
    "The certificate of {who} is refused: no authority known here signed it (unable to get local issuer "
    "certificate); the operator can add one with portal_ca_file"
)


@pytest.fixture(scope="module")
def authority() -> Authority:
    """The operator's own certificate authority, which no system knows."""
    return Authority("Example Org")


@pytest.fixture
def servers() -> Iterator[list[MailServer | HookServer]]:
    """Receivers that end with the test."""
    found: list[MailServer | HookServer] = []
    yield found
    for server in found:
        server.close()


@pytest.fixture
def ca_file(authority: Authority, tmp_path: Path) -> Path:
    """What the operator gives the portal."""
    path = tmp_path / "ca.pem"
    path.write_text(authority.pem)
    return path


def certified(
    authority: Authority, folder: Path, host: str = "localhost", days: float = 90
) -> ssl.SSLContext:
    """Return what a server needs that has a certificate for `host`."""
    return server_context(folder, *authority.sign(host, days=days, since=-10))


def mail_to(
    portal: WorkerPortal, mail: MailServer, security: str, ca_file: Path | None, password: str = PASSWORD
) -> WorkerProcess:
    """Start a worker that sends its mail to `mail` at localhost, and let one be due."""
    secret = portal.folder / "password"
    secret.write_text(f"{password}\n")
    worker = portal.worker(
        CROFT_SMTP_HOST="localhost",
        CROFT_SMTP_PORT=str(mail.port),
        CROFT_SMTP_SECURITY=security,
        CROFT_SMTP_USER="ada",
        CROFT_SMTP_PASSWORD_FILE=str(secret),
        CROFT_SMTP_FROM="croft@example.org",
        CROFT_NOTIFICATION_RETRIES="0",
        CROFT_CA_FILE=str(ca_file or ""),
    )
    portal.project("shop")
    add_channel("shop", "email", "team@example.org", "job.cancelled")
    end_a_job(portal, "shop")
    return worker


def refused(portal: WorkerPortal, worker: WorkerProcess) -> str:
    """Wait until the message is given up; return the reason, which members see beside the channel."""
    portal.until(all_are("failed"), "it is given up")
    (delivery,) = deliveries()
    portal.until(lambda: delivery.error in worker.log, "it is in the log, where it comes last")
    assert PASSWORD not in worker.log + delivery.error
    return delivery.error


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_over_tls_with_name_and_password(
    sqlite_portal: WorkerPortal,
    authority: Authority,
    ca_file: Path,
    servers: list[MailServer | HookServer],
    security: str,
) -> None:
    # Either server takes nothing without TLS and nothing without a password.
    context = certified(authority, sqlite_portal.folder)
    mail = (
        MailServer(PASSWORD, starttls=context)
        if security == "starttls"
        else MailServer(PASSWORD, tls=context)
    )
    servers.append(mail)
    worker = mail_to(sqlite_portal, mail, security, ca_file)
    sqlite_portal.until(all_are("delivered"), "the mail is taken")
    assert [found["To"] for found in mail.mails] == ["team@example.org"]
    assert mail.passwords == [PASSWORD.encode()]
    assert PASSWORD not in worker.log


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("host", "days", "known", "reason"),
    [
        ("localhost", 90, False, UNKNOWN.format(who="the mail server")),
        (
            "mail.example.org",
            90,
            True,
            "The certificate of the mail server is refused: "
            "Hostname mismatch, certificate is not valid for 'localhost'",
        ),
        ("localhost", -1, True, "The certificate of the mail server is refused: certificate has expired"),
    ],
    ids=["unknown-authority", "wrong-host-name", "expired"],
)
def test_a_mail_server_that_cannot_prove_itself_gets_nothing(
    sqlite_portal: WorkerPortal,
    authority: Authority,
    ca_file: Path,
    servers: list[MailServer | HookServer],
    security: str,
    host: str,
    days: float,
    known: bool,
    reason: str,
) -> None:
    context = certified(authority, sqlite_portal.folder, host, days)
    mail = (
        MailServer(PASSWORD, starttls=context)
        if security == "starttls"
        else MailServer(PASSWORD, tls=context)
    )
    servers.append(mail)
    worker = mail_to(sqlite_portal, mail, security, ca_file if known else None)
    assert refused(sqlite_portal, worker) == reason
    assert (mail.mails, mail.passwords) == ([], [])


@pytest.mark.parametrize(
    ("security", "reason"),
    [
        ("starttls", "The mail server offers no STARTTLS, which the operator asks for, so nothing was sent"),
        (
            "tls",
            "There is no TLS with the mail server (wrong version number); check its port and how its "
            "connections are protected",
        ),
    ],
)
def test_a_mail_server_without_the_protection_that_is_asked_for_gets_nothing(
    sqlite_portal: WorkerPortal,
    ca_file: Path,
    servers: list[MailServer | HookServer],
    security: str,
    reason: str,
) -> None:
    # It would take password and mail as they are.
    mail = MailServer(PASSWORD)
    servers.append(mail)
    worker = mail_to(sqlite_portal, mail, security, ca_file)
    assert refused(sqlite_portal, worker) == reason
    assert (mail.mails, mail.passwords) == ([], [])


def test_a_wrong_password_is_said_and_shown_nowhere(
    sqlite_portal: WorkerPortal, authority: Authority, ca_file: Path, servers: list[MailServer | HookServer]
) -> None:
    mail = MailServer("another one", starttls=certified(authority, sqlite_portal.folder))
    servers.append(mail)
    worker = mail_to(sqlite_portal, mail, "starttls", ca_file)
    assert refused(sqlite_portal, worker) == "The mail server refused the operator's name and password"
    assert mail.mails == []
    assert set(mail.passwords) == {PASSWORD.encode()}


@pytest.mark.parametrize("known", [True, False], ids=["known-authority", "unknown-authority"])
def test_a_webhook_has_to_prove_itself_too(
    sqlite_portal: WorkerPortal,
    authority: Authority,
    ca_file: Path,
    servers: list[MailServer | HookServer],
    known: bool,
) -> None:
    hook = HookServer(tls=certified(authority, sqlite_portal.folder))
    servers.append(hook)
    worker = sqlite_portal.worker(
        CROFT_WEBHOOK_ALLOWED_CIDRS="127.0.0.0/8,::1/128",
        CROFT_NOTIFICATION_RETRIES="0",
        CROFT_CA_FILE=str(ca_file if known else ""),
    )
    sqlite_portal.project("shop")
    add_channel("shop", "webhook", hook.url.replace("127.0.0.1", "localhost"), "job.cancelled")
    end_a_job(sqlite_portal, "shop")
    if known:
        sqlite_portal.until(all_are("delivered"), "the webhook is called")
        assert len(hook.received) == 1
    else:
        assert refused(sqlite_portal, worker) == UNKNOWN.format(who="the receiver")
        assert hook.received == []
