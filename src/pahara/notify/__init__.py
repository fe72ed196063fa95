"""Telling someone: routes, channels, and the dispatcher that empties the outbox."""

from .dispatcher import Channel, ChannelStatus, Dispatcher
from .notice import Notice, Notifier, NotifyError, as_json, digest_of, notice_of
from .route import Decision, Route, decide

__all__ = [
    "Channel", "ChannelStatus", "Decision", "Dispatcher", "Notice", "Notifier", "NotifyError", "Route", "as_json", "decide", "digest_of", "notice_of",
]  # fmt: skip
