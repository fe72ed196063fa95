"""What `pahara doctor` tries on this machine: each check really does a small piece of the work."""

from __future__ import annotations

import base64
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .output import State

# Installed name -> what it is for, in the order in which a watch needs them.
NEEDED = (
    "numpy",
    "scipy",
    "av",
    "onnxruntime",
    "pydantic",
    "ruamel.yaml",
    "sqlalchemy",
    "alembic",
    "typer",
    "rich",
    "jinja2",
    "platformdirs",
    "fastapi",
    "starlette",
    "uvicorn",
    "argon2-cffi",
    "pyotp",
    "cryptography",
    "apprise",
    "paho-mqtt",
    "httpx2",
    "prometheus-client",
)
OPENCV = ("opencv-contrib-python-headless", "opencv-python-headless", "opencv-contrib-python", "opencv-python")
DECODERS = ("h264", "hevc", "mjpeg", "mpeg4")
BANGLA_FONTS = (
    "bengali",
    "bangla",
    "lohit-ben",
    "solaimanlipi",
    "kalpurush",
    "nirmala",
    "vrinda",
    "shonar",
    "mukti",
    "likhan",
    "jamrul",
    "freesans",
    "freeserif",
    "siyam",
)
USUAL = Path("pahara-data")
LOW_SPACE, NO_SPACE = 5e9, 0.2e9  # bytes free
NOBODY_BEFORE = 1_735_689_600  # UTC seconds of 2025-01-01: an earlier clock has lost its battery

# y = sum(x * x) of three numbers, an ONNX model in 103 bytes: the engine is asked to really compute.
TINY_MODEL = base64.b64decode(
    "CAgSBnBhaGFyYTpVCg4KAXgKAXgSAXMiA011bAoiCgFzEgF5IglSZWR1Y2VTdW0qDwoIa2VlcGRpbXMYAKABAhIBZ1oPCgF4EgoKCAgBEgQKAggDYgsKAXkSBgoECAESAEIECgAQDQ=="
)


@dataclass(frozen=True)
class Finding:
    """One line of the doctor. `advice` is the key of a sentence, "" when there is nothing to do."""

    check: str
    state: State
    detail: str = ""
    advice: str = ""
    values: Mapping[str, object] = field(default_factory=dict)  # of the sentence


@dataclass(frozen=True)
class Room:
    """What the checks look at."""

    data: Path  # where events and evidence go
    config: Path | None = None  # a pahara.yml


Check = Callable[[Room], Iterator[Finding]]


def examine(room: Room) -> Iterator[Finding]:
    """Every check, one after the other; a check that breaks is a finding too, never a traceback."""
    for check in CHECKS:
        name = check.__name__
        try:
            yield from check(room)
        except Exception as error:  # noqa: BLE001  (whatever is wrong with this machine is what we are here to tell)
            yield Finding(
                name, "fail", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(": "), "reinstall"
            )


def python(_: Room) -> Iterator[Finding]:
    """The interpreter and the machine."""
    import platform

    import pahara

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    detail = f"pahara {pahara.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, {cores} cores"
    yield Finding("python", "ok" if sys.version_info >= (3, 11) else "fail", detail, "" if sys.version_info >= (3, 11) else "python")


def packages(_: Room) -> Iterator[Finding]:
    """Everything that a watch imports."""
    found = {name: _version(name) for name in NEEDED}
    missing = [name for name, told in found.items() if not told]
    detail = ", ".join(f"{name} {told}" for name, told in found.items() if told)
    yield Finding("packages", "fail" if missing else "ok", detail, "missing" if missing else "", {"names": " ".join(missing)})
    wheels = [name for name in OPENCV if _version(name)]
    if len(wheels) > 1:
        # They share one folder: the last one installed wins, and removing any of them breaks the others.
        yield Finding("packages", "warn", ", ".join(wheels), "opencv_twice", {"names": " ".join(wheels)})


