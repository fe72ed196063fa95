"""The format of pahara.yml: what may stand where. What a plug-in's options mean is the plug-in's own affair."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from pahara.core.rate import Rate
from pahara.core.secrets import MASKED, VARIABLE

from .options import TEXT, no_boolean
from .problems import Problem
from .registry import names
from .secrets import Secret, shown

VERSION: Literal[1] = 1
NETWORK = ("rtsp", "rtsps", "http", "https")
_CAMERA = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SECRETS = ("url", "secret", "password", "token", "user")  # options of channels that nobody may read
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: C:\ is a Windows drive

# What a camera looks for when nobody says anything: what makes sense in the whole picture, with default limits.
# Intrusion, crossing, wrong way and tailgating need a place that only the owner knows.
STANDARD: tuple[Mapping[str, Any], ...] = (
    {"kind": "running"},
    {"kind": "falling"},
    {"kind": "loitering", "seconds": 60.0},
    {"kind": "crowding"},
    {"kind": "abandoned"},
    {"kind": "tamper"},
)


def _error(said: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("said", "{said}", {"said": said, "hint": hint})


def _camera_id(key: str) -> str:
    if not _CAMERA.fullmatch(key):
        raise _error(
            f"'{key[:80]}' cannot be the key of a camera: it becomes part of file names and addresses",
            "Use the letters a-z, digits, - and _; the name that people read goes into 'name:', in any script",
        )
    return key


def _label(word: str) -> str:
    if not word.strip() or len(word) > 80 or not word.isprintable():
        raise _error("a name has 1 to 80 printable characters", "Shorten it")
    return word


def _source(text: str) -> str:
    match = SCHEME.match(text)
    if not text.strip() or "\0" in text:
        raise _error("the source is empty", "Give a video file, a folder of pictures, webcam:0 or rtsp://…")
    if match and match[1].lower() != "webcam" and not (match[1].lower() in NETWORK and text[match.end() :].startswith("//")):
        told = f"'{match[1]}'" if not isinstance(text, Secret) else f"in '{text.shown}'"
        raise _error(
            f"sources of the kind {told} are not opened",
            "Give a file, a folder of pictures, webcam:0, rtsp://…, rtsps://…, http://… or https://…",
        )
    return text


def _timezone(name: str) -> str:
    try:
        if name != "local":
            ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise _error(f"no time zone named '{name[:80]}'", "Write it like Asia/Dhaka, UTC or local") from None
    return name


def _fraction(value: float) -> float:
    if value != value or not 0 <= value <= 1:
        hint = "Divide pixels by the picture's width (x) and height (y)" if value > 1 else ""
        raise _error(f"{value:g} is not between 0 and 1: places are fractions of the picture", hint)
    return value


def _corners(corners: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    if len(corners) < 3:
        raise _error(f"a zone needs at least 3 corners, got {len(corners)}", "For example [[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]")
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, (*corners[1:], corners[0]), strict=True)) / 2
    if abs(area) < 1e-6:
        raise _error("a zone without area: its corners lie on one line", "")
    return corners


def line_mapping(value: Any) -> Any:
    """[[x, y], [x, y]] is {from: [x, y], to: [x, y]}."""
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise _error(f"a line has 2 ends, got {len(value)}", "For example {from: [0.2, 0.5], to: [0.8, 0.5]}")
        return {"from": value[0], "to": value[1]}
    return value


def _kind_alone(value: Any) -> Any:
    """`running` is {kind: running}."""
    return {"kind": value} if isinstance(value, str) else value


def gate_mapping(value: Any) -> Any:
    if value in ("off", "no") or value is False:
        return {"enabled": False}
    return {} if value in ("on", "yes") or value is True else value


def pose_mapping(value: Any) -> Any:
    """`movenet` is {model: movenet}; off is {enabled: false}."""
    if value in ("off", "no") or value is False:
        return {"enabled": False}
    if value in ("on", "yes") or value is True:
        return {}
    return {"model": value} if isinstance(value, str) else value


Text = Annotated[TEXT, PlainSerializer(shown)]
Name = Annotated[Text, AfterValidator(_label)]
NoName = Annotated[Text, AfterValidator(lambda word: word and _label(word))]  # "" is allowed
CameraId = Annotated[str, AfterValidator(_camera_id)]
SourceText = Annotated[Text, AfterValidator(_source)]
NoSource = Annotated[Text, AfterValidator(lambda text: text and _source(text))]
Number = Annotated[float, BeforeValidator(no_boolean)]
Fraction = Annotated[Number, AfterValidator(_fraction), Field(json_schema_extra={"minimum": 0, "maximum": 1})]
Corner = tuple[Fraction, Fraction]
Corners = Annotated[tuple[Corner, ...], AfterValidator(_corners), Field(json_schema_extra={"minItems": 3})]
More = Annotated[float, Field(ge=0), BeforeValidator(no_boolean)]
Above = Annotated[float, Field(gt=0), BeforeValidator(no_boolean)]


class Part(BaseModel):
    """A mapping of the file that knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True, use_attribute_docstrings=True)


