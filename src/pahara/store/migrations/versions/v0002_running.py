"""What an always-on service keeps: blind time, and who has been told of what.

Revision ID: v0002
Revises: v0001
"""

import sqlalchemy as sa
from alembic import op

revision = "v0002"
down_revision = "v0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Events from before count as told: nobody wants last year's alarms on the day of the update."""
    op.add_column("events", sa.Column("told", sa.String(length=8), server_default="", nullable=False))
    op.execute("UPDATE events SET told = phase")
    untold = sa.text("told <> phase")
    op.create_index("ix_events_untold", "events", ["stored"], unique=False, sqlite_where=untold, postgresql_where=untold)
    op.create_table(
        "blind",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("begin_utc", sa.Double(), nullable=False),
        sa.Column("end_utc", sa.Double(), nullable=True),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blind")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_blind_camera_begin_utc"), "blind", ["camera", "begin_utc"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("made", sa.Double(), nullable=False),
        sa.Column("settled", sa.Double(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_deliveries_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_deliveries_event_id_channel_phase"), "deliveries", ["event_id", "channel", "phase"], unique=True)
    op.create_index(op.f("ix_deliveries_channel_state_due"), "deliveries", ["channel", "state", "due"], unique=False)


def downgrade() -> None:
    """A store is never taken back: an older Pahara refuses it instead."""
    raise NotImplementedError
