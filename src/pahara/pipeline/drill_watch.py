"""One take of a drill: two analysts look at the same seconds, with and without the staged people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.config import CameraPlan, ChosenDetector
from pahara.config.labels import fit_labels
from pahara.core import Detections, Detector, Event, Frame, Image
from pahara.core.boxes import iou_matrix
from pahara.detection.frames import detect_frames
from pahara.simulate import Sighting
from pahara.simulate.into import Into, tampered
from pahara.simulate.look import Look
from pahara.simulate.takes import Ground, Take, Wish, stage
from pahara.simulate.view import Estimate

from .drill_takes import Row, TakeResult
from .footage import Footage, Survey, analyst_at, composed, stateless
from .one_thread import one_thread
from .oracle import of_staged, perfect
from .realism import Followed
from .setup import class_names

Floats = NDArray[np.floating[Any]]
WARM = 6.0  # seconds that the camera looks before anyone comes
EARLY, LATE = 1.0, 10.0  # seconds around the moment at which a rule can first know it in which a report counts, as everywhere
VARIANTS = 12  # tries to stage one incident that the rule itself would tell
BY_SIGHT = ("running", "falling", "tamper")  # counted even where the rule would miss them with perfect sight
UPRIGHT = ("passing", "intrusion", "crossing", "tailgating", "wrong_way")  # whose people only walk: compared with real ones
OVERLAP = 0.25  # IoU from which an alarm's box is the staged person's
FOUND = 0.35  # IoU from which a detection is the staged person's
ROW_EVERY = 0.2  # seconds between two rows of what the detector saw
SEEN = 0.4  # share of looks below which a missed incident is called unseen
FRONT = 0.35  # confidence of a real person who may stand before staged ones
VISIBLE = 0.5  # share of a staged body that must show for a look to count


@dataclass(frozen=True, eq=False)
class Stageable:
    """The footage, understood: everything that takes are staged with."""

    plan: CameraPlan
    footage: Footage
    survey: Survey
    estimate: Estimate
    look: Look
    ground: Ground
    wishes: tuple[Wish, ...]
    unknown: tuple[tuple[str, str], ...]  # behaviours that cannot be staged: name, kind
    detector: Detector
    chosen: ChosenDetector
    told_height: bool  # whether the scale was given, not measured


def drill_one(ready: Stageable, wish: Wish, seed: int, pictures: Path | None = None) -> TakeResult:
    """Stage one incident, watch it, and say what came of it."""
    staged, expected, why = _staged(ready, wish, seed)
    if staged is None:
        return TakeResult(wish.kind, wish.behaviour, seed, "unstaged", why, wish.place)
    take, first = staged
    with one_thread():
        return _Watch(ready, take, first, expected, pictures if seed == 0 else None).run()


def _staged(ready: Stageable, wish: Wish, seed: int) -> tuple[tuple[Take, int] | None, list[Event], str]:
    """A take, its first frame and what perfect sight would tell; else why there is none."""
    why = "room"
    for variant in range(VARIANTS):
        take = stage(wish, ready.ground, seed, fps=ready.survey.fps, warm=WARM, variant=variant)
        if take is None:
            continue
        first = _window(ready.survey, take, seed, variant)
        if first is None:
            return None, [], "short"
        begin = ready.survey.times[first]
        into = Into(take.script, ready.estimate, ready.look)
        told = perfect(ready.plan, into, take.seconds, begin=begin, epoch=_epoch(ready, take, begin), real=ready.survey.observations)
        if wish.kind in ("passing", *BY_SIGHT) or any(e.behaviour == wish.behaviour and of_staged(e) for e in told):
            return (take, first), told, ""
        why = "never"
    return None, [], why


def _window(survey: Survey, take: Take, seed: int, variant: int) -> int | None:
    """The frame at which the take begins; None where the footage is shorter than the take."""
    last = int(np.searchsorted(survey.times, survey.times[-1] - take.seconds, side="right")) - 1
    if last < 0:
        return None
    return int(np.random.default_rng([seed, variant, len(take.behaviour), 17]).integers(last + 1))


def _epoch(ready: Stageable, take: Take, begin: float) -> float:
    """UTC seconds of media time 0 at which the rule's schedule is on during the take: the drill is held in its hours."""
    behaviour = ready.plan.behaviours.get(take.behaviour)
    schedule = getattr(behaviour, "schedule", None)
    epoch = ready.footage.epoch
    if schedule is None or not hasattr(schedule, "on"):
        return epoch
    for quarter in range(7 * 24 * 4):
        shifted = epoch + quarter * 900
        if schedule.on(shifted + begin) and schedule.on(shifted + begin + take.seconds):
            return shifted
    return epoch


