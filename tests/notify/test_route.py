"""Who hears of what, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notify.conftest import EPOCH, an_event

from pahara.behaviours.schedule import Hours
from pahara.notify import Route, decide

NIGHT = Route(quiet=(Hours(start="22:00", end="06:00"),), timezone="UTC")
MIDNIGHT = 1_790_035_200.0  # 2026-09-22 00:00 UTC


def never(since):
    return False


def test_a_route_without_wishes_hears_of_every_beginning_and_of_no_end():
    assert decide(Route(), an_event(), 0, 0, told_since=never).state == "waiting"
    assert decide(Route(), an_event(phase="ended"), 0, 0, told_since=never) is None
    assert decide(Route(ended=True), an_event(phase="ended"), 0, 0, told_since=never).state == "waiting"


@pytest.mark.parametrize(
    ("route", "hears"),
    [
        (Route(cameras=("gate",)), True),
        (Route(cameras=("yard",)), False),
        (Route(behaviours=("loitering",)), True),
        (Route(behaviours=("loitering-here",)), True),
        (Route(behaviours=("running",)), False),
        (Route(cameras=("gate",), behaviours=("running",)), False),
    ],
)
def test_cameras_and_behaviours_are_chosen_by_key_name_or_kind(route, hears):
    assert (decide(route, an_event(), 0, 0, told_since=never) is not None) is hears


def test_quiet_hours_hold_back_loitering_but_not_a_fall_or_a_camera_that_went_dark():
    assert decide(NIGHT, an_event(), MIDNIGHT, MIDNIGHT, told_since=never).why == "quiet hours"
    assert decide(NIGHT, an_event(), MIDNIGHT, MIDNIGHT + 12 * 3600 - 3600 * 5, told_since=never).why in ("", "too old when it was found")
    for urgent in ("falling", "offline", "tamper"):
        assert decide(NIGHT, an_event(kind=urgent), MIDNIGHT, MIDNIGHT, told_since=never).state == "waiting"


def test_a_cooldown_keeps_a_second_one_back_and_a_mute_all_of_them():
    route = Route(cooldown=60)
    asked = []
    assert decide(route, an_event(), 0, 1000, told_since=lambda since: asked.append(since) or True).why == "cooldown"
    assert asked == [940]
    assert decide(route, an_event(), 0, 1000, told_since=never).state == "waiting"
    assert decide(route, an_event(), 0, 1000, told_since=never, muted=True).why == "muted"


@given(stored=st.floats(0, 1e6), later=st.floats(0, 1e6), expires=st.floats(1, 1e5))
def test_a_message_is_worth_nothing_some_time_after_the_event_however_late_it_is_found(stored, later, expires):
    decision = decide(Route(expires=expires), an_event(), EPOCH + stored, EPOCH + stored + later, told_since=never)
    assert decision.expires == EPOCH + stored + expires
    assert (decision.state == "expired") == (decision.expires <= EPOCH + stored + later)


@pytest.mark.parametrize("wrong", [{"cooldown": -1}, {"cooldown": float("nan")}, {"expires": 0}])
def test_times_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="number of seconds"):
        Route(**wrong)
