"""No password is ever shown, whatever its owner put into it."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pahara.core import secrets, without_secrets


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://admin:hunter2@10.0.0.5:554/live", "rtsp://***@10.0.0.5:554/live"),
        ("rtsp://admin:p@ss/wo:rd@10.0.0.5/live", "rtsp://***@10.0.0.5/live"),
        ("rtsp://u:p/a?s#s@h/a", "rtsp://***@h/a"),
        ("HTTPS://token@camera.example/live", "HTTPS://***@camera.example/live"),
        ("rtsp://10.0.0.5/user=admin&password=hunter2&channel=1", "rtsp://10.0.0.5/user=admin&password=***&channel=1"),
        ("http://h/x?TOKEN=hunter2", "http://h/x?TOKEN=***"),
        ("http://h/x?api_key=ab@cd;e&b=c", "http://h/x?api_key=***&b=c"),
        ("rtsp://u:my&pass=wo@h/x", "rtsp://***"),
        ("postgresql+pg8000://pahara:hunter2@db:5432/pahara", "postgresql+pg8000://***@db:5432/pahara"),
        ("rtsp://{PAHARA_USER}:plain@h/", "rtsp://***@h/"),
    ],
)
def test_passwords_are_not_shown(address, shown):
    assert without_secrets(address) == shown
    assert without_secrets(shown) == shown
    assert without_secrets(f"cannot open {address}; check it") in (f"cannot open {shown}; check it", f"cannot open {shown} check it")


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://192.0.2.7:554/a/b?x=1&y=2",
        "rtsp://{PAHARA_USER}:{PAHARA_PASSWORD}@h/x?token={PAHARA_TOKEN}",
        "C:\\videos\\me@home.mp4",
        "films/gate @ night.mp4",
        "file:///videos/me@home.mp4",
        "webcam 0",
        "",
    ],
)
def test_what_is_no_secret_stays(text):
    assert without_secrets(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=("Z", "C")), min_size=1, max_size=20))
def test_no_password_gets_through_whatever_is_in_it(password):
    secret = f"S3{password}T9"
    for address in (f"rtsp://user:{secret}@camera/live", f"http://camera/x?password={secret.replace('&', '')}"):
        shown = without_secrets(f"cannot open {address} now")
        assert secret not in shown
        assert "S3" not in shown
        assert "T9" not in shown


def test_the_example_holds():
    done = doctest.testmod(secrets)
    assert (done.attempted, done.failed) == (2, 0)
