"""Rows for every table of the portal's database, as the portal has written them, for tests of migrations."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from cryptography.fernet import Fernet
from sqlalchemy import Connection, Engine, MetaData, Table, func, select

Row: TypeAlias = dict[str, Any]
Contents: TypeAlias = dict[str, list[Row]]

KEY = Fernet.generate_key()
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WEB = {"image": "registry.example.org/web:1", "secrets": [{"name": "PASSWORD", "value": "hunter2-hunter2"}]}
QUOTA = {"cpu": "2", "memory": "2Gi"}


def _at(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def _sealed(value: Any) -> str:
    return Fernet(KEY).encrypt(json.dumps(value).encode()).decode()


def _user(number: int, name: str, **more: Any) -> Row:
    base = {"id": number, "name": name, "password_hash": f"hash-{name}", "is_admin": False, "is_active": True}
    extra = {"email": f"{name}@example.org", "must_change_password": False, "last_sign_in_at": _at(1)}
    return {**base, **extra, "created_at": _at(0), **more}


def _token(number: int, user: int, family: str, hours: int, **more: Any) -> Row:
    times = {"created_at": _at(hours), "expires_at": _at(hours + 720)}
    return {"id": number, "user_id": user, "jti_hash": f"hash-{number}", "family": family, **times, **more}


def _job(state: str, **more: Any) -> Row:
    base = {"id": f"job-{state}", "kind": "application.update", "project_name": "shop", "user_name": "ada"}
    rest = {"message": "", "cancel_requested": False, "created_at": _at(3), "attempt": 1, "last_event": 0}
    return {
        **base,
        "application_name": "web",
        "user_id": 1,
        "owner_name": "ada",
        "state": state,
        **rest,
        **more,
    }


def _ended(state: str, **more: Any) -> Row:
    times = {"started_at": _at(4), "finished_at": _at(5)}
    return _job(state, **times, message=f"It {state}.", by_hand={"application": {"name": "web"}}, **more)


def rows() -> Contents:
    """Return rows of every table at the newest revision, in an order in which they can be inserted."""
    working = {"worker": "worker-1", "heartbeat_at": _at(4), "started_at": _at(4)}
    return {
        "users": [_user(1, "ada", is_admin=True, oidc_subject="https://id.example.org 17"), _user(2, "eve")],
        "login_attempts": [{"id": 1, "name": "eve", "address": "192.0.2.7", "created_at": _at(1)}],
        "sessions": [
            {"id": "ada-laptop", "user_id": 1, "created_at": _at(0), "last_used_at": _at(2)}
            | {"user_agent": "Firefox", "address": "192.0.2.7", "expires_at": _at(722)},
            {"id": "eve-phone", "user_id": 2, "created_at": _at(1), "last_used_at": _at(1)}
            | {"user_agent": "", "address": "", "expires_at": _at(721), "revoked_at": _at(3)},
        ],
        "refresh_tokens": [
            _token(1, 1, "ada-laptop", 0, used_at=_at(2)),
            _token(2, 1, "ada-laptop", 2),
            _token(3, 2, "eve-phone", 1, revoked_at=_at(3)),
        ],
        "api_tokens": [
            {"id": 1, "user_id": 1, "name": "ci", "prefix": "croft_ab", "token_hash": "h", "scope": "write"}
            | {"created_at": _at(0), "expires_at": _at(900), "last_used_at": _at(1)},
        ],
        "projects": [
            {"id": 1, "name": "shop", "description": "Our shop", "owner_id": 1, "spec": {"quota": QUOTA}}
            | {"state": "ready", "created_at": _at(0), "updated_at": _at(1), "version": 4}
            | {"archived": False, "expires_at": _at(2000)},
        ],
        "memberships": [{"id": 1, "project_id": 1, "user_id": 2, "role": "viewer"}],
        "applications": [
            {
                "id": number,
                "project_id": 1,
                "name": name,
                "spec": _sealed(WEB),
                "state": "ready",
                "host": host,
            }
            | {"created_at": _at(0), "updated_at": _at(number), "version": number + 6, "catalog_entry": entry}
            for number, name, host, entry in (
                (1, "web", "shop.example.org", None),
                (2, "db", None, "postgres"),
            )
        ],
        "jobs": [
            _job("queued", request=_sealed({"application": WEB})),
            _job("running", request=_sealed({"application": WEB}), cancel_requested=True, **working),
            _ended("succeeded", result={"removed": [], "left": []}, last_event=2),
            _ended("failed", retry_of="job-cancelled"),
            _ended("cancelled", user_id=None),
        ],
        "job_events": [
            {"id": number, "job_id": "job-succeeded", "number": number, "kind": "progress", "text": "Ready"}
            | {"data": {"ready": number}, "created_at": _at(4)}
            for number in (1, 2)
        ],
        "audit_entries": [
            {"id": 1, "user_id": 1, "user_name": "ada", "via": "page", "address": "192.0.2.7"}
            | {
                "action": "application.update",
                "project_name": "shop",
                "object_name": "web",
                "created_at": _at(3),
            }
            | {"changes": [{"field": "replicas", "before": 1, "after": 2}], "job_id": "job-succeeded"},
        ],
        "idempotency_keys": [
            {"id": 1, "user_id": 1, "key": "k", "request_hash": "h", "status": 202, "created_at": _at(3)}
            | {"answer": _sealed({"body": {}, "headers": {}})},
        ],
        "quota_requests": [
            {"id": "q", "project_id": 1, "user_id": 2, "user_name": "eve", "quota": QUOTA, "reason": "Sale"}
            | {"state": "granted", "decided_by": "ada", "answer": "Yes.", "created_at": _at(3)}
            | {"decided_at": _at(4)},
        ],
        "notification_channels": [
            {"id": 1, "project_id": 1, "kind": "webhook", "target": "https://chat.example.org/hook"}
            | {"secret": _sealed("key"), "events": ["job.failed"], "created_by": "ada", "created_at": _at(3)},
        ],
        "notification_deliveries": [
            {"id": "d", "channel_id": 1, "kind": "webhook", "target": "https://chat.example.org/hook"}
            | {"secret": _sealed("key"), "event": "job.failed", "body": {"job": "job-failed"}}
            | {"state": "delivered", "attempts": 2, "error": "refused", "next_try_at": _at(5)}
            | {"created_at": _at(5), "delivered_at": _at(6), "once_key": "0" * 64},
        ],
        "application_revisions": [
            {"id": number, "application_id": number, "number": number + 6, "spec": _sealed(WEB)}
            | {"cause": "changed", "user_name": "ada", "job_id": "job-succeeded", "created_at": _at(4)}
            for number in (1, 2)
        ],
        "workers": [
            {"name": "worker-1", "slots": 2, "started_at": _at(0), "heartbeat_at": _at(4)},
        ],
        "leases": [{"name": "housekeeping", "holder": "worker-1", "until": _at(5)}],
        "plans": [
            {"id": "p", "project_id": 1, "application_name": "web", "user_id": 1, "settings": _sealed(WEB)}
            | {"base_version": 7, "job_id": "job-succeeded", "created_at": _at(4), "expires_at": _at(5)}
            | {"applied_at": _at(5)},
        ],
    }


def populate(engine: Engine) -> None:
    """Put the rows into the tables and columns that the database has at its present revision."""
    with engine.begin() as connection:
        found = _tables(connection)
        for name, many in rows().items():
            if name in found:
                kept = [{key: row[key] for key in row if key in found[name].c} for row in many]
                for row in kept:
                    connection.execute(found[name].insert().values(row))
                if connection.dialect.name == "postgresql" and isinstance(kept[0].get("id"), int):
                    newest = max(row["id"] for row in kept)
                    connection.execute(select(func.setval(func.pg_get_serial_sequence(name, "id"), newest)))


def contents(engine: Engine) -> Contents:
    """Return what every table holds, ordered by key; times are in UTC on both databases."""
    with engine.connect() as connection:
        return {
            name: [
                {key: _utc(value) for key, value in row._mapping.items()}
                for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for name, table in _tables(connection).items()
        }


def _tables(connection: Connection) -> dict[str, Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return {name: table for name, table in metadata.tables.items() if name != "alembic_version"}


def _utc(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