class Choice(BaseModel):
    """A plug-in by its kind, and its options: every further key."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True, use_attribute_docstrings=True)

    @property
    def options(self) -> dict[str, Any]:
        """What was written beside the keys that every entry has."""
        return dict(self.model_extra or {})


class BehaviourChoice(Choice):
    """What to look for."""

    kind: Text
    """Which behaviour."""
    name: NoName = ""
    """Its name in events, unique within its camera; by default the kind, or kind-place."""
    alarm: dict[str, Any] = {}
    """When to tell: the fields of the alarm rule."""


class DetectorChoice(Choice):
    """What finds people and things in a picture."""

    kind: Text = "onnx"
    """onnx, auto, motion, or another detector that is installed."""


class SignalChoice(Choice):
    """What else is measured in the whole picture."""

    kind: Text
    """Which signal."""


class TrackerChoice(Choice):
    """What follows them from picture to picture."""

    kind: Text = "bytetrack"
    """Which tracker."""


class GateChoice(Choice):
    """Whether the detector rests while nothing moves."""

    enabled: bool = True
    """false: detect in every picture."""


class Line(Part):
    """A directed line: what goes from its left hand to its right hand (seen from `from` towards `to`) crosses forward."""

    start: Corner = Field(alias="from")
    """x, y as fractions of the picture."""
    end: Corner = Field(alias="to")
    """x, y as fractions of the picture."""

    @model_validator(mode="after")
    def _has_length(self) -> Line:
        if math.dist(self.start, self.end) < 1e-3:
            raise _error("a line's two ends are the same point")
        return self


class ChannelChoice(Choice):
    """A way to tell someone: a kind, its options, and what to tell (cameras, behaviours, quiet, even_in_quiet, cooldown, expires, ended)."""

    kind: Text
    """apprise (Telegram, e-mail, Slack and others), webhook, mqtt, or another notifier that is installed."""
    language: Literal["bn", "en"] | None = None
    """Of the messages; by default the language of all."""
    picture: bool = True
    """Send the picture of the moment along."""

    @model_validator(mode="before")
    @classmethod
    def _keep_quiet(cls, value: Any) -> Any:
        """Addresses of messengers are secrets as a whole; they are never shown, wherever they come from."""
        if not isinstance(value, Mapping):
            return value
        return {
            key: Secret(str.__str__(each), each.shown if isinstance(each, Secret) and VARIABLE.search(each.shown) else MASKED)
            if key in SECRETS and isinstance(each, str) and each
            else each
            for key, each in value.items()
        }


class NotifyPart(Part):
    """Who is told of what."""

    address: NoName = ""
    """Address of the dashboard as receivers open it, for links: https://pahara.example:8971."""
    channels: dict[CameraId, ChannelChoice] = {}
    """Ways to tell someone, each by a short key, e.g. phone."""


class StorePart(Part):
    """Where events, trails and evidence are kept, and how long."""

    path: Text = "pahara-data"
    """Folder of the database and the evidence; relative to this file."""
    url: Text = ""
    """Database instead of the folder's own SQLite: postgresql://{PAHARA_DB_USER}:{PAHARA_DB_PASSWORD}@host/pahara. Evidence stays in `path`."""
    days: More | None = 30.0
    """Days that evidence is kept; null is for ever."""
    gigabytes: More | None = 50.0
    """Evidence in all; the oldest goes first. null is without limit."""
    min_free_gigabytes: More | None = 2.0
    """Leave so much of the disk free."""
    track_days: More | None = 30.0
    """Days that trails are kept (for replay and back-test)."""
    event_days: More | None = None
    """Days that events themselves are kept."""


