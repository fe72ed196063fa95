"""The tables of the store, as SQLAlchemy sees them; the migrations make exactly these (a test compares)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

HEAD = "v0004"  # the newest revision in migrations/versions; a test compares
VERSION_TABLE = "pahara_version"  # not Alembic's usual name: a shared PostgreSQL database may have one already

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Every *_utc, `begun`, `ended`, `stored`, `due`, `expires`, `made`, `settled`, `created`, `changed`, `last` and `at` of accounts is seconds since 1970 in UTC; every other time is media seconds.

about = Table(
    "about",
    metadata,
    Column("key", String(40), primary_key=True),  # "id": which store this is
    Column("value", Text, nullable=False),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("source", Text, nullable=False),  # without passwords
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("epoch", Double, nullable=False),  # UTC seconds of media time 0
    Column("memory", Double, nullable=False),  # seconds of trail that the scene held
    Column("beat", Double, nullable=False),  # seconds between observations
    Column("begun", Double, nullable=False),
    Column("ended", Double),  # NULL: still going on, or it died
    Column("version", String(40), nullable=False),  # of Pahara
    Column("config", Text, nullable=False),
    Column("config_hash", String(64), nullable=False),  # SHA-256 of `config`
    Column("settings", Text, nullable=False),  # JSON: whatever else a replay needs
    Index(None, "camera", "begun"),
    sqlite_autoincrement=True,  # an id is never given again, so nothing can be about another recording than it says
)

trails = Table(
    "trails",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("recording_id", ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False),
    Column("first", Double, nullable=False),  # time of the first observation
    Column("last", Double, nullable=False),  # time of the last
    Column("beats", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("stored", Double, nullable=False),
    Column("blob", LargeBinary, nullable=False),  # see trails.py
    Index(None, "recording_id", "first", unique=True),
    Index(None, "stored"),
)

events = Table(
    "events",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("recording_id", ForeignKey("recordings.id", ondelete="SET NULL")),
    Column("camera", Text, nullable=False),
    Column("behaviour", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # JSON list of track ids
    Column("phase", String(8), nullable=False),  # "began" | "ended"
    Column("start", Double, nullable=False),
    Column("time", Double, nullable=False),
    Column("epoch", Double, nullable=False),
    Column("start_utc", Double, nullable=False),  # epoch + start: what people sort and search by
    Column("peak", Double, nullable=False),
    Column("peak_time", Double, nullable=False),
    Column("reason", Text, nullable=False),  # JSON
    Column("boxes", Text, nullable=False),  # JSON list of [x1, y1, x2, y2] pixels
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("stored", Double, nullable=False),
    Column("reviewed", Boolean, nullable=False),
    Column("verdict", String(8)),  # "real" | "fine" | NULL: nobody said
    Column("note", Text, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("told", String(8), nullable=False, server_default=""),  # the last phase that the outbox has taken over: "", "began", "ended"
    Index(None, "start_utc", "id"),
    # What stands behind "id" orders nothing: it lets a second filter be looked up in the index, without reading the row.
    Index(None, "camera", "start_utc", "id", "reviewed", "kind"),
    Index(None, "behaviour", "start_utc", "id", "camera", "reviewed"),
    Index(None, "kind", "start_utc", "id", "camera", "reviewed"),
    Index(None, "reviewed", "start_utc", "id", "camera", "kind"),
    Index(None, "verdict", "start_utc", "id", "camera", "kind"),
    Index(None, "locked", "start_utc", "id", "camera", "kind"),
    Index(None, "recording_id", "locked"),
    Index(None, "stored"),
    # Only what is still to be told stands in this index: looking for it costs nothing however many events there are.
    Index("ix_events_untold", "stored", sqlite_where=text("told <> phase"), postgresql_where=text("told <> phase")),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),  # "clip" | "snapshot" | "thumbnail"
    Column("path", String(255), nullable=False, unique=True),  # under the media folder, with forward slashes
    Column("state", String(16), nullable=False),  # see evidence.py
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("begin_utc", Double),  # of a clip
    Column("end_utc", Double),
    Column("stored", Double, nullable=False),
    Index(None, "event_id"),
    Index(None, "state", "stored", "id"),
)

chain = Table(
    "chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … without a gap
    Column("at", Double, nullable=False),
    Column("what", String(12), nullable=False),  # "event" | "file" | "gone event" | "gone file"
    Column("object", String(255), nullable=False),  # an event's id, or a file's path
    Column("digest", String(64), nullable=False),  # SHA-256 of what the row said; "" for what is gone
    Column("hash", String(64), nullable=False),  # see chain.py
    Index(None, "object", "id"),
)

seals = Table(
    "seals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("link", Integer, nullable=False),  # of the chain: up to this one everything is signed
    Column("hash", String(64), nullable=False),  # of that link
    Column("key", String(64), nullable=False),  # the public key, hex
    Column("signature", String(128), nullable=False),  # Ed25519, hex; see seal.py
    sqlite_autoincrement=True,
)

footage = Table(
    "footage",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("path", String(255), nullable=False, unique=True),  # under the media folder, with forward slashes
    Column("state", String(16), nullable=False),  # "writing" | "kept" | "removing"; see footage.py
    Column("bytes", BigInteger, nullable=False),
    Column("begin_utc", Double, nullable=False),
    Column("end_utc", Double, nullable=False),
    Column("stored", Double, nullable=False),
    Index(None, "camera", "begin_utc"),
    Index(None, "state", "begin_utc", "id"),
    sqlite_autoincrement=True,
)

blind = Table(
    "blind",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("begin_utc", Double, nullable=False),  # the last picture before
    Column("end_utc", Double),  # the first picture after; NULL: it is still blind
    Column("why", String(40), nullable=False),  # see coverage.py
    Column("detail", Text, nullable=False),
    Index(None, "camera", "begin_utc"),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String(80), nullable=False),
    Column("phase", String(8), nullable=False),  # "began" | "ended"
    Column("state", String(10), nullable=False),  # "waiting" | "sent" | "expired" | "dropped"
    Column("tries", Integer, nullable=False),
    Column("due", Double, nullable=False),  # not before
    Column("expires", Double, nullable=False),  # after that nobody wants to hear of it
    Column("made", Double, nullable=False),
    Column("settled", Double),  # when it was sent or given up
    Column("why", Text, nullable=False),  # the last failure, or why nobody was told; without secrets
    Index(None, "event_id", "channel", "phase", unique=True),
    Index(None, "channel", "state", "due"),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("folded", String(160), nullable=False, unique=True),  # the name without case: nobody is "Owner" beside "owner"
    Column("password", Text, nullable=False),  # Argon2id, in its own notation; "" cannot log in
    Column("role", String(10), nullable=False),  # "owner" | "operator" | "viewer"
    Column("cameras", Text),  # JSON list of the cameras that may be seen; NULL is all
    Column("totp", String(64), nullable=False),  # base32; "" without a second factor
    Column("totp_step", Integer, nullable=False),  # the last time step that was used: a code counts once
    Column("language", String(2), nullable=False),
    Column("created", Double, nullable=False),
    Column("changed", Double, nullable=False),  # when password, role, cameras or second factor last changed
    Column("disabled", Boolean, nullable=False),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the cookie: a stolen database opens nothing
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created", Double, nullable=False),
    Column("last", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("agent", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Index(None, "user_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(80), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256 of the token
    Column("role", String(10), nullable=False),  # at most this, whatever its user may
    Column("created", Double, nullable=False),
    Column("last", Double),
    Column("expires", Double),
    Index(None, "user_id"),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("who", String(80), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(40), nullable=False),  # "login", "review", "config" …
    Column("object", Text, nullable=False),
    Column("detail", Text, nullable=False),  # without secrets
    Index(None, "at"),
    sqlite_autoincrement=True,
)
