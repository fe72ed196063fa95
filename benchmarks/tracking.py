"""How well people are followed on real footage with default settings: MOTA, IDF1, HOTA, ID switches, speed.

Every frame is detected (YOLOX-nano, one thread) and tracked; the same detections at half the frame rate show that
the tracker does not depend on it. `--clip DIR` measures another clip: a folder with one video (or a folder `img1`
of pictures) and `gt.txt` in MOT format, whose frame k + 1 is the video's frame k.
"""

from __future__ import annotations

import configparser
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from pahara.core import Detections, PaharaError
from pahara.detection import load_detector
from pahara.evaluation import Annotations, TrackingReport, evaluate_tracking, read_mot
from pahara.tracking import ByteTrack
from pahara.video import open_source
from shared import arguments, asset, show

PETS_SCALE = 1.6  # its ground truth was made on a picture 1.6 times as wide as the video
VIDEOS = (".avi", ".mp4", ".mkv", ".mov", ".webm")
BARE_EVERY = 8  # frames between two runs of the bare model, taken in turns with the whole so that both see the same machine


def detect(video: Path, model: Path) -> tuple[list[tuple[float, Detections]], tuple[int, int], float, float]:
    """-> (time, people) of every frame, picture size, mean seconds of a detection and of the bare model."""
    import onnxruntime as ort

    detector = load_detector(model, threads=1, classes=("person",))
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    ready = np.random.default_rng(0).uniform(0, 255, port.shape).astype(np.float32)
    session.run(None, {port.name: ready})
    rows: list[tuple[float, Detections]] = []
    took: list[float] = []
    bare: list[float] = []
    with open_source(video, camera="bench", ring_seconds=0) as source:
        for frame in source:
            start = time.perf_counter()
            (found,) = detector.look([frame])  # as a watch does
            took.append(time.perf_counter() - start)
            rows.append((frame.time, found))
            if len(rows) % BARE_EVERY == 1:
                start = time.perf_counter()
                session.run(None, {port.name: ready})
                bare.append(time.perf_counter() - start)
        return rows, source.size, float(np.mean(took)), float(np.mean(bare))


def follow(rows: list[tuple[float, Detections]], step: int) -> tuple[Annotations, float]:
    """Every `step`-th frame through the tracker -> what was seen, with frame numbers from 1; mean seconds a frame."""
    tracker = ByteTrack()
    frames, ids, boxes = [], [], []
    took = 0.0
    for number in range(0, len(rows), step):
        when, found = rows[number]
        start = time.perf_counter()
        seen = tracker.update(found, when)
        took += time.perf_counter() - start
        frames += [number + 1] * int(seen.seen.sum())
        ids += seen.ids[seen.seen].tolist()
        boxes += seen.boxes[seen.seen].tolist()
    return Annotations.of(frames, boxes, ids=ids), took / len(range(0, len(rows), step))


def judge(truth: Annotations, rows: list[tuple[float, Detections]], step: int) -> tuple[TrackingReport, float]:
    found, seconds = follow(rows, step)
    looked_at = np.isin(truth.frames, np.arange(0, len(rows), step) + 1)
    return evaluate_tracking(truth[looked_at], found), seconds


def clip_of(folder: Path) -> tuple[Path, Path]:
    """-> the video and the ground truth of a clip's folder."""
    truth = next((file for file in (folder / "gt.txt", folder / "gt" / "gt.txt") if file.exists()), None)
    videos = sorted(file for file in folder.glob("*") if file.suffix.lower() in VIDEOS)
    video = videos[0] if videos else folder / "img1"
    if truth is None or not video.exists():
        sys.exit(f"{folder} needs gt.txt (or gt/gt.txt) and a video or a folder img1")
    return video, truth


def scale_of(folder: Path, truth: Annotations, size: tuple[int, int]) -> float:
    """By what to multiply the truth: from the MOT challenge's seqinfo.ini, else 1 when the boxes fit the picture."""
    info = configparser.ConfigParser()
    if info.read(folder / "seqinfo.ini") and info.has_option("Sequence", "imWidth"):
        return size[0] / info.getint("Sequence", "imWidth")
    centres = (truth.boxes[:, :2] + truth.boxes[:, 2:]) / 2
    if len(centres) and (centres.max(axis=0) > size).any():
        sys.exit(f"{folder}: the truth reaches {centres.max(axis=0).round()} but the picture is {size}; give --scale (PETS: {PETS_SCALE})")
    return 1.0


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--clip", type=Path, help="another clip's folder (default: PETS 2009 S2.L1 of the assets)")
    parser.add_argument("--scale", type=float, help="truth pixels in one video pixel (PETS: 1.6)")
    options = parser.parse_args()
    model = asset(options.assets, "models/yolox-nano-416.onnx")
    folder = options.clip or asset(options.assets, "footage/pets-s2l1")
    video, truth_file = clip_of(folder)
    truth = read_mot(truth_file)
    rows, size, detecting, bare = detect(video, model)
    if options.scale:
        scale = 1 / options.scale
    elif options.clip is None:
        scale = 1 / PETS_SCALE
    else:
        scale = scale_of(folder, truth, size)
    truth = truth.scaled(scale)
    full, tracking = judge(truth, rows, 1)
    half, _ = judge(truth, rows, 2)
    figures: dict[str, Any] = {
        "mota": full.clear.mota,
        "idf1": full.identity.idf1,
        "hota": full.hota.hota,
        "id_switches": full.clear.id_switches,
        "fps": 1 / (detecting + tracking),
        "fps_bare": 1 / bare,
        "ms_track": tracking * 1000,
        "motp": full.clear.motp,
        "deta": full.hota.deta,
        "assa": full.hota.assa,
        "false_positives": full.clear.false_positives,
        "misses": full.clear.misses,
        "fragments": full.clear.fragments,
        "tracks": full.found_identities,
        "people": full.truth_identities,
        "frames": len(rows),
        "mota_half": half.clear.mota,
        "idf1_half": half.identity.idf1,
        "hota_half": half.hota.hota,
        "id_switches_half": half.clear.id_switches,
    }
    notes = {
        "mota": "CLEAR MOT at IoU 0.5",
        "idf1": "identity F1 at IoU 0.5",
        "hota": "mean over IoU 0.05 ... 0.95",
        "fps": "detection + tracking, one thread",
        "fps_bare": "the same model alone on a ready tensor",
        "ms_track": "tracking, a frame",
        "motp": "mean IoU of matched boxes",
        "tracks": "identities reported",
        "people": "identities in the truth",
        "mota_half": "every second frame: the same four again",
    }
    show(figures, as_json=options.json, title=f"{folder.name}, YOLOX-nano 416, default tracker", notes=notes)


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
