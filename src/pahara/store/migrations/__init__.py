"""How a database of an older Pahara becomes one of this Pahara: Alembic revisions, run when a store is opened.

A new revision: change tables.py, write versions/v000N_*.py with `down_revision`, set `tables.HEAD`; the tests compare.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_TURN = Lock()  # Alembic keeps what it works on in the process, not in the thread


def config() -> Config:
    """Alembic's configuration, without any file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def known() -> set[str]:
    """Every revision that this Pahara can start from."""
    return {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate inside the caller's transaction: all revisions or none."""
    settings = config()
    settings.attributes["connection"] = connection
    with _TURN:
        command.upgrade(settings, revision)
