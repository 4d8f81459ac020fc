"""News that the portal is told again and again, like alerts, reach each channel once."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    # What was sent before tells of things that happen once anyway: it stays without a key.
    with op.batch_alter_table("notification_deliveries") as batch:
        batch.add_column(sa.Column("once_key", sa.String(length=64), nullable=True))
        batch.create_index("uq_notification_deliveries_once_key", ["once_key"], unique=True)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table("notification_deliveries") as batch:
        batch.drop_index("uq_notification_deliveries_once_key")
        batch.drop_column("once_key")
