"""What Pahara costs on top of the physical limit: CPU of the whole pipeline over bare decode + bare inference.

Both run in one process, in turns over the same frames, with one inference thread; the ratio is that of the medians
of the rounds. The whole pipeline is decode, detection on every frame, tracking, five behaviours, alarm rule, store.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from pahara.alarms import AlarmRule
from pahara.behaviours import Crossing, Falling, Intrusion, Loitering, Running
from pahara.core import Behaviour, Detections, Tripwire, Zone
from pahara.detection import load_detector
from pahara.pipeline.analyst import Analyst
from pahara.pipeline.record import Recorder
from pahara.pipeline.watch import watch
from pahara.store import Store
from pahara.tracking import ByteTrack
from pahara.video import open_source
from shared import arguments, asset, show

ZONE = Zone("yard", ((0.3, 0.3), (0.7, 0.3), (0.7, 0.9), (0.3, 0.9)))
LINE = Tripwire("gate", (0.5, 0.2), (0.5, 0.95))


def five() -> dict[str, Behaviour]:
    """The five behaviours of the figures."""
    return {
        "intrusion": Intrusion(ZONE, seconds=5),
        "crossing": Crossing(LINE),
        "loitering": Loitering(ZONE, seconds=20),
        "running": Running(),
        "falling": Falling(),
    }


def analyst(size: tuple[int, int]) -> Analyst:
    behaviours = five()
    rules = {name: AlarmRule.of(behaviour) for name, behaviour in behaviours.items()}
    return Analyst("bench", size, behaviours, rules, tracker=ByteTrack())


def decoded(video: Path, frames: int) -> Iterator[np.ndarray]:
    """The bare decoder: pictures as BGR arrays, nothing else."""
    with av.open(str(video)) as container:
        container.streams.video[0].thread_type = "NONE"
        for count, frame in enumerate(container.decode(video=0), 1):
            yield frame.to_ndarray(format="bgr24")
            if count >= frames:
                return


def bare(video: Path, model: Path, frames: int) -> tuple[float, float]:
    """-> CPU seconds of decode + inference alone, and of decode alone. The input tensor is ready before the clock starts."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    ready = np.random.default_rng(0).uniform(0, 255, port.shape).astype(np.float32)
    session.run(None, {port.name: ready})
    decoding = total = 0.0
    start = time.process_time()
    for _ in decoded(video, frames):
        decoding += time.process_time() - start
        session.run(None, {port.name: ready})
        total += time.process_time() - start
        start = time.process_time()
    return total, decoding


def whole(video: Path, model: Path, frames: int) -> float:
    """-> CPU seconds of the whole pipeline. Loading the model and opening the store is not counted, as in `bare`."""
    detector = load_detector(model, threads=1, classes=("person",))
    with tempfile.TemporaryDirectory() as folder, Store.open(folder) as store, open_source(video, camera="bench") as source:
        thinking = analyst(source.size)
        recording = store.begin_recording("bench", str(video), source.size)
        recorder = Recorder(store, recording, {"yard": ZONE}, {"gate": LINE}, None)
        first = next(iter(decoded(video, 1)))
        detector([first])
        start = time.process_time()
        for count, look in enumerate(watch(source, detector, thinking), 1):
            recorder.see(look)
            if count >= frames:
                break
        recorder.finish(thinking.finish())
        return time.process_time() - start


def thinking_ms(people: int, *, fps: float = 25.0, seconds: float = 20.0) -> float:
    """-> mean CPU ms a frame (the slowest 2 % left out) of tracking + scene + five behaviours + alarm rule for `people` who walk about."""
    rng = np.random.default_rng(people)
    size = (1280, 720)
    place = rng.uniform((40, 200), (1240, 700), (people, 2))
    pace = rng.normal(0, 40, (people, 2))
    look = analyst(size)
    spent = []
    for step in range(int(seconds * fps)):
        place += pace / fps
        outside = (place < (40, 200)) | (place > (1240, 700))
        pace[outside] *= -1
        tall = 40 + place[:, 1] / 8
        feet = place + rng.normal(0, 0.6, place.shape)
        boxes = np.stack([feet[:, 0] - tall * 0.2, feet[:, 1] - tall, feet[:, 0] + tall * 0.2, feet[:, 1]], axis=1)
        seen = Detections.of(boxes, rng.uniform(0.6, 0.95, people), np.zeros(people), ("person",))
        start = time.process_time()
        look.look(step / fps, seen)
        spent.append(1000 * (time.process_time() - start))
    return statistics.mean(sorted(spent[len(spent) // 3 :])[: -len(spent) // 50])  # mean: behaviours are asked at every fifth frame


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    video = asset(asked.assets, "footage/pets-s2l1/video.avi")
    model = asset(asked.assets, "models/yolox-nano-416.onnx")
    limits, decodes, wholes = [], [], []
    for _ in range(asked.rounds):
        limit, decode = bare(video, model, asked.frames)
        limits.append(limit)
        decodes.append(decode)
        wholes.append(whole(video, model, asked.frames))
    per_frame = 1000 / asked.frames
    figures = {
        "cpu_ratio": statistics.median(wholes) / statistics.median(limits),
        "ms_whole": statistics.median(wholes) * per_frame,
        "ms_bare": statistics.median(limits) * per_frame,
        "ms_bare_decode": statistics.median(decodes) * per_frame,
        "ms_track_10": thinking_ms(10),
        "ms_track_100": thinking_ms(100),
        "ms_track_10_at_10fps": thinking_ms(10, fps=10, seconds=50),
        "ms_track_100_at_10fps": thinking_ms(100, fps=10, seconds=50),
        "frames": asked.frames,
        "rounds": asked.rounds,
    }
    notes = {
        "cpu_ratio": "whole pipeline ÷ (bare decode + bare inference); goal ≤ 1.10",
        "ms_whole": "CPU ms a frame: decode, detect, track, five behaviours, store",
        "ms_bare": "CPU ms a frame: PyAV to BGR + session.run on a ready tensor",
        "ms_track_10": "CPU ms a frame at 25 fps: tracking + five behaviours + alarm rule, 10 people; goal ≤ 0.5",
        "ms_track_100": "the same, 100 people; goal ≤ 5",
    }
    show(figures, as_json=asked.json, title=f"overhead on {video.name}, {model.name}, 1 thread", notes=notes)


if __name__ == "__main__":
    main()
