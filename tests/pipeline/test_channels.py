"""A channel of pahara.yml hears of what a camera sees, after a restart too; and nobody reads its address."""

from __future__ import annotations

import json

import pytest
from tests.notify.conftest import broker, receiver  # noqa: F401  fixtures

from pahara.config import ConfigProblems, from_data, load
from pahara.config.channels import channel_plans
from pahara.pipeline.service import Service

from .conftest import bright_blocks
from .test_live import until
from .test_service import written


@pytest.mark.slow
def test_what_a_camera_sees_is_posted_once_with_its_reason_in_both_languages(film, tmp_path, receiver):  # noqa: F811
    extra = (
        f"notify:\n  address: https://pahara.example\n  channels:\n    hook: {{kind: webhook, url: '{receiver.address}', ended: true}}\n"
    )
    file = written(tmp_path, film, "yard", extra=extra)
    with Service(file, make=lambda chosen: bright_blocks, rate=10):
        until(lambda: len(receiver.got) >= 2)
    began, ended = (json.loads(body) for _, body in receiver.got[:2])
    assert (began["type"], began["camera"], began["kind"]) == ("new", "yard", "intrusion")
    assert (ended["type"], ended["id"]) == ("end", began["id"])
    assert began["link"] == f"https://pahara.example/events/{began['id']}"
    assert began["reason"]["bn"]


@pytest.mark.slow
def test_what_could_not_be_told_is_told_after_a_restart(film, tmp_path, receiver, monkeypatch):  # noqa: F811
    monkeypatch.setattr("pahara.notify.dispatcher.FIRST_WAIT", 0.2)
    extra = f"notify:\n  channels:\n    hook: {{kind: webhook, url: '{receiver.address}'}}\n"
    file = written(tmp_path, film, "yard", extra=extra)
    receiver.answers = [503] * 1000
    with Service(file, make=lambda chosen: bright_blocks, rate=10) as service:
        until(lambda: service.notify.status()["hook"].failures > 0)
        assert "503" in service.notify.status()["hook"].why
    assert receiver.got == []
    receiver.answers = []
    with Service(file, make=lambda chosen: bright_blocks, rate=10):
        until(lambda: receiver.got)


def test_a_channel_is_checked_with_the_file_and_its_address_is_never_shown(tmp_path):
    file = tmp_path / "pahara.yml"
    file.write_text(
        "version: 1\nnotify:\n  channels:\n    phone: {kind: apprise, url: 'tgram://123:HUNTER2/456', language: bn, quiet: {from: '22:00', to: '06:00'}}\n"
    )
    config = load(file)
    (phone,) = channel_plans(config)
    assert (phone.language, phone.route.quiet[0].start) == ("bn", "22:00")
    assert "HUNTER2" in str.__str__(phone.options["url"])
    assert "HUNTER2" not in json.dumps(config.as_dict())
    assert "HUNTER2" not in repr(phone)
    assert "HUNTER2" not in repr(config)


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({"kind": "webhok", "url": "http://h"}, "Did you mean 'webhook'"),
        ({"kind": "webhook", "url": "file:///etc/passwd"}, "http:// or https://"),
        ({"kind": "webhook"}, "url"),
        ({"kind": "apprise", "url": "exec://rm"}, "not among those that are allowed"),
        ({"kind": "mqtt", "host": "h", "cooldown": -1}, "cooldown"),
        ({"kind": "mqtt", "host": "h", "camera": "gate"}, "Did you mean 'cameras'"),
    ],
)
def test_a_channel_that_makes_no_sense_is_told_of(channel, told):
    with pytest.raises(ConfigProblems, match=told):
        from_data({"version": 1, "notify": {"channels": {"one": channel}}})
