"""The channels of a configuration at work: the dispatcher with the store's pictures, the cameras' names, and MQTT's devices."""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

from pahara.config import Config, plans
from pahara.config.channels import ChannelPlan, channel_plans
from pahara.core import PaharaError
from pahara.notify import Channel, Decision, Dispatcher, Notifier
from pahara.notify.mqtt import Mqtt
from pahara.store import Store, Wanted

from .health import KINDS

log = logging.getLogger(__name__)


def dispatcher_of(config: Config, store: Store) -> Dispatcher:
    """Not started. ConfigError where a channel makes no sense."""
    names = {key: str(camera.name) or key for key, camera in config.cameras.items()}
    kinds = {each.camera: tuple(dict.fromkeys([*each.kinds.values(), *KINDS])) for each in plans(config)}

    def open_channel(channel: ChannelPlan) -> Notifier:
        made = channel.make()
        if isinstance(made, Mqtt):
            made.cameras = {key: names[key] for key in kinds}
            made.kinds, made.language, made.muted = kinds, channel.language, mute
        return made

    def mute(camera: str, muted: bool) -> None:
        (dispatcher.muted.add if muted else dispatcher.muted.discard)(camera)

    def picture(event_id: str) -> bytes | None:
        try:
            kept = store.event(event_id).kept("snapshot")
            return kept.path.read_bytes() if kept is not None else None
        except (PaharaError, OSError) as problem:
            log.debug("no picture of event %s: %s", event_id, problem)
            return None

    dispatcher = Dispatcher(
        store.outbox,
        [
            Channel(each.name, lambda each=each: open_channel(each), each.route, each.language, each.picture)  # type: ignore[misc]
            for each in channel_plans(config)
        ],
        wanted=_wanted,
        picture=picture,
        name=lambda camera: names.get(camera, camera),
        address=str(config.notify.address),
        zone=None if config.timezone == "local" else ZoneInfo(str(config.timezone)),
        clock=store.clock,
    )
    return dispatcher


def _wanted(channel: str, decision: Decision) -> Wanted:
    return Wanted(channel, decision.expires, state=decision.state, why=decision.why)