class WebPart(Part):
    """The dashboard and its API."""

    host: Text = "0.0.0.0"
    """Address to listen on: 0.0.0.0 is every network of this machine, 127.0.0.1 this machine alone."""
    port: Annotated[int, Field(ge=0, le=65535), BeforeValidator(no_boolean)] = 8971
    """0 is any that is free."""
    certificate: Text = ""
    """Path of a TLS certificate (PEM, with its chain); then https is spoken."""
    key: Text = ""
    """Path of its private key (PEM)."""

    @model_validator(mode="after")
    def _both_or_none(self) -> WebPart:
        if bool(self.certificate) != bool(self.key):
            raise _error("a certificate and its key go together", "Give both, or none")
        return self


class EvidencePart(Part):
    """The clip of an event."""

    before: More = 5.0
    """Seconds before the event began."""
    after: More = 5.0
    """Seconds after it ended."""
    longest: Above = 30.0
    """Seconds of one event that a clip shows."""


class RecordingPart(Part):
    """Continuous recording by `pahara run`: what cameras send, as it comes, in files of a minute; of `record` where a camera has it."""

    enabled: bool = False
    """true: keep everything, not only events. A camera of 2 Mbit/s takes about 22 gigabytes a day."""
    days: More | None = 3.0
    """Days that it is kept; null is for ever."""
    gigabytes: More | None = 50.0
    """Of all cameras together; the oldest goes first. null is without limit. It goes before evidence does."""


class PoseChoice(Part):
    """Joints of the people in view: where their limbs are."""

    enabled: bool = True
    """false: nobody's joints are looked for."""
    model: Text = "movenet"
    """A model's name (movenet, rtmo-t; see `pahara models list`), or a path to an .onnx or .tflite file."""
    per_second: Above = 10.0
    """Looks a second at most: of crops of one person, or of the whole picture with models that see everybody."""
    least_height: More = 30.0
    """Pixels of a body below which nobody is looked at."""


NO_POSE = PoseChoice(enabled=False)


def _rate(written: str) -> str:
    try:
        Rate.of(written)
    except ValueError as error:
        raise _error(str(error)) from None
    return written


def _budget_mapping(value: Any) -> Any:
    """`3/day` is {budget: 3/day}."""
    return {"budget": value} if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def _as_text(value: Any) -> Any:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


class AlarmBudgetPart(Part):
    """One budget of alarms for all that a camera looks for: what goes beyond it is kept, and nobody is told."""

    budget: Annotated[Text, BeforeValidator(_as_text), AfterValidator(_rate)]
    """So many alarms: 3/day, 1/week, 2/h."""
    first: tuple[Name, ...] = ()
    """Names of behaviours in order of importance; room is kept for them."""
    always: tuple[Name, ...] = ()
    """Names of behaviours that are told even when the budget is spent."""


def _listed(value: Any) -> Any:
    if isinstance(value, str | dict):
        raise _error("must be a list", "Begin each behaviour with '- '")
    return value


def _listed_signals(value: Any) -> Any:
    if isinstance(value, str | dict):
        raise _error("must be a list", "Begin each signal with '- '")
    return value


Behaviours = Annotated[tuple[Annotated[BehaviourChoice, BeforeValidator(_kind_alone)], ...], BeforeValidator(_listed)]
Signals = Annotated[tuple[Annotated[SignalChoice, BeforeValidator(_kind_alone)], ...], BeforeValidator(_listed_signals)]
AlarmBudgetChoice = Annotated[AlarmBudgetPart, BeforeValidator(_budget_mapping)]
Detector = Annotated[DetectorChoice, BeforeValidator(lambda value: detector_mapping(value))]
Tracker = Annotated[TrackerChoice, BeforeValidator(_kind_alone)]
Gate = Annotated[GateChoice, BeforeValidator(gate_mapping)]
Pose = Annotated[PoseChoice, BeforeValidator(pose_mapping)]


class Defaults(Part):
    """What cameras do that say nothing themselves."""

    behaviours: Behaviours = tuple(BehaviourChoice.model_validate(each) for each in STANDARD)
    """For cameras without `behaviours`. Without this: running, falling, loitering for 60 s, crowding, abandoned, tamper."""


