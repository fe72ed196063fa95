"""What the motion gate saves and what it misses: CPU with detection on every frame over CPU with the gate.

The same footage (people cross one at a time, with empty stretches), the same model, tracker and three lines, once with
detection on every frame and once behind the gate. A crossing is missed when the first run reports it and the second
does not report one of the same line and direction within two seconds.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pahara.alarms import AlarmRule
from pahara.behaviours import Crossing
from pahara.core import Tripwire
from pahara.detection import MotionGate, load_detector
from pahara.pipeline.analyst import Analyst
from pahara.pipeline.watch import watch
from pahara.tracking import ByteTrack
from pahara.video import open_source
from shared import arguments, asset, show

LINES = {f"x={x}": Crossing(Tripwire(f"x={x}", (x, 0.0), (x, 1.0))) for x in (0.35, 0.5, 0.65)}
SAME = 2.0  # seconds between two reports of one crossing


@dataclass(frozen=True)
class Run:
    cpu: float  # seconds
    crossings: list[tuple[str, str, float]]  # line, direction, media seconds
    frames: int
    gate: MotionGate | None


def run(video: Path, model: Path, *, gated: bool) -> Run:
    """Decode, (gate,) detect, track, three lines. Loading the model is not counted."""
    detector = load_detector(model, threads=1, classes=("person",))
    gate = MotionGate() if gated else None
    crossings, frames = [], 0
    with open_source(video, camera="bench") as source:
        rules = {name: AlarmRule.of(behaviour) for name, behaviour in LINES.items()}
        analyst = Analyst("bench", source.size, dict(LINES), rules, tracker=ByteTrack())
        start = time.process_time()
        for look in watch(source, detector, analyst, gate=gate):
            frames += 1
            if look.moment is not None:
                crossings += [(e.behaviour, e.reason.code, e.start) for e in look.moment.events if e.phase == "began"]
        cpu = time.process_time() - start
    return Run(cpu, crossings, frames, gate)


def bare_decode(video: Path) -> float:
    """-> CPU seconds of decoding alone, colours included."""
    with open_source(video, camera="bench") as source:
        start = time.process_time()
        for frame in source:
            _ = frame.image
        return time.process_time() - start


def missing(these: Run, those: Run) -> int:
    """How many crossings of `these` have no counterpart in `those`; each counterpart serves once."""
    left = list(those.crossings)
    missed = 0
    for line, direction, when in these.crossings:
        near = [other for other in left if other[:2] == (line, direction) and abs(other[2] - when) <= SAME]
        if near:
            left.remove(min(near, key=lambda other: abs(other[2] - when)))
        else:
            missed += 1
    return missed


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--footage", default="footage/one-by-one.mp4", help="a video of the assets")
    parser.add_argument("--model", default="models/yolox-nano-416.onnx", help="a model of the assets")
    asked = parser.parse_args()
    video, model = asset(asked.assets, asked.footage), asset(asked.assets, asked.model)
    decode = bare_decode(video)
    every, gated = run(video, model, gated=False), run(video, model, gated=True)
    assert gated.gate is not None
    told = gated.gate.statistics
    figures = {
        "cpu_ratio": every.cpu / gated.cpu,
        "missed_crossings": missing(every, gated),
        "extra_crossings": missing(gated, every),
        "crossings": len(every.crossings),
        "detected_share": told.share,
        "ms_every": 1000 * every.cpu / every.frames,
        "ms_gated": 1000 * gated.cpu / gated.frames,
        "ms_decode": 1000 * decode / every.frames,
        "frames": every.frames,
        **{f"opened_by_{reason}": count for reason, count in sorted(told.opened_by.items())},
    }
    notes = {
        "cpu_ratio": "CPU detecting every frame ÷ CPU behind the gate; goal ≥ 2",
        "missed_crossings": "line crossings that only detecting every frame found; goal 0",
        "extra_crossings": "line crossings that only the gated run found",
        "detected_share": "share of frames that went to the detector",
        "ms_every": "CPU ms a frame: decode, detect, track, three lines",
        "ms_decode": "CPU ms a frame of decoding to BGR alone, the floor under both",
    }
    if not every.crossings:
        sys.exit("nobody crossed a line in this footage: the benchmark would pass without measuring")
    show(figures, as_json=asked.json, title=f"motion gate on {video.name}, {model.name}, 1 thread", notes=notes)


if __name__ == "__main__":
    main()
