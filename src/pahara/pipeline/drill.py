"""Simulated incidents staged into a camera's own footage: what it would catch with these settings, and how fast."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara import __version__
from pahara.config import CameraPlan, ChosenDetector
from pahara.config.labels import fit_labels
from pahara.core import ConfigError, Detections, Detector, Event, Frame, Image, PaharaError
from pahara.core.boxes import iou_matrix
from pahara.simulate import Sighting
from pahara.simulate.into import Into, reference, tampered
from pahara.simulate.look import Look, measure_look, median_background
from pahara.simulate.takes import KINDS, PASSING, Ground, Take, Wish, ground_of, stage
from pahara.simulate.view import FEWEST, Estimate, fit_scale, fit_view, read_scale, usable

from .footage import Footage, Survey, Tell, analyst_at, composed, stateless, survey
from .oracle import perfect
from .realism import Followed, Gap, Sizes, realism_gap
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
TAKES = "takes.jsonl"


@dataclass(frozen=True)
class Row:
    """One look of the detector at one staged person."""

    x: float  # foot point, fractions of the picture
    y: float
    height: float  # pixels
    confidence: float  # 0 where it was overlooked


@dataclass(frozen=True)
class TakeResult:
    """One staged incident and what came of it."""

    kind: str
    behaviour: str
    seed: int
    state: str  # caught, missed, void (the footage itself raised this alarm), unstaged, or passing
    why: str = ""  # missed: rule, unseen or lost; unstaged: room, short, never or kind
    place: str = ""
    trick: str = ""
    begin: float = 0.0  # media seconds of the footage at which the take begins
    seconds: float = 0.0
    deed: float = 0.0  # seconds of the take
    due: float = 0.0
    alarm: float = float("nan")
    x: float = float("nan")  # where it happened: foot point, fractions of the picture
    y: float = float("nan")
    height: float = float("nan")  # pixels
    seen: float = float("nan")  # share of the detector's looks in which the subjects were found
    expected: bool = True  # whether the rule would tell it with perfect sight
    side: tuple[str, ...] = ()  # other alarms, explained neither by the footage nor by what was staged
    rows: tuple[Row, ...] = ()
    staged: Sizes | None = None  # of those who stay upright: how sure the detector was of them, as far as they were followed

    @property
    def key(self) -> tuple[str, str, int]:
        return self.kind, self.behaviour, self.seed

    @property
    def delay(self) -> float:
        """Seconds from the moment at which the rule could first know it."""
        return self.alarm - self.due

    @property
    def after_deed(self) -> float:
        """Seconds from the deed to the alarm: the rule's own waiting included."""
        return self.alarm - self.deed

    def plain(self) -> dict[str, Any]:
        told = {k: (None if isinstance(v, float) and v != v else v) for k, v in asdict(self).items() if k not in ("rows", "staged")}
        told["rows"] = [[round(r.x, 4), round(r.y, 4), round(r.height, 1), round(r.confidence, 3)] for r in self.rows]
        if self.staged is not None:
            told["staged"] = [self.staged.who.tolist(), np.round(self.staged.heights, 1).tolist(), np.round(self.staged.confidence, 3).tolist()]
        return told

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> TakeResult:
        values = {k: (float("nan") if v is None else v) for k, v in told.items()}
        values["rows"] = tuple(Row(*row) for row in told["rows"])
        values["side"] = tuple(told["side"])
        if "staged" in told:
            who, heights, confidence = told["staged"]
            values["staged"] = Sizes(np.array(who, np.int64), np.array(heights, np.float64), np.array(confidence, np.float64))
        return cls(**values)


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


@dataclass
class DrillRun:
    """Takes done so far; iterate `run` to do more."""

    ready: Stageable
    results: list[TakeResult] = field(default_factory=list)
    seeds: int = 0
    interrupted: bool = False

    @property
    def control_hours(self) -> float:
        return self.ready.survey.seconds / 3600

    @property
    def staged_hours(self) -> float:
        return sum(r.seconds for r in self.results if r.state not in ("unstaged",)) / 3600

    def gap(self) -> Gap:
        """Staged passers-by against the real people of the same footage."""
        real = self.ready.survey.followed.sizes(self.ready.footage.size)
        return realism_gap(real, Sizes.join(r.staged for r in self.results if r.staged is not None))


