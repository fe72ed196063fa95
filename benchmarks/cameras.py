"""Eight cameras on two cores: real RTSP streams of 640x360, five looks a second, YOLOX-nano behind the motion gate, a quarter of the time active.

A second of people (PETS 2009 S2.L1, at 640x360) for every three of the same place without them (its median, with a sensor's noise), ten pictures a
second; the eight streams are shifted so that two are active at any moment. GStreamer serves them from files without encoding; its processor time is
measured apart. The whole service runs: store, evidence, outbox; nobody watches the dashboard.

`cpu` is processor seconds of Pahara a second (2.0 would be two whole cores), `dropped` the share of looks that were due and were pushed out by
newer ones, `latency_p95_s` the time from a picture's UTC to its alert's publication, `clip_ready_p95_s` from the end of an event's post-roll
to its clip on the disk. The machine's load by others is told too: it is in every figure.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import av
import cv2
import numpy as np
from ruamel.yaml import YAML

from pahara.core import Event, Image
from pahara.pipeline.service import Service
from pahara.video import open_source
from shared import arguments, asset, show
from streams import Server, wait_for

SIZE, FPS, ACTIVE, CYCLE = (640, 360), 10, 15, 60  # pixels, pictures a second, seconds
CAMERAS = 8
AFTER, LONGEST = 3.0, 10.0  # seconds of evidence


def pictures(source: Path) -> list[Image]:
    """One cycle: people, then the same place without them."""
    frames = []
    with open_source(source, ring_seconds=0) as video:
        for number, frame in enumerate(video):
            if number >= 400 + ACTIVE * FPS:
                break
            height = frame.image.shape[1] * SIZE[1] // SIZE[0]
            top = (frame.image.shape[0] - height) // 2
            frames.append(cv2.resize(frame.image[top : top + height], SIZE, interpolation=cv2.INTER_AREA))
    empty = np.median(np.stack(frames[::8]), axis=0)
    noise = np.random.default_rng(0)
    quiet = [np.clip(empty + noise.normal(0, 2, empty.shape), 0, 255).astype(np.uint8) for _ in range((CYCLE - ACTIVE) * FPS)]
    return frames[-ACTIVE * FPS :] + quiet


def films(folder: Path, cycle: list[Image], seconds: float) -> list[Path]:
    """One film for each camera, as long as it takes, encoded once; each begins at another place of the cycle."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *SIZE, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.gop_size = Fraction(1, FPS), Fraction(FPS), FPS
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "sc_threshold": "0", "crf": "25"}
    packets = []
    for number, image in enumerate(cycle):
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p", threads=1)
        frame.pts, frame.time_base = number, encoder.time_base
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    made = []
    for camera in range(CAMERAS):
        path = folder / f"{camera}.mp4"
        shift = camera * CYCLE * FPS // CAMERAS // FPS * FPS  # to a keyframe
        with av.open(str(path), "w") as container:
            stream = container.add_mux_stream("h264", rate=FPS, width=SIZE[0], height=SIZE[1])
            stream.time_base = Fraction(1, FPS)
            for number in range(int(seconds * FPS)):
                old = packets[(number + shift) % len(packets)]
                new = av.Packet(bytes(old))
                new.pts = new.dts = number
                new.time_base, new.is_keyframe, new.stream, new.duration = Fraction(1, FPS), old.is_keyframe, stream, 1
                container.mux_one(new)
        made.append(path)
    return made


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--rate", type=float, default=5.0, help="looks a second at each camera")
    told = parser.parse_args()
    model, source = asset(told.assets, "models/yolox-nano-416.onnx"), asset(told.assets, "footage/pets-s2l1/video.avi")
    with tempfile.TemporaryDirectory(prefix="pahara-cameras-") as room:
        figures, notes = measure(Path(room), model, source, told.minutes, told.rate)
    show(figures, as_json=told.json, notes=notes)


