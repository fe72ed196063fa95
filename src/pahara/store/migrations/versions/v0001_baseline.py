"""The first tables.

Revision ID: v0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "about",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_about")),
    )
    op.create_table(
        "recordings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Double(), nullable=False),
        sa.Column("memory", sa.Double(), nullable=False),
        sa.Column("beat", sa.Double(), nullable=False),
        sa.Column("begun", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=True),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_recordings_camera_begun"), "recordings", ["camera", "begun"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("recording_id", sa.Integer(), nullable=True),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("behaviour", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("start", sa.Double(), nullable=False),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("epoch", sa.Double(), nullable=False),
        sa.Column("start_utc", sa.Double(), nullable=False),
        sa.Column("peak", sa.Double(), nullable=False),
        sa.Column("peak_time", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("boxes", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Double(), nullable=False),
        sa.Column("reviewed", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_events_recording_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_behaviour_start_utc_id"), "events", ["behaviour", "start_utc", "id"], unique=False)
    op.create_index(op.f("ix_events_camera_start_utc_id"), "events", ["camera", "start_utc", "id"], unique=False)
    op.create_index(op.f("ix_events_kind_start_utc_id"), "events", ["kind", "start_utc", "id"], unique=False)
    op.create_index(op.f("ix_events_locked_start_utc_id"), "events", ["locked", "start_utc", "id"], unique=False)
    op.create_index(op.f("ix_events_recording_id_locked"), "events", ["recording_id", "locked"], unique=False)
    op.create_index(op.f("ix_events_reviewed_start_utc_id"), "events", ["reviewed", "start_utc", "id"], unique=False)
    op.create_index(op.f("ix_events_start_utc_id"), "events", ["start_utc", "id"], unique=False)
    op.create_index(op.f("ix_events_stored"), "events", ["stored"], unique=False)
    op.create_index(op.f("ix_events_verdict_start_utc_id"), "events", ["verdict", "start_utc", "id"], unique=False)
    op.create_table(
        "trails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recording_id", sa.Integer(), nullable=False),
        sa.Column("first", sa.Double(), nullable=False),
        sa.Column("last", sa.Double(), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Double(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_trails_recording_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trails")),
    )
    op.create_index(op.f("ix_trails_recording_id_first"), "trails", ["recording_id", "first"], unique=True)
    op.create_index(op.f("ix_trails_stored"), "trails", ["stored"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("begin_utc", sa.Double(), nullable=True),
        sa.Column("end_utc", sa.Double(), nullable=True),
        sa.Column("stored", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_evidence_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("path", name=op.f("uq_evidence_path")),
    )
    op.create_index(op.f("ix_evidence_event_id"), "evidence", ["event_id"], unique=False)
    op.create_index(op.f("ix_evidence_state_stored_id"), "evidence", ["state", "stored", "id"], unique=False)


def downgrade() -> None:
    """A store is never taken back: an older Pahara refuses it instead."""
    raise NotImplementedError
