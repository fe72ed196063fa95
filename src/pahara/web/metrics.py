"""The same numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from pahara import __version__

from .access import Actor


def exposition(app: Any, actor: Actor) -> tuple[bytes, str]:
    """-> the text, and its media type. Cameras that are not the actor's are left out."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Watch(app, actor))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Watch:
    """Read at the moment of asking: nothing is counted twice."""

    def __init__(self, app: Any, actor: Actor) -> None:
        self.app, self.actor = app, actor

    def collect(self) -> Iterator[Metric]:
        state = self.app.state
        live = state.service.live.health()
        yield InfoMetricFamily("pahara", "Which Pahara this is.", value={"version": __version__})
        each_camera: dict[str, tuple[type[CounterMetricFamily] | type[GaugeMetricFamily], str, Any]] = {
            "up": (GaugeMetricFamily, "Whether the camera is watched.", lambda c: float(c.state == "watching")),
            "frames": (CounterMetricFamily, "Frames that came.", lambda c: c.frames),
            "looks": (CounterMetricFamily, "Frames that were thought about.", lambda c: c.looks),
            "detected": (CounterMetricFamily, "Frames that the detector saw.", lambda c: c.detected),
            "dropped": (CounterMetricFamily, "Frames that were due and pushed out by newer ones.", lambda c: c.dropped),
            "skipped": (CounterMetricFamily, "Packets passed over because reading was too slow.", lambda c: c.skipped),
            "corrupt": (CounterMetricFamily, "Packets that could not be read.", lambda c: c.corrupt),
            "reconnects": (CounterMetricFamily, "Times that the connection was made again.", lambda c: c.reconnects),
            "fps": (GaugeMetricFamily, "Frames a second.", lambda c: c.fps),
            "people": (GaugeMetricFamily, "Tracks in view.", lambda c: c.people),
            "latency_seconds": (GaugeMetricFamily, "From a picture's coming to its being thought about.", lambda c: c.latency),
            "last_frame_timestamp_seconds": (GaugeMetricFamily, "When the last frame came.", lambda c: c.last),
        }
        for name, (family, about, read) in each_camera.items():
            made = family(f"pahara_camera_{name}", about, labels=["camera"])
            for camera in live.cameras:
                if self.actor.sees(camera.camera):
                    made.add_metric([camera.camera], float(read(camera)))
            yield made
        yield GaugeMetricFamily("pahara_running_seconds", "Since the watch began.", value=live.running)
        yield GaugeMetricFamily("pahara_backlog", "Pieces of work that wait for the disk.", value=live.backlog)
        yield CounterMetricFamily("pahara_refused", "Pieces of work that found no room.", value=live.refused)
        yield CounterMetricFamily("pahara_pictures", "Pictures that detectors have seen.", value=live.pictures)
        yield CounterMetricFamily("pahara_restarts", "Restarts of detectors and of the inference thread.", value=live.restarts)
        down = GaugeMetricFamily("pahara_detector_up", "Whether the detector works.", labels=["detector"])
        for name, said in live.detectors.items():
            down.add_metric([name], float(not said))
        yield down
        usage = state.load.usage(state.service)
        yield GaugeMetricFamily("pahara_events", "Events in the store.", value=usage.events)
        yield GaugeMetricFamily("pahara_evidence_bytes", "Evidence in the store.", value=usage.evidence_bytes)
        yield GaugeMetricFamily("pahara_database_bytes", "The database.", value=usage.database_bytes)
        told = GaugeMetricFamily("pahara_deliveries", "Notifications by channel and state.", labels=["channel", "state"])
        for channel, counts in state.service.store.outbox.counts().items():
            for what, n in counts.items():
                told.add_metric([channel, what], n)
        yield told
        yield GaugeMetricFamily("pahara_viewers", "Live streams that are being looked at.", value=state.pictures.viewers)
        yield GaugeMetricFamily("pahara_dashboards", "Open dashboards.", value=state.hub.listeners)