def measure(room: Path, model: Path, source: Path, minutes: float, rate: float) -> tuple[dict[str, float], dict[str, str]]:
    """Serve, watch, and look at what came of it."""
    server = Server(*films(room, pictures(source), minutes * 60 + 90))
    zone = {"zones": {"middle": [[0.3, 0.2], [0.7, 0.2], [0.7, 1], [0.3, 1]]}, "behaviours": [{"kind": "intrusion", "zone": "middle"}]}
    data = {
        "version": 1, "detector": str(model), "evidence": {"before": 2, "after": AFTER, "longest": LONGEST}, "store": {"path": "data"},
        "cameras": {f"camera-{n}": {"source": server.address(str(n)), **zone} for n in range(CAMERAS)},
    }  # fmt: skip
    file = room / "pahara.yml"
    with file.open("w", encoding="utf-8") as writing:
        YAML().dump(data, writing)
    latencies: list[float] = []

    def heard(event: Event) -> None:
        if event.phase == "began" and event.epoch:
            latencies.append(time.time() - (event.epoch + event.time))

    service = Service(file, rate=rate)
    service.live.listen(heard)
    service.start()
    try:
        stations = service.live.stations
        if wait_for(lambda: all(each.looks > 10 for each in stations.values()), 60) is None:
            sys.exit(f"not every camera was seen: {[each.status() for each in stations.values()]}")
        latencies.clear()

        def sums() -> np.ndarray:
            each = [(one.looks, one.slot.dropped, one.detected, one.status().reconnects) for one in stations.values()]
            return np.array(each, float).sum(axis=0)

        before, wall, cpu, served, began = sums(), time.monotonic(), time.process_time(), server.cpu(), time.time()
        loads, last = [], before
        end = wall + minutes * 60
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 60.0))
            loads.append(os.getloadavg()[0])
            now = sums()
            at, last = now - last, now
            minute = (time.monotonic() - wall) / 60
            print(f"  {minute:5.1f} min: {at[0]:.0f} looks, {at[1]:.0f} dropped, load {loads[-1]:.1f}", file=sys.stderr)
        took = time.monotonic() - wall
        looks, dropped, detected, reconnects = sums() - before
        used, gave = time.process_time() - cpu, server.cpu() - served
        backlog = service.live.health().backlog
        service.live.keeper.flush(30)
        ready = clips(service, began)
    finally:
        service.stop()
        server.kill()
    figures = {
        "cameras": CAMERAS,
        "minutes": took / 60,
        "cpu": used / took,
        "dropped": dropped / max(looks + dropped, 1),
        "latency_p95_s": float(np.quantile(latencies, 0.95)) if latencies else float("nan"),
        "clip_ready_p95_s": float(np.quantile(ready, 0.95)) if ready else float("nan"),
    }
    each, seen, middle = looks / took / CAMERAS, detected / max(looks, 1), float(np.median(latencies)) if latencies else float("nan")
    notes = {
        "cameras": f"640x360, {each:.2f} looks a second each, {seen:.0%} with the detector; {reconnects:.0f} reconnects",
        "cpu": f"processor seconds a second, of {os.cpu_count()} cores; RTSP server besides {gave / took:.2f}; load {np.mean(loads):.1f}",
        "dropped": f"{dropped:.0f} of {looks + dropped:.0f} looks that were due; {backlog} pieces waited for the disk at the end",
        "latency_p95_s": f"of {len(latencies)} alerts, median {middle:.2f} s, from a picture's coming to its alert",
        "clip_ready_p95_s": f"of {len(ready)} clips, after the post-roll",
    }
    return figures, notes


def clips(service: Service, since: float) -> list[float]:
    """Seconds from the end of a clip's last second to the clip on the disk."""
    found = []
    for each in service.store.every_event(since=since):
        clip, event = each.kept("clip"), each.event
        if clip is not None and event.phase == "ended":
            end = min(event.time + AFTER, event.start + LONGEST + AFTER)
            found.append(clip.stored - (event.epoch + end))
    return found


if __name__ == "__main__":
    main()
