"""Forms that were sent when the session had ended: kept through the sign-in, and filled in again after it.

What was typed travels in a hidden field of the sign-in page, never in the database. Passwords and values of
secrets are left out; they must be typed again.
"""

import json
import re

from flask import current_app, render_template, request
from werkzeug.exceptions import HTTPException

from webapp.auth.forms import SignInForm

# What a form's `action` says when it is only to be shown again.
ACTION = "draft"
# Endpoints whose forms can be shown without being carried out (webapp.pages.forms.Form.change_rows).
FORMS = frozenset(
    {
        "projects.new",
        "projects.edit",
        "applications.new",
        "applications.edit",
        "catalog.new",
        "catalog.edit",
    }
)
MAX_BYTES = 64_000
_NOT_KEPT = frozenset({"csrf_token", "action", "next", "draft"})
_SECRET = re.compile(r"password|secret|token|passphrase|credential|private|(^|[._])key$", re.IGNORECASE)
_SECRET_NAME = re.compile(r"secrets\.\d+\.name", re.ASCII)


def is_sent() -> bool:
    """Tell whether the request brings a draft, to be shown and not to be carried out."""
    return request.method == "POST" and request.form.get("action") == ACTION


def kept() -> list[tuple[str, str]]:
    """Return the fields of the request's form that may be shown again."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _NOT_KEPT and (_SECRET_NAME.fullmatch(name) or not _SECRET.search(name))
    ]


def left_out() -> bool:
    """Tell whether the request's form held something secret, which has to be typed again."""
    return any(
        value and name not in _NOT_KEPT and _SECRET.search(name) and not _SECRET_NAME.fullmatch(name)
        for name, value in request.form.items()
    )


def sign_in_page() -> str:
    """Return the sign-in page in place of the answer to a form, with the form in it."""
    text = json.dumps(kept(), ensure_ascii=False) if request.endpoint in FORMS else ""
    if len(text.encode()) > MAX_BYTES:
        text = ""
    if text:
        notice = "Your session had ended. Sign in: what you filled in is kept, and nothing was sent yet."
        if left_out():
            notice += " Passwords and values of secrets are not kept; you will have to type them again."
    else:
        notice = "Your session had ended, and nothing was done. Sign in, then do it again."
    back = request.path if text else page_of_form()
    return render_template("auth/sign_in.html", form=SignInForm(), next=back, notice=notice, draft=text)


def read(text: str) -> list[tuple[str, str]]:
    """Return the fields in a draft that a browser sent back; none when it is not one of ours."""
    if not text or len(text.encode()) > MAX_BYTES:
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list) or not all(_is_field(item) for item in found):
        return []
    return [(name, value) for name, value in found if name not in _NOT_KEPT]


def fits(path: str) -> bool:
    """Tell whether a draft can be shown at this path of ours."""
    try:
        endpoint, _ = current_app.url_map.bind("").match(path, method="POST")
    except HTTPException:
        return False
    return endpoint in FORMS


def page_of_form() -> str:
    """Return where the request's form stands: its own address if that can be opened, else the start."""
    adapter = current_app.url_map.bind("")
    path = request.path
    while path.strip("/"):
        if "GET" in adapter.allowed_methods(path):
            return path
        path = path.rpartition("/")[0]
    return "/"


def _is_field(item: object) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item)
