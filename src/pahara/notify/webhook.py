"""A signed HTTP POST to an address of the owner's own: for other programs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .notice import Notice, NotifyError, as_json, dump

TOO_LARGE = 1 << 16  # bytes of an answer that are read at most


@dataclass
class Webhook:
    """Sends each report as JSON, signed with HMAC-SHA256 in the manner of Standard Webhooks (standardwebhooks.com, v1).

    Headers: `webhook-id` (the same for a repetition), `webhook-timestamp` (UTC seconds) and `webhook-signature`
    (`v1,` + base64 of HMAC-SHA256 over "id.timestamp.body"). Redirects are not followed: the address is the one that was configured.
    """

    url: str  # http:// or https://
    secret: str = ""  # signs; at least 16 characters, best {PAHARA_WEBHOOK_SECRET}
    timeout: float = 10.0  # seconds

    together: ClassVar[bool] = False
    _client: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(str.__str__(self.url))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("webhook: the url begins with http:// or https:// and has a host")
        if self.secret and len(self.secret) < 16:
            raise ValueError("webhook: a secret has at least 16 characters; `openssl rand -hex 24` makes one")
        if not self.timeout > 0:
            raise ValueError(f"webhook: timeout is a number of seconds above 0, got {self.timeout}")

    def send(self, notice: Notice) -> None:
        """NotifyError when the other side does not answer with 2xx; lasting where it says that the message itself is wrong (4xx)."""
        import httpx2

        if self._client is None:
            self._client = httpx2.Client(timeout=self.timeout, follow_redirects=False, headers={"user-agent": "pahara"})
        body = dump(as_json(notice.event, notice.phase, camera_name=notice.camera_name, link=notice.link)).encode()
        headers = {"content-type": "application/json", **self.signed(body, f"{notice.event.id}-{notice.phase}", time.time())}
        try:
            with self._client.stream("POST", str.__str__(self.url), content=body, headers=headers) as answer:
                said = answer.status_code
                taken = 0
                for piece in answer.iter_bytes():
                    taken += len(piece)
                    if taken > TOO_LARGE:
                        break
        except httpx2.HTTPError as problem:
            raise NotifyError(f"webhook: {type(problem).__name__}: {problem}") from problem
        if not 200 <= said < 300:
            lasting = 400 <= said < 500 and said not in (408, 425, 429)
            raise NotifyError(f"webhook: the other side answered {said}", lasting=lasting)

    def signed(self, body: bytes, number: str, now: float) -> dict[str, str]:
        """The headers that prove where it comes from; without a secret, only those that name it."""
        stamp = str(int(now))
        headers = {"webhook-id": number, "webhook-timestamp": stamp}
        if self.secret:
            told = hmac.new(str.__str__(self.secret).encode(), f"{number}.{stamp}.".encode() + body, hashlib.sha256).digest()
            headers["webhook-signature"] = "v1," + base64.b64encode(told).decode()
        return headers

    def close(self) -> None:
        """Let the connection go."""
        if self._client is not None:
            self._client.close()
            self._client = None
