"""Whom a behaviour is about, and small things that all behaviours need."""

from __future__ import annotations

from pahara.core import EVERYWHERE, Scene, Track, Zone
from pahara.core.rows import TINY, Rows, rows_of

PATIENCE = 15.0  # seconds: `past` is in order of the end; the last sighting was at most so long before
__all__ = ["PATIENCE", "TINY", "Rows", "chosen", "find", "place", "rows_of"]


def chosen(scene: Scene, labels: tuple[str, ...], zone: Zone = EVERYWHERE) -> list[Track]:
    """Tracks of these labels (() means any) that stand in the zone now."""
    if not scene.tracks:
        return []
    if zone is EVERYWHERE:
        return [track for track in scene.tracks if not labels or track.label in labels]
    inside = zone.contains(scene.feet, scene.size).tolist()
    return [track for track, here in zip(scene.tracks, inside, strict=True) if here and (not labels or track.label in labels)]


def find(scene: Scene, track_id: int) -> Track | None:
    """A track of this scene, alive or past."""
    track = scene.by_id.get(track_id)
    if track is not None:
        return track
    return next((track for track in reversed(scene.past) if track.id == track_id), None)


def place(zone: Zone) -> str:
    """The zone's name for a Reason; "" where it is the whole picture."""
    return "" if zone == EVERYWHERE else zone.name
