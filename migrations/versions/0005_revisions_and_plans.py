"""Revisions of applications, plans, the catalog, jobs done again, and the workers that live."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "application_revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_application_revisions_application_id_applications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_revisions")),
        sa.UniqueConstraint(
            "application_id", "number", name=op.f("uq_application_revisions_application_id_number")
        ),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("application_name", sa.String(length=63), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_plans_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_plans_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index("ix_plans_expires_at", "plans", ["expires_at"])
    op.create_index("ix_plans_project_id", "plans", ["project_id"])
    op.create_index("ix_plans_user_id", "plans", ["user_id"])
    # What an application is set to now is the first revision that can be gone back to.
    op.execute(
        "INSERT INTO application_revisions (application_id, number, spec, cause, user_name, created_at) "
        "SELECT applications.id, applications.version, applications.spec, 'kept from before', users.name, "
        "applications.updated_at FROM applications JOIN projects ON projects.id = applications.project_id "
        "JOIN users ON users.id = projects.owner_id"
    )
    with op.batch_alter_table("applications") as batch:
        batch.add_column(sa.Column("catalog_entry", sa.String(length=63), nullable=True))
    with op.batch_alter_table("jobs") as batch:
        batch.add_column(sa.Column("retry_of", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("by_hand", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("owner_name", sa.String(length=64), nullable=True))
        batch.create_index("ix_jobs_owner_name_created_at", ["owner_name", "created_at"])
        batch.create_index("ix_jobs_created_at_id", ["created_at", "id"])
        batch.create_index("ix_jobs_finished_at", ["finished_at"])
        batch.create_index("ix_jobs_retry_of", ["retry_of"])
    # Not of an earlier project that had the name: that one's owner is not known any more.
    op.execute(
        "UPDATE jobs SET owner_name = (SELECT users.name FROM projects "
        "JOIN users ON users.id = projects.owner_id "
        "WHERE projects.name = jobs.project_name AND projects.created_at <= jobs.created_at)"
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("leases")
    op.drop_table("workers")
    with op.batch_alter_table("jobs") as batch:
        batch.drop_index("ix_jobs_owner_name_created_at")
        batch.drop_column("owner_name")
        batch.drop_index("ix_jobs_retry_of")
        batch.drop_index("ix_jobs_finished_at")
        batch.drop_index("ix_jobs_created_at_id")
        batch.drop_column("by_hand")
        batch.drop_column("retry_of")
    with op.batch_alter_table("applications") as batch:
        batch.drop_column("catalog_entry")
    op.drop_table("plans")
    op.drop_table("application_revisions")
