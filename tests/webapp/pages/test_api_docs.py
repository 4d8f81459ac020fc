"""Swagger UI: served here, under the strict Content-Security-Policy, and it works with a token."""

from pathlib import Path

import pytest

from tests.webapp.conftest import Api
from tests.webapp.pages.browser import chromium, listen, served
from webapp.auth import services
from webapp.openapi import Portal

PASSWORD = "correct horse battery staple"


def test_the_page_takes_nothing_from_elsewhere(app: Portal, api: Api) -> None:
    page = api(None).send("GET", "/docs")
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert "http" not in page.text.replace("https", "http").split("<body>")[0]
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert api(None).send("GET", "/api/v1/docs").status_code == 200
    client = app.test_client()
    headers = {"Host": "croft.localhost:8080"}
    for name, status in (("swagger-ui.css", 200), ("swagger-ui-bundle.js", 200), ("plugins.py", 404)):
        answer = client.get(f"/assets/swagger/5/{name}", headers=headers)
        assert answer.status_code == status, name
        answer.close()


@pytest.mark.slow
def test_it_is_tried_out_with_a_bearer_token(tmp_path: Path) -> None:
    with served(tmp_path) as portal, chromium() as browser:
        with portal.app.app_context():
            token = services.sign_in("ada", PASSWORD, "127.0.0.1")[1].access
        context = browser.new_context()
        errors = listen(context)
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.goto(f"{portal.url}/api/v1/docs")
        page.get_by_role("button", name="Authorize").first.click()
        page.locator(".auth-container input").first.fill(token)
        page.locator(".modal-ux").get_by_role("button", name="Apply credentials").click()
        page.locator(".modal-ux").get_by_role("button", name="Close").last.click()
        operation = page.locator("#operations-projects-listProjects")
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        live = operation.locator(".live-responses-table")
        live.wait_for()
        assert live.locator("tbody .response-col_status").first.inner_text().startswith("200")
        assert '"items": []' in live.inner_text()
        assert all(url.startswith((portal.url, "data:")) for url in asked), asked
        assert errors == []
