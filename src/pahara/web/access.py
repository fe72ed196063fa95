"""Who may do what: three roles, what each may do, and whose cameras; asked again for every object on every channel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pahara.store import Role, User

Power = Literal[
    "watch",  # live pictures, events, clips, tracks of one's own cameras
    "review",  # verdicts, notes, locks
    "export",  # take evidence away
    "system",  # how the machine and every camera are
    "configure",  # cameras, zones, rules, notifications
    "administer",  # users, tokens of others, audit log, backup
]

POWERS: dict[Role, frozenset[Power]] = {
    "owner": frozenset({"watch", "review", "export", "system", "configure", "administer"}),
    "operator": frozenset({"watch", "review", "export", "system"}),
    "viewer": frozenset({"watch"}),
}
ORDER: tuple[Role, ...] = ("viewer", "operator", "owner")


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who is logged in, or a program with a token."""

    user: User
    role: Role  # of a token: the lesser of its own and its user's
    session: str = ""  # the session's id; "" for a token
    csrf: str = ""  # what a form or script must send along; "" for a token, which no other site can send

    def may(self, power: Power) -> bool:
        """Whether the role has this power at all."""
        return power in POWERS[self.role]

    def sees(self, camera: str) -> bool:
        """Whether this camera is among theirs. An owner sees all, whatever else was set."""
        return self.role == "owner" or self.user.sees(camera)

    def among(self, cameras: Iterable[str]) -> list[str]:
        """Of these cameras, theirs."""
        return [camera for camera in cameras if self.sees(camera)]

    @property
    def limited(self) -> tuple[str, ...] | None:
        """The cameras that a question to the store must be limited to; None for no limit."""
        return None if self.role == "owner" else self.user.cameras


def lesser(one: Role, other: Role) -> Role:
    """The role with fewer powers.

    >>> lesser("owner", "viewer"), lesser("operator", "operator")
    ('viewer', 'operator')
    """
    return min(one, other, key=ORDER.index)
