"""What happens in a staged scene, where, in what light and before which camera: readable as YAML."""

from __future__ import annotations

import io
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from .actions import Action
from .camera import View
from .reading import WHOLE, Reader, ScriptError, line_of, suggest

VERSION = 1  # of the script format
Spot = tuple[float, float]  # metres on the ground: x to the right, y away from the camera

GROUNDS = ("asphalt", "tiles", "grass", "corridor", "shop", "concrete", "paving", "carpet", "dirt")
GroundKind = Literal["asphalt", "tiles", "grass", "corridor", "shop", "concrete", "paving", "carpet", "dirt"]
WallKind = Literal["plaster", "brick", "concrete", "shutter", "fence", "glass", "panel", "tiled"]
ThingKind = Literal[
    "pillar", "box", "counter", "shelf", "car", "tree", "plant", "turnstile", "gate", "bench", "lamp_post", "cabinet", "crate", "bin",
    "motorcycle", "chair", "table", "barrier",
]  # fmt: skip
LightKind = Literal["day", "overcast", "dusk", "night_ir", "night_lamp", "indoor"]
ActorKind = Literal["person", "cyclist", "car"]
BagKind = Literal["backpack", "handbag", "suitcase"]
TamperKind = Literal["covered", "defocused", "moved", "dark", "frozen"]
RuleKind = Literal[
    "intrusion", "crossing", "loitering", "running", "wrong_way", "crowding", "falling", "abandoned", "removed", "tailgating", "tamper",
    "fight", "climbing",
]  # fmt: skip
KINDS: tuple[str, ...] = RuleKind.__args__  # type: ignore[attr-defined]
PERSON_KINDS = ("person", "cyclist")


@dataclass(frozen=True)
class CameraPlan:
    """Where the camera hangs and how it looks; see `camera.View`."""

    height: float = 3.2
    tilt: float = 25.0
    fov: float = 75.0
    k1: float = -0.06
    roll: float = 0.0
    yaw: float = 0.0
    at: Spot = (0.0, 0.0)

    def view(self, size: tuple[int, int]) -> View:
        return View(size, self.height, self.tilt, self.fov, self.k1, self.roll, self.yaw, self.at)


@dataclass(frozen=True)
class Opening:
    """A door, window, shutter or poster in a wall, `at` metres from the wall's start."""

    kind: Literal["door", "window", "shutter", "poster", "board"] = "door"
    at: float = 1.0
    wide: float = 1.0
    high: float = 2.1
    sill: float = 0.0  # metres above the wall's foot
    colour: str = ""


@dataclass(frozen=True)
class Wall:
    """An upright rectangle from `start` to `end`. A fence can be seen through and climbed."""

    start: Spot
    end: Spot
    high: float = 3.0
    kind: WallKind = "plaster"
    colour: str = ""  # "#rrggbb"; "" leaves it to the material
    base: float = 0.0
    name: str = ""
    openings: tuple[Opening, ...] = ()


@dataclass(frozen=True)
class Thing:
    """Something that stands there and hides what is behind it."""

    kind: ThingKind
    at: Spot
    turn: float = 0.0  # degrees to the left, seen from above
    size: tuple[float, float, float] = (0.0, 0.0, 0.0)  # wide, deep, high in metres; zeros leave it to the kind
    colour: str = ""


@dataclass(frozen=True)
class Mark:
    """A line painted on the ground."""

    along: tuple[Spot, ...]
    wide: float = 0.10  # metres
    colour: str = "#e6e6dc"


@dataclass(frozen=True)
class Place:
    """Ground, walls and things."""

    ground: GroundKind = "asphalt"
    colour: str = ""
    marks: tuple[Mark, ...] = ()
    walls: tuple[Wall, ...] = ()
    things: tuple[Thing, ...] = ()
    ceiling: float = 0.0  # metres; 0 is the open sky
    seed: int = 0  # stains, cracks and wear


@dataclass(frozen=True)
class Lamp:
    """A lamp at (x, y, z) metres; `power` 1 lights a room, 3 a street."""

    name: str
    at: tuple[float, float, float]
    power: float = 1.0
    warm: float = 0.3  # 0 is white, 1 is orange as sodium
    on: bool = True


@dataclass(frozen=True)
class Change:
    """The light changes at a time: `cloud` dims the sun to `amount`, `lamp` sets lamps to `amount`, `flicker` makes them flicker."""

    at: float
    kind: Literal["cloud", "lamp", "flicker"]
    amount: float = 0.5
    seconds: float = 1.0  # how long the change takes, or how long it flickers
    lamp: str = ""  # "" means all lamps


