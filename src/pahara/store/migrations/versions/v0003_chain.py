"""A chain of hashes under events and evidence, and the signatures on it.

Revision ID: v0003
Revises: v0002
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from pahara.store.chain import EVENT, FILE, Link, append, event_link, file_link

revision = "v0003"
down_revision = "v0002"
branch_labels = None
depends_on = None
BATCH = 1000
# A second filter is looked up in the index of the first, without reading the rows: a rare pair took a second among a million events.
BEHIND = {
    "camera": ("reviewed", "kind"),
    "behaviour": ("camera", "reviewed"),
    "kind": ("camera", "reviewed"),
    "reviewed": ("camera", "kind"),
    "verdict": ("camera", "kind"),
    "locked": ("camera", "kind"),
}


def upgrade() -> None:
    """What there is already is linked as it stands today: nobody can say more about the time before."""
    op.create_table(
        "chain",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("object", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain")),
    )
    op.create_index(op.f("ix_chain_object_id"), "chain", ["object", "id"], unique=False)
    op.create_table(
        "seals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
        sqlite_autoincrement=True,
    )
    for first, behind in BEHIND.items():
        op.drop_index(f"ix_events_{first}_start_utc_id", "events")
        op.create_index(f"ix_events_{first}_start_utc_id_{'_'.join(behind)}", "events", [first, "start_utc", "id", *behind], unique=False)
    connection, now = op.get_bind(), time.time()
    _link(connection, "events", EVENT, "", event_link, now)
    _link(connection, "evidence", FILE, "state IN ('kept', 'missing') AND ", file_link, now)


def _link(connection: Any, table: str, columns: Sequence[str], where: str, link: Callable[[Any], Link], now: float) -> None:
    key, last = columns[0] if table == "events" else "path", ""
    wanted = sa.text(f"SELECT {', '.join(columns)} FROM {table} WHERE {where}{key} > :last ORDER BY {key} LIMIT {BATCH}")
    while rows := list(connection.execute(wanted, {"last": last})):
        append(connection, [link(row) for row in rows], now)
        last = getattr(rows[-1], key)


def downgrade() -> None:
    """A store is never taken back: an older Pahara refuses it instead."""
    raise NotImplementedError
