"""A plug-in's fields are its options: a mapping from the file -> the plug-in, or what is wrong with the mapping.

A frozen dataclass (or a function) becomes a pydantic model that forbids what it does not know. Zones and
lines are given by name; nested dataclasses (a schedule) forbid strangers too. The plug-in's own class is
left as it is.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Union

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    WrapValidator,
    create_model,
)
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError
from pydantic.functional_validators import PlainValidator
from pydantic_core import PydanticCustomError

from pahara.behaviours.learned import Recogniser
from pahara.behaviours.schedule import Hours, Schedule
from pahara.core import EVERYWHERE, Tripwire, Zone
from pahara.core.errors import ConfigError, PaharaError
from pahara.core.rate import PerDay, Rate
from pahara.normality import Normality
from pahara.normality.unusual import Models

from .fielddocs import field_docs, summary
from .problems import did_you_mean, sentences
from .registry import Plugin
from .secrets import Secret

PREFIX = "f_"  # of the models' own attribute names: an option may be called `copy` or `schema`
_KEYS: Mapping[tuple[object, str], str] = {(Hours, "start"): "from", (Hours, "end"): "to"}
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True, frozen=True, arbitrary_types_allowed=False)


@dataclass(frozen=True)
class Places:
    """The zones and lines of one camera that an option may name."""

    camera: str = ""
    zones: Mapping[str, Zone] = field(default_factory=dict)
    lines: Mapping[str, Tripwire] = field(default_factory=dict)
    timezone: str = "local"  # of schedules
    broken: frozenset[str] = frozenset()  # drawn wrongly: told already, so not told again as missing
    anywhere: bool = False  # any name will do: the camera is not known yet
    folder: Path = field(default_factory=Path)  # what relative paths are relative to

    def zone(self, name: object) -> Zone:
        """The zone of that name; "everywhere" is the whole picture."""
        if isinstance(name, str) and name in self.zones:
            return self.zones[name]
        if name == EVERYWHERE.name or self._excused(name):
            return EVERYWHERE
        raise self._missing("zone", name, self.zones)

    def line(self, name: object) -> Tripwire:
        """The line of that name."""
        if isinstance(name, str) and name in self.lines:
            return self.lines[name]
        if self._excused(name):
            return Tripwire(str(name), (0.0, 0.5), (1.0, 0.5))
        raise self._missing("line", name, self.lines)

    def file(self, name: object) -> Path:
        """The file of that name: beside the configuration, else as it stands."""
        if not isinstance(name, str | Path) or not str(name).strip():
            raise PydanticCustomError(
                "place", "{said}", {"said": "a file is given by its path", "hint": "For example runs/fights/model.onnx"}
            )
        path = Path(name).expanduser()
        beside = (self.folder / path).absolute()
        found = beside if beside.is_file() else path
        if not found.is_file():
            hint = "A relative path begins in the folder of the configuration"
            raise PydanticCustomError("place", "{said}", {"said": f"there is no file {beside}", "hint": hint})
        return found

    def recogniser(self, name: object) -> Recogniser:
        """The model in the file of that name, as a behaviour asks it."""
        from pahara.detection.recogniser import load_recogniser

        path = self.file(name)
        try:
            return load_recogniser(path)
        except PaharaError as error:
            message, hint = sentences(error)
            raise PydanticCustomError("place", "{said}", {"said": message, "hint": hint}) from None

    def normality(self, name: object) -> Normality:
        """What a camera has learned, from the file of that name."""
        path = self.file(name)
        try:
            return Normality.load(path)
        except PaharaError as error:
            message, hint = sentences(error)
            raise PydanticCustomError("place", "{said}", {"said": message, "hint": hint}) from None

    def _excused(self, name: object) -> bool:
        return isinstance(name, str) and (self.anywhere or name in self.broken)

    def _missing(self, word: str, name: object, known: Mapping[str, object]) -> PydanticCustomError:
        where = f" in camera '{self.camera}'" if self.camera else ""
        if not isinstance(name, str):
            return PydanticCustomError("place", "{said}", {"said": f"a {word} is given by its name", "hint": f"Draw it under '{word}s:'"})
        choices = {*known, *self.broken}
        hint = did_you_mean(name, choices) if choices else f"Draw it under '{word}s:' of the camera"
        return PydanticCustomError("place", "{said}", {"said": f"no {word} '{name}'{where}", "hint": hint})


@dataclass(frozen=True)
class Option:
    """One field of a plug-in."""

    name: str  # in Python
    key: str  # in the file
    hint: Any  # its type
    default: Any  # dataclasses.MISSING when it must be given
    description: str


@cache
def options_of(plug_in: Plugin) -> tuple[Option, ...]:
    """The options of a dataclass or a function, in their order; ConfigError when their types cannot be resolved."""
    docs = field_docs(plug_in)
    try:
        if dataclasses.is_dataclass(plug_in):
            hints = typing.get_type_hints(plug_in, include_extras=True)
            listed = [
                (each.name, hints[each.name], _default(each), dict(each.metadata)) for each in dataclasses.fields(plug_in) if each.init
            ]
        else:
            hints = typing.get_type_hints(plug_in.__init__ if inspect.isclass(plug_in) else plug_in, include_extras=True)
            listed = [
                (each.name, hints.get(each.name, Any), dataclasses.MISSING if each.default is each.empty else each.default, {})
                for each in inspect.signature(plug_in).parameters.values()
                if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
            ]
    except (NameError, TypeError, ValueError) as error:
        raise ConfigError(f"the options of {_name(plug_in)} cannot be read: {error}") from error
    found = []
    for name, hint, default, metadata in listed:
        if not _from_a_file(hint):
            if default is dataclasses.MISSING:
                raise ConfigError(f"{_name(plug_in)} needs '{name}', which cannot be written in a file: {hint}")
            continue
        # `from` is a word of Python: such a field is called `from_`, or names its key in its metadata
        key = _KEYS.get((plug_in, name)) or metadata.get("key", name.rstrip("_"))
        found.append(Option(name, key, hint, default, metadata.get("help", docs.get(name, ""))))
    return tuple(found)


@cache
def model_of(plug_in: Plugin) -> type[BaseModel]:
    """The plug-in's options as a pydantic model; its attributes are `f_<field>`, its aliases the keys of the file."""
    fields: dict[str, Any] = {}
    for option in options_of(plug_in):
        described: dict[str, Any] = {"alias": option.key, "description": option.description or None}
        if option.default is not dataclasses.MISSING:
            # The plug-in itself fills in what was not given: here stands only what an editor may show.
            described["default_factory"] = lambda: None
            if _plain(option.default):
                described["json_schema_extra"] = {"default": _as_json(option.default)}
        fields[PREFIX + option.name] = (_substitute(option.hint), Field(**described))
    try:
        return create_model(_name(plug_in), __config__=STRICT, __doc__=summary(plug_in) or None, **fields)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise ConfigError(f"the options of {_name(plug_in)} cannot be read: {error}") from error


