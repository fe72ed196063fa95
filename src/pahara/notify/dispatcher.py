"""Carries what stands in the outbox to the channels: at least once, never twice on purpose, and without a storm after an outage."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pahara.core import Event, without_secrets

from .notice import Notifier, NotifyError, digest_of, notice_of
from .route import Decision, Route, decide

log = logging.getLogger(__name__)

FIRST_WAIT = 5.0  # seconds before the second try; doubled each time
LONGEST_WAIT = 600.0  # seconds between two tries
LASTING_WAIT = 3600.0  # seconds, where the other side says that trying again will not help
TOGETHER = 4  # events that may be told one by one; more go into one message
LOOK = 1.0  # seconds between two looks when nobody rings


class Waiting(Protocol):
    """A report on its way, as the outbox has it."""

    @property
    def id(self) -> int: ...
    @property
    def event(self) -> Event: ...
    @property
    def phase(self) -> Any: ...
    @property
    def tries(self) -> int: ...


class Outbox(Protocol):
    """What the dispatcher needs of `pahara.store.Outbox`."""

    def untold(self, limit: int = ...) -> Sequence[tuple[Event, float]]: ...
    def take_over(self, event: Event, wanted: Any, now: float) -> None: ...
    def due(self, channel: str, now: float, limit: int = ...) -> Sequence[Waiting]: ...
    def sent(self, numbers: Sequence[int], now: float) -> None: ...
    def failed(self, numbers: Sequence[int], again: float, why: str) -> None: ...
    def expire(self, now: float, channel: str | None = ...) -> int: ...
    def abandon(self, channels: Sequence[str], now: float) -> int: ...
    def sent_since(self, channel: str, camera: str, behaviour: str, since: float) -> bool: ...


@dataclass
class Channel:
    """One way to one receiver, as configured."""

    name: str
    make: Callable[[], Notifier]  # opened on first use, and again after a failure
    route: Route = field(default_factory=Route)
    language: str = "en"
    picture: bool = True  # send the snapshot along


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """How a channel is."""

    name: str
    failures: int  # in a row
    why: str  # the last failure, without secrets; "" when all is well
    sent: int  # since the start
    last: float  # UTC seconds of the last success; 0 for none


class Dispatcher:
    """One thread that decides who hears of what, and one for each channel, so that one that hangs delays nobody else.

    `wanted` makes the outbox's rows from decisions; `picture(event_id)` gives the snapshot's JPEG or None; `name(camera)` what people
    call it. Times are UTC seconds by `clock`.
    """

    def __init__(
        self,
        outbox: Outbox,
        channels: Sequence[Channel],
        *,
        wanted: Callable[[str, Decision], Any],
        picture: Callable[[str], bytes | None] = lambda event_id: None,  # noqa: ARG005
        name: Callable[[str], str] = str,
        address: str = "",
        zone: ZoneInfo | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.outbox, self.channels, self.clock = outbox, tuple(channels), clock
        self._wanted, self._picture, self._name, self._address, self._zone = wanted, picture, name, address, zone
        self.muted: set[str] = set()  # cameras whose alerts are switched off for now
        self._bell = threading.Condition()
        self._rung = 0
        self._stopping = threading.Event()
        self._expired = dict.fromkeys((channel.name for channel in channels), 0)  # that nobody has been told of
        self._status = {channel.name: ChannelStatus(channel.name, 0, "", 0, 0.0) for channel in channels}
        self._threads = [threading.Thread(target=self._decide_for_ever, name="outbox", daemon=True)]
        self._threads += [
            threading.Thread(target=self._serve, args=(channel,), name=f"notify {channel.name}", daemon=True) for channel in channels
        ]

    def start(self) -> None:
        """Begin; what an earlier run left is told now, unless it has expired."""
        self.outbox.abandon([channel.name for channel in self.channels], self.clock())
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End; what is not told yet stays in the outbox."""
        self._stopping.set()
        self.ring()
        end = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, end - time.monotonic()))

    def ring(self) -> None:
        """Something new is in the store."""
        with self._bell:
            self._rung += 1
            self._bell.notify_all()

    def status(self) -> Mapping[str, ChannelStatus]:
        """By the channel's name."""
        return dict(self._status)

    # -- deciding ------------------------------------------------------------------------------------------------

    def decide_once(self) -> int:
        """Take over what nobody has decided yet -> how many reports."""
        untold = self.outbox.untold(200)
        for event, stored in untold:
            now = self.clock()
            rows = []
            for channel in self.channels:

                def told_since(since: float, channel: Channel = channel, event: Event = event) -> bool:
                    return self.outbox.sent_since(channel.name, event.camera, event.behaviour, since)

                decision = decide(channel.route, event, stored, now, told_since=told_since, muted=event.camera in self.muted)
                if decision is not None:
                    self._expired[channel.name] += decision.state == "expired"
                    rows.append(self._wanted(channel.name, decision))
            self.outbox.take_over(event, rows, now)
        if untold:
            self.ring()
        return len(untold)

    def _decide_for_ever(self) -> None:
        while not self._stopping.is_set():
            seen = self._rung
            try:
                if self.decide_once() == 200:
                    continue
            except Exception:  # a full disk or a database that is busy: later
                log.exception("the outbox could not be read")
                self._stopping.wait(FIRST_WAIT)
            self._rest(seen)

    # -- sending -------------------------------------------------------------------------------------------------

    def _serve(self, channel: Channel) -> None:
        notifier: Notifier | None = None
        failures = 0
        while not self._stopping.is_set():
            seen = self._rung
            try:
                now = self.clock()
                expired = self.outbox.expire(now, channel.name)
                waiting = list(self.outbox.due(channel.name, now, 50))
                lost = self._expired[channel.name] = self._expired[channel.name] + expired
                if not waiting:
                    self._rest(seen)
                    continue
                notifier = notifier or channel.make()
                failures = self._send(channel, notifier, waiting, lost, failures)
                if failures:
                    notifier.close()
                    notifier = None
            except Exception as problem:  # a channel that cannot even be opened, a database that is busy
                failures += 1
                if not isinstance(problem, NotifyError):
                    log.exception("channel %s failed", channel.name)
                self._failed(channel, failures, problem)
                self._stopping.wait(_wait(failures))
        if notifier is not None:
            notifier.close()

    def _send(self, channel: Channel, notifier: Notifier, waiting: Sequence[Waiting], lost: int, failures: int) -> int:
        """-> failures in a row: 0 when all arrived."""
        groups: list[list[Waiting]] = [[each] for each in waiting]
        if notifier.together and (len(waiting) > TOGETHER or lost):
            groups = [list(waiting)]
        for group in groups:
            if self._stopping.is_set():
                return failures
            numbers = [each.id for each in group]
            try:
                if len(group) == 1 and not (lost and notifier.together):
                    each = group[0]
                    notice = notice_of(
                        each.event,
                        each.phase,
                        channel.language,
                        camera_name=self._name(each.event.camera),
                        zone=self._zone,
                        address=self._address,
                        picture=self._picture(each.event.id) if channel.picture else None,
                    )
                else:
                    began = [each.event for each in group if each.phase == "began"] or [each.event for each in group]
                    notice = digest_of(
                        began, channel.language, expired=lost, camera_name=self._name, zone=self._zone, address=self._address
                    )
                notifier.send(notice)
            except Exception as problem:  # noqa: BLE001  a notifier may fail in any way
                failures += 1
                lasting = isinstance(problem, NotifyError) and problem.lasting
                wait = LASTING_WAIT if lasting else _wait(failures)
                self.outbox.failed(numbers, self.clock() + wait, _said(problem))
                self._failed(channel, failures, problem)
                return failures
            self.outbox.sent(numbers, self.clock())
            failures = 0
            if notifier.together:
                self._expired[channel.name] = 0
            old = self._status[channel.name]
            self._status[channel.name] = ChannelStatus(channel.name, 0, "", old.sent + 1, self.clock())
        return failures

    def _failed(self, channel: Channel, failures: int, problem: BaseException) -> None:
        said = _said(problem)
        if failures == 1 or failures % 20 == 0:
            log.warning("channel %s: %s", channel.name, said)
        old = self._status[channel.name]
        self._status[channel.name] = ChannelStatus(channel.name, failures, said, old.sent, old.last)

    def _rest(self, seen: int) -> None:
        with self._bell:
            if self._rung == seen and not self._stopping.is_set():
                self._bell.wait(LOOK)


def _wait(failures: int) -> float:
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 12))
    return longest * random.uniform(0.7, 1.0)


def _said(problem: BaseException) -> str:
    told = str(problem) if isinstance(problem, NotifyError) else f"{type(problem).__name__}: {problem}"
    return without_secrets(told)[:300]
