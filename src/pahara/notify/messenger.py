"""Telegram, e-mail, Slack, ntfy, SMS and a hundred others, through Apprise."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from .notice import Notice, NotifyError


@dataclass
class Messenger:
    """One address in Apprise's notation: tgram://TOKEN/CHAT, mailto://…, slack://…, ntfy://… (github.com/caronc/apprise/wiki)."""

    url: str  # best from the environment: "{PAHARA_TELEGRAM}"

    together: ClassVar[bool] = True
    _apprise: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if "://" not in self.url:
            raise ValueError("apprise: the url is an address such as tgram://TOKEN/CHAT or mailto://user:password@host")
        service = str.__str__(self.url).split("://", 1)[0].strip().lower()
        if service not in SERVICES:
            raise ValueError(f"apprise: the service {service}:// is not among those that are allowed: {', '.join(sorted(SERVICES))}")

    def send(self, notice: Notice) -> None:
        """NotifyError when it did not arrive, in the service's own words where it says any."""
        import apprise

        if self._apprise is None:
            url = str.__str__(self.url)
            made = apprise.Apprise()
            if not made.add(url):
                raise NotifyError("apprise does not understand the address: see github.com/caronc/apprise/wiki", lasting=True)
            self._apprise = made
        body = notice.text + (f"\n{notice.link}" if notice.link else "")
        capture: Any = apprise.LogCapture
        with capture(level=logging.WARNING) as said, contextlib.ExitStack() as stack:
            attached = None
            if notice.picture is not None:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pahara-"))
                path = Path(folder) / f"{notice.event.id}.jpg"
                path.write_bytes(notice.picture)
                attached = str(path)
            try:
                arrived = self._apprise.notify(title=notice.title, body=body, attach=attached, notify_type=apprise.NotifyType.WARNING)
            except TypeError as problem:
                raise NotifyError(f"apprise: {problem}") from problem
            lines = [line for line in said.getvalue().splitlines() if line.strip()]
        if not arrived:
            raise NotifyError(lines[-1] if lines else "apprise: the message was not taken")

    def close(self) -> None:
        """Let it go."""
        self._apprise = None


# What may be configured: services that carry a message to a person over the network. An allow-list, because a configuration may be
# changed from a browser, and Apprise also knows services that show, write or run something on this machine.
SERVICES = frozenset(
    [
        "tgram",
        "mailto",
        "mailtos",
        "slack",
        "discord",
        "ntfy",
        "ntfys",
        "pover",
        "signal",
        "signals",
        "matrix",
        "matrixs",
        "gotify",
        "gotifys",
        "pbul",
        "whatsapp",
        "twilio",
        "vonage",
        "clicksend",
        "d7sms",
        "sns",
        "ses",
        "sendgrid",
        "mailgun",
        "smtp2go",
        "sparkpost",
        "rocket",
        "rockets",
        "mmost",
        "mmosts",
        "zulip",
        "line",
        "wxteams",
        "fcm",
        "join",
        "pushed",
        "prowl",
        "bark",
        "barks",
        "ncloud",
        "nclouds",
        "nctalk",
        "nctalks",
        "hassio",
        "hassios",
        "opsgenie",
        "pagerduty",
        "victorops",
        "spush",
        "threema",
        "json",
        "jsons",
    ]
)
