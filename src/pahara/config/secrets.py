"""Passwords and tokens: taken from the environment, used, and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pahara.core.secrets import VARIABLE, without_secrets


class Secret(str):
    """Text whose plain value works as any text, while `repr` and dumps show it masked.

    `shown` is how it stands in the file ("rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@gate/sub"), with what a
    careless hand wrote out in full masked as well.
    """

    __slots__ = ("shown",)
    shown: str

    def __new__(cls, value: str, shown: str) -> Secret:
        made = super().__new__(cls, value)
        made.shown = shown
        return made

    def __repr__(self) -> str:
        return repr(self.shown)

    def __reduce__(self) -> tuple[type[Secret], tuple[str, str]]:
        return type(self), (str.__str__(self), self.shown)


def shown(text: str) -> str:
    """How a text of a configuration may be printed."""
    return text.shown if isinstance(text, Secret) else without_secrets(text)


def has_password(text: str) -> bool:
    """Whether a log-in stands written out in an address."""
    return without_secrets(text) != text


def protect(value: Any) -> Any:
    """The same plain values, with every text that holds a password as a Secret."""
    if isinstance(value, str):
        return Secret(value, without_secrets(value)) if has_password(value) and not isinstance(value, Secret) else value
    if isinstance(value, Mapping):
        return {key: protect(each) for key, each in value.items()}
    return [protect(each) for each in value] if isinstance(value, list | tuple) else value


def fill(text: str, env: Mapping[str, str]) -> tuple[str, list[str]]:
    """`{PAHARA_…}` replaced from `env` -> the text, and the names that `env` does not have.

    Only names that begin with PAHARA_ are looked up: a configuration from elsewhere cannot read HOME or AWS_SECRET.
    """
    missing = [name for name in VARIABLE.findall(text) if name not in env]
    if missing or not VARIABLE.search(text):
        return (Secret(text, without_secrets(text)) if has_password(text) else text), missing
    return Secret(VARIABLE.sub(lambda found: env[found[1]], text), without_secrets(text)), []
