"""The portal's settings, read from environment variables whose names begin with CROFT_.

A secret may be given by its value (CROFT_SECRET_KEY) or, better, by the path of a file that holds it
(CROFT_SECRET_KEY_FILE). There are no default secrets: what is missing is named, and the portal does not
start.
"""

import os
import re
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from webapp.tls import client_context

HOME = Path(__file__).resolve().parent.parent


class ConfigurationError(Exception):
    """A setting is missing or wrong; the text says which one and what to do."""


@dataclass(frozen=True)
class Config:
    """All settings of web and worker. Times are in seconds.

    The three secrets are empty only in a configuration that was read with `complete=False`, which is enough
    to print the OpenAPI document and for nothing else.
    """

    database_url: str
    secret_key: str = field(repr=False)
    jwt_secret_key: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)
    external_url: str = "http://croft.localhost:8080"
    domain: str = "localhost"
    http_port: int = 8080
    https_port: int = 8443
    # cert-manager's ClusterIssuer for applications that ask for a certificate; empty when there is none.
    cert_issuer: str = ""
    kubeconfig: str = ""
    # Where users reach the API server with kubectl; empty when it is as the portal does.
    api_server: str = ""
    helm: str = "helm"
    home: Path = HOME
    # Files for browsers that come with the bundle: the terminal, the charts.
    browser_files: Path = Path("/usr/share/croft/browser")
    # The operator's catalog of charts.
    catalog: Path = HOME / "charts" / "catalog" / "catalog.yml"
    worker_slots: int = 2
    job_timeout: int = 900
    # What must be there before the database is migrated: "optional", "required", or the revision of a backup.
    database_backup: str = "optional"
    job_dir: Path = Path("/run/croft")
    # Ended jobs with their lines, and entries of the audit log, are kept for so long.
    job_retention_days: int = 90
    audit_retention_days: int = 365
    # The operator's mail server; without a host, no e-mail is sent. Security: none, starttls or tls.
    smtp_host: str = ""
    smtp_port: int = 25
    smtp_security: str = "none"
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    smtp_from: str = ""
    # Networks inside of which webhooks may lie although they are private, and networks of the cluster.
    webhook_allowed_cidrs: tuple[str, ...] = ()
    cluster_cidrs: tuple[str, ...] = ()
    # Where Alertmanager tells which alerts fire; empty where monitoring is not installed. It sends the token
    # with the alerts that it brings; without one, none are taken.
    alertmanager_url: str = ""
    alerts_token: str = field(default="", repr=False)
    # Prometheus for administrators, prom-label-proxy for members; empty where monitoring is not installed.
    prometheus_url: str = ""
    label_proxy_url: str = ""
    # Days that Prometheus keeps; further back nothing is asked for.
    metrics_retention_days: int = 15
    # Seconds before each further attempt to deliver a notification.
    notification_retries: tuple[int, ...] = (10, 60, 300, 1800, 7200, 21600)
    # Certificate authorities (PEM) that are believed beside the system's; None for no more than those.
    ca_file: Path | None = None
    proxy_hops: int = 0
    # Port for the metrics of this process (web or worker); 0 for none.
    metrics_port: int = 0
    # Whether anybody may make an account of their own.
    self_registration: bool = False
    # Sign-in with an OpenID Connect provider; without an issuer there is none. The name stands on the button;
    # members of the group (in the claim `groups`) are administrators.
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = field(default="", repr=False)
    oidc_name: str = "single sign-on"
    oidc_admin_group: str = ""

    @property
    def external_host(self) -> str:
        """Host name (without port) under which browsers know the portal."""
        return urlsplit(self.external_url).hostname or ""

    @property
    def secure(self) -> bool:
        """Whether the portal is reached over HTTPS, so that cookies may be marked Secure."""
        return self.external_url.startswith("https://")

    def application_host(self, project: str, application: str) -> str:
        """Return the host name that the platform gives to an application without one of its own."""
        return f"{application}.{project}.{self.domain}"

    def application_url(self, host: str, *, tls: bool = False) -> str:
        """Return the address at which the application with this host name answers."""
        scheme, port, usual = ("https", self.https_port, 443) if tls else ("http", self.http_port, 80)
        return f"{scheme}://{host}" if port == usual else f"{scheme}://{host}:{port}"


