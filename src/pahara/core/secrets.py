"""Addresses without their passwords: the one way in which a source is shown, logged, stored and reported."""

from __future__ import annotations

import re

MASKED = "***"
VARIABLE = re.compile(r"\{(PAHARA_[A-Z0-9_]+)\}")  # a name from the environment, in place of a secret: no secret itself

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(\S+)")
# user=admin&password=…, after ? or, as some cameras want it, in the path
_PARAMETER = re.compile(r"(?i)([^\s=&;#?/]*(?:pass|pwd|token|secret|key|auth|sig)[^\s=&;#?/]*)=([^&\s]*?)(?=[;,]?(?:[&\s]|$))")


def without_secrets(text: str) -> str:
    """Log-ins and tokens inside addresses as `***`, wherever addresses stand in the text; `{PAHARA_…}` and paths stay.

    A password may hold "/", "?", "#" and "@" that nobody escaped, so everything up to the last @ is taken for the log-in:
    rather too much is hidden than too little. The user's name is hidden with it.

    >>> without_secrets("cannot open rtsp://admin:12/3@4@192.0.2.7/sub?token=ab&x=1 now")
    'cannot open rtsp://***@192.0.2.7/sub?token=***&x=1 now'
    >>> without_secrets("rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@192.0.2.7/sub"), without_secrets("films/gate @ night.mp4")
    ('rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@192.0.2.7/sub', 'films/gate @ night.mp4')
    """
    return _ADDRESS.sub(_shown, text)


def _shown(address: re.Match[str]) -> str:
    scheme, rest = address[1], address[2]
    if scheme.lower() == "file":
        return address[0]
    clean = _PARAMETER.sub(_parameter, rest)
    if "@" in rest and "@" not in clean and not re.search(r"[/?]", clean[: clean.find("=")]):
        return f"{scheme}://{MASKED}"  # a password that looks like a parameter
    log_in, at, where = clean.rpartition("@")
    if at and not all(VARIABLE.fullmatch(part) for part in log_in.split(":")):
        log_in = MASKED
    return f"{scheme}://{log_in}{at}{where}"


def _parameter(found: re.Match[str]) -> str:
    return found[0] if VARIABLE.fullmatch(found[2]) else f"{found[1]}={MASKED}"
