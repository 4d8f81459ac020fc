"""Sessions as rows of their own, personal API tokens, and what accounts need."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_api_tokens_user_id_name")),
    )
    # Every family of refresh tokens was a session that nobody had written down.
    op.execute(
        "INSERT INTO sessions (id, user_id, user_agent, address, created_at, last_used_at, expires_at, "
        "revoked_at) SELECT family, user_id, '', '', min(created_at), max(created_at), max(expires_at), "
        "max(revoked_at) FROM refresh_tokens GROUP BY family, user_id"
    )
    with op.batch_alter_table("refresh_tokens") as batch:
        # PostgreSQL looks at the rows that are there in the next revision, when this one's lock is gone.
        batch.create_foreign_key(
            op.f("fk_refresh_tokens_family_sessions"),
            "sessions",
            ["family"],
            ["id"],
            ondelete="CASCADE",
            postgresql_not_valid=True,
        )
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("email", sa.String(length=254), nullable=True))
        batch.add_column(
            sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch.add_column(sa.Column("oidc_subject", sa.String(length=400), nullable=True))
        batch.add_column(sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True))
        batch.alter_column("password_hash", existing_type=sa.String(length=255), nullable=True)
    if op.get_context().dialect.name == "postgresql":
        op.create_index("uq_users_oidc_subject", "users", ["oidc_subject"], unique=True)
        op.execute(
            "ALTER TABLE users ADD CONSTRAINT uq_users_oidc_subject UNIQUE USING INDEX uq_users_oidc_subject"
        )
    else:
        with op.batch_alter_table("users") as batch:
            batch.create_unique_constraint(op.f("uq_users_oidc_subject"), ["oidc_subject"])


def downgrade() -> None:
    """Take this revision back."""
    # No password fits this hash: who signed in without a password still cannot sign in with one.
    op.execute("UPDATE users SET password_hash = '!' WHERE password_hash IS NULL")
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint(op.f("uq_users_oidc_subject"), type_="unique")
        batch.alter_column("password_hash", existing_type=sa.String(length=255), nullable=False)
        batch.drop_column("last_sign_in_at")
        batch.drop_column("oidc_subject")
        batch.drop_column("must_change_password")
        batch.drop_column("email")
    with op.batch_alter_table("refresh_tokens") as batch:
        batch.drop_constraint(op.f("fk_refresh_tokens_family_sessions"), type_="foreignkey")
    op.drop_table("api_tokens")
    op.drop_table("sessions")
