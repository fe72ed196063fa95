"""Who went through a line, when it became certain, and in which direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pahara.core import Scene, Track, Tripwire
from pahara.core.boxes import Floats, foot_points, heights
from pahara.core.scene import RECENT

from .trails import PATIENCE, TINY, Rows, rows_of

MEMORY = 30.0  # seconds of trail that may tell on which side someone was
SHOWN = 1.0  # seconds that a crossing is shown after it became certain
SILENCE = 1.5  # seconds without a sighting after which the last side counts, though too short to be sure otherwise
LEGS = 0.25  # share of the whole box by which it shrinks or grows at a stroke when legs are hidden or come into view
STEADY = 0.12  # share of the body height by which the head may move meanwhile
HIDDEN = 3.0  # seconds that legs may be hidden before the box is taken as it is
DENSE = 0.35  # seconds between rows up to which a leap can be told from a movement


@dataclass(frozen=True, slots=True)
class Passage:
    """One crossing of one track."""

    track: int
    time: float  # media seconds when it became certain
    ends: float  # media seconds when it is no longer shown
    forward: bool
    beyond: float  # body heights beyond the line when it became certain


@dataclass(frozen=True)
class Gate:
    """A tripwire with what "clearly on one side" means."""

    line: Tripwire
    margin: float  # body heights from the line
    seconds: float  # on the new side
    fastest: float  # body heights per second; faster is another identity

    def showing(self, scene: Scene, labels: tuple[str, ...], *, earlier: float = 0.0) -> list[Passage]:
        """Crossings that are shown now, and those up to `earlier` seconds before; by time, then track.

        Tracks that ended a moment ago count too: who runs out of the picture behind the line has crossed.
        """
        window = SHOWN + SILENCE + self.seconds + earlier
        tracks = self._changing(scene, scene.recent if window <= RECENT else rows_of(scene.tracks, window, before=1), window)
        ended = []
        for track in reversed(scene.past):  # by their end
            if track.last_seen < scene.time - window - PATIENCE:
                break
            if track.last_seen >= scene.time - window:
                ended.append(track)
        if ended:
            tracks += self._changing(scene, rows_of(ended, window, before=1), window)
        found = [p for track in tracks if not labels or track.label in labels for p in self.shown(track, scene, earlier=earlier)]
        return sorted(found, key=lambda p: (p.time, p.track))

    def shown(self, track: Track, scene: Scene, *, earlier: float = 0.0) -> list[Passage]:
        """The same for one track."""
        return [p for p in self.passages(track, scene) if p.ends > scene.time - earlier and scene.time >= p.time - TINY]

    def _changing(self, scene: Scene, rows: Rows, window: float) -> list[Track]:
        """Tracks that may have changed sides in the last `window` seconds: only they are looked at one by one."""
        if not rows.tracks:
            return []
        off = self.line.side(rows.feet, scene.size)
        clear = self.margin * np.maximum(rows.heights, 1.0)
        begin = rows.at(np.full(len(rows.tracks), scene.time - window))  # the last row before the window
        right, left = off >= clear, off <= -clear
        was_right, was_left = rows.ever(right, begin), rows.ever(left, begin)
        unknown = ~(right[begin] | left[begin])  # on the line when these rows begin: it may have come from anywhere
        changing = (was_right & was_left) | (unknown & (was_right | was_left))
        return [rows.tracks[i] for i in changing.nonzero()[0].tolist()]

    def passages(self, track: Track, scene: Scene) -> list[Passage]:
        """Every crossing in the track's memory that is certain by now, oldest first."""
        own = track.since(scene.time - MEMORY)
        times, boxes = track.times[own], track.boxes[own].astype(np.float64)
        if len(times) == 0:
            return []
        tall = np.maximum(heights(boxes), 1.0)
        feet = foot_points(boxes)
        off = self.line.side(feet, scene.size) / tall
        sides = (off >= self.margin).astype(np.int8)
        sides -= off <= -self.margin
        broken = self._breaks(times, boxes, feet, tall, sides) if len(times) > 1 else [False]
        along = self.line.along(feet, scene.size)
        return self._walk(track.id, times.tolist(), off.tolist(), sides.tolist(), broken, along.tolist(), scene.time)

    def _breaks(self, times: Floats, boxes: Floats, feet: Floats, tall: Floats, sides: NDArray[np.int8]) -> list[bool]:
        """-> for each row, whether the story begins anew there; sets rows whose foot point lies to "on the line" in `sides`.

        It begins anew where a step is farther than anyone moves (the id went to another person), and where legs come
        into view for the first time. Legs that go behind something lift the foot point while the head stays: until
        they are seen again, or for three seconds, such rows say nothing.
        """
        lasted = times[1:] - times[:-1]
        larger = np.maximum(tall[1:], tall[:-1])
        step = feet[1:] - feet[:-1]
        jump = np.hypot(step[:, 0], step[:, 1]) > np.maximum(1.0, self.fastest * lasted) * larger

        steady = (np.abs(boxes[1:, 1] - boxes[:-1, 1]) <= STEADY * larger) & (lasted <= DENSE)
        grown = tall[1:] - tall[:-1]
        leap = steady & (np.abs(grown) >= LEGS * larger)
        if leap.any():
            for row in leap.nonzero()[0].tolist():
                if grown[row] > 0:
                    jump[row] |= sides[row] != 0
                else:
                    hidden = (times[row + 1 :] <= times[row] + HIDDEN) & np.logical_and.accumulate(tall[row + 1 :] < 0.85 * tall[row])
                    sides[row + 1 :][hidden] = 0
        return [False, *jump.tolist()]

    def _walk(
        self, track: int, times: list[float], off: list[float], sides: list[int], broken: list[bool], along: list[float], now: float
    ) -> list[Passage]:
        found: list[Passage] = []
        settled = candidate = 0  # the side it is known to be on; the side it seems to be on now
        since = leaving = 0  # rows: where the candidate side began; the last row on the settled side
        for row, side in enumerate(sides):
            if broken[row]:
                settled = candidate = 0
            if side == 0:
                candidate = 0  # only an unbroken stay is sure: who waits on the line is now and then beyond it by a trembling box
                continue
            if side != candidate:
                candidate, since = side, row
                if found and found[-1].ends > times[row] and found[-1].forward != (side > 0):
                    found[-1] = _until(found[-1], times[row])
            if side == settled:
                leaving = row
                continue
            following = times[row + 1] if row + 1 < len(times) else now
            surely = row > since and times[row] - times[since] >= self.seconds - TINY
            far = abs(off[row]) >= 2 * self.margin
            silent = far and following - times[row] >= SILENCE - TINY
            first = settled == 0 and abs(off[row]) >= 3 * self.margin  # so far off that no flicker put it there
            if not (surely or silent or first):
                continue
            if settled and self._between_the_ends(off, along, leaving, since, settled):
                certain = times[row] if surely else times[row] + SILENCE
                found.append(Passage(track, certain, certain + SHOWN, side > 0, abs(off[row])))
            settled, leaving = side, row
        return found

    def _between_the_ends(self, off: list[float], along: list[float], leaving: int, arriving: int, settled: int) -> bool:
        """Whether the path cut the line itself and not its prolongation; the last cut counts."""
        for row in range(arriving, leaving, -1):
            if off[row - 1] * settled > 0 >= off[row] * settled:
                share = off[row - 1] / (off[row - 1] - off[row])
                at = along[row - 1] + share * (along[row] - along[row - 1])
                return 0.0 <= at <= 1.0
        return False


def _until(passage: Passage, time: float) -> Passage:
    return Passage(passage.track, passage.time, max(min(passage.ends, time), passage.time), passage.forward, passage.beyond)