def plugins(_: Room) -> Iterator[Finding]:
    """Everything that pahara.yml can name."""
    from pahara.config.options import model_of
    from pahara.config.registry import GROUPS, find, is_built_in, names
    from pahara.core.errors import ConfigError

    good = 0
    own: list[str] = []
    strange: list[str] = []
    for group in GROUPS:
        for name in names(group):
            try:
                model_of(find(group, name))
                good += 1
            except ConfigError as error:
                (own if is_built_in(group, name) else strange).append(str(error))
    if own or not good:
        yield Finding("plugins", "fail", "; ".join(own), "reinstall")
    else:
        yield Finding("plugins", "ok", str(good))
    if strange:
        yield Finding("plugins", "warn", "; ".join(strange), "plugin")


def decode(_: Room) -> Iterator[Finding]:
    """Film twelve pictures and read them back, through the very code of a watch."""
    import av
    import numpy as np

    from pahara.video import VideoWriter, open_source

    missing = [name for name in DECODERS if not _decoder(name)]
    with tempfile.TemporaryDirectory(prefix="pahara-doctor-") as folder:
        path = Path(folder) / "clip.mp4"
        with VideoWriter(path, threads=1) as writer:
            for k in range(12):
                picture = np.full((96, 128, 3), 40, np.uint8)
                picture[:, 8 * k : 8 * k + 16] = 220
                writer.write(picture, k / 10)
        with open_source(path) as source:
            frames = [frame.image.copy() for frame in source]
    seen = [int(frame[48].mean(axis=1).argmax()) for frame in frames]
    right = len(frames) == 12 and all(abs(x - 8 * k) <= 16 for k, x in enumerate(seen))
    detail = f"PyAV {av.__version__}, FFmpeg {'.'.join(map(str, av.library_versions['libavcodec']))}: H.264, {len(frames)}/12"
    if not right:
        yield Finding("decode", "fail", detail, "reinstall")
    else:
        yield Finding("decode", "warn" if missing else "ok", detail, "decoders" if missing else "", {"names": ", ".join(missing)})
    if "rtsp" not in av.formats_available:
        yield Finding("decode", "warn", "RTSP", "rtsp")


def opencv(_: Room) -> Iterator[Finding]:
    """OpenCV, and the people detector that needs no download."""
    import cv2
    import numpy as np

    people = getattr(cv2, "HOGDescriptor_getDefaultPeopleDetector", None)  # OpenCV 5 has it in its contrib wheels alone
    hog = people is not None and hasattr(cv2, "HOGDescriptor")
    if people is not None and hog:
        descriptor = cv2.HOGDescriptor()
        descriptor.setSVMDetector(people())
        descriptor.detectMultiScale(np.zeros((160, 96, 3), np.uint8))
    moving = cv2.createBackgroundSubtractorMOG2()
    for k in range(3):
        mask = moving.apply(np.full((48, 64, 3), 40 * k, np.uint8))
    works = mask is not None and mask.shape == (48, 64)
    told = f"OpenCV {cv2.__version__}, MOG2{', HOG' if hog else ''}"
    yield Finding("opencv", "fail" if not works else "ok" if hog else "warn", told, "" if hog else "hog")


