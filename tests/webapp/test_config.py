"""Settings: what is read, and what is refused with a sentence."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.certificates import Authority
from webapp.config import ConfigurationError, load_config

KEY = Fernet.generate_key().decode()
COMPLETE = {"CROFT_SECRET_KEY": "s" * 40, "CROFT_JWT_SECRET_KEY": "j" * 40, "CROFT_ENCRYPTION_KEYS": KEY}


def test_defaults() -> None:
    config = load_config(COMPLETE)
    assert config.database_url == "sqlite:////var/lib/croft/portal.db"
    assert (config.external_host, config.secure) == ("croft.localhost", False)
    assert (config.worker_slots, config.job_timeout, config.helm, config.kubeconfig) == (2, 900, "helm", "")
    assert (config.home / "webapp" / "config.py").exists()


def test_what_is_given() -> None:
    config = load_config(
        COMPLETE
        | {
            "CROFT_EXTERNAL_URL": "https://croft.example.org/",
            "CROFT_DOMAIN": "example.org",
            "CROFT_HTTP_PORT": "80",
            "CROFT_ENCRYPTION_KEYS": f"{KEY}, {KEY},",
        }
    )
    assert (config.external_url, config.secure) == ("https://croft.example.org", True)
    assert config.encryption_keys == (KEY, KEY)
    assert config.application_url(config.application_host("shop", "web")) == "http://web.shop.example.org"


def test_secrets_from_files(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("f" * 40 + "\n")
    config = load_config({**COMPLETE, "CROFT_SECRET_KEY": "ignored", "CROFT_SECRET_KEY_FILE": str(file)})
    assert config.secret_key == "f" * 40
    assert "f" * 40 not in repr(config)
    assert KEY not in repr(config)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"CROFT_SECRET_KEY": ""}, "CROFT_SECRET_KEY is not set"),
        ({"CROFT_JWT_SECRET_KEY": "short"}, "CROFT_JWT_SECRET_KEY is shorter than 32 characters"),
        ({"CROFT_SECRET_KEY_FILE": "/nonexistent"}, "CROFT_SECRET_KEY_FILE: /nonexistent cannot be read"),
        ({"CROFT_DATABASE_URL_FILE": "/nonexistent"}, "CROFT_DATABASE_URL_FILE: /nonexistent cannot be read"),
        ({"CROFT_HTTP_PORT": "http"}, "CROFT_HTTP_PORT is 'http': write a whole number"),
        ({"CROFT_EXTERNAL_URL": "croft.example.org"}, "CROFT_EXTERNAL_URL is 'croft.example.org'"),
        ({"CROFT_PROMETHEUS_URL": "prometheus:9090"}, "CROFT_PROMETHEUS_URL is 'prometheus:9090'"),
        ({"CROFT_LABEL_PROXY_URL": "file:///etc"}, "CROFT_LABEL_PROXY_URL is 'file:///etc'"),
        ({"CROFT_ALERTMANAGER_URL": "alertmanager:9093"}, "CROFT_ALERTMANAGER_URL is 'alertmanager:9093'"),
        ({"CROFT_ALERTS_TOKEN": "short"}, "CROFT_ALERTS_TOKEN is shorter than 32 characters"),
        ({"CROFT_ALERTS_TOKEN_FILE": "/nonexistent"}, "CROFT_ALERTS_TOKEN_FILE: /nonexistent cannot be read"),
        ({"CROFT_METRICS_PORT": "-1"}, "CROFT_METRICS_PORT is '-1': write a whole number"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        load_config(COMPLETE | change)


def test_everything_missing_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_config({})
    for name in COMPLETE:
        assert f"{name} is not set" in str(caught.value)
        assert f"{name}_FILE" in str(caught.value)


def test_settings_of_notifications() -> None:
    config = load_config(
        COMPLETE
        | {
            "CROFT_SMTP_HOST": "mail.example.org",
            "CROFT_SMTP_FROM": "croft@example.org",
            "CROFT_WEBHOOK_ALLOWED_CIDRS": "10.20.0.0/16, fd00::/8",
            "CROFT_NOTIFICATION_RETRIES": "1,2",
        }
    )
    assert (config.smtp_port, config.smtp_security) == (25, "none")
    assert config.webhook_allowed_cidrs == ("10.20.0.0/16", "fd00::/8")
    assert config.notification_retries == (1, 2)
    assert load_config(COMPLETE).notification_retries[0] == 10
    wrong = {
        "CROFT_SMTP_HOST": "mail.example.org",
        "CROFT_SMTP_SECURITY": "ssl",
        "CROFT_CLUSTER_CIDRS": "10.96.0.0/99",
        "CROFT_NOTIFICATION_RETRIES": "soon",
    }
    with pytest.raises(ConfigurationError) as refused:
        load_config(COMPLETE | wrong)
    for name in (
        "CROFT_SMTP_FROM",
        "CROFT_SMTP_SECURITY",
        "CROFT_CLUSTER_CIDRS",
        "CROFT_NOTIFICATION_RETRIES",
    ):
        assert name in str(refused.value)


def test_a_mail_servers_password_is_never_sent_unprotected() -> None:
    mail = {
        "CROFT_SMTP_HOST": "mail.example.org",
        "CROFT_SMTP_FROM": "croft@example.org",
        "CROFT_SMTP_USER": "ada",
    }
    with pytest.raises(ConfigurationError, match="password unprotected: write starttls or tls"):
        load_config(COMPLETE | mail)
    for security in ("starttls", "tls"):
        protected = COMPLETE | mail | {"CROFT_SMTP_SECURITY": security}
        assert load_config(protected).smtp_user == "ada"
        with pytest.raises(
            ConfigurationError, match="CROFT_SMTP_PASSWORD holds a character beyond ASCII"
        ) as refused:
            load_config(protected | {"CROFT_SMTP_PASSWORD": "größe"})
        assert "größe" not in str(refused.value)


def test_the_operators_authorities_are_read_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    settings = COMPLETE | {"CROFT_CA_FILE": str(file)}
    with pytest.raises(ConfigurationError, match=r"ca\.pem cannot be read \(No such file or directory\)"):
        load_config(settings)
    file.write_text("an authority\n")
    with pytest.raises(ConfigurationError, match=r"ca\.pem holds no certificate in PEM"):
        load_config(settings)
    file.write_text(Authority().pem)
    assert load_config(settings).ca_file == file
    assert load_config(COMPLETE).ca_file is None


def test_ways_to_get_in_are_checked(tmp_path: Path) -> None:
    secret = tmp_path / "client-secret"
    secret.write_text("of the client\n")
    oidc = {"CROFT_OIDC_ISSUER": "https://login.example.org", "CROFT_OIDC_CLIENT_ID": "croft"}
    config = load_config({**oidc, "CROFT_OIDC_CLIENT_SECRET_FILE": str(secret)}, complete=False)
    assert (config.oidc_client_secret, config.self_registration) == ("of the client", False)
    assert "of the client" not in repr(config)
    for wrong in (
        {"CROFT_SELF_REGISTRATION": "maybe"},
        {"CROFT_OIDC_ISSUER": "login.example.org", "CROFT_OIDC_CLIENT_ID": "croft"},
        {"CROFT_OIDC_ISSUER": "https://login.example.org"},
    ):
        with pytest.raises(ConfigurationError, match=next(iter(wrong))[:12]):
            load_config(wrong, complete=False)
