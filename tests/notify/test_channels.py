"""Webhooks are signed, MQTT speaks to a real broker and to Home Assistant, Apprise carries messages to people."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from tests.notify.conftest import an_event, until

from pahara.notify import NotifyError, notice_of
from pahara.notify.messenger import Messenger
from pahara.notify.mqtt import Mqtt
from pahara.notify.webhook import Webhook

SECRET = "a-secret-of-24-characters"


def a_notice(**more):
    return notice_of(
        an_event(**more), more.get("phase", "began"), "en", camera_name="Gate", address="https://pahara.example", picture=b"\xff\xd8jpeg"
    )


def test_a_webhook_can_be_verified_as_standard_webhooks_says(receiver):
    hook = Webhook(receiver.address, secret=SECRET)
    hook.send(a_notice())
    hook.close()
    ((headers, body),) = receiver.got
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), told, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    said = json.loads(body)
    assert (said["type"], said["camera"], said["kind"], said["reason"]["measured"]) == ("new", "gate", "loitering", 34.0)
    assert said["reason"]["bn"] != said["reason"]["en"]


@pytest.mark.parametrize(("status", "lasting"), [(500, False), (429, False), (401, True), (302, False)])
def test_an_answer_that_is_no_yes_is_a_failure_and_a_redirect_is_not_followed(receiver, status, lasting):
    receiver.answers = [status]
    with pytest.raises(NotifyError, match=str(status)) as failure:
        Webhook(receiver.address).send(a_notice())
    assert failure.value.lasting is lasting
    assert receiver.got == []


def test_nobody_listening_is_one_clear_error():
    with pytest.raises(NotifyError, match="webhook: ConnectError"):
        Webhook("http://127.0.0.1:9", timeout=2).send(a_notice())


@pytest.mark.parametrize(
    "wrong", [{"url": "ftp://host/"}, {"url": "/local"}, {"url": "http://h", "secret": "short"}, {"url": "http://h", "timeout": 0}]
)
def test_a_webhook_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="webhook"):
        Webhook(**wrong)


def test_apprise_carries_a_message_to_a_web_service(receiver):
    messenger = Messenger(receiver.address.replace("http://", "json://"))
    messenger.send(a_notice())
    ((_, body),) = receiver.got
    said = json.loads(body)
    assert said["title"] == "Loitering · Gate"
    assert "https://pahara.example/events/" in said["message"]
    assert len(said["attachments"]) == 1
    receiver.answers = [500]
    with pytest.raises(NotifyError):
        messenger.send(a_notice())


@pytest.mark.parametrize("url", ["exec://rm", "syslog://", "dbus://", "file:///etc/passwd", "macosx://", "no address"])
def test_only_services_that_carry_messages_away_may_be_configured(url):
    with pytest.raises(ValueError, match="apprise"):
        Messenger(url)


class Listener:
    """Another program on the same broker."""

    def __init__(self, port):
        self.got, self.ready = {}, threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda client, data, message: self.got.setdefault(message.topic, []).append(bytes(message.payload))
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe("#", qos=1)
        assert self.ready.wait(5)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def listener(broker):
    one = Listener(broker.port)
    yield one
    one.close()


def an_mqtt(broker, **more):
    made = Mqtt("127.0.0.1", port=broker.port, timeout=5, **more)
    made.cameras, made.kinds = {"gate": "ফটক"}, {"gate": ("loitering", "tamper")}
    return made


@pytest.mark.slow
def test_home_assistant_finds_the_camera_and_hears_of_events(broker, listener):
    mqtt = an_mqtt(broker)
    mqtt.send(a_notice())
    mqtt.send(a_notice(phase="ended"))
    until(lambda: len(listener.got.get("pahara/events", [])) == 2)
    began, ended = (json.loads(each) for each in listener.got["pahara/events"])
    assert (began["type"], began["before"], began["after"]["camera_name"]) == ("new", None, "Gate")
    assert (ended["type"], ended["after"]["id"]) == ("end", began["after"]["id"])
    assert listener.got["pahara/gate/loitering/state"] == [b"ON", b"OFF"]
    assert listener.got["pahara/gate/snapshot"] == [b"\xff\xd8jpeg"]
    assert listener.got["pahara/available"] == [b"online"]
    found = {topic: json.loads(told[0]) for topic, told in listener.got.items() if topic.startswith("homeassistant/")}
    assert len(found) == 6
    sensor = found["homeassistant/binary_sensor/pahara_gate_loitering/config"]
    assert (sensor["state_topic"], sensor["availability_topic"]) == ("pahara/gate/loitering/state", "pahara/available")
    assert sensor["device"]["name"] == "ফটক"
    mqtt.close()
    until(lambda: listener.got["pahara/available"] == [b"online", b"offline"])


@pytest.mark.slow
def test_a_switch_in_home_assistant_mutes_a_camera(broker, listener):
    mqtt, turned = an_mqtt(broker), []
    mqtt.muted = lambda camera, off: turned.append((camera, off))
    mqtt.connect()
    for word in ("OFF", "nonsense", "ON"):
        listener.client.publish("pahara/gate/alerts/set", word, qos=1)
    listener.client.publish("pahara/other/alerts/set", "OFF", qos=1)
    until(lambda: len(turned) == 2)
    assert turned == [("gate", True), ("gate", False)]
    mqtt.close()


@pytest.mark.slow
def test_the_last_will_tells_that_pahara_died(broker, listener):
    mqtt = an_mqtt(broker)
    mqtt.connect()
    until(lambda: listener.got.get("pahara/available") == [b"online"])
    mqtt._client._sock_close()  # as when the power goes: no goodbye
    until(lambda: b"offline" in listener.got["pahara/available"])
    mqtt.close()


@pytest.mark.slow
def test_a_broker_that_goes_and_comes_back_hears_of_what_is_sent_then(broker):
    mqtt = an_mqtt(broker)
    mqtt.send(a_notice())
    broker.kill()
    until(lambda: not mqtt._ready.is_set())
    mqtt.timeout = 0.3
    with pytest.raises(NotifyError, match="mqtt"):
        mqtt.send(a_notice(start=20.0))
    broker.start()
    mqtt.timeout = 10
    again = Listener(broker.port)
    mqtt.send(a_notice(start=20.0))
    until(lambda: again.got.get("pahara/events"))
    mqtt.close()
    again.close()


def test_a_broker_that_is_not_there_is_one_clear_error():
    with pytest.raises(NotifyError, match="cannot be reached"):
        Mqtt("127.0.0.1", port=9, timeout=1).send(a_notice())


@pytest.mark.parametrize(
    "wrong",
    [{"host": "mqtt://broker"}, {"host": ""}, {"host": "b", "topic": "a/#"}, {"host": "b", "port": 70000}, {"host": "b", "timeout": -1}],
)
def test_a_broker_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="mqtt"):
        Mqtt(**wrong)
