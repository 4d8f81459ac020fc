"""Pages of the account, of users and of the audit log, and forms kept over an ended session."""

import re

import pytest

from tests.webapp.cluster import StatedCluster, quota_use
from tests.webapp.conftest import PASSWORD
from tests.webapp.pages.conftest import Visit
from webapp.auth import services
from webapp.db import db
from webapp.openapi import Portal
from webapp.projects.models import Project

NEW = "every good boy deserves fudge"


def test_the_account_and_its_sessions(visit: Visit) -> None:
    ada, other = visit("ada"), visit("ada")
    page = ada.get("/account")
    assert "This one" in page.text
    assert ada.post("/account", {"email": "nonsense"}).error("email").startswith("This is no e-mail address")
    assert ada.post("/account", {"email": "ada@example.org"}).address == "/account?done=email"
    assert ada.get("/account").field("email") == "ada@example.org"
    assert ada.post("/account/sessions/end-all").address == "/sign-in?done=yes"
    assert [someone.get("/account").status for someone in (ada, other)] == [303, 303]


def test_one_session_is_ended(visit: Visit) -> None:
    ada, other = visit("ada"), visit("ada")
    mine = set(re.findall(r"/account/sessions/(\w{32})/end", visit("dev").get("/account").html))
    ids = re.findall(r"/account/sessions/(\w{32})/end", ada.get("/account").html)
    assert len(ids) == 2
    assert ada.post(f"/account/sessions/{mine.pop()}/end").status == 404
    for session_id in ids:
        if ada.post(f"/account/sessions/{session_id}/end").address == "/sign-in?done=yes":
            break
    assert ada.get("/account").status == 303
    assert other.get("/account").status in (200, 303)


def test_the_password_is_changed(visit: Visit) -> None:
    ada = visit("ada")
    fields = {"currentPassword": PASSWORD, "newPassword": NEW, "again": "another"}
    assert ada.post("/account/password", fields).error("again") == "The two new passwords differ."
    page = ada.post("/account/password", {**fields, "currentPassword": "x", "again": NEW})
    assert page.error("currentPassword") == "This is not your present password."
    assert NEW not in page.html
    assert ada.post("/account/password", {**fields, "again": NEW}).address == "/account"


def test_a_generated_password_leads_to_a_new_one_and_back(visit: Visit, app: Portal) -> None:
    ada = visit("ada")
    with app.app_context():
        user = services.find_user("ada")
        assert user is not None
        user.must_change_password = True
        db.session.commit()
    page = ada.get("/jobs?state=failed")
    assert page.address == "/account/password?next=%2Fjobs%3Fstate%3Dfailed"
    form = ada.get(page.address)
    assert "Choose a password of your own" in form.text
    fields = {**form.fields(), "currentPassword": PASSWORD, "newPassword": NEW, "again": NEW}
    assert ada.post("/account/password", fields).address == "/jobs?state=failed"
    assert ada.get("/jobs").status == 200


def test_tokens_are_made_and_revoked(visit: Visit) -> None:
    ada = visit("ada")
    page = ada.post("/account/tokens", {"name": "script", "scope": "read", "expiresInDays": "30"})
    secret = re.search(r">(croft_[\w-]{20,})<", page.html)
    assert secret
    listed = ada.get("/account/tokens")
    assert secret[1] not in listed.html
    revoke = re.search(r'action="(/account/tokens/\d+/revoke)"', listed.html)
    assert revoke
    assert ada.post(revoke[1]).status == 303
    assert "Make your first token" in ada.get("/account/tokens").text
    wrong = ada.post("/account/tokens", {"name": "", "scope": "read", "expiresInDays": "999"})
    assert wrong.status == 422
    assert wrong.error("expiresInDays") == "The largest value is 365."


def test_administrators_manage_users(visit: Visit) -> None:
    root = visit("root")
    assert visit("ada").get("/admin/users").status == 403
    page = root.post("/admin/users/new", {"name": "grace", "email": ""})
    assert "it is not shown again" in page.text
    assert (
        root.post("/admin/users/new", {"name": "grace"}).error("name") == "There is a user 'grace' already."
    )
    page = root.post("/admin/users/grace", {"email": "g@example.org", "isActive": "yes"})
    assert page.address == "/admin/users/grace?done=yes"
    assert "g@example.org" in root.get("/admin/users?search=grace").text
    assert "it is not shown again" in root.post("/admin/users/grace/reset-password").text
    assert root.post("/admin/users/grace/delete", {"confirm": "x"}).status == 422
    assert root.post("/admin/users/grace/delete", {"confirm": "grace"}).address == "/admin/users"
    page = root.post("/admin/users/root", {"email": "", "isAdmin": "yes"})
    assert "last active administrator" in " ".join(page.summary())
    log = root.get("/audit?action=user.").text
    assert "root deleted the user grace" in log
    assert "g@example.org" in log


def test_the_audit_log_is_filtered_and_exported(visit: Visit) -> None:
    visit("ada")
    root = visit("root")
    page = root.get("/audit?user=ada&since=2020-01-01")
    assert "ada signed in" in page.text
    assert "root signed in" not in page.text
    assert "/audit.csv?user=ada&amp;since=2020-01-01" in page.html
    assert "ada,page" in root.get("/audit.csv?user=ada").html or "ada,portal" in root.get("/audit.csv").html
    assert "Nothing fits" in root.get("/audit?until=2020-01-01").text
    assert visit().get("/audit.json").status == 303


def test_a_form_is_kept_over_an_ended_session(visit: Visit, app: Portal, cluster: StatedCluster) -> None:
    cluster.quotas["late"] = quota_use()
    ada = visit("ada")
    fields = {**ada.get("/projects/new").fields(), "name": "late", "description": "Kept & whole"}
    with app.app_context():
        user = services.find_user("ada")
        assert user is not None
        services.set_password(user, PASSWORD)
    page = ada.post("/projects/new", {**fields, "action": "save", "a.password": "hunter2"})
    assert page.status == 401
    assert "what you filled in is kept" in page.text
    assert "type them again" in page.text
    assert "hunter2" not in page.html
    again = ada.post("/sign-in", {**page.fields(), "name": "ada", "password": "wrong"}, csrf=False)
    interim = ada.post("/sign-in", {**again.fields(), "name": "ada", "password": PASSWORD}, csrf=False)
    assert "not sent yet" in interim.text
    form = ada.post("/projects/new", {**interim.fields(), "action": "draft"})
    assert form.status == 200
    assert form.field("name") == "late"
    assert form.field("description") == "Kept & whole"
    with app.app_context():
        assert db.session.query(Project).count() == 0


@pytest.mark.parametrize("path", ["/account", "/account/tokens", "/admin/users/new"])
def test_a_draft_is_never_carried_out(visit: Visit, path: str) -> None:
    fields = {"name": "script", "scope": "read", "expiresInDays": "9", "email": "a@example.org"}
    assert visit("root").post(path, {**fields, "action": "draft"}).address == path
    assert "script" not in visit("root").get("/account/tokens").text.replace("your first", "")


def test_other_forms_say_that_nothing_was_done(visit: Visit) -> None:
    page = visit().post("/account/tokens", {"name": "x", "csrf_token": "x"}, csrf=False)
    assert page.status == 401
    assert "nothing was done" in page.text
    assert 'name="draft"' not in page.html