@dataclass(frozen=True)
class Light:
    kind: LightKind = "day"
    sun: tuple[float, float] = (60.0, 45.0)  # degrees: where it stands to the right of forward, how high
    lamps: tuple[Lamp, ...] = ()
    beams: tuple[tuple[Spot, ...], ...] = ()  # patches of sun on the ground, as through a window or door
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Sensor:
    """What the camera's electronics do to the picture."""

    noise: float = 1.0  # 1 is a usual cheap camera, 0 is none
    sharpen: float = 0.5
    blur: float = 0.6  # pixels
    vignette: float = 0.25
    fringe: float = 0.6  # pixels of colour shift at the edge
    jpeg: int = 0  # quality of JPEG artefacts in plain frames; 0 is none (an H.264 file brings its own)
    clock: bool = True  # date and time drawn in the corner
    title: str = ""  # drawn in the other corner, as "CAM 03"


@dataclass(frozen=True)
class Compression:
    """H.264 of the written file: constant quality, or `kbps` where it is not 0."""

    crf: int = 26
    kbps: int = 0
    keyframe: float = 2.0  # seconds between key frames


@dataclass(frozen=True)
class Tamper:
    """Someone does something to the camera from `begin` to `end` seconds."""

    kind: TamperKind
    begin: float
    end: float

    def strength(self, time: float, duration: float, takes: float = 0.8) -> float:
        """How far it has gone at a time, 0..1: it comes and goes within `takes` seconds, and stays when the scene ends before."""
        if not self.begin <= time < self.end:
            return 0.0
        going = (self.end - time) / takes if self.end < duration else 1.0
        u = min((time - self.begin) / takes, going, 1.0)
        return u * u * (3 - 2 * u)


@dataclass(frozen=True)
class Look:
    """How a person looks; what is left out is drawn by the script's seed."""

    height: float | None = None  # metres, 1.0 to 2.1
    build: float | None = None  # 0.8 slim to 1.3 heavy
    top: Literal["tshirt", "shirt", "jacket", "hoodie", "kurta", "vest"] | None = None
    bottom: Literal["trousers", "jeans", "shorts", "lungi", "skirt", "dress"] | None = None
    head: Literal["short", "long", "bald", "cap", "topi", "scarf", "helmet"] | None = None
    top_colour: str | None = None
    bottom_colour: str | None = None
    skin: str | None = None


@dataclass(frozen=True)
class Actor:
    """Someone or something that moves. It appears at `at` when it `enters`, acts, and is gone after its last action."""

    id: int
    at: Spot
    does: tuple[Action, ...]
    kind: ActorKind = "person"
    enters: float = 0.0  # seconds
    facing: float | None = None  # degrees to the left of "away from the camera"; None: where the first action goes
    look: Look = field(default_factory=Look)
    colour: str = ""  # of a car, bicycle or trolley


@dataclass(frozen=True)
class Bag:
    """A bag, standing at `at` from the beginning or carried by actor `by`."""

    id: int
    kind: BagKind = "suitcase"
    at: Spot | None = None
    by: int | None = None
    colour: str = ""


@dataclass(frozen=True)
class Rule:
    """A rule that someone would set for this scene; incidents are judged by it. What is None keeps the product's default."""

    kind: RuleKind
    zone: str = ""
    line: str = ""
    seconds: float | None = None
    direction: Any = None  # crossing: forward | backward | both; wrong_way: the allowed way as (dx, dy) in metres
    people: int | None = None  # crowding
    speed: float | None = None  # body heights per second
    name: str = ""

    @classmethod
    def read(cls, reader: Reader, data: object, path: str, line: str) -> Rule:
        made = reader.plain_record(_PlainRule, data, path, line)
        direction: Any = None
        if made.direction is not None:
            if made.kind == "wrong_way":
                direction = reader.value(tuple[float, float], made.direction, f"{path}.direction", line_of(data, "direction"))
            else:
                direction = reader.value(
                    Literal["forward", "backward", "both"], made.direction, f"{path}.direction", line_of(data, "direction")
                )
        return cls(**{f.name: getattr(made, f.name) for f in fields(made) if f.name != "direction"}, direction=direction)


@dataclass(frozen=True)
class _Anything:
    @classmethod
    def read(cls, _reader: Reader, data: object, _path: str, _line: str) -> Any:
        return data


@dataclass(frozen=True)
class _PlainRule:
    kind: RuleKind
    zone: str = ""
    line: str = ""
    seconds: float | None = None
    direction: _Anything | None = None
    people: int | None = None  # crowding
    speed: float | None = None
    name: str = ""


