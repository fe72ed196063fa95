"""Gathers a run's summary while the watch goes on, for a few millionths of a second a beat."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.behaviours.crossing import Crossing
from pahara.behaviours.lines import Gate
from pahara.core import Event, Scene, Scores, Tripwire, Zone
from pahara.core.boxes import Floats
from pahara.core.frame import Image

from .explained import NOTHING, Explained
from .picture import Picture
from .summary import NEVER, Crossings, Drill, EventCard, FeetMap, RunFacts, RunSummary, SourceStats, TimeBins

BATCH = 128  # beats that are looked at together: numpy's price is per call
FRESH = 8.0  # seconds of beats that may wait: trails older than ten seconds are thinned out
LONGEST_STEP = 5.0  # seconds between two sightings of one track that still count as standing there
STEP_OUT = 2.0  # seconds outside a zone that do not break a stay
BRUSH = 0.3  # seconds: a shorter touch of a zone is no stay
CARRIED = ("backpack", "bag", "handbag", "suitcase", "umbrella")  # goes over a line with its owner, who counts already
SHORTEST = 1.0  # seconds: a track shorter than this is noise of the detector, not a visitor


@dataclass(slots=True)
class _Place:
    """A stay of one track in one zone that may still go on."""

    label: str
    begin: float
    end: float
    inside: bool  # at the last sighting


class SummaryCollector:
    """One camera of one run. Call `see` at every beat and `event` at every report; `finish` makes the summary."""

    def __init__(
        self,
        camera: str,
        size: tuple[int, int],
        *,
        source: str = "",
        epoch: float = 0.0,
        begin: float = NEVER,
        zones: Iterable[Zone] = (),
        lines: Iterable[Tripwire] = (),
        behaviours: Mapping[str, str] | None = None,
    ) -> None:
        """`size` (width, height) pixels; `begin` media seconds of the first frame (default: of the first beat);
        `behaviours` name -> kind of all that watch, so that the silent ones are shown too."""
        self.camera, self.size, self.source, self.epoch, self.begin = camera, size, source, epoch, begin
        self.zones, self.lines, self.behaviours = tuple(zones), tuple(lines), dict(behaviours or {})
        self.feet = FeetMap(size)
        self.background = Background()
        self._batch: list[tuple[Scene, Mapping[str, Scores]]] = []
        self._end = begin
        self._labels: dict[str, int] = {}
        self._alive: dict[int, tuple[int, float, float]] = {}  # id -> label, born, last seen
        self._stays: dict[str, dict[str, array[float]]] = defaultdict(lambda: defaultdict(lambda: array("f")))
        self._places: list[dict[int, _Place]] = [{} for _ in self.zones]
        self._gates = [Gate(line, Crossing.margin, Crossing.seconds, Crossing.fastest) for line in self.lines]
        self._crossings = Crossings()
        self._present: dict[str, TimeBins] = {}
        self._scores: dict[str, TimeBins] = {name: TimeBins() for name in self.behaviours}
        self._cards: dict[str, EventCard] = {}

    def see(self, scene: Scene, scores: Mapping[str, Scores] | None = None) -> None:
        """One beat; `scores` by behaviour's name."""
        self._batch.append((scene, scores or {}))
        if len(self._batch) >= BATCH or scene.time - self._batch[0][0].time >= FRESH:
            self._digest()

    def event(
        self,
        event: Event,
        *,
        snapshot: Picture = b"",
        thumbnail: Picture = b"",
        clip: Path | None = None,
        explained: Explained = NOTHING,
        held: bool = False,
    ) -> None:
        """One report. Pictures may come with the first report or later, with the same event id."""
        old = self._cards.get(event.id)
        if old is None:
            old = EventCard(event, event.time, event.time, open=True)
        ended = event.phase == "ended"
        self._cards[event.id] = replace(
            old,
            event=event if ended or event.time >= old.event.time else old.event,
            alarm=old.alarm if ended else event.time,
            end=event.time if ended else old.end,
            open=old.open and not ended,
            snapshot=snapshot or old.snapshot,
            thumbnail=thumbnail or old.thumbnail,
            clip=clip or old.clip,
            explained=explained or old.explained,
            held=held or old.held,
        )
        self.behaviours.setdefault(event.behaviour, event.kind)

    def evidence(self, event_id: str, *, snapshot: Picture = b"", thumbnail: Picture = b"", clip: Path | None = None) -> None:
        """Pictures or a clip that were ready only later; an unknown event is no error."""
        if event_id in self._cards:
            old = self._cards[event_id]
            self._cards[event_id] = replace(
                old, snapshot=snapshot or old.snapshot, thumbnail=thumbnail or old.thumbnail, clip=clip or old.clip
            )

    def finish(
        self,
        *,
        end: float = NEVER,
        facts: RunFacts = RunFacts(),  # noqa: B008 a frozen value
        stats: SourceStats = SourceStats(),  # noqa: B008
        warnings: Iterable[str] = (),
        drill: Drill = Drill(),  # noqa: B008
        title: str = "",
    ) -> RunSummary:
        """The run is over. `end` is the media second of the last frame (default: of the last beat)."""
        self._digest()
        for track_id in list(self._alive):
            self._left(track_id)
        end = self._end if end != end else end
        begin = self.begin if self.begin == self.begin else 0.0
        end = max(end, begin) if end == end else begin
        cards = sorted(self._cards.values(), key=lambda card: (card.event.start, card.event.id))
        return RunSummary(
            camera=self.camera,
            source=self.source,
            size=self.size,
            begin=begin,
            end=end,
            epoch=self.epoch,
            title=title,
            cards=tuple(replace(card, end=max(end, card.alarm)) if card.open else card for card in cards),
            behaviours=dict(self.behaviours),
            zones=self.zones,
            lines=self.lines,
            background=self.background.jpeg(),
            feet=self.feet,
            stays={place: dict(by_label) for place, by_label in self._stays.items()},
            crossings=self._crossings,
            present=dict(self._present),
            scores=dict(self._scores),
            facts=facts,
            stats=stats,
            warnings=tuple(warnings),
            drill=drill,
        )

    def _digest(self) -> None:
        """Look at all beats that wait, in one go."""
        batch, self._batch = self._batch, []
        if not batch:
            return
        times = np.array([scene.time for scene, _ in batch])
        since, latest = self._end, batch[-1][0]
        if self.begin != self.begin:
            self.begin = float(times[0])
        self._end = float(times[-1])

        by_label = self._labels
        tracks = [track for scene, _ in batch for track in scene.tracks]
        for label in sorted({track.label for track in tracks} - by_label.keys()):
            by_label[label] = len(by_label)
        kinds = np.array([by_label[track.label] for track in tracks], np.intp)
        beats = np.repeat(np.arange(len(batch)), [len(scene.tracks) for scene, _ in batch])
        counts = np.bincount(kinds * len(batch) + beats, minlength=len(by_label) * len(batch)).reshape(-1, len(batch))
        for label, kind in by_label.items():
            self._present.setdefault(label, TimeBins()).add(times, counts[kind])
        names = {name for _, scores in batch for name in scores}
        for name in names:
            peaks = np.array([max(scores.get(name, {}).values(), default=0.0) for _, scores in batch])
            self._scores.setdefault(name, TimeBins()).add(times, peaks)

        if tracks:
            ids = np.array([track.id for track in tracks])
            seen = np.array([track.times[-1] for track in tracks]) == times[beats]  # an alive track out of sight stands nowhere
            boxes = np.concatenate([track.boxes[-1] for track in tracks]).reshape(-1, 4)
            if seen.any():
                self._sightings(times, ids[seen], beats[seen], kinds[seen], boxes[seen])
        for track in latest.tracks:
            if track.id in self._alive:  # what is listed but unseen stays alive
                label_index, born, last = self._alive[track.id]
                self._alive[track.id] = (label_index, min(born, track.born), max(last, track.last_seen))
        for gone in self._alive.keys() - latest.by_id.keys():
            self._left(gone)
        self._passages(latest, times[0] - 1.0 if since != since else since)

    def _sightings(
        self, times: NDArray[np.float64], ids: NDArray[np.int64], beats: NDArray[np.int64], kinds: NDArray[np.int64], boxes: Floats
    ) -> None:
        """Rows of one batch: ids, beats, kinds (n,), boxes (n, 4)."""
        order = np.lexsort((beats, ids))  # track by track, each in order of time
        ids, kinds, boxes, when = ids[order], kinds[order], boxes[order], times[beats[order]]
        first = np.diff(ids, prepend=ids[0] - 1) != 0
        last = np.append(first[1:], True)
        step = np.diff(when, prepend=when[0])
        firsts, lasts = np.flatnonzero(first), np.flatnonzero(last)
        for row, until in zip(firsts.tolist(), lasts.tolist(), strict=True):
            track_id = int(ids[row])
            known = self._alive.get(track_id)
            step[row] = when[row] - known[2] if known else 0.0
            self._alive[track_id] = (int(kinds[row]), known[1] if known else float(when[row]), float(when[until]))

        feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1).astype(np.float64)
        self.feet.add(feet, self.size, np.minimum(step, LONGEST_STEP))
        labels = list(self._labels)
        for zone, open_stays in zip(self.zones, self._places, strict=True):
            self._zone(zone, open_stays, zone.contains(feet, self.size), ids, when, firsts, lasts, [labels[k] for k in kinds[firsts]])

    def _zone(
        self,
        zone: Zone,
        open_stays: dict[int, _Place],
        inside: NDArray[np.bool_],
        ids: NDArray[np.int64],
        when: NDArray[np.float64],
        firsts: NDArray[np.intp],
        lasts: NDArray[np.intp],
        labels: list[str],
    ) -> None:
        """Stays in one zone; a stay goes on until a track was seen outside for longer than `STEP_OUT`."""
        for row, until, label in zip(firsts.tolist(), lasts.tolist(), labels, strict=True):
            track_id = int(ids[row])
            here = inside[row : until + 1]
            stay = open_stays.get(track_id)
            if not here.any():
                if stay is not None:
                    stay.inside = False
                continue
            if stay is not None and stay.inside and here.all():
                stay.end = float(when[until])  # the usual case: it just goes on
                continue
            moments = when[row : until + 1][here].tolist()
            joined = np.diff(np.flatnonzero(here), prepend=-1) == 1  # this sighting follows one inside directly
            joined[0] = here[0] and stay is not None and stay.inside
            for moment, follows in zip(moments, joined.tolist(), strict=True):
                if stay is not None and (follows or moment - stay.end <= STEP_OUT):
                    stay.end = moment
                else:
                    if stay is not None:
                        self._stayed(zone, stay)
                    stay = open_stays[track_id] = _Place(label, moment, moment, True)
            if stay is not None:
                stay.inside = bool(here[-1])

    def _passages(self, scene: Scene, since: float) -> None:
        """Crossings that became certain after `since`, by the same rule as the behaviour that tells of them."""
        who = tuple(label for label in self._labels if label not in CARRIED)
        for index, gate in enumerate(self._gates):
            for passage in gate.showing(scene, who, earlier=scene.time - since) if who else ():
                if passage.time > since:
                    self._crossings.add(passage.time, index, passage.forward)

    def _left(self, track_id: int) -> None:
        kind, born, last = self._alive.pop(track_id)
        label = list(self._labels)[kind]
        if last - born >= SHORTEST:
            self._stays[""][label].append(last - born)
        for zone, open_stays in zip(self.zones, self._places, strict=True):
            stay = open_stays.pop(track_id, None)
            if stay is not None:
                self._stayed(zone, stay)

    def _stayed(self, zone: Zone, stay: _Place) -> None:
        if stay.end - stay.begin >= BRUSH:
            self._stays[zone.name][stay.label].append(stay.end - stay.begin)


