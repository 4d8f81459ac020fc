"""A portal that has been used for long: 1,000 projects, 5,000 applications, 20,000 jobs, inserted in bulk."""

import random
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeAlias

from argon2 import PasswordHasher
from sqlalchemy import Connection, insert, text

from tests.bench.apiserver import APPLICATIONS, PROJECTS, application_name, project_name
from webapp.applications.models import Application, Revision
from webapp.applications.schemas import ApplicationSpec
from webapp.audit.models import AuditEntry
from webapp.auth.models import User
from webapp.db import db, utcnow
from webapp.jobs.models import Job, JobEvent
from webapp.openapi import Portal
from webapp.projects.models import Membership, Project
from webapp.projects.schemas import ProjectSpec

Row: TypeAlias = dict[str, Any]
PASSWORD = "correct horse battery staple"
USERS, JOBS, EVENTS_PER_JOB, AUDIT, REVISIONS = 200, 20_000, 9, 30_000, 2
# The member's: every 20th project is owned, and as many again are joined.
MEMBER, ADMINISTRATOR = "ada", "root"
BATCH = 2_000
LINES = (
    ("state", "Waiting for a worker", {"state": "queued"}),
    ("state", "Started", {"state": "running"}),
    ("task", "Read the request", None),
    ("ok", "Read the request", {"duration": 0.07}),
    ("task", "Release the application's chart", None),
    ("changed", "Release the application's chart", {"duration": 1.42}),
    ("progress", "0 of 2 pods ready", None),
    ("progress", "2 of 2 pods ready", None),
    ("state", "Succeeded", {"state": "succeeded"}),
)


def populate(app: Portal) -> dict[str, int]:
    """Fill the tables of a migrated database; return the numbers of rows by table."""
    chance = random.Random(4)  # noqa: S311 - the same rows in every run
    now = utcnow()
    counts: dict[str, int] = {}
    with app.app_context(), db.engine.begin() as connection:
        users = _users(connection)
        for model, rows in (
            (Project, _projects(users, now)),
            (Membership, _memberships(users)),
            (Application, _applications(now)),
            (Revision, _revisions(now)),
            (Job, _jobs(users, now, chance)),
            (JobEvent, _events(now)),
            (AuditEntry, _audit(now, chance)),
        ):
            counts[model.__tablename__] = _insert(connection, model, rows)
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # What autovacuum and a portal that runs for days do by themselves.
        connection.execute(text("ANALYZE"))
    return {"users": len(users), **counts}


def _insert(connection: Connection, model: Any, rows: Any) -> int:
    total, source = 0, iter(rows)
    while batch := list(islice(source, BATCH)):
        connection.execute(insert(model), batch)
        total += len(batch)
    return total


def _users(connection: Connection) -> dict[str, int]:
    # Hundreds of equal hashes, made cheaply: signing in is not what is measured.
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    names = [ADMINISTRATOR, MEMBER, *(f"user-{number:03d}" for number in range(USERS - 2))]
    rows = [{"name": name, "password_hash": hashed, "is_admin": name == ADMINISTRATOR} for name in names]
    connection.execute(insert(User), rows)
    found = connection.execute(User.__table__.select())
    return {row.name: row.id for row in found if row.name in names}


def _owner(users: dict[str, int], number: int) -> str:
    return MEMBER if number % 20 == 0 else list(users)[2 + number % (USERS - 2)]


def _projects(users: dict[str, int], now: datetime) -> Any:
    for number in range(PROJECTS):
        owner, name = _owner(users, number), project_name(number)
        description = f"What team {number} makes: a shop, its search, and the mail it sends."
        members = [{"user": MEMBER, "role": "developer"}] if number % 20 == 1 else []
        spec = ProjectSpec(name=name, owner=owner, description=description, members=members)
        yield {
            "id": number + 1,
            "name": name,
            "description": description,
            "owner_id": users[owner],
            "spec": spec.model_dump(mode="json"),
            "state": "failed" if number % 50 == 7 else "ready",
            "created_at": now - timedelta(days=400, minutes=-number),
            "updated_at": now - timedelta(minutes=number * 7919 % 100_000),
        }


