"""What an actor can be told to do, one small class per verb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from .reading import Reader, line_of, suggest

Spot = tuple[float, float]
MOVERS = ("person", "cyclist", "car")


@dataclass(frozen=True)
class Action:
    """In YAML an action is one verb with its settings, or with its main setting alone: `- stand: 5`."""

    verb: ClassVar[str] = ""
    main: ClassVar[str] = ""
    who: ClassVar[tuple[str, ...]] = ("person",)

    @staticmethod
    def read(reader: Reader, data: object, path: str, line: str) -> Action:
        if isinstance(data, str):
            data = {data: {}}
        if not isinstance(data, Mapping) or len(data) != 1:
            raise reader.fail(f"{path} should be one verb with its settings, such as 'stand: 5', not {data!r}", line)
        (verb, told), *_ = data.items()
        here = line_of(data, verb) or line
        kind = VERBS.get(str(verb))
        if kind is None:
            raise reader.fail(f"nobody knows how to {verb!r} ({path}).{suggest(verb, tuple(VERBS))}", here)
        if not isinstance(told, Mapping):
            told = {kind.main.rstrip("_"): told}
        return reader.plain_record(kind, told, f"{path}.{verb}", here)


def _spots(along: Sequence[Any]) -> None:
    if not along:
        raise ValueError("a way needs at least one point")


@dataclass(frozen=True)
class Walk(Action):
    """Along points on the ground, from where the actor stands."""

    verb: ClassVar[str] = "walk"
    main: ClassVar[str] = "along"
    along: tuple[Spot, ...]
    speed: float = 1.3  # metres per second
    bend: float = 0.0  # how far the back is bent while walking, 0..1 (an old or sneaking person)

    def __post_init__(self) -> None:
        _spots(self.along)
        if not 0.1 <= self.speed <= 2.6:
            raise ValueError(f"a walk has 0.1 to 2.6 m/s, not {self.speed:g}; use run")


@dataclass(frozen=True)
class Run(Action):
    verb: ClassVar[str] = "run"
    main: ClassVar[str] = "along"
    along: tuple[Spot, ...]
    speed: float = 5.0

    def __post_init__(self) -> None:
        _spots(self.along)
        if not 2.0 <= self.speed <= 9.0:
            raise ValueError(f"a run has 2 to 9 m/s, not {self.speed:g}")


@dataclass(frozen=True)
class Drive(Action):
    """A car drives, a cyclist rides."""

    verb: ClassVar[str] = "drive"
    main: ClassVar[str] = "along"
    who: ClassVar[tuple[str, ...]] = ("car", "cyclist")
    along: tuple[Spot, ...]
    speed: float = 4.0

    def __post_init__(self) -> None:
        _spots(self.along)
        if not 0.2 <= self.speed <= 30:
            raise ValueError(f"a speed is 0.2 to 30 m/s, not {self.speed:g}")


@dataclass(frozen=True)
class Push(Action):
    """Walk while pushing a trolley."""

    verb: ClassVar[str] = "push"
    main: ClassVar[str] = "along"
    along: tuple[Spot, ...]
    speed: float = 1.1

    def __post_init__(self) -> None:
        _spots(self.along)


@dataclass(frozen=True)
class Stand(Action):
    verb: ClassVar[str] = "stand"
    main: ClassVar[str] = "seconds"
    who: ClassVar[tuple[str, ...]] = MOVERS
    seconds: float = 2.0
    until: float | None = None  # stand until this time of the scene instead
    facing: Spot | None = None  # a point to look at
    style: Literal["idle", "chat", "phone", "look"] = "idle"


@dataclass(frozen=True)
class Loiter(Action):
    """Hang about: stand, shift, pace a few steps, look around."""

    verb: ClassVar[str] = "loiter"
    main: ClassVar[str] = "seconds"
    seconds: float
    around: float = 0.8  # metres


@dataclass(frozen=True)
class Crouch(Action):
    """Go down and tie a shoe."""

    verb: ClassVar[str] = "crouch"
    main: ClassVar[str] = "seconds"
    seconds: float = 4.0


@dataclass(frozen=True)
class Sit(Action):
    """Sit on a bench or chair 0.45 m high behind oneself, or on the ground."""

    verb: ClassVar[str] = "sit"
    main: ClassVar[str] = "seconds"
    seconds: float = 8.0
    seat: float = 0.45


@dataclass(frozen=True)
class Fall(Action):
    """Fall, lie, and perhaps get up again."""

    verb: ClassVar[str] = "fall"
    main: ClassVar[str] = "way"
    way: Literal["forward", "backward", "left", "right"] = "forward"
    lie: float = 6.0  # seconds on the ground
    rise: bool = False
    takes: float = 0.9  # seconds from upright to the ground


@dataclass(frozen=True)
class Fight(Action):
    """Push, punch and grapple with another person who is told to fight back at the same time."""

    verb: ClassVar[str] = "fight"
    main: ClassVar[str] = "with_"
    with_: int
    seconds: float = 8.0


@dataclass(frozen=True)
class PutDown(Action):
    verb: ClassVar[str] = "put_down"
    main: ClassVar[str] = "bag"
    bag: int


@dataclass(frozen=True)
class PickUp(Action):
    """Walk the last steps to a bag and take it."""

    verb: ClassVar[str] = "pick_up"
    main: ClassVar[str] = "bag"
    bag: int


@dataclass(frozen=True)
class Climb(Action):
    """Over a named wall or fence, straight across from where one stands."""

    verb: ClassVar[str] = "climb"
    main: ClassVar[str] = "wall"
    wall: str
    takes: float = 6.0


VERBS: dict[str, type[Action]] = {
    kind.verb: kind for kind in (Walk, Run, Drive, Push, Stand, Loiter, Crouch, Sit, Fall, Fight, PutDown, PickUp, Climb)
}
assert all(not kind.main or kind.main in {f.name for f in fields(kind)} for kind in VERBS.values())
