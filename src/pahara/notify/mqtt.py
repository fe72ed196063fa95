"""MQTT: events for other programs, and every camera as a device in Home Assistant without any set-up there."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pahara.language import behaviour_name, text

from .notice import Notice, NotifyError, as_json, dump

log = logging.getLogger(__name__)

_WORD = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass
class Mqtt:
    """Publishes to a broker: `<topic>/events` for every report, `<topic>/<camera>/…` for states, `<topic>/available` as the last will.

    Home Assistant finds each camera by MQTT discovery: an occupancy sensor for each kind of behaviour, the last event, whether it
    is online, and a switch that mutes its alerts.
    """

    host: str  # of the broker
    port: int = 0  # 1883, or 8883 with tls
    user: str = ""
    password: str = ""  # best {PAHARA_MQTT_PASSWORD}
    tls: bool = False
    topic: str = "pahara"  # what every topic begins with
    discovery: str = "homeassistant"  # prefix of Home Assistant's discovery; "" for none
    client_id: str = "pahara"
    timeout: float = 10.0  # seconds

    together: ClassVar[bool] = False
    cameras: Mapping[str, str] = field(default_factory=dict, init=False, repr=False)  # key -> name
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False)  # camera -> kinds of its behaviours
    language: str = field(default="en", init=False, repr=False)
    muted: Callable[[str, bool], None] | None = field(default=None, init=False, repr=False)  # the switch was turned
    _client: Any = field(default=None, init=False, repr=False)
    _ready: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _refused: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.host or "/" in self.host:
            raise ValueError("mqtt: host is the name or address of the broker, without mqtt://")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"mqtt: no such port: {self.port}")
        if not self.topic or any(sign in self.topic for sign in "#+") or self.topic.startswith(("/", "$")):
            raise ValueError(f"mqtt: no topic can begin with {self.topic!r}: leave out #, +, $ and the leading /")
        if not self.timeout > 0:
            raise ValueError(f"mqtt: timeout is a number of seconds above 0, got {self.timeout}")

    # -- connection ----------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect, say "online", tell Home Assistant of every camera. NotifyError when the broker cannot be reached or refuses."""
        if self._client is not None:
            if not self._ready.wait(self.timeout):
                raise NotifyError(f"mqtt: {self._refused or f'no connection to {self.host}'}")
            return
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.client_id, protocol=paho.MQTTv311, clean_session=True)
        if self.user:
            client.username_pw_set(self.user, str.__str__(self.password) or None)
        if self.tls:
            client.tls_set()
        client.will_set(f"{self.topic}/available", "offline", qos=1, retain=True)
        client.on_connect, client.on_disconnect, client.on_message = self._connected, self._lost, self._message
        client.on_subscribe = lambda *_: self._ready.set()
        client.reconnect_delay_set(1, 30)
        try:
            client.connect(self.host, self.port or (8883 if self.tls else 1883), keepalive=30)
        except (OSError, ValueError) as problem:
            raise NotifyError(f"mqtt: {self.host} cannot be reached: {problem}") from problem
        self._client = client
        client.loop_start()
        if not self._ready.wait(self.timeout):
            said = self._refused or f"{self.host} does not answer"
            self.close()
            raise NotifyError(f"mqtt: {said}")

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refused = f"the broker refuses: {reason}"
            return
        self._refused = ""
        client.publish(f"{self.topic}/available", "online", qos=1, retain=True)
        if self.discovery:
            for topic, told in self.announcements().items():
                client.publish(topic, dump(told), qos=1, retain=True)
        for camera in self.cameras:
            client.publish(f"{self.topic}/{_word(camera)}/alerts/state", "ON", qos=1, retain=True)
        if self.cameras:  # ready once the broker has confirmed: a switch that is turned at once is heard
            client.subscribe([(f"{self.topic}/{_word(camera)}/alerts/set", 1) for camera in self.cameras])
        else:
            self._ready.set()

    def _lost(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._ready.clear()
        if reason.is_failure:
            self._refused = f"the connection to {self.host} was lost: {reason}"

    def _message(self, client: Any, _data: Any, message: Any) -> None:
        parts = message.topic[len(self.topic) + 1 :].split("/")
        word = bytes(message.payload[:16]).decode("utf-8", "replace").strip().upper()
        camera = next((key for key in self.cameras if _word(key) == parts[0]), None)
        if camera is None or parts[1:] != ["alerts", "set"] or word not in ("ON", "OFF"):
            return
        if self.muted is not None:
            self.muted(camera, word == "OFF")
        client.publish(f"{self.topic}/{_word(camera)}/alerts/state", word, qos=1, retain=True)

    def close(self) -> None:
        """Say "offline" and go."""
        client, self._client = self._client, None
        self._ready.clear()
        if client is None:
            return
        if client.is_connected():
            told = client.publish(f"{self.topic}/available", "offline", qos=1, retain=True)
            try:
                told.wait_for_publish(2.0)
            except (ValueError, RuntimeError) as problem:
                log.debug("mqtt: the goodbye was not taken: %s", problem)
        client.disconnect()
        client.loop_stop()

    # -- telling -------------------------------------------------------------------------------------------------

    def send(self, notice: Notice) -> None:
        """One report; returns once the broker has taken it (QoS 1)."""
        self.connect()
        event, told = notice.event, as_json(notice.event, notice.phase, camera_name=notice.camera_name, link=notice.link)
        camera = f"{self.topic}/{_word(event.camera)}"
        kind = told["type"]
        self._publish(f"{self.topic}/events", dump({"type": kind, "before": None if kind == "new" else told, "after": told}))
        self._publish(f"{camera}/{_word(event.kind)}/state", "ON" if notice.phase == "began" else "OFF", retain=True)
        if notice.phase == "began":
            self._publish(f"{camera}/last_event", dump({"state": notice.title[:255], **told}), retain=True)
            if notice.picture is not None:
                self._publish(f"{camera}/snapshot", notice.picture, retain=True)

    def state(self, camera: str, online: bool) -> None:
        """Whether pictures come from a camera."""
        if self._client is not None and self._ready.is_set():
            self._publish(f"{self.topic}/{_word(camera)}/online", "ON" if online else "OFF", retain=True)

    def _publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        told = self._client.publish(topic, payload, qos=1, retain=retain)
        try:
            told.wait_for_publish(self.timeout)
        except (ValueError, RuntimeError) as problem:
            raise NotifyError(f"mqtt: {problem}") from problem
        if not told.is_published():
            raise NotifyError(f"mqtt: the broker did not confirm within {self.timeout:.0f} s")

    def announcements(self) -> dict[str, dict[str, Any]]:
        """Home Assistant's discovery messages, by topic."""
        made: dict[str, dict[str, Any]] = {}
        for camera, name in self.cameras.items():
            word = _word(camera)
            shared = {
                "availability_topic": f"{self.topic}/available",
                "device": {"identifiers": [f"pahara_{word}"], "name": name, "manufacturer": "Pahara", "model": "camera"},
            }

            def announce(component: str, key: str, word: str = word, shared: Mapping[str, Any] = shared, **more: Any) -> None:
                unique = f"pahara_{word}_{key}"
                made[f"{self.discovery}/{component}/{unique}/config"] = {"unique_id": unique, "object_id": unique, **shared, **more}

            for kind in self.kinds.get(camera, ()):
                announce(
                    "binary_sensor", _word(kind), name=behaviour_name(kind, self.language), device_class="problem",
                    state_topic=f"{self.topic}/{word}/{_word(kind)}/state",
                )  # fmt: skip
            last = f"{self.topic}/{word}/last_event"
            announce(
                "sensor", "last_event", name=text("notify.mqtt.last", self.language), state_topic=last,
                value_template="{{ value_json.state }}", json_attributes_topic=last,
            )  # fmt: skip
            announce("image", "snapshot", name=text("notify.mqtt.snapshot", self.language), image_topic=f"{self.topic}/{word}/snapshot")
            announce(
                "binary_sensor", "online", name=text("notify.mqtt.online", self.language), device_class="connectivity",
                entity_category="diagnostic", state_topic=f"{self.topic}/{word}/online",
            )  # fmt: skip
            announce(
                "switch", "alerts", name=text("notify.mqtt.alerts", self.language), command_topic=f"{self.topic}/{word}/alerts/set",
                state_topic=f"{self.topic}/{word}/alerts/state",
            )  # fmt: skip
        return made


def _word(name: str) -> str:
    """A name as one level of a topic."""
    return _WORD.sub("_", name)[:64] or "_"