class _Watch:
    """Two analysts look at the same seconds: one at the footage as it is, one with the staged people in it."""

    def __init__(self, ready: Stageable, take: Take, first: int, expected: list[Event], pictures: Path | None) -> None:
        self.ready, self.take, self.first, self.expected, self.pictures = ready, take, first, expected, pictures
        times = np.array(ready.survey.times[first:])
        self.times = (times - times[0])[times - times[0] <= take.seconds]
        self.begin = float(times[0])
        self.into = Into(take.script, ready.estimate, ready.look, self.times)
        epoch = _epoch(ready, take, self.begin)
        plan, _ = fit_labels(ready.plan, class_names(ready.detector))
        self.eyes = [_Eyes(plan, ready.footage.size, epoch) for _ in range(2)]  # of the footage, of the staged
        self.trails: dict[int, list[tuple[float, Sighting]]] = {}
        self.rows: list[tuple[float, int, Row]] = []
        self.followed = Followed()
        self.cached = stateless(ready.detector)
        self.detectors = (ready.detector, ready.detector) if self.cached else (ready.chosen.make(), ready.chosen.make())
        due = [e.time - self.begin for e in expected if e.behaviour == take.behaviour and of_staged(e)]
        self.due = min(due) if due else take.due
        self.deed = take.deed
        if take.kind in ("crossing", "tailgating", "crowding"):  # the moment itself
            self.deed = self.due
        elif take.kind in ("intrusion", "loitering"):
            self.deed = self.due - float(getattr(ready.plan.behaviours[take.behaviour], "seconds", 0.0))
        self.told = bool(due) or take.kind in ("passing", "tamper")

    def run(self) -> TakeResult:
        ready, take = self.ready, self.take
        people = ready.survey.detections
        caught: Event | None = None
        next_row = 0.0
        shot = False
        for k, frame in enumerate(ready.footage.frames(self.first, len(self.times))):
            time = float(self.times[k])
            image = frame.image
            made = self.into.paint(image, k, _in_front(people[self.first + k]))
            staged = tampered(made.image, take.script, time) if take.script.tampers else made.image
            touched = staged is not image and not np.array_equal(staged, image)
            for sighting in made.truth:
                self.trails.setdefault(sighting.id, []).append((time, sighting))
            kept = people[self.first + k] if self.cached else None
            self.eyes[0].look(frame, kept, self.detectors[0])
            other = composed(frame, staged, ready.survey.luma_gain) if touched else frame
            found, moment = self.eyes[1].look(other, None if touched else kept, self.detectors[1])
            if found is not None:
                if moment is not None:
                    self.followed.add(moment.observation)
                if time >= next_row and made.truth:
                    next_row = time + ROW_EVERY - 1e-3
                    fallen = take.kind == "falling" and time > self.deed
                    self.rows += [
                        (time, s.id, _row(s, found, ready.footage.size, upright=s.label == "person" and not fallen))
                        for s in made.truth
                        if s.visible >= VISIBLE and _counts(s, take)
                    ]
            if self.pictures is not None and not shot and time >= (5.0 if take.kind == "passing" else self.due - 0.05):
                shot = _picture(self.pictures, take, staged, made.truth)
            if caught is None and moment is not None:
                caught = next((e for e in moment.events if e.phase == "began" and self._is_it(e)), None)
            if caught is not None and time > max(caught.time - self.begin + 1.0, self.due + 0.5) and take.kind != "passing":
                break
        return self._result(caught, time)

    def _is_it(self, event: Event) -> bool:
        """Whether this report is about what was staged."""
        time = event.time - self.begin
        if event.behaviour != self.take.behaviour or not self.due - EARLY <= time <= max(self.due + LATE, self.take.seconds):
            return False
        if not event.boxes:
            return True  # of the whole picture: whether the footage raises it by itself is asked at the end
        when = event.peak_time - self.begin
        theirs = [
            s.box for id_ in self.take.subjects or tuple(self.trails) for t, s in self.trails.get(id_, ()) if when - 4.0 <= t <= when + 0.3
        ]
        if theirs and bool(iou_matrix(np.array(event.boxes, np.float64), np.array(theirs)).max() >= OVERLAP):
            return True
        # A track that has just gone over to someone else still tells what the staged one did until then.
        return any(self._share_of(id_, self.deed, time) > 0.5 for id_ in event.subject)

    def _result(self, caught: Event | None, lasted: float) -> TakeResult:
        take, due = self.take, self.due
        own = [e for e in self.eyes[0].events if e.phase == "began"]
        alarms = [e for e in self.eyes[1].events if e.phase == "began"]
        state = "passing" if take.kind == "passing" else "caught" if caught is not None else "missed"
        whole_picture = not take.subjects and take.kind != "passing"
        if whole_picture and any(e.behaviour == take.behaviour for e in own):
            state = "void"
        seen = self._seen()
        why = ""
        if state == "missed":
            why = "rule" if not self.told or (take.kind == "tamper") else "unseen" if seen < SEEN else "lost"
        x, y, height = self._spot()
        side = tuple(
            e.behaviour for e in alarms
            if e is not caught and not _explained(e, own, 3.0, 3.0) and not _explained(e, self.expected, 3.0, 8.0) and take.kind != "tamper"
        )  # fmt: skip
        staged = self.followed.sizes(self.ready.footage.size, self._theirs()) if take.kind in UPRIGHT else None
        return TakeResult(
            take.kind, take.behaviour, _seed_of(take), state, why, take.place, take.trick, round(self.begin, 3), round(lasted, 3), round(self.deed, 3),
            round(due, 3), float("nan") if caught is None else round(caught.time - self.begin, 3), x, y, height, seen, self.told, side,
            tuple(row for _, _, row in self.rows), staged,
        )  # fmt: skip

    def _theirs(self) -> list[int]:
        """Tracks that are staged people: most of their sightings lie on one."""
        return [id_ for id_ in self.followed.rows if self._share_of(id_, 0.0, np.inf) > 0.6]

    def _share_of(self, track: int, begin: float, end: float) -> float:
        """Share of a track's sightings from `begin` to `end` seconds of the take that lie on a staged one; 0 without any."""
        hits = total = 0
        for when, box, found, _ in self.followed.rows.get(track, ()):
            time = when - self.begin
            if found and begin <= time <= end:
                total += 1
                there = [s.box for trail in self.trails.values() for t, s in trail if abs(t - time) < 0.06]
                hits += bool(there) and bool(iou_matrix(np.array([box], np.float64), np.array(there)).max() >= FOUND)
        return hits / total if total else 0.0

    def _seen(self) -> float:
        """Share of looks that found the subjects, from shortly before the deed to shortly after it could be known."""
        who = set(self.take.subjects) or set(self.trails)
        found = [row.confidence > 0 for t, id_, row in self.rows if id_ in who and self.deed - 2.0 <= t <= self.due + 1.0]
        return float(np.mean(found)) if found else 0.0 if self.take.kind != "tamper" else float("nan")

    def _spot(self) -> tuple[float, float, float]:
        """Where it happened: the subjects' feet when it could be known."""
        wide, tall = self.ready.footage.size
        near = []
        for id_ in self.take.subjects or tuple(self.trails):
            trail = self.trails.get(id_, [])
            if trail:
                near.append(min(trail, key=lambda row: abs(row[0] - max(self.deed, min(self.due, trail[-1][0]))))[1])
        if not near:
            return float("nan"), float("nan"), float("nan")
        boxes = np.array([s.box for s in near])
        x, y = float(((boxes[:, 0] + boxes[:, 2]) / 2).mean()), float(boxes[:, 3].mean())
        return round(x / wide, 4), round(y / tall, 4), round(float(self.ready.estimate.scale.at(y)), 1)