@dataclass(frozen=True)
class Script:
    """A staged scene. Everything that is random in it follows from `seed`."""

    name: str
    size: tuple[int, int] = (640, 360)
    fps: float = 12.0
    duration: float = 30.0  # seconds
    seed: int = 0
    epoch: str = "2025-03-07T09:30:00Z"  # UTC of media time 0
    camera: CameraPlan = field(default_factory=CameraPlan)
    place: Place = field(default_factory=Place)
    light: Light = field(default_factory=Light)
    rain: float = 0.0  # 0 none, 1 a downpour
    sensor: Sensor = field(default_factory=Sensor)
    compression: Compression = field(default_factory=Compression)
    zones: Mapping[str, tuple[Spot, ...]] = field(default_factory=dict)  # metres on the ground
    lines: Mapping[str, tuple[Spot, Spot]] = field(default_factory=dict)  # metres on the ground, see core.Tripwire for its direction
    rules: tuple[Rule, ...] = ()
    actors: tuple[Actor, ...] = ()
    bags: tuple[Bag, ...] = ()
    tampers: tuple[Tamper, ...] = ()

    @property
    def view(self) -> View:
        """The camera before anyone touches it."""
        return self.camera.view(self.size)

    @property
    def epoch_seconds(self) -> float:
        """UTC seconds of media time 0."""
        told = datetime.fromisoformat(self.epoch.replace("Z", "+00:00"))
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()

    @property
    def frame_count(self) -> int:
        return max(1, round(self.duration * self.fps))


def check(script: Script, name: str = "the script") -> Script:
    """The same script; ScriptError when its parts do not fit together."""

    def refuse(what: str) -> ScriptError:
        return ScriptError(f"{name}: {what}")

    wide, tall = script.size
    if not (64 <= wide <= 4096 and 64 <= tall <= 4096) or wide % 2 or tall % 2:
        raise refuse(f"size {wide}x{tall}: width and height are even numbers from 64 to 4096")
    if not 1 <= script.fps <= 60 or not 0.1 <= script.duration <= 24 * 3600:
        raise refuse("fps is 1 to 60 and duration 0.1 s to 24 h")
    try:
        script.epoch_seconds  # noqa: B018
    except ValueError:
        raise refuse(f"epoch {script.epoch!r} is no date and time like 2025-03-07T09:30:00Z") from None
    try:
        script.view  # noqa: B018
    except ValueError as error:
        raise refuse(f"camera: {error}") from None
    if not 0.3 <= script.camera.height <= 60:
        raise refuse(f"camera.height is 0.3 to 60 metres, not {script.camera.height:g}")

    actors = {actor.id: actor for actor in script.actors}
    bags = {bag.id: bag for bag in script.bags}
    ids = [actor.id for actor in script.actors] + [bag.id for bag in script.bags]
    if twice := {i for i in ids if ids.count(i) > 1}:
        raise refuse(f"the id {min(twice)} is used twice; actors and bags share one list of ids")
    if any(i < 1 for i in ids):
        raise refuse("ids are whole numbers from 1")
    walls = [wall.name for wall in script.place.walls if wall.name]
    for actor in script.actors:
        for n, action in enumerate(actor.does, 1):
            here = f"actor {actor.id}, action {n} ({action.verb})"
            if actor.kind not in action.who:
                raise refuse(f"{here}: a {actor.kind} cannot {action.verb.replace('_', ' ')}")
            bag = getattr(action, "bag", None)
            if bag is not None and bag not in bags:
                raise refuse(f"{here}: there is no bag {bag}")
            wall = getattr(action, "wall", None)
            if wall is not None and wall not in walls:
                raise refuse(f"{here}: no wall is named {wall!r}.{suggest(wall, walls) if walls else ' Give a wall a name.'}")
            other = getattr(action, "with_", None)
            if other is not None and (other not in actors or other == actor.id or actors[other].kind != "person"):
                raise refuse(f"{here}: there is no other person {other}")
    for bag in script.bags:
        if (bag.at is None) == (bag.by is None):
            raise refuse(f"bag {bag.id} needs either 'at' (where it stands) or 'by' (who carries it)")
        if bag.by is not None and (bag.by not in actors or actors[bag.by].kind != "person"):
            raise refuse(f"bag {bag.id}: there is no person {bag.by}")
    for zone, corners in script.zones.items():
        if len(corners) < 3:
            raise refuse(f"zone {zone!r} needs at least 3 corners")
    for n, rule in enumerate(script.rules, 1):
        if rule.zone and rule.zone not in script.zones:
            raise refuse(f"rule {n} ({rule.kind}): no zone is named {rule.zone!r}.{suggest(rule.zone, tuple(script.zones))}")
        if rule.line and rule.line not in script.lines:
            raise refuse(f"rule {n} ({rule.kind}): no line is named {rule.line!r}.{suggest(rule.line, tuple(script.lines))}")
        if rule.kind in ("crossing", "tailgating") and not rule.line:
            raise refuse(f"rule {n} ({rule.kind}) needs a line")
        if rule.kind in ("intrusion", "loitering", "wrong_way", "crowding") and not rule.zone:
            raise refuse(f"rule {n} ({rule.kind}) needs a zone")
        if rule.kind == "wrong_way" and rule.direction is None:
            raise refuse(f"rule {n} (wrong_way) needs a direction: the allowed way as [dx, dy]")
    for tamper in script.tampers:
        if tamper.end <= tamper.begin:
            raise refuse(f"tamper {tamper.kind}: it ends at {tamper.end:g} s, before it begins")
    lamps = [lamp.name for lamp in script.light.lamps]
    for change in script.light.changes:
        if change.lamp and change.lamp not in lamps:
            raise refuse(f"light change at {change.at:g} s: no lamp is named {change.lamp!r}.{suggest(change.lamp, lamps or ['none'])}")
    return script


