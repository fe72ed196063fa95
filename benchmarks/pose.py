"""What pose costs and whom it reaches: CPU of a crop beside the bare model, and who is looked at under a budget of looks a second.

The footage is watched once by the detector and the tracker; then the same beats are given to pose under each budget, so that
the budgets differ in nothing else. A person-beat is somebody tracked, seen and tall enough at one beat.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from pahara.core import Frame, Observation
from pahara.core.joints import SURE
from pahara.detection import load_detector
from pahara.detection.pose import PoseModel, load_pose
from pahara.detection.posing import Posing
from pahara.pipeline.analyst import Analyst
from pahara.pipeline.watch import watch
from pahara.store import trails
from pahara.tracking import ByteTrack, on_grid
from pahara.video import open_source
from shared import arguments, asset, show

BUDGETS = (2, 5, 10, 20)
ROUNDS, RUNS = 15, 20


def beats_of(video: Path, model: Path, seconds: float) -> list[tuple[Frame, Observation]]:
    """The beats of a watch: the picture, and what was tracked in it."""
    detector = load_detector(model, classes=("person",))
    kept = []
    with open_source(video, camera="bench") as source:
        analyst = Analyst("bench", source.size, {}, {}, tracker=ByteTrack())
        for look in watch(source, detector, analyst):
            if look.moment is not None:
                kept.append((Frame.of("bench", look.frame.time, look.frame.image.copy()), look.moment.observation))
            if look.frame.time >= seconds:
                break
    return kept


def cost(pose: PoseModel, beats: list[tuple[Frame, Observation]]) -> tuple[float, float]:
    """-> CPU ms of the bare engine on a ready input, and of a whole look (cut, resize, run, back); medians of alternating rounds."""
    crops = [(frame.image, seen.boxes[row : row + 1]) for frame, seen in beats for row in np.flatnonzero(seen.seen)]
    bare, whole = [], []
    for turn in range(ROUNDS):
        feeds = pose.ready()
        start = time.process_time()
        for _ in range(RUNS):
            pose.engine.run(feeds)
        bare.append(time.process_time() - start)
        some = [crops[(turn * RUNS + n) % len(crops)] for n in range(RUNS)]
        start = time.process_time()
        for image, box in some:
            pose(image, box)
        whole.append(time.process_time() - start)
    return 1000 * statistics.median(bare) / RUNS, 1000 * statistics.median(whole) / RUNS


def under_budget(pose: PoseModel, beats: list[tuple[Frame, Observation]], per_second: float) -> dict[str, float]:
    """Whom this budget reaches."""
    step, posed = Posing(pose, per_second), []
    waits, since, sure = [], dict[int, float](), []
    start = time.process_time()
    for frame, seen in beats:
        posed.append(on_grid(replace(seen, keypoints=step(frame, seen))))
    spent = time.process_time() - start
    for beat in posed:
        for one, joints in zip(beat.ids.tolist(), beat.keypoints, strict=True):
            begun = since.setdefault(one, beat.time)
            if joints.any():
                waits.append(beat.time - begun)
                since[one] = beat.time
                sure.append(joints[:, 2] >= SURE)
    stretch = beats[-1][1].time - beats[0][1].time
    plain, with_joints = (
        sum(len(trails.encode(part[n : n + 100])) for n in range(0, len(part), 100)) for part in ([b for _, b in beats], posed)
    )
    return {
        "share": step.looked_at / max(step.sightings, 1),
        "looks": step.looks / stretch,
        "wait": float(np.percentile(waits, 95)) if waits else float("nan"),
        "cpu": 1000 * spent / stretch,
        "sure": float(np.mean(sure)) if sure else float("nan"),
        "bytes": (with_joints - plain) / max(step.looked_at, 1),
    }


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--footage", default="footage/pets-s2l1/video.avi", help="a video of the assets")
    parser.add_argument("--model", default="models/movenet-lightning-int8.tflite", help="a pose model of the assets")
    parser.add_argument("--detector", default="models/yolox-nano-416.onnx", help="a detector of the assets")
    parser.add_argument("--seconds", type=float, default=60.0, help="how much of the footage")
    asked = parser.parse_args()
    pose = load_pose(asset(asked.assets, asked.model))
    beats = beats_of(asset(asked.assets, asked.footage), asset(asked.assets, asked.detector), asked.seconds)
    people = sum(int(seen.seen.sum()) for _, seen in beats) / len(beats)
    if people == 0:
        sys.exit("nobody is in this footage: the benchmark would pass without measuring")
    bare, whole = cost(pose, beats)
    figures: dict[str, float] = {"ms_inference": bare, "ms_look": whole, "ratio": whole / bare}
    notes = {
        "ms_inference": "CPU ms of the bare model on a ready input, 1 thread",
        "ms_look": "CPU ms of a look: cut, resize, run, joints back to the picture",
        "ratio": "the second over the first",
    }
    for per_second in BUDGETS:
        told = under_budget(pose, beats, per_second)
        figures |= {
            f"share_{per_second}": told["share"], f"looks_{per_second}": told["looks"], f"wait_{per_second}": told["wait"], f"cpu_{per_second}": told["cpu"],
        }  # fmt: skip
        notes |= {
            f"share_{per_second}": f"share of person-beats that get joints at {per_second} looks a second",
            f"looks_{per_second}": "looks a second that were taken",
            f"wait_{per_second}": "seconds between two looks at one person, 95 % of them shorter",
            f"cpu_{per_second}": "CPU ms that pose takes of each second",
        }
    figures |= {"sure": told["sure"], "bytes_a_look": told["bytes"], "people": people, "beats": len(beats)}
    notes |= {
        "sure": f"share of joints with a confidence of {SURE} or more",
        "bytes_a_look": "what a look takes in the store",
        "people": "tracked and seen at a beat, on average",
    }
    show(figures, as_json=asked.json, title=f"pose on {Path(asked.footage).parent.name or asked.footage}, {pose.layout.about}", notes=notes)


if __name__ == "__main__":
    main()