class _Eyes:
    """Gate, signals, analyst of one watch."""

    def __init__(self, plan: CameraPlan, size: tuple[int, int], epoch: float) -> None:
        self.analyst, self.gate, self.signals = analyst_at(plan, size, epoch), plan.make_gate(), plan.make_signals()
        self.events: list[Event] = []

    def look(self, frame: Frame, kept: Detections | None, detector: Detector) -> tuple[Detections | None, Any]:
        """-> what was detected (None when the gate spared it; `kept` is what the detector is known to say) and the moment."""
        values = {name: value for signal in self.signals for name, value in signal(frame).items()}
        found = None
        if self.gate is None or self.gate.look(frame, self.analyst.busy):
            found = kept if kept is not None else detect_frames(detector, [frame])[0]
        moment = self.analyst.look(frame.time, found, values)
        if moment is not None:
            self.events += moment.events
        return found, moment


def _in_front(found: Detections) -> Floats:
    person = found.names.index("person") if "person" in found.names else -1
    boxes: Floats = found.boxes[(found.labels == person) & (found.scores >= FRONT)]
    return boxes


def _counts(sighting: Sighting, take: Take) -> bool:
    """Whether its being seen is worth a row: people always, bags where the incident is about them."""
    return sighting.label == "person" or sighting.id in take.subjects