def bundled_scripts() -> tuple[str, ...]:
    """Names of the scripts that come with Pahara."""
    return tuple(sorted(f.name.removesuffix(".yml") for f in files(__package__).joinpath("scripts").iterdir() if f.name.endswith(".yml")))


def load_script(source: str | Path) -> Script:
    """A script from a file, from the name of a bundled one ("shop-door"), or from YAML text (more than one line).

    ScriptError, with the line, for everything that cannot be read or staged.
    """
    text, name = _find(source)
    yaml = YAML(typ="rt", pure=True)
    try:
        data = yaml.load(text)
    except MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ScriptError(f"{name}{line}: this is not valid YAML: {error.problem}") from None
    except (YAMLError, ValueError, UnicodeError) as error:
        raise ScriptError(f"{name}: this is not valid YAML: {error}") from None
    if not isinstance(data, MutableMapping):
        raise ScriptError(f"{name}: a script has keys and values, such as 'name: gate' and 'actors:'")
    version = data.pop("version", VERSION)
    if version != VERSION:
        raise ScriptError(f"{name}: version {version!r} of scripts is not known here; this Pahara reads version {VERSION}")
    return check(Reader(name).record(Script, data, WHOLE), name)


def _find(source: str | Path) -> tuple[str, str]:
    if isinstance(source, str) and "\n" in source:
        return source, "the script"
    path = Path(source)
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8"), path.name
        except (OSError, UnicodeDecodeError) as error:
            raise ScriptError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    bundled = bundled_scripts()
    if str(source) in bundled:
        return files(__package__).joinpath("scripts", f"{source}.yml").read_text(encoding="utf-8"), f"{source}.yml"
    if path.is_dir():
        raise ScriptError(f"{path} is a folder, not a script")
    raise ScriptError(f"there is no script {str(source)!r}: neither a file nor one that comes with Pahara.{suggest(source, bundled)}")


def tidied(value: Any) -> Any:
    """The same value with its numbers cut to 4 decimals, as `dump` writes them."""
    if isinstance(value, float):
        return round(float(value), 4)
    if isinstance(value, tuple):
        return tuple(tidied(v) for v in value)
    if isinstance(value, Mapping):
        return {key: tidied(v) for key, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: tidied(getattr(value, f.name)) for f in fields(value)})
    return value


def plain(value: Any) -> Any:
    """Dataclasses -> dicts and lists for YAML, leaving out what has its default."""
    if isinstance(value, Action):
        return {value.verb: plain_fields(value)}
    if is_dataclass(value):
        return plain_fields(value)
    if isinstance(value, Mapping):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, float):
        short = round(value, 4)
        return int(short) if short == int(short) and abs(short) < 1e9 else short
    return value


def plain_fields(value: Any) -> dict[str, Any]:
    told = {}
    for f in fields(value):
        got = getattr(value, f.name)
        default = f.default_factory() if callable(f.default_factory) else f.default
        if got != default:
            told[f.name.rstrip("_")] = plain(got)
    return told


def dump(script: Script) -> str:
    """The script as YAML; `load_script(dump(script))` is the same script when its numbers have at most 4 decimals."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.width = 120
    yaml.sort_base_mapping_type_on_output = False
    out = io.StringIO()
    yaml.dump({"version": VERSION, **plain_fields(script)}, out)
    return out.getvalue()