class Camera(Part):
    """One camera."""

    source: SourceText
    """Video file, folder of pictures, webcam:0, or rtsp://… (best the small sub-stream: the detector needs no more)."""
    name: NoName = ""
    """What people call it, in any script; by default its key."""
    enabled: bool = True
    """false: this camera is left alone."""
    record: NoSource = ""
    """The main stream, for evidence in full quality."""
    zones: dict[Name, Corners] = {}
    """Places: a name and at least 3 corners, each [x, y] in fractions of the picture, from the top left."""
    lines: dict[Name, Annotated[Line, BeforeValidator(line_mapping)]] = {}
    """Directed lines: a name and {from: [x, y], to: [x, y]}."""
    behaviours: Behaviours | None = None
    """What to look for; [] is nothing, and without this key `defaults.behaviours` counts."""
    signals: Signals | None = None
    """Instead of the signals of all."""
    detector: Detector | None = None
    """Instead of the detector of all."""
    tracker: Tracker | None = None
    """Instead of the tracker of all."""
    alarm_budget: AlarmBudgetChoice | None = None
    """Instead of the alarm budget of all."""
    gate: Gate | None = None
    """Instead of the motion gate of all."""
    pose: Pose | None = None
    """Instead of the pose of all, e.g. {model: movenet, per_second: 10}."""


class Config(Part):
    """A whole pahara.yml."""

    model_config = ConfigDict(title="pahara.yml")

    version: Literal[1] = VERSION
    """Of this format."""
    language: Literal["bn", "en"] = "en"
    """Of events and reports."""
    timezone: Annotated[Text, AfterValidator(_timezone)] = "local"
    """Of schedules, e.g. Asia/Dhaka; "local" is the clock of this machine."""
    detector: Detector = DetectorChoice(kind="auto")
    """A model's name (yolox-nano), a path to an .onnx file, "motion", "auto" (the best that is here without a download), or a mapping."""
    tracker: Tracker = TrackerChoice()
    """Options of the tracker."""
    gate: Gate = GateChoice()
    """Motion gate: "off", or its options."""
    pose: Pose = NO_POSE
    """Joints of people: a pose model's name (movenet), or a mapping; off when left out."""
    signals: Signals = ()
    """What else is measured in the whole picture, e.g. by an autoencoder; signals without options come by themselves with the behaviours that read them."""
    store: StorePart = StorePart()
    """Where things are kept."""
    evidence: EvidencePart = EvidencePart()
    """Clips."""
    recording: RecordingPart = RecordingPart()
    """Continuous recording, beside the clips of events."""
    alarm_budget: AlarmBudgetChoice | None = None
    """So many alarms a day of each camera, e.g. 3/day, shared by rules and learned behaviours; null tells of all."""
    notify: NotifyPart = NotifyPart()
    """Who is told of what, by `pahara run`."""
    web: WebPart = WebPart()
    """The dashboard of `pahara run`."""
    defaults: Defaults = Defaults()
    """For cameras that say nothing themselves."""
    cameras: dict[CameraId, Camera] = {}
    """Every camera by a short key, e.g. gate."""

    _file: str = PrivateAttr(default="")
    _folder: Path = PrivateAttr(default=Path())
    _notes: tuple[Problem, ...] = PrivateAttr(default=())

    @property
    def file(self) -> str:
        """The file it was read from; "" when it was made otherwise."""
        return self._file

    @property
    def folder(self) -> Path:
        """What relative paths are relative to."""
        return self._folder

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What is not wrong but worth knowing."""
        return self._notes

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, defaults included and every secret masked; `from_data` reads them back."""
        dumped: dict[str, Any] = _masked(self.model_dump(mode="python", by_alias=True))
        for camera in dumped["cameras"].values():
            for key in [key for key, value in camera.items() if value is None]:
                del camera[key]  # says nothing; elsewhere null is a value: kept for ever
        return dumped


def detector_mapping(value: Any) -> Any:
    """ "motion" is {kind: motion}; "yolox-nano" and "my/model.onnx" are {kind: onnx, model: …}."""
    if isinstance(value, str):
        return {"kind": value} if value == "auto" or (value != "onnx" and value in names("detectors")) else {"kind": "onnx", "model": value}
    return value


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {str(key): _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list | tuple) else value


__all__ = [
    "STANDARD",
    "VERSION",
    "BehaviourChoice",
    "Camera",
    "Config",
    "DetectorChoice",
    "GateChoice",
    "PoseChoice",
    "SignalChoice",
    "TrackerChoice",
]