def load_config(environ: Mapping[str, str] = os.environ, *, complete: bool = True) -> Config:
    """Read the settings from `environ`.

    With `complete=False` missing secrets are left empty. Raises ConfigurationError naming every missing or
    wrong setting and how to give it.
    """
    wrong: list[str] = []
    secrets = {
        name: _secret(environ, name, wrong) for name in ("SECRET_KEY", "JWT_SECRET_KEY", "ENCRYPTION_KEYS")
    }
    if complete:
        wrong += [
            f"CROFT_{name} is not set: give it, or the path of a file that holds it as CROFT_{name}_FILE"
            for name, value in secrets.items()
            if not value and not any(f"CROFT_{name}" in text for text in wrong)
        ]
        wrong += [
            f"CROFT_{name} is shorter than 32 characters: make one with `python -c 'import secrets; "
            "print(secrets.token_urlsafe(48))'`"
            for name in ("SECRET_KEY", "JWT_SECRET_KEY")
            if 0 < len(secrets[name]) < 32
        ]
    external_url = environ.get("CROFT_EXTERNAL_URL", "http://croft.localhost:8080").rstrip("/")
    if urlsplit(external_url).scheme not in ("http", "https") or not urlsplit(external_url).hostname:
        wrong.append(f"CROFT_EXTERNAL_URL is '{external_url}': write it like http://croft.example.org")
    numbers = {
        name: _number(environ, name, default, wrong)
        for name, default in (
            ("HTTP_PORT", 8080),
            ("HTTPS_PORT", 8443),
            ("WORKER_SLOTS", 2),
            ("JOB_TIMEOUT", 900),
            ("PROXY_HOPS", 0),
            ("JOB_RETENTION_DAYS", 90),
            ("AUDIT_RETENTION_DAYS", 365),
            ("SMTP_PORT", 25),
            ("METRICS_PORT", 0),
            ("METRICS_RETENTION_DAYS", 15),
        )
    }
    home = Path(environ.get("CROFT_HOME", HOME))
    database_url = _secret(environ, "DATABASE_URL", wrong) or "sqlite:////var/lib/croft/portal.db"
    database_backup = environ.get("CROFT_DATABASE_BACKUP") or "optional"
    if not re.fullmatch(r"optional|required|[0-9]{4}", database_backup):
        wrong.append(
            f"CROFT_DATABASE_BACKUP is '{database_backup}': write optional, required, or the revision that a "
            "backup was made of, like 0001"
        )
    notifications = _notifications(environ, wrong)
    accounts = _accounts(environ, wrong)
    monitoring = _monitoring(environ, wrong)
    ca_file = _ca_file(environ, wrong)
    if wrong:
        raise ConfigurationError("; ".join(wrong))
    return Config(
        database_url=database_url,
        secret_key=secrets["SECRET_KEY"],
        jwt_secret_key=secrets["JWT_SECRET_KEY"],
        encryption_keys=tuple(key.strip() for key in secrets["ENCRYPTION_KEYS"].split(",") if key.strip()),
        external_url=external_url,
        domain=environ.get("CROFT_DOMAIN", "localhost"),
        http_port=numbers["HTTP_PORT"],
        https_port=numbers["HTTPS_PORT"],
        cert_issuer=environ.get("CROFT_CERT_ISSUER", ""),
        kubeconfig=environ.get("CROFT_KUBECONFIG", ""),
        api_server=environ.get("CROFT_API_SERVER", ""),
        helm=environ.get("CROFT_HELM", "helm"),
        home=home,
        browser_files=Path(environ.get("CROFT_BROWSER_FILES") or Config.browser_files),
        catalog=Path(environ.get("CROFT_CATALOG") or home / "charts" / "catalog" / "catalog.yml"),
        worker_slots=numbers["WORKER_SLOTS"],
        job_timeout=numbers["JOB_TIMEOUT"],
        database_backup=database_backup,
        job_dir=Path(environ.get("CROFT_JOB_DIR") or _default_job_dir()),
        proxy_hops=numbers["PROXY_HOPS"],
        job_retention_days=numbers["JOB_RETENTION_DAYS"],
        audit_retention_days=numbers["AUDIT_RETENTION_DAYS"],
        smtp_port=numbers["SMTP_PORT"],
        metrics_port=numbers["METRICS_PORT"],
        metrics_retention_days=numbers["METRICS_RETENTION_DAYS"],
        ca_file=ca_file,
        **notifications,
        **accounts,
        **monitoring,
    )


