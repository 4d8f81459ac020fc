"""`Idempotency-Key`: the same POST sent twice is done once, and answered twice alike.

Draft: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header. Keys belong to a user;
endpoints without one (sign-in) ignore the header.
"""

import re
from datetime import timedelta
from hashlib import sha256

from flask import Response, g, make_response, request
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from webapp.db import db, utcnow, writing
from webapp.idempotency.models import IdempotencyKey
from webapp.problems import Problem

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
PATTERN = r"^[!-~]{1,255}$"
# An answer is repeated for so long.
KEPT = timedelta(hours=24)
# A request of which nothing was heard for so long has died with its process.
LOST_AFTER = timedelta(minutes=10)
_KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Retry-After")


def begin() -> Response | None:
    """Note the key of a POST, or return the answer that it was given before.

    For `before_request`, after the user is known. Raises Problem: bad-request (no key),
    idempotency-key-reused, idempotency-in-progress.
    """
    key = request.headers.get(HEADER)
    user = g.get("user")
    if request.method != "POST" or key is None or user is None:
        return None
    if not re.fullmatch(PATTERN, key):
        raise Problem(
            "bad-request", f"{HEADER} takes 1 to 255 visible ASCII characters; a UUID is a good one."
        )
    user_id, digest = user.id, _digest()
    try:
        with writing() as session:
            _forget_old(user_id, key)
            row = IdempotencyKey(user_id=user_id, key=key, request_hash=digest)
            session.add(row)
            session.flush()
            g.idempotency = row.id
    except IntegrityError:
        return _known(user_id, key, digest)
    return None


def finish(response: Response) -> Response:
    """Keep the answer to the request that `begin` noted. For `after_request`.

    What failed inside the portal (500 and above), or cannot be kept (a stream), is forgotten instead, so that
    the key may be used again.
    """
    row_id = g.pop("idempotency", None)
    if row_id is None:
        return response
    kept = response.status_code < 500 and not response.is_streamed
    with writing() as session:
        row = session.get(IdempotencyKey, row_id)
        if row is not None and kept:
            row.status = response.status_code
            headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
            row.answer = {"body": response.get_data(as_text=True), "headers": headers}
        elif row is not None:
            session.delete(row)
    return response


def forget_old() -> int:
    """Remove the keys that are too old to be repeated; return how many. Commits."""
    with writing() as session:
        result = session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < utcnow() - KEPT))
        return result.rowcount  # type: ignore[attr-defined]


def _forget_old(user_id: int, key: str) -> None:
    now = utcnow()
    lost = IdempotencyKey.status.is_(None) & (IdempotencyKey.created_at < now - LOST_AFTER)
    db.session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.user_id == user_id,
            IdempotencyKey.key == key,
            (IdempotencyKey.created_at < now - KEPT) | lost,
        )
    )


def _known(user_id: int, key: str, digest: str) -> Response:
    row = db.session.scalar(
        select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
    )
    if row is None or (row.request_hash == digest and row.status is None):
        detail = "The first request with this key is still being worked on; send it again in a moment."
        raise Problem("idempotency-in-progress", detail, headers={"Retry-After": "1"})
    if row.request_hash != digest:
        detail = f"The key '{key}' was used for another request already; take a new key for each request."
        raise Problem("idempotency-key-reused", detail)
    answer = row.answer or {}
    response = make_response(answer["body"], row.status)
    for name, value in answer["headers"].items():
        response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response


def _digest() -> str:
    parts = (request.method, request.full_path, request.content_type or "")
    return sha256("\n".join(parts).encode() + b"\n" + request.get_data()).hexdigest()
