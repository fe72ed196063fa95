"""Passwords, one-time codes and keys: hashed with Argon2id, compared in constant time, never logged."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

SHORTEST, LONGEST = 10, 256  # characters of a password
STEP = 30  # seconds of a one-time code (RFC 6238)
OBVIOUS = frozenset({"password", "pahara", "camera", "qwerty", "letmein", "admin", "owner", "bangladesh", "123456789", "1234567890"})

_busy = threading.BoundedSemaphore(2)  # hashing takes 64 MiB and most of a core: a flood of log-ins must not take the machine


@cache
def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()  # RFC 9106, low memory: Argon2id, 64 MiB, 3 passes


def hash_password(password: str) -> str:
    """The password as it is kept."""
    with _busy:
        made: str = _hasher().hash(password)
        return made


def weak(password: str, name: str = "") -> str:
    """Why a password is no good ("short", "long", "obvious"); "" when it is fine. Length counts, strange characters do not (NIST SP 800-63B)."""
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    plain = password.casefold().strip()
    stripped = plain.strip("0123456789!@#$%^&*._- ")
    if stripped in OBVIOUS or plain in OBVIOUS or len(set(plain)) < 4 or (name and stripped == name.casefold()) or not stripped:
        return "obvious"
    return ""


def matches(kept: str, password: str) -> bool:
    """Whether it is the password; takes as long for a user who does not exist (`kept` "")."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > LONGEST:
        return False
    with _busy:
        try:
            return bool(_hasher().verify(kept or _nobody(), password)) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    made: str = _hasher().hash(secrets.token_hex(16))
    return made


def new_key() -> str:
    """A random key for a cookie or a program: 256 bits."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What is kept of a key: SHA-256 in hex (a random key needs no slow hash)."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def new_totp() -> str:
    """A secret for a second factor, base32."""
    import pyotp

    made: str = pyotp.random_base32()
    return made


def totp_step(secret: str, code: str, now: float) -> int | None:
    """The time step that the code belongs to, now or one step before or after; None when it is wrong."""
    import pyotp

    plain = code.replace(" ", "")
    if not (plain.isascii() and plain.isdigit() and len(plain) == 6):
        return None
    here = int(now // STEP)
    generator = pyotp.TOTP(secret)
    found = None
    for step in (here - 1, here, here + 1):
        if secrets.compare_digest(generator.at(step * STEP), plain):
            found = step
    return found


def totp_address(secret: str, name: str) -> str:
    """What an authenticator app reads from a QR code."""
    import pyotp

    made: str = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Pahara")
    return made


class Throttle:
    """Slows down guessing: after `free` failures for a name, or four times as many from an address, each further one doubles the wait.

    Kept in memory and bounded: a restart forgives, a flood of names does not fill it.
    """

    def __init__(self, *, free: int = 5, longest: float = 900.0, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.free, self.longest, self.most, self.clock = free, longest, most, clock
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}  # -> how many, and when the last was
        self._guard = threading.Lock()

    def wait(self, name: str, address: str) -> float:
        """Seconds until the next try may be made; 0 for now."""
        now = self.clock()
        with self._guard:
            return max(0.0, *(self._until(key, free) - now for key, free in self._keys(name, address)))

    def failed(self, name: str, address: str) -> None:
        """A try that was wrong."""
        now = self.clock()
        with self._guard:
            for key, _ in self._keys(name, address):
                number, last = self._failures.pop(key, (0, now))
                self._failures[key] = (1 if now - last > self.longest else number + 1, now)
            while len(self._failures) > self.most:
                del self._failures[next(iter(self._failures))]

    def succeeded(self, name: str, address: str) -> None:
        """The right one: the name is forgiven, the address is not (someone who guesses may have an account too)."""
        with self._guard:
            self._failures.pop(self._keys(name, address)[0][0], None)

    def _keys(self, name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return ((("name", name.casefold()[:160]), self.free), (("address", address), 4 * self.free))

    def _until(self, key: tuple[str, str], free: int) -> float:
        number, last = self._failures.get(key, (0, 0.0))
        return last + min(self.longest, 2.0 ** min(number - free, 20)) if number >= free else 0.0