def _notifications(environ: Mapping[str, str], wrong: list[str]) -> dict[str, Any]:
    """Return the settings of e-mail and webhooks; add to `wrong` what cannot be understood."""
    security = environ.get("CROFT_SMTP_SECURITY") or "none"
    if security not in ("none", "starttls", "tls"):
        wrong.append(f"CROFT_SMTP_SECURITY is '{security}': write none, starttls or tls")
    host, sender = environ.get("CROFT_SMTP_HOST", ""), environ.get("CROFT_SMTP_FROM", "")
    if host and "@" not in sender:
        wrong.append("CROFT_SMTP_FROM is not an e-mail address: with CROFT_SMTP_HOST one is needed")
    user, password = environ.get("CROFT_SMTP_USER", ""), _secret(environ, "SMTP_PASSWORD", wrong)
    if user and security == "none":
        wrong.append(
            "CROFT_SMTP_USER is set while CROFT_SMTP_SECURITY is none, which would send the "
            "password unprotected: write starttls or tls"
        )
    # smtplib sends nothing else when it signs in.
    wrong += [
        f"CROFT_SMTP_{name} holds a character beyond ASCII, which cannot be sent to a mail server"
        for name, text in (("USER", user), ("PASSWORD", password))
        if not text.isascii()
    ]
    found: dict[str, Any] = {
        "smtp_host": host,
        "smtp_security": security,
        "smtp_user": user,
        "smtp_password": password,
        "smtp_from": sender,
    }
    for name in ("WEBHOOK_ALLOWED_CIDRS", "CLUSTER_CIDRS"):
        texts = _list(environ, name)
        for text in texts:
            try:
                ip_network(text)
            except ValueError:
                wrong.append(f"CROFT_{name} holds '{text}': write networks like 10.1.0.0/16,fd00::/8")
        found[name.lower()] = texts
    waits = _list(environ, "NOTIFICATION_RETRIES")
    if all(wait.isdecimal() for wait in waits):
        found |= {"notification_retries": tuple(map(int, waits))} if waits else {}
    else:
        wrong.append("CROFT_NOTIFICATION_RETRIES must be whole seconds like 10,60,300")
    return found


def _accounts(environ: Mapping[str, str], wrong: list[str]) -> dict[str, Any]:
    """Return how people get in beside accounts that administrators make; add to `wrong` what cannot be."""
    registration = environ.get("CROFT_SELF_REGISTRATION") or "false"
    if registration not in ("true", "false"):
        wrong.append(f"CROFT_SELF_REGISTRATION is '{registration}': write true or false")
    issuer = environ.get("CROFT_OIDC_ISSUER", "").strip()
    client = environ.get("CROFT_OIDC_CLIENT_ID", "")
    secret = _secret(environ, "OIDC_CLIENT_SECRET", wrong)
    if issuer and (urlsplit(issuer).scheme not in ("http", "https") or not urlsplit(issuer).hostname):
        wrong.append(f"CROFT_OIDC_ISSUER is '{issuer}': write it like https://login.example.org")
    if issuer and not client:
        wrong.append("CROFT_OIDC_CLIENT_ID is not set: with CROFT_OIDC_ISSUER one is needed")
    return {
        "self_registration": registration == "true",
        "oidc_issuer": issuer,
        "oidc_client_id": client,
        "oidc_client_secret": secret,
        "oidc_name": environ.get("CROFT_OIDC_NAME") or "single sign-on",
        "oidc_admin_group": environ.get("CROFT_OIDC_ADMIN_GROUP", ""),
    }


def _monitoring(environ: Mapping[str, str], wrong: list[str]) -> dict[str, Any]:
    """Return where monitoring answers; add to `wrong` what cannot be understood."""
    found: dict[str, Any] = {"alerts_token": _secret(environ, "ALERTS_TOKEN", wrong)}
    for name, example in (
        ("PROMETHEUS_URL", "http://prometheus.croft-monitoring:9090"),
        ("LABEL_PROXY_URL", "http://label-proxy.croft-monitoring:8080"),
        ("ALERTMANAGER_URL", "http://alertmanager.croft-monitoring:9093"),
    ):
        url = environ.get(f"CROFT_{name}", "").rstrip("/")
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            wrong.append(f"CROFT_{name} is '{url}': write it like {example}")
        found[name.lower()] = url
    if 0 < len(found["alerts_token"]) < 32:
        wrong.append("CROFT_ALERTS_TOKEN is shorter than 32 characters: let `make up` make one")
    return found


def _ca_file(environ: Mapping[str, str], wrong: list[str]) -> Path | None:
    """Return the file of the operator's certificate authorities; add to `wrong` when it cannot be used."""
    text = environ.get("CROFT_CA_FILE")
    if not text:
        return None
    try:
        client_context(Path(text))
    except ssl.SSLError:
        wrong.append(f"CROFT_CA_FILE: {text} holds no certificate in PEM")
    except OSError as error:
        wrong.append(f"CROFT_CA_FILE: {text} cannot be read ({error.strerror})")
    return Path(text)


def _list(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in environ.get(f"CROFT_{name}", "").split(",") if text.strip())


def _secret(environ: Mapping[str, str], name: str, wrong: list[str]) -> str:
    path = environ.get(f"CROFT_{name}_FILE")
    if not path:
        return environ.get(f"CROFT_{name}", "").strip()
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        wrong.append(f"CROFT_{name}_FILE: {path} cannot be read ({error.strerror})")
        return ""


def _number(environ: Mapping[str, str], name: str, default: int, wrong: list[str]) -> int:
    text = environ.get(f"CROFT_{name}", "")
    if text and not text.isdecimal():
        wrong.append(f"CROFT_{name} is '{text}': write a whole number")
        return default
    return int(text) if text else default


def _default_job_dir() -> Path:
    run = Path("/run/croft")
    return run if os.access(run, os.W_OK) else Path(tempfile.gettempdir()) / f"croft-{os.getuid()}"