@cache
def adapter_of(plug_in: Plugin) -> TypeAdapter[Any]:
    """Validates a mapping and makes the plug-in: `adapter_of(Loitering).validate_python({...}, context=places)`."""
    return TypeAdapter(_made(plug_in))


def _made(plug_in: Plugin) -> Any:
    def build(options: BaseModel) -> Any:
        given = {name.removeprefix(PREFIX): getattr(options, name) for name in options.model_fields_set}
        try:
            return plug_in(**given)
        except (PaharaError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
            raise PydanticCustomError("plug_in", "{said}", {"said": str(error) or type(error).__name__}) from None

    return Annotated[model_of(plug_in), AfterValidator(build)]


def checker_of(plug_in: Plugin) -> TypeAdapter[Any]:
    """Validates a mapping and stops there: for a plug-in that is expensive to make (a model file)."""
    return TypeAdapter(model_of(plug_in))


def given(options: BaseModel) -> dict[str, Any]:
    """What was written, by the plug-in's own field names."""
    return {name.removeprefix(PREFIX): getattr(options, name) for name in options.model_fields_set}


def _substitute(hint: Any) -> Any:
    """The type that reads from a file what the field's own type wants."""
    if hint is Zone:
        return Annotated[
            Any, PlainValidator(lambda v, info: _places(info).zone(v)), _schema("a zone of this camera, by its name; 'everywhere'")
        ]
    if hint is Tripwire:
        return Annotated[Any, PlainValidator(lambda v, info: _places(info).line(v)), _schema("a line of this camera, by its name")]
    if hint is Recogniser:
        return Annotated[
            Any,
            PlainValidator(lambda v, info: _places(info).recogniser(v)),
            _schema("a model that was exported by `pahara export`: a path"),
        ]
    if hint == Models:
        return Annotated[
            Any,
            PlainValidator(lambda v, info: _places(info).normality(v)),
            _schema("what a camera has learned, as a file of `pahara normality learn`; without it the one that this camera learns itself"),
        ]
    if hint == PerDay:
        return Annotated[Any, PlainValidator(_per_day), _rate_schema]
    if hint is Path:
        return Annotated[
            Any, PlainValidator(lambda v, info: _places(info).file(v)), _schema("a file; relative paths begin beside the configuration")
        ]
    if hint in (int, float):
        return Annotated[hint, BeforeValidator(no_boolean)]
    if hint is str:
        return TEXT
    if hint is Schedule:
        return Annotated[list[_made(Hours)], BeforeValidator(_one_or_more(dict)), AfterValidator(_schedule), _one_or_more_schema]  # type: ignore[misc]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _made(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        inner = _substitute(arguments[0])
        own = getattr(inner, "__metadata__", ())
        # The type's own limits come first, so that the JSON schema shows them.
        return Annotated[(typing.get_args(inner)[0] if own else inner, *arguments[1:], *own)]
    if origin is typing.Literal or not arguments:
        return hint
    if origin in (tuple, list, Sequence) and _is_word(arguments[0]) and arguments[1:] in ((), (Ellipsis,)):
        return Annotated[origin[(_substitute(arguments[0]), *arguments[1:])], BeforeValidator(_one_or_more(str)), _one_or_more_schema]
    changed = tuple(each if each is Ellipsis else _substitute(each) for each in arguments)
    if origin in (Union, types.UnionType):
        return Union[changed]  # noqa: UP007  (a tuple of types, known only now)
    return origin[changed] if origin is not None else hint


def _places(info: Any) -> Places:
    return info.context if isinstance(info.context, Places) else Places()


def _schedule(windows: list[Hours], info: ValidationInfo) -> Schedule:
    return Schedule(tuple(windows), _places(info).timezone)


def _one_or_more(single: type) -> Callable[[Any], Any]:
    """`labels: person` is `labels: [person]`, and one window is a schedule."""
    return lambda value: [value] if isinstance(value, single) else value


def _per_day(written: Any) -> float:
    try:
        return Rate.of(written).per_day
    except ValueError as error:
        raise PydanticCustomError("said", "{said}", {"said": str(error), "hint": ""}) from None


_rate_schema = WithJsonSchema(
    {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "examples": ["3/day", "1/week", "2/h"]}]}
)


