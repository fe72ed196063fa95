"""Passwords, one-time codes, and guessing."""

from __future__ import annotations

import pyotp
import pytest

from pahara.web.passwords import STEP, Throttle, hash_password, key_hash, matches, new_key, new_totp, totp_step, weak


def test_a_password_is_kept_as_argon2id_and_matches_only_itself():
    kept = hash_password("তিন-চার-পাঁচ-ছয়")
    assert kept.startswith("$argon2id$")
    assert matches(kept, "তিন-চার-পাঁচ-ছয়")
    assert not matches(kept, "তিন-চার-পাঁচ-সাত")
    assert not matches("", "anything")
    assert not matches("broken", "anything")
    assert not matches(kept, "x" * 100_000)


@pytest.mark.parametrize(
    ("password", "why"),
    [("short", "short"), ("x" * 300, "long"), ("password123!", "obvious"), ("aaaaaaaaaaaa", "obvious"), ("1234567890", "obvious"),
     ("rahim12345", "obvious"), ("correct horse battery", ""), ("নিরাপদ দরজা ৭", "")],
)  # fmt: skip
def test_a_weak_password_is_told_why(password, why):
    assert weak(password, "Rahim") == why


def test_keys_differ_and_are_kept_as_hashes():
    one, two = new_key(), new_key()
    assert one != two
    assert len(one) >= 43
    assert one not in key_hash(one)


def test_a_one_time_code_is_right_for_a_minute_and_a_half_and_wrong_after():
    secret, now = new_totp(), 1_790_000_000.0
    code = pyotp.TOTP(secret).at(now)
    assert totp_step(secret, code, now) == int(now // STEP)
    assert totp_step(secret, f"{code[:3]} {code[3:]}", now + STEP) == int(now // STEP)
    assert totp_step(secret, code, now + 3 * STEP) is None
    assert totp_step(secret, "٠١٢٣٤٥", now) is None
    assert totp_step(secret, "", now) is None


def test_guessing_gets_slower_for_a_name_and_for_an_address_and_the_right_word_forgives_the_name():
    now = [0.0]
    throttle = Throttle(free=3, clock=lambda: now[0])
    for _ in range(3):
        assert throttle.wait("Owner", "10.0.0.1") == 0
        throttle.failed("Owner", "10.0.0.1")
    assert throttle.wait("OWNER", "10.0.0.2") == 1
    throttle.failed("owner", "10.0.0.1")
    assert throttle.wait("owner", "10.0.0.2") == 2
    now[0] += 2
    assert throttle.wait("owner", "10.0.0.2") == 0
    throttle.succeeded("owner", "10.0.0.2")
    throttle.failed("owner", "10.0.0.2")
    assert throttle.wait("owner", "10.0.0.2") == 0
    for n in range(20):
        throttle.failed(f"name{n}", "10.0.0.9")
    assert throttle.wait("anybody", "10.0.0.9") > 0


def test_a_wait_never_grows_beyond_a_quarter_of_an_hour_and_a_flood_does_not_fill_the_memory():
    throttle = Throttle(free=1, most=100, clock=lambda: 0.0)
    for _ in range(200):
        throttle.failed("owner", "10.0.0.1")
    assert throttle.wait("owner", "10.0.0.1") == 900
    for n in range(1000):
        throttle.failed(f"name{n}", f"10.0.{n}.1")
    assert len(throttle._failures) <= 100
