"""Addresses without their passwords."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"(?<=://)[^/?#\s]*@"  # user:password@
    r"|(?<=://)[^/?#\s:@]*:(?!\d{1,5}(?:[/?#]|$))[^@\s]*@"  # a password with / ? or # that nobody encoded
    r"|((?:pass(?:word)?|pwd|token|secret|key|auth)=)[^&#\s]*",
    re.IGNORECASE,
)


def mask(source: str) -> str:
    """A source without its passwords.

    >>> mask("rtsp://admin:hunter2@10.0.0.5/live?channel=1&password=x")
    'rtsp://***@10.0.0.5/live?channel=1&password=***'
    """
    return _SECRET.sub(lambda found: f"{found[1]}***" if found[1] else "***@", source)