def _row(sighting: Sighting, found: Detections, size: tuple[int, int], *, upright: bool) -> Row:
    x1, y1, x2, y2 = sighting.box
    confidence = 0.0
    if len(found.scores):
        labels = np.array([found.names[k] == "person" for k in found.labels.tolist()])
        good = labels if sighting.label == "person" else ~labels
        overlap = iou_matrix(np.array([sighting.box]), found.boxes.astype(np.float64))[0]
        rows = np.flatnonzero(good & (overlap >= FOUND))
        confidence = float(found.scores[rows].max()) if len(rows) else 0.0
    return Row((x1 + x2) / 2 / size[0], y2 / size[1], y2 - y1, confidence, upright)


def _explained(event: Event, others: Sequence[Event], early: float, late: float) -> bool:
    return any(o.behaviour == event.behaviour and o.time - early <= event.time <= o.time + late for o in others)


def _seed_of(take: Take) -> int:
    return take.seed // 1000


def _picture(folder: Path, take: Take, image: Image, truth: Sequence[Sighting]) -> bool:
    """What the camera was shown when the incident was due, with a fine mark at each staged one."""
    import cv2

    drawn = image.copy()
    for s in truth:
        x1, y1, x2, y2 = (round(v) for v in s.box)
        for x, dx in ((x1 - 3, 4), (x2 + 3, -4)):
            for y, dy in ((y1 - 3, 4), (y2 + 3, -4)):
                cv2.line(drawn, (x, y), (x + dx, y), (0, 230, 255), 1)
                cv2.line(drawn, (x, y), (x, y + dy), (0, 230, 255), 1)
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in take.behaviour or "passing")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jpg").write_bytes(cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes())
    except OSError:
        return True  # a picture less is no reason to lose the take
    return True
