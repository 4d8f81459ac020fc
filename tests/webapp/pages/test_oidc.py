"""Sign-in with a real OpenID Connect provider, which runs as an HTTP server beside the tests."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User as Person
from oidc_provider_mock import app as provider_app
from oidc_provider_mock import run_server_in_thread
from werkzeug.serving import make_server

from tests.certificates import Authority
from tests.webapp.pages.conftest import Page, Visit, Visitor
from webapp.auth import services
from webapp.auth.models import User
from webapp.db import db
from webapp.openapi import Portal

PEOPLE = (
    Person(sub="1001", claims={"preferred_username": "Grace Hopper", "email": "grace@example.org"}),
    Person(sub="1002", claims={"preferred_username": "ada", "email": "other@example.org"}),
    Person(sub="1003", claims={"preferred_username": "boss", "groups": ["staff", "croft-admins"]}),
    Person(sub="1004", claims={}),
)


@dataclass
class Provider:
    """The provider, at `issuer`."""

    issuer: str

    def answers(self, visitor: Visitor, begun: Page, form: dict[str, str]) -> Page:
        """Fill in the provider's page to which the portal has led, and follow it back to the portal."""
        # The browser's own trust is not what is tested.
        sent = httpx.post(begun.address, data=form, trust_env=False, verify=False)  # noqa: S501
        back = urlsplit(sent.headers["Location"])
        return visitor.get(f"{back.path}?{back.query}")

    def sign_in(self, visitor: Visitor, sub: str, target: str = "/") -> Page:
        """Sign in from the button on."""
        return self.answers(visitor, visitor.get(f"/sign-in/oidc?next={target}"), {"sub": sub})


