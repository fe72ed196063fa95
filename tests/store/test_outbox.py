"""What is to be told survives, is decided once, and expires."""

from __future__ import annotations

from dataclasses import replace

from tests.store.conftest import an_event

from pahara.store import Store, Wanted


def numbers(found):
    return [each.id for each in found]


def test_an_event_is_untold_until_someone_decided_who_hears_of_it(tmp_path):
    event = an_event()
    with Store.open(tmp_path) as store:
        store.save_event(event)
        assert [each.id for each, _ in store.outbox.untold()] == [event.id]
    with Store.open(tmp_path) as store:  # after a crash
        store.outbox.take_over(event, [Wanted("phone", expires=1e10)], now=5.0)
        assert store.outbox.untold() == []
        store.outbox.take_over(event, [Wanted("phone", expires=1e10)], now=6.0)
        assert len(store.outbox.due("phone", 10.0)) == 1


def test_an_event_that_ended_is_told_again_but_only_as_ended(tmp_path):
    began = an_event()
    with Store.open(tmp_path) as store:
        store.save_event(began)
        store.outbox.take_over(began, [Wanted("hook", 1e10)], 1.0)
        ended = replace(began, phase="ended", time=began.time + 5)
        store.save_event(ended)
        ((told, _),) = store.outbox.untold()
        assert told.phase == "ended"
        store.outbox.take_over(told, [Wanted("hook", 1e10)], 2.0)
        assert [each.phase for each in store.outbox.due("hook", 3.0)] == ["began", "ended"]


def test_an_event_that_ended_while_its_beginning_was_decided_is_not_lost(tmp_path):
    began = an_event()
    with Store.open(tmp_path) as store:
        store.save_event(began)
        store.save_event(replace(began, phase="ended", time=began.time + 5))
        store.outbox.take_over(began, [Wanted("hook", 1e10)], 1.0)  # decided from what was read before the end came
        assert [event.phase for event, _ in store.outbox.untold()] == ["ended"]


def test_a_failure_waits_and_a_success_does_not_come_back(tmp_path):
    event = an_event()
    with Store.open(tmp_path) as store:
        store.save_event(event)
        store.outbox.take_over(event, [Wanted("phone", 1e10)], 0.0)
        (waiting,) = store.outbox.due("phone", 1.0)
        store.outbox.failed([waiting.id], again=60.0, why="no network")
        assert store.outbox.due("phone", 59.0) == []
        assert store.outbox.next_due("phone") == 60.0
        (again,) = store.outbox.due("phone", 60.0)
        assert (again.tries, again.why) == (1, "no network")
        store.outbox.sent([again.id], 61.0)
        store.outbox.failed([again.id], again=70.0, why="late answer")  # what arrived stays arrived
        assert store.outbox.due("phone", 100.0) == []
        assert store.outbox.of_event(event.id)[0].state == "sent"


def test_what_nobody_wants_to_hear_any_more_expires(tmp_path):
    event = an_event()
    with Store.open(tmp_path) as store:
        store.save_event(event)
        store.outbox.take_over(event, [Wanted("phone", 100.0), Wanted("hook", 500.0)], 0.0)
        assert store.outbox.due("phone", 100.0) == []
        assert store.outbox.expire(100.0) == 1
        assert store.outbox.counts() == {"phone": {"expired": 1}, "hook": {"waiting": 1}}
        assert store.outbox.abandon(["phone"], 101.0) == 1
        assert store.outbox.of_event(event.id)[1].why == "the channel is no longer configured"


def test_a_cooldown_sees_what_was_sent_or_waits_and_not_what_was_dropped(tmp_path):
    event = an_event()
    with Store.open(tmp_path) as store:
        store.save_event(event)
        store.outbox.take_over(event, [Wanted("phone", 1e10), Wanted("mail", 1e10, state="dropped", why="quiet hours")], 50.0)
        asked = (event.camera, event.behaviour)
        assert store.outbox.sent_since("phone", *asked, 50.0)
        assert not store.outbox.sent_since("phone", *asked, 51.0)
        assert not store.outbox.sent_since("mail", *asked, 0.0)
        assert not store.outbox.sent_since("phone", "other", event.behaviour, 0.0)