def _memberships(users: dict[str, int]) -> Any:
    # Each project has two members beside its owner; the member has joined every 20th.
    others = [number for name, number in users.items() if name not in (MEMBER, ADMINISTRATOR)]
    for number in range(PROJECTS):
        joined = {users[MEMBER]: "developer"} if number % 20 == 1 else {}
        joined |= {others[(number * step + step) % len(others)]: "viewer" for step in (7, 13)}
        yield from (
            {"project_id": number + 1, "user_id": user, "role": role} for user, role in joined.items()
        )


def _spec(project: str, name: str) -> Row:
    return ApplicationSpec.model_validate(
        {
            "project": project,
            "name": name,
            "image": "registry.example.org/team/web:1.2",
            "ports": [{"targetPort": 8080, "port": 80}],
            "replicas": 2,
            "env": [{"name": f"SETTING_{number}", "value": "on"} for number in range(10)],
            "secrets": [{"name": "DATABASE_PASSWORD", "value": "hidden-value"}],
            "healthPath": "/healthz",
            "volume": {"size": "1Gi"},
        }
    ).model_dump(mode="json")


def _applications(now: datetime) -> Any:
    for number in range(PROJECTS * APPLICATIONS):
        project, name = number // APPLICATIONS, application_name(number % APPLICATIONS)
        yield {
            "id": number + 1,
            "project_id": project + 1,
            "name": name,
            "spec": _spec(project_name(project), name),
            "state": "ready",
            "created_at": now - timedelta(days=300),
            "updated_at": now - timedelta(days=1),
            "version": REVISIONS,
        }


def _revisions(now: datetime) -> Any:
    for number in range(PROJECTS * APPLICATIONS):
        project, name = number // APPLICATIONS, application_name(number % APPLICATIONS)
        for revision in range(1, REVISIONS + 1):
            yield {
                "application_id": number + 1,
                "number": revision,
                "spec": {**_spec(project_name(project), name), "replicas": revision},
                "cause": "created" if revision == 1 else "changed",
                "user_name": MEMBER,
                "job_id": job_id(number),
                "created_at": now - timedelta(days=300 - revision),
            }


def job_id(number: int) -> str:
    """Return the id of a job, from 0 on."""
    return f"{number:032x}"


def _jobs(users: dict[str, int], now: datetime, chance: random.Random) -> Any:
    for number in range(JOBS):
        project = number % PROJECTS
        name = application_name(number // PROJECTS % APPLICATIONS)
        owner = _owner(users, project)
        failed = chance.random() < 0.05
        made = now - timedelta(minutes=(JOBS - number) * 20)
        spec = {**_spec(project_name(project), name), "secrets": []}
        yield {
            "id": job_id(number),
            "kind": "application.update",
            "project_name": project_name(project),
            "application_name": name,
            "user_id": users[owner],
            "user_name": owner,
            "owner_name": owner,
            "state": "failed" if failed else "succeeded",
            "message": "The image cannot be pulled." if failed else f"Application '{name}' is ready.",
            "result": {"url": f"http://{name}.{project_name(project)}.localhost:8080"},
            "worker": "worker-1",
            "created_at": made,
            "started_at": made + timedelta(seconds=1),
            "finished_at": made + timedelta(seconds=5),
            "attempt": 1,
            "by_hand": {"application": spec},
            "last_event": EVENTS_PER_JOB,
        }


def _events(now: datetime) -> Any:
    for job in range(JOBS):
        made = now - timedelta(minutes=(JOBS - job) * 20)
        for number, (kind, words, data) in enumerate(LINES, start=1):
            yield {
                "job_id": job_id(job),
                "number": number,
                "kind": kind,
                "text": words,
                "data": data,
                "created_at": made + timedelta(seconds=number / 2),
            }


def _audit(now: datetime, chance: random.Random) -> Any:
    for number in range(AUDIT):
        project = chance.randrange(PROJECTS)
        yield {
            "created_at": now - timedelta(minutes=(AUDIT - number) * 14),
            "user_id": 1,
            "user_name": f"user-{chance.randrange(USERS - 2):03d}",
            "via": chance.choice(("page", "api", "token")),
            "address": "192.0.2.7",
            "action": "application.update",
            "project_name": project_name(project),
            "object_name": application_name(number % APPLICATIONS),
            "changes": [{"field": "replicas", "before": 1, "after": 2}],
            "job_id": job_id(chance.randrange(JOBS)),
        }