class _OneOrMore:
    """In the JSON schema: a list, or one of its items."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        listed = handler(core)
        whole = handler.resolve_ref_schema(listed)
        return {"anyOf": [whole["items"], listed]}


_one_or_more_schema = _OneOrMore()


def _schema(description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description})


def no_boolean(value: Any) -> Any:
    """true is not 1, although Python says so."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "must be a number", {})
    return value


def _keep_secret(value: Any, check: Callable[[Any], Any]) -> Any:
    checked = check(value)
    return value if isinstance(value, Secret) and checked == value else checked


_FUNCTION = typing.get_origin(Callable[[], Any])
TEXT = Annotated[str, WrapValidator(_keep_secret)]


def _default(each: dataclasses.Field[Any]) -> Any:
    if each.default_factory is not dataclasses.MISSING:
        return each.default_factory()
    return each.default


def _from_a_file(hint: Any) -> bool:
    """Whether a value of this type can be written in YAML: functions and arrays cannot."""
    if hint == Models:
        return True
    if hint is Any or _holds_function(hint):
        return False
    try:
        TypeAdapter(_substitute(hint))
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError):
        return False
    return True


def _is_word(hint: Any) -> bool:
    return hint is str or (typing.get_origin(hint) is typing.Literal and all(isinstance(each, str) for each in typing.get_args(hint)))


def _holds_function(hint: Any) -> bool:
    return typing.get_origin(hint) is _FUNCTION or any(map(_holds_function, typing.get_args(hint)))


def _plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_plain, value))
    return isinstance(value, Zone) or value is None or isinstance(value, str | int | float)


def _as_json(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_as_json(each) for each in value]
    return value.name if isinstance(value, Zone) else value


def _name(plug_in: Plugin) -> str:
    return getattr(plug_in, "__name__", type(plug_in).__name__)