class Background:
    """The place without its people: the median of a few pictures, spread over the whole run."""

    def __init__(self, pictures: int = 15, width: int = 960) -> None:
        """At most `pictures` are kept, `width` pixels wide or less."""
        self.pictures, self.width = pictures, width
        self._kept: list[Image] = []
        self._every, self._next = 0.5, -np.inf  # seconds between two pictures; doubles when there are enough

    def wants(self, time: float) -> bool:
        """Whether a picture of this moment (media seconds) would help; ask before decoding one."""
        return time >= self._next

    def add(self, time: float, image: Image) -> None:
        """image (h, w, 3) BGR."""
        if self._kept and self._shrunk_size(image) != self._kept[0].shape[1::-1]:
            self._kept.clear()  # the camera changed its format: only the new one fits the boxes
        if len(self._kept) >= self.pictures:
            self._kept = self._kept[::2]
            self._every *= 2
        size = self._shrunk_size(image)
        small = image if size == image.shape[1::-1] else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        self._kept.append(np.array(small, np.uint8))
        self._next = time + self._every

    def _shrunk_size(self, image: Image) -> tuple[int, int]:
        tall, wide = image.shape[:2]
        scale = min(1.0, self.width / wide)
        return round(wide * scale), max(1, round(tall * scale))

    def jpeg(self, quality: int = 82) -> bytes:
        """Encoded; b"" when no picture was given."""
        if not self._kept:
            return b""
        median = np.median(np.stack(self._kept), axis=0).astype(np.uint8)
        done, encoded = cv2.imencode(".jpg", median, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return encoded.tobytes() if done else b""
