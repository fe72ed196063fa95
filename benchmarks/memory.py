"""Whether memory stays flat: two hours at 10 frames a second through the whole watch, as fast as the machine goes.

A staged clip plays over and over from an H.264 file (decoding, packet ring, clips and store are the real ones); the
detections are the stage's own boxes with jitter and misses, since a detector's memory is fixed once it has run. RSS is
read each minute of media time; the figure is the growth from minute 5 to the end.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from pahara.alarms import AlarmRule
from pahara.core import Detections, Image
from pahara.detection.gate import MotionGate
from pahara.detection.tamper import TamperSignals
from pahara.pipeline.analyst import Analyst
from pahara.pipeline.record import Recorder
from pahara.pipeline.session import Session
from pahara.report import SummaryCollector
from pahara.simulate import Stage, load_script
from pahara.store import Store
from pahara.tracking import ByteTrack
from pahara.video import open_source
from pahara.video.writer import VideoWriter
from shared import arguments, show

FPS = 10.0
NAMES = ("person", "bag", "car", "bicycle", "other")


def rss() -> float:
    """Resident memory of this process, MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class FromTheStage:
    """A detector that reads the stage's truth for the frame that the source has just given."""

    def __init__(self, truth: list[list[tuple[str, Sequence[float]]]]) -> None:
        self.truth, self.time, self.rng = truth, 0.0, np.random.default_rng(0)

    def __call__(self, _: Sequence[Image]) -> list[Detections]:
        seen = self.truth[round(self.time * FPS) % len(self.truth)]
        seen = [row for row in seen if self.rng.uniform() > 0.05]
        boxes = np.array([box for _, box in seen], np.float32).reshape(-1, 4)
        boxes = boxes + self.rng.normal(0, 0.7, boxes.shape).astype(np.float32)
        labels = [NAMES.index(label) if label in NAMES else 4 for label, _ in seen]
        return [Detections.of(boxes, self.rng.uniform(0.6, 0.95, len(seen)), labels, NAMES)]


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=2.0)
    asked = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    from overhead import five

    with tempfile.TemporaryDirectory() as folder:
        script = load_script("alley")
        film = Path(folder) / "scene.mp4"
        truth: list[list[tuple[str, Sequence[float]]]] = []
        step = max(1, round(script.fps / FPS))
        with VideoWriter(film) as writer:
            for index, shot in enumerate(Stage(script)):
                if index % step == 0:
                    writer.write(shot.image[::2, ::2].copy(), len(truth) / FPS)
                    truth.append([(s.label, tuple(v / 2 for v in s.box)) for s in shot.truth if s.visible > 0.3])
        behaviours = five()
        detector = FromTheStage(truth)
        samples: list[tuple[float, float]] = []
        start = time.perf_counter()
        with Store.open(Path(folder) / "out") as store, open_source(film, camera="bench", loop=True) as source:
            analyst = Analyst(
                "bench", source.size, behaviours, {name: AlarmRule.of(b) for name, b in behaviours.items()}, tracker=ByteTrack(), memory=120
            )
            recorder = Recorder(store, store.begin_recording("bench", str(film), source.size), ring=source.ring)
            session = Session(
                source,
                detector,
                analyst,
                SummaryCollector("bench", source.size),
                gate=MotionGate(),
                signals=(TamperSignals(),),
                recorder=recorder,
                seconds=asked.hours * 3600,
            )

            def look(session: Session, _: object) -> None:
                detector.time = session.time + 1 / FPS
                if session.time >= 60 * len(samples):
                    samples.append((session.time, rss()))

            session.run(look)
            events = store.count()
        minutes = [mib for _, mib in samples]
        base = minutes[min(5, len(minutes) - 1)]
        figures = {
            "rss_growth": max(minutes[6:] or [base]) / base - 1,
            "rss_end_growth": minutes[-1] / base - 1,
            "rss_5min_mib": base,
            "rss_end_mib": minutes[-1],
            "hours": session.time / 3600,
            "frames": session.frames,
            "events": events,
            "wall_s": time.perf_counter() - start,
        }
    show(
        figures,
        as_json=asked.json,
        title="memory of a long watch",
        notes={"rss_growth": "largest RSS after minute 5 ÷ RSS at minute 5, less 1; goal ≤ 0.02"},
    )


if __name__ == "__main__":
    main()
