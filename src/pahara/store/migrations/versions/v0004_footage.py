"""Continuous recording: one row for each file of about a minute.

Revision ID: v0004
Revises: v0003
"""

import sqlalchemy as sa
from alembic import op

revision = "v0004"
down_revision = "v0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A new table; nothing else changes."""
    op.create_table(
        "footage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("begin_utc", sa.Double(), nullable=False),
        sa.Column("end_utc", sa.Double(), nullable=False),
        sa.Column("stored", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_footage")),
        sa.UniqueConstraint("path", name=op.f("uq_footage_path")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_footage_camera_begin_utc"), "footage", ["camera", "begin_utc"], unique=False)
    op.create_index(op.f("ix_footage_state_begin_utc_id"), "footage", ["state", "begin_utc", "id"], unique=False)


def downgrade() -> None:
    """A store is never taken back: an older Pahara refuses it instead."""
    raise NotImplementedError
