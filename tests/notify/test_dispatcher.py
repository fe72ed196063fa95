"""Messages arrive at least once, survive a crash and an outage, and come back without a storm."""

from __future__ import annotations

import pytest
from tests.notify.conftest import EPOCH, an_event, until

from pahara.notify import Channel, Dispatcher, NotifyError, Route
from pahara.store import Store, Wanted


class Phone:
    """A receiver that may be out of reach."""

    def __init__(self, *, together=True):
        self.together, self.reachable, self.notices, self.tries = together, True, [], 0

    def send(self, notice):
        self.tries += 1
        if not self.reachable:
            raise NotifyError("no network at rtsp://user:hunter2@host")
        self.notices.append(notice)

    def close(self):
        pass


def wanted(channel, decision):
    return Wanted(channel, decision.expires, state=decision.state, why=decision.why)


def dispatcher(store, *channels, clock=lambda: EPOCH + 60, **more):
    return Dispatcher(
        store.outbox, channels, wanted=wanted, name={"gate": "ফটক"}.get, clock=clock, address="https://pahara.example", **more
    )


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("pahara.notify.dispatcher.FIRST_WAIT", 0.05)
    monkeypatch.setattr("pahara.notify.dispatcher.LOOK", 0.05)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path, clock=lambda: EPOCH + 30) as opened:
        yield opened


def test_an_event_is_told_once_in_the_receivers_language_with_picture_and_link(store):
    phone = Phone()
    event = an_event()
    store.save_event(event)
    told = dispatcher(store, Channel("phone", lambda: phone, language="bn"), picture=lambda event_id: b"jpeg")
    told.start()
    until(lambda: phone.notices)
    told.ring()
    told.stop()
    (notice,) = phone.notices
    assert "ফটক" in notice.title
    assert "34" in notice.text
    assert notice.link == f"https://pahara.example/events/{event.id}"
    assert notice.picture == b"jpeg"
    assert store.outbox.counts() == {"phone": {"sent": 1}}


def test_what_was_stored_before_a_crash_is_told_after_it(store):
    store.save_event(an_event())  # and then the program died
    phone = Phone()
    told = dispatcher(store, Channel("phone", lambda: phone))
    told.start()
    until(lambda: phone.notices)
    told.stop()
    again = dispatcher(store, Channel("phone", lambda: phone))
    again.start()
    again.ring()
    until(lambda: again.status()["phone"].failures == 0)
    again.stop()
    assert len(phone.notices) == 1


def test_after_hours_offline_a_person_gets_one_message_and_what_expired_is_only_counted(store):
    now = [EPOCH + 60]
    phone = Phone()
    phone.reachable = False
    told = dispatcher(store, Channel("phone", lambda: phone, Route(expires=3600)), clock=lambda: now[0])
    for n in range(10):
        store.save_event(an_event(start=n))
    told.start()
    until(lambda: phone.tries > 0 and store.outbox.counts()["phone"] == {"waiting": 10})
    assert "hunter2" not in told.status()["phone"].why
    now[0] += 6 * 3600  # the network is away for six hours
    until(lambda: store.outbox.counts()["phone"] == {"expired": 10})
    store.clock = lambda: now[0]
    for n in range(7):
        store.save_event(an_event(start=now[0] - EPOCH + n, kind="running"))
    until(lambda: store.outbox.counts()["phone"].get("waiting") == 7)
    now[0] += 60
    phone.reachable = True
    until(lambda: store.outbox.counts()["phone"].get("sent") == 7)
    told.stop()
    (notice,) = phone.notices
    assert notice.title == "17 events while you could not be reached"
    assert "7 × Running" in notice.text
    assert "10 older" in notice.text
    assert store.outbox.counts()["phone"] == {"expired": 10, "sent": 7}


def test_a_machine_gets_every_event_by_itself(store):
    hook = Phone(together=False)
    for n in range(7):
        store.save_event(an_event(start=n))
    told = dispatcher(store, Channel("hook", lambda: hook))
    told.start()
    until(lambda: len(hook.notices) == 7)
    told.stop()
    assert [notice.event.start for notice in hook.notices] == list(range(7))


def test_a_channel_that_hangs_or_cannot_be_opened_delays_nobody_else(store):
    def broken():
        raise ValueError("no such thing")

    phone = Phone()
    told = dispatcher(store, Channel("broken", broken), Channel("phone", lambda: phone))
    store.save_event(an_event())
    told.start()
    until(lambda: phone.notices and told.status()["broken"].failures)
    told.stop()
    assert told.status()["broken"].why == "ValueError: no such thing"
    assert store.outbox.counts() == {"broken": {"waiting": 1}, "phone": {"sent": 1}}


def test_a_muted_camera_is_kept_and_not_told(store):
    phone = Phone()
    told = dispatcher(store, Channel("phone", lambda: phone))
    told.muted.add("gate")
    store.save_event(an_event())
    assert told.decide_once() == 1
    assert store.outbox.counts() == {"phone": {"dropped": 1}}


def test_a_cooldown_counts_across_a_restart(store):
    route = Route(cooldown=300)
    for n in range(3):
        store.save_event(an_event(start=n))
        dispatcher(store, Channel("phone", Phone, route)).decide_once()
    assert store.outbox.counts() == {"phone": {"waiting": 1, "dropped": 2}}


def test_a_channel_that_is_no_longer_configured_keeps_nothing_waiting(store):
    store.save_event(an_event())
    dispatcher(store, Channel("old", Phone)).decide_once()
    told = dispatcher(store, Channel("new", Phone))
    told.start()
    told.stop()
    assert store.outbox.counts() == {"old": {"dropped": 1}}