def inference(_: Room) -> Iterator[Finding]:
    """Both engines compute a sum of squares."""
    import numpy as np
    import onnxruntime as ort

    ort.set_default_logger_severity(3)
    given = np.array([1, 2, 3], np.float32)
    began = time.perf_counter()
    answer = float(ort.InferenceSession(TINY_MODEL, providers=["CPUExecutionProvider"]).run(None, {"x": given})[0])
    took = time.perf_counter() - began
    providers = [name.removesuffix("ExecutionProvider") for name in ort.get_available_providers()]
    detail = f"onnxruntime {ort.__version__} ({', '.join(providers)}), {took * 1000:.0f} ms"
    yield Finding("inference", "ok" if answer == 14.0 else "fail", detail, "" if answer == 14.0 else "reinstall")

    if not _version("openvino"):
        yield Finding("openvino", "ok", "–", "openvino")
        return
    import openvino

    compiled = openvino.Core().compile_model(openvino.Core().read_model(TINY_MODEL), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answer = float(next(iter(compiled([given]).values())))
    yield Finding(
        "openvino",
        "ok" if answer == 14.0 else "warn",
        f"openvino {openvino.__version__.split('-')[0]}",
        "" if answer == 14.0 else "reinstall",
    )


def models(_: Room) -> Iterator[Finding]:
    """Which models are here; the one that "auto" takes looks at an empty picture."""
    import numpy as np

    from pahara.config.detectors import choose_detector
    from pahara.core.errors import ModelError
    from pahara.detection import zoo

    here = [name for name, model in zoo.MODELS.items() if zoo.find(model).path is not None]
    chosen = choose_detector("auto")
    if chosen.kind != "onnx":
        yield Finding("models", "warn", os.environ.get(zoo.MODELS_VARIABLE, "–"), "no_model", {"name": "yolox-nano"})
        return
    try:
        detector = chosen.make()
        picture = [np.full((416, 416, 3), 114, np.uint8)]
        detector(picture)
        began = time.perf_counter()
        detector(picture)
        took = time.perf_counter() - began
    except ModelError as error:
        yield Finding("models", "fail", str(error), "model_broken", {"name": chosen.name})
        return
    yield Finding("models", "ok", f"{', '.join(here)}; auto: {chosen.name}, {took * 1000:.0f} ms")


def webcams(_: Room) -> Iterator[Finding]:
    """Cameras on this computer (none is fine)."""
    devices = sorted(Path("/dev").glob("video[0-9]*")) if sys.platform.startswith("linux") else []
    closed = [str(device) for device in devices if not os.access(device, os.R_OK | os.W_OK)]
    detail = ", ".join(map(str, devices)) or "–"
    yield Finding("webcams", "warn" if closed else "ok", detail, "webcam" if closed else "", {"names": ", ".join(closed)})


def gpu(_: Room) -> Iterator[Finding]:
    """A graphics card helps, but nothing needs one."""
    found = []
    for info in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
        found += [line.split(":", 1)[1].strip() for line in lines if line.startswith("Model")]
    if not found and Path("/dev/nvidia0").exists():
        found.append("NVIDIA")
    found += [str(node) for node in sorted(Path("/dev/dri").glob("renderD*"))] if not found else []
    yield Finding("gpu", "ok", ", ".join(found) or "–")


def storage(room: Room) -> Iterator[Finding]:
    """The data folder can be written, has space, and SQLite works in it."""
    import sqlite3

    folder = _data(room)
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir():
        yield Finding("storage", "fail", str(there), "not_a_folder", {"path": there})
        return
    try:
        with tempfile.TemporaryDirectory(prefix=".pahara-doctor-", dir=there) as scratch:
            (Path(scratch) / "evidence").write_bytes(b"\0" * 65536)
            database = sqlite3.connect(Path(scratch) / "pahara.db")
            mode = database.execute("pragma journal_mode=wal").fetchone()[0]
            database.execute("create table t (n)")
            database.commit()
            database.close()
    except (OSError, sqlite3.Error) as error:
        yield Finding("storage", "fail", f"{folder}: {error}", "cannot_write", {"path": there})
        return
    free = shutil.disk_usage(there).free
    state: State = "fail" if free < NO_SPACE else "warn" if free < LOW_SPACE or mode != "wal" else "ok"
    advice = "space" if free < LOW_SPACE else "" if mode == "wal" else "network_folder"
    yield Finding("storage", state, f"{folder}: {free / 1e9:.1f} GB, SQLite {sqlite3.sqlite_version} {mode}", advice, {"path": there})


def dashboard(room: Room) -> Iterator[Finding]:
    """The port of `pahara run` is free, and its certificate can be read."""
    import socket
    import ssl

    from pahara.config.loading import load
    from pahara.config.model import WebPart
    from pahara.core.errors import ConfigError

    told = WebPart()
    if room.config is not None:
        try:
            told = load(room.config).web
        except ConfigError:
            return  # said by the check of the configuration
    where = f"{told.host}:{told.port}"
    try:
        with socket.socket(socket.AF_INET6 if ":" in str(told.host) else socket.AF_INET) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a port that was just left counts as free
            tried.bind((str(told.host), told.port))
            tried.listen(1)
    except (OSError, OverflowError) as problem:
        yield Finding("dashboard", "warn", f"{where}: {getattr(problem, 'strerror', None) or problem}", "port", {"port": told.port})
        return
    if told.certificate and room.config is not None:
        folder = room.config.expanduser().absolute().parent
        certificate, key = (folder / Path(str(each)).expanduser() for each in (told.certificate, told.key))
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except (OSError, ValueError) as problem:
            yield Finding("dashboard", "fail", f"{certificate}: {problem}", "certificate", {"path": certificate})
            return
    yield Finding("dashboard", "ok", f"{'https' if told.certificate else 'http'}, {where}")


def clock(_: Room) -> Iterator[Finding]:
    """Schedules and evidence are worth what the clock is worth."""
    from zoneinfo import ZoneInfo

    now = time.time()
    here = time.strftime("%Y-%m-%d %H:%M %Z (UTC%z)", time.localtime(now))
    ZoneInfo("Asia/Dhaka")  # the zone files are there; else this check fails
    if now < NOBODY_BEFORE:
        yield Finding("clock", "fail", here, "clock")
    else:
        yield Finding("clock", "ok", here)


def font(_: Room) -> Iterator[Finding]:
    """Reports in Bangla need a font in the browser of whoever reads them."""
    found = next(_bangla_fonts(), "")
    yield Finding("font", "ok" if found else "warn", found, "" if found else "font")


def configuration(room: Room) -> Iterator[Finding]:
    """The pahara.yml that was named, or that lies here."""
    from pahara.config.loading import load
    from pahara.core.errors import ConfigError

    if room.config is None:
        yield Finding("configuration", "ok", "–", "no_config")
        return
    try:
        loaded = load(room.config)
    except ConfigError as error:
        yield Finding("configuration", "fail", str(error).splitlines()[0].rstrip(":"), "config", {"file": room.config})
        return
    state: State = "warn" if loaded.notes else "ok"
    told = f"{room.config}: {', '.join(loaded.cameras) or '–'}"
    yield Finding("configuration", state, told, "config" if loaded.notes else "", {"file": room.config})


CHECKS: tuple[Check, ...] = (
    python,
    packages,
    plugins,
    decode,
    opencv,
    inference,
    models,
    storage,
    configuration,
    dashboard,
    clock,
    webcams,
    gpu,
    font,
)


def _data(room: Room) -> Path:
    """Where a watch would write: what was named; else what the configuration says."""
    from pahara.config import load, store_place
    from pahara.core.errors import ConfigError

    if room.config is not None and room.data == USUAL:
        try:
            return store_place(load(room.config))[1]
        except ConfigError:
            pass  # said by the check of the configuration
    return room.data.expanduser().absolute()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _decoder(name: str) -> bool:
    import av

    try:
        return not av.codec.Codec(name, "r").is_encoder
    except (ValueError, av.error.FFmpegError):
        return False


def _bangla_fonts() -> Iterator[str]:
    home = Path.home()
    places = [
        Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".fonts", home / ".local/share/fonts",
        Path("/Library/Fonts"), Path("/System/Library/Fonts"), home / "Library/Fonts",
        Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts",
    ]  # fmt: skip
    for place in places:
        for folder, _folders, files in os.walk(place):
            for file in files:
                if file.lower().endswith((".ttf", ".otf", ".ttc")) and any(word in file.lower() for word in BANGLA_FONTS):
                    yield str(Path(folder) / file)