@pytest.fixture
def provider(app: Portal) -> Iterator[Provider]:
    """A provider that knows PEOPLE, and a portal that uses it."""
    before = app.config["CROFT"]
    with run_server_in_thread(user_claims=PEOPLE, require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        app.config["CROFT"] = replace(
            before,
            oidc_issuer=issuer,
            oidc_client_id="croft",
            oidc_client_secret="a client's secret",
            oidc_name="Example Login",
            oidc_admin_group="croft-admins",
        )
        yield Provider(issuer)
    app.config["CROFT"] = before
    app.extensions.pop("croft_oidc", None)


def stored(app: Portal, name: str) -> User:
    with app.app_context():
        found = services.find_user(name)
        assert found is not None
        db.session.expunge(found)
        return found


def test_the_first_sign_in_makes_the_user_and_leads_on(visit: Visit, app: Portal, provider: Provider) -> None:
    stranger = visit()
    assert "Sign in with Example Login" in stranger.get("/sign-in").text
    begun = stranger.get("/sign-in/oidc?next=/jobs")
    asked = parse_qs(urlsplit(begun.address).query)
    assert begun.address.startswith(provider.issuer)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"]
    assert asked["nonce"]
    page = provider.answers(stranger, begun, {"sub": "1001"})
    assert (page.status, page.address) == (303, "/jobs")
    assert "Signed in as grace-hopper" in stranger.get("/jobs").text
    user = stored(app, "grace-hopper")
    assert (user.email, user.password_hash, user.is_admin) == ("grace@example.org", None, False)
    assert user.oidc_subject == f"{provider.issuer} 1001"
    again = visit()
    provider.sign_in(again, "1001")
    assert "Signed in as grace-hopper" in again.get("/jobs").text


def test_an_account_of_the_same_name_is_somebody_elses(visit: Visit, app: Portal, provider: Provider) -> None:
    stranger = visit()
    provider.sign_in(stranger, "1002")
    assert "Signed in as ada-2" in stranger.get("/jobs").text
    assert stored(app, "ada").oidc_subject is None


def test_the_group_makes_administrators(visit: Visit, app: Portal, provider: Provider) -> None:
    boss = visit()
    provider.sign_in(boss, "1003")
    assert boss.get("/admin/users").status == 200
    with app.app_context():
        user = services.find_user("boss")
        assert user is not None
        user.is_admin = False
        db.session.commit()
    provider.sign_in(boss, "1003")
    assert stored(app, "boss").is_admin


def test_somebody_without_a_name_gets_one(visit: Visit, app: Portal, provider: Provider) -> None:
    provider.sign_in(visit(), "1004")
    assert any(stored(app, name) for name in ("1004", "user") if _exists(app, name))


def _exists(app: Portal, name: str) -> bool:
    with app.app_context():
        return services.find_user(name) is not None


def test_deactivated_users_are_refused_in_words(visit: Visit, app: Portal, provider: Provider) -> None:
    provider.sign_in(visit(), "1001")
    with app.app_context():
        user = services.find_user("grace-hopper")
        assert user is not None
        user.is_active = False
        db.session.commit()
    stranger = visit()
    page = provider.sign_in(stranger, "1001")
    assert page.status == 401
    assert "the account 'grace-hopper' is deactivated" in page.text
    assert stranger.get("/jobs").status == 303


def test_what_the_provider_refuses_is_said(visit: Visit, provider: Provider) -> None:
    stranger = visit()
    page = provider.answers(stranger, stranger.get("/sign-in/oidc"), {"action": "deny"})
    assert page.status == 401
    assert "The sign-in did not work: the provider refused it, or it was cancelled there" in page.text


@pytest.mark.parametrize("query", ["", "?code=x&state=y", "?error=server_error&error_description=Broken"])
def test_an_answer_that_nobody_asked_for_opens_nothing(visit: Visit, provider: Provider, query: str) -> None:
    stranger = visit()
    page = stranger.get(f"/sign-in/oidc/callback{query}")
    assert page.status == 401
    assert "The sign-in did not work" in page.text
    assert stranger.get("/jobs").status == 303


def test_an_answer_for_another_browser_opens_nothing(visit: Visit, provider: Provider) -> None:
    victim, attacker = visit(), visit()
    begun = attacker.get("/sign-in/oidc")
    victim.get("/sign-in/oidc")
    page = provider.answers(victim, begun, {"sub": "1001"})
    assert page.status == 401
    assert victim.get("/jobs").status == 303


def test_a_silent_provider_is_said(visit: Visit, app: Portal, provider: Provider) -> None:
    app.config["CROFT"] = replace(app.config["CROFT"], oidc_issuer="http://127.0.0.1:9")
    page = visit().get("/sign-in/oidc")
    assert page.status == 401
    assert "the provider does not answer" in page.text


@pytest.fixture
def authority() -> Authority:
    """The operator's own certificate authority, which no system knows."""
    return Authority("Example Org")


@pytest.fixture
def secure_provider(
    app: Portal, provider: Provider, authority: Authority, tmp_path: Path
) -> Iterator[Provider]:
    """The provider over HTTPS, with a certificate of the operator's authority."""
    (tmp_path / "server.pem").write_text("\n".join(authority.sign("localhost")))
    server = make_server(
        "localhost",
        0,
        provider_app(user_claims=PEOPLE, require_nonce=True),
        threaded=True,
        ssl_context=(str(tmp_path / "server.pem"), None),
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    issuer = f"https://localhost:{server.port}"
    app.config["CROFT"] = replace(app.config["CROFT"], oidc_issuer=issuer)
    yield Provider(issuer)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_provider_of_the_operators_authority(
    visit: Visit, app: Portal, secure_provider: Provider, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text(authority.pem)
    app.config["CROFT"] = replace(app.config["CROFT"], ca_file=tmp_path / "ca.pem")
    stranger = visit()
    secure_provider.sign_in(stranger, "1001")
    assert "Signed in as grace-hopper" in stranger.get("/jobs").text


def test_a_provider_of_an_unknown_authority(visit: Visit, secure_provider: Provider) -> None:
    page = visit().get("/sign-in/oidc")
    assert page.status == 401
    assert "the provider's certificate is refused; tell the operator" in page.text


def test_without_an_issuer_there_is_no_button(visit: Visit) -> None:
    assert "/sign-in/oidc" not in visit().get("/sign-in").html
    assert visit().get("/sign-in/oidc").status == 404
