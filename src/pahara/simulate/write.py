"""Staged scenes as files: an H.264 video or a folder of pictures, with the truth beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2

from pahara.core import StoreError

from .incidents import incidents
from .places import lines_of, script_rules, zones_of
from .render import Stage
from .script import Script
from .truth import Sighting, Truth, write_truth

Progress = Callable[[int, int], None]  # frames done, frames in all


def truth_of(script: Script, frames: list[tuple[float, tuple[Sighting, ...]]] | None = None, *, stage: Stage | None = None) -> Truth:
    """The truth of a script. Without `frames` it is worked out without drawing; the incidents alone need no frames: pass []."""
    stage = stage or Stage(script, draw=False)
    if frames is None:
        frames = [(shot.time, shot.truth) for shot in stage]
    return Truth(
        script.name, script.fps, script.size, script.frame_count / script.fps, script.epoch_seconds, zones_of(script), lines_of(script), frames,
        incidents(script, stage.company), tuple(script_rules(script)),
    )  # fmt: skip


def write_video(script: Script, path: str | Path, *, truth_path: str | Path | None = None, progress: Progress | None = None) -> Truth:
    """Stage a script as an H.264 file, and its truth as JSON where `truth_path` is given; -> the truth.

    The file is written beside its place and moved there when it is whole. StoreError when it cannot be written.
    """
    path = Path(path)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part.mp4")
    stage = Stage(script)
    truth = truth_of(script, [], stage=stage)  # before the long work: a script that cannot be judged fails at once
    frames: list[tuple[float, tuple[Sighting, ...]]] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(beside), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = _h264(container, script)
            for n, shot in enumerate(stage):
                frame = av.VideoFrame.from_ndarray(shot.image, format="bgr24").reformat(format="yuv420p", threads=1)
                frame.pts, frame.time_base = n, stream.codec_context.time_base
                container.mux(stream.encode(frame))
                frames.append((shot.time, shot.truth))
                if progress is not None:
                    progress(n + 1, len(stage))
            container.mux(stream.encode(None))
        truth = replace(truth, frames=frames)
        if truth_path is not None:
            write_truth(truth, truth_path)
        beside.replace(path)
    except (OSError, av.error.FFmpegError) as error:
        raise StoreError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return truth


def _h264(container: av.container.OutputContainer, script: Script) -> av.VideoStream:
    """An H.264 stream as cheap recorders make it: few B-frames, regular key frames."""
    told = script.compression
    options = {"preset": "veryfast", "bf": "0", "x264-params": "colormatrix=smpte170m:range=tv"}
    if not told.kbps:
        options["crf"] = str(told.crf)
    rate = Fraction(script.fps).limit_denominator(1001)
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height = script.size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = stream.time_base = 1 / rate
    stream.codec_context.gop_size = max(1, round(told.keyframe * script.fps))
    stream.codec_context.thread_count = 1
    if told.kbps:
        stream.codec_context.bit_rate = told.kbps * 1000
    return stream


def write_frames(script: Script, folder: str | Path, *, quality: int = 90, progress: Progress | None = None) -> Truth:
    """Stage a script as JPEG pictures 000000.jpg … with truth.json in a new folder; -> the truth.

    StoreError when the folder stands already and is not empty, or cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"{folder} exists already; give the name of a new folder")
    stage = Stage(script)
    truth = truth_of(script, [], stage=stage)
    frames: list[tuple[float, tuple[Sighting, ...]]] = []
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {getattr(error, 'strerror', None) or error}") from error
    try:
        for n, shot in enumerate(stage):
            (beside / f"{n:06d}.jpg").write_bytes(cv2.imencode(".jpg", shot.image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
            frames.append((shot.time, shot.truth))
            if progress is not None:
                progress(n + 1, len(stage))
        truth = replace(truth, frames=frames)
        write_truth(truth, beside / "truth.json")
        if folder.exists():
            folder.rmdir()
        beside.chmod(0o755)
        beside.replace(folder)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {getattr(error, 'strerror', None) or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return truth