def understand(
    plan: CameraPlan, footage: Footage, detector: Detector, chosen: ChosenDetector, *, height: str = "", fov: float = 0.0,
    behaviours: Sequence[str] = (), tell: Tell | None = None,
) -> Stageable:  # fmt: skip
    """One pass over the footage: scale, light and places. ConfigError, SourceError in one line where that is impossible."""
    wishes, unknown = wishes_of(plan, behaviours)
    told = read_scale(height, footage.size) if height else None
    fitted, _ = fit_labels(plan, class_names(detector))
    seen = survey(footage, detector, analyst_at(fitted, footage.size, footage.epoch), fitted, tell, total=footage.length)
    boxes, scores = seen.people()
    whole = usable(boxes, scores, footage.size)
    feet = np.stack([(boxes[whole, 0] + boxes[whole, 2]) / 2, boxes[whole, 3]], 1).astype(np.float64)
    tall = (boxes[whole, 3] - boxes[whole, 1]).astype(np.float64)
    scale = told or fit_scale(feet, tall, footage.size)
    if scale is None:
        raise ConfigError(
            f"{footage.shown}: {len(feet)} whole people were seen in {seen.seconds:.0f} s, too few to tell how tall people are in this view "
            f"(it takes {FEWEST}). Give footage in which people walk, or --height y1:h1,y2:h2 (row of the feet and body height in pixels, at two places)"
        )
    estimate = fit_view(scale, footage.size, None if told else feet, None if told else tall, fov=fov)
    ground = ground_of(estimate, feet, _zones(plan), _lines(plan))
    if not ground.mask.any():
        raise ConfigError(f"{footage.shown}: nowhere in this view would a person be {16} pixels tall: too far for this camera, or --height is wrong")
    background = median_background(seen.samples[:: max(1, len(seen.samples) // 36)])
    rows, columns = np.nonzero(ground.mask)
    spots = feet if len(feet) >= FEWEST else (np.stack([columns, rows], 1) + 0.5) * 4.0
    look = measure_look(seen.samples, background, estimate.scale, *reference(estimate, spots), bits=footage.bits(seen.fps))
    return Stageable(plan, footage, seen, estimate, look, ground, wishes, unknown, detector, chosen, told is not None)


def wishes_of(plan: CameraPlan, only: Sequence[str] = ()) -> tuple[tuple[Wish, ...], tuple[tuple[str, str], ...]]:
    """What can be staged for the plan's rules, and those rules that cannot be; `only` are names or kinds. ConfigError for unknown ones."""
    kinds = dict(plan.kinds)
    for name in only:
        if name not in kinds and name not in kinds.values():
            known = ", ".join(sorted({*kinds, *kinds.values()}))
            raise ConfigError(f"no behaviour {name!r} at camera {plan.camera}; there are {known}")
    chosen = {name: b for name, b in plan.behaviours.items() if not only or name in only or kinds[name] in only}
    wishes = tuple(Wish.of(name, behaviour) for name, behaviour in chosen.items() if kinds[name] in KINDS)
    unknown = tuple((name, kinds[name]) for name in chosen if kinds[name] not in KINDS)
    if not wishes:
        raise ConfigError(f"camera {plan.camera} looks for nothing that can be staged ({', '.join(sorted(set(kinds.values()))) or 'no behaviours'})")
    return wishes, unknown


def run(
    ready: Stageable, folder: Path, *, seeds: int, resume: bool = False, on_take: Callable[[DrillRun, int, int], None] | None = None
) -> DrillRun:
    """Stage `seeds` incidents for each rule, and passers-by; what is done is kept in `folder` take by take.

    Ctrl-C ends it and keeps what is done; `resume` goes on with the same footage, rules and detector, else ConfigError.
    """
    made = DrillRun(ready, seeds=seeds)
    kept = folder / TAKES
    mark = fingerprint(ready)
    if resume and kept.is_file():
        made.results = _read(kept, mark)
    done = {result.key for result in made.results}
    jobs = [(wish, seed) for seed in range(seeds) for wish in (PASSING, *ready.wishes) if (wish.kind, wish.behaviour, seed) not in done]
    made.results = [r for r in made.results if r.seed < seeds]
    try:
        with kept.open("a" if done else "w", encoding="utf-8") as out:
            if not done:
                out.write(json.dumps(mark) + "\n")
            for n, (wish, seed) in enumerate(jobs):
                if on_take is not None:
                    on_take(made, n, len(jobs))
                result = drill_one(ready, wish, seed, folder / "pictures")
                made.results.append(result)
                out.write(json.dumps(result.plain(), allow_nan=False) + "\n")
                out.flush()
            if on_take is not None:
                on_take(made, len(jobs), len(jobs))
    except KeyboardInterrupt:
        made.interrupted = True
    except OSError as problem:
        raise PaharaError(f"cannot write {kept}: {problem.strerror or problem}; choose another folder with --out") from problem
    return made


def fingerprint(ready: Stageable) -> dict[str, Any]:
    """What takes depend on: another footage, rule or detector is another drill."""
    return {
        "format": "pahara-drill", "version": 1, "pahara": __version__, "footage": ready.footage.digest, "seconds": round(ready.footage.seconds, 3) if ready.footage.seconds < 1e9 else 0,
        "rules": {name: repr(b) for name, b in ready.plan.behaviours.items()}, "alarms": {name: repr(r) for name, r in ready.plan.rules.items()},
        "detector": ready.chosen.name, "gate": repr(ready.plan.gate_options), "tracker": repr(dict(ready.plan.tracker_options)),
        "scale": [round(ready.estimate.scale.a, 4), round(ready.estimate.scale.b, 2), round(ready.estimate.view.fov, 1)],
    }  # fmt: skip


def _read(path: Path, mark: Mapping[str, Any]) -> list[TakeResult]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        first = json.loads(lines[0]) if lines else {}
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise ConfigError(f"{path} cannot be read ({problem}); leave --resume out to begin anew") from problem
    differs = [name for name in mark if not isinstance(first, dict) or first.get(name) != mark[name]]
    if differs:
        raise ConfigError(f"{path} was made with another {differs[0]}: leave --resume out to begin anew, or choose another --out")
    found = []
    for line in lines[1:]:
        try:
            found.append(TakeResult.of(json.loads(line)))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError):
            break  # the line at which it was interrupted
    if len(found) < len(lines) - 1:  # what cannot be read is done again
        path.write_text("\n".join(lines[: len(found) + 1]) + "\n", encoding="utf-8")
    return found


# -- one take ----------------------------------------------------------------------------------------------------


def drill_one(ready: Stageable, wish: Wish, seed: int, pictures: Path | None = None) -> TakeResult:
    """Stage one incident, watch it, and say what came of it."""
    staged, expected, why = _staged(ready, wish, seed)
    if staged is None:
        return TakeResult(wish.kind, wish.behaviour, seed, "unstaged", why, wish.place)
    take, first = staged
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
        told = perfect(ready.plan, into, take.seconds, begin=begin, epoch=_epoch(ready, take, begin))
        if wish.kind in ("passing", *BY_SIGHT) or any(e.behaviour == wish.behaviour for e in told):
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
        due = [e.time - self.begin for e in expected if e.behaviour == take.behaviour]
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
            own = self.detectors[0]
            real = (lambda i, n=self.first + k: people[n]) if self.cached else (lambda i, d=own: d([i])[0])  # type: ignore[misc]
            self.eyes[0].look(frame, real)
            other = composed(frame, staged, ready.survey.luma_gain) if touched else frame
            detect = (lambda i, d=self.detectors[1]: d([i])[0]) if touched or not self.cached else real  # type: ignore[misc]
            found, moment = self.eyes[1].look(other, detect)
            if found is not None:
                if moment is not None:
                    self.followed.add(moment.observation)
                if time >= next_row and made.truth:
                    next_row = time + ROW_EVERY - 1e-3
                    self.rows += [(time, s.id, _row(s, found, ready.footage.size)) for s in made.truth if s.visible >= VISIBLE and _counts(s, take)]
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
        theirs = [s.box for id_ in self.take.subjects or tuple(self.trails) for t, s in self.trails.get(id_, ()) if when - 4.0 <= t <= when + 0.3]
        if not theirs:
            return False
        return bool(iou_matrix(np.array(event.boxes, np.float64), np.array(theirs)).max() >= OVERLAP)

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
        told = []
        for id_, rows in self.followed.rows.items():
            hits = total = 0
            for when, box, found, _ in rows:
                if found:
                    total += 1
                    there = [s.box for trail in self.trails.values() for t, s in trail if abs(t - (when - self.begin)) < 0.06]
                    hits += bool(there) and bool(iou_matrix(np.array([box], np.float64), np.array(there)).max() >= FOUND)
            if total and hits / total > 0.6:
                told.append(id_)
        return told

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
            return (float("nan"),) * 3  # type: ignore[return-value]
        boxes = np.array([s.box for s in near])
        x, y = float(((boxes[:, 0] + boxes[:, 2]) / 2).mean()), float(boxes[:, 3].mean())
        return round(x / wide, 4), round(y / tall, 4), round(float(self.ready.estimate.scale.at(y)), 1)


class _Eyes:
    """Gate, signals, analyst of one watch."""

    def __init__(self, plan: CameraPlan, size: tuple[int, int], epoch: float) -> None:
        self.analyst, self.gate, self.signals = analyst_at(plan, size, epoch), plan.make_gate(), plan.make_signals()
        self.events: list[Event] = []

    def look(self, frame: Frame, detect: Callable[[Image], Detections]) -> tuple[Detections | None, Any]:
        values = {name: value for signal in self.signals for name, value in signal(frame).items()}
        found = detect(frame.image) if self.gate is None or self.gate.look(frame, self.analyst.busy) else None
        moment = self.analyst.look(frame.time, found, values)
        if moment is not None:
            self.events += moment.events
        return found, moment


def _in_front(found: Detections) -> Floats:
    person = found.names.index("person") if "person" in found.names else -1
    return found.boxes[(found.labels == person) & (found.scores >= FRONT)]


def _counts(sighting: Sighting, take: Take) -> bool:
    """Whether its being seen is worth a row: people always, bags where the incident is about them."""
    return sighting.label == "person" or sighting.id in take.subjects


def _row(sighting: Sighting, found: Detections, size: tuple[int, int]) -> Row:
    x1, y1, x2, y2 = sighting.box
    confidence = 0.0
    if len(found.scores):
        labels = np.array([found.names[k] == "person" for k in found.labels.tolist()])
        good = labels if sighting.label == "person" else ~labels
        overlap = iou_matrix(np.array([sighting.box]), found.boxes.astype(np.float64))[0]
        rows = np.flatnonzero(good & (overlap >= FOUND))
        confidence = float(found.scores[rows].max()) if len(rows) else 0.0
    return Row((x1 + x2) / 2 / size[0], y2 / size[1], y2 - y1, confidence)


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


def _zones(plan: CameraPlan) -> dict[str, Any]:
    return {name: zone for name, zone in plan.zones.items() if zone.corners}


def _lines(plan: CameraPlan) -> dict[str, Any]:
    return dict(plan.lines)


__all__ = ["DrillRun", "Stageable", "TakeResult", "drill_one", "run", "understand", "wishes_of"]


def results_of(made: DrillRun) -> Iterator[TakeResult]:
    """Incidents alone."""
    yield from (r for r in made.results if r.kind != "passing")
