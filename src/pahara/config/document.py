"""Reads YAML into plain values that remember their line, and refuses what a configuration never needs.

YAML 1.2 without custom tags: text, numbers, true/false, null, lists, mappings, anchors, aliases and `<<`.
The file is only composed (ruamel.yaml's node graph), never constructed: no object of any class can come out of it.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from .problems import ConfigProblems, Problem, did_you_mean
from .secrets import fill

MAX_BYTES = 512 * 1024
MAX_VALUES = 50_000  # after aliases are followed
MAX_DEPTH = 32
_CORE = "tag:yaml.org,2002:"


class Mark(NamedTuple):
    """A place in the file; both count from 1."""

    line: int
    column: int


BEGINNING = Mark(1, 1)


class Map(dict[str, Any]):
    """A mapping that knows where its keys and values stand."""

    def __init__(self, values: Mapping[str, Any] | None = None, *, start: Mark = BEGINNING) -> None:
        super().__init__(values or {})
        self.start = start
        self.key_marks: dict[str, Mark] = {}
        self.value_marks: dict[str, Mark] = {}

    def rename(self, old: str, new: str) -> None:
        """Call a key otherwise, if it is there; its place in the file stays known."""
        for each in (self, self.key_marks, self.value_marks):
            if old in each:
                each[new] = each.pop(old)


class Seq(list[Any]):
    """A list that knows where its items stand."""

    def __init__(self, values: Iterable[Any] = (), *, start: Mark = BEGINNING) -> None:
        super().__init__(values)
        self.start = start
        self.marks: list[Mark] = []


def locate(data: Any, path: tuple[int | str, ...], *, key: bool = False) -> Mark:
    """Where the value at `path` stands (with `key`, its key); where it does not exist, its nearest parent."""
    mark = getattr(data, "start", Mark(0, 0))
    for depth, step in enumerate(path):
        last = key and depth == len(path) - 1
        if isinstance(data, Map) and step in data:
            marks = data.key_marks if last else data.value_marks
            # A block value begins on the next line; its key is what a reader looks for.
            mark = (data.key_marks if isinstance(data[str(step)], dict | list) else marks).get(str(step), mark)
            data = data[str(step)]
        elif isinstance(data, Seq) and isinstance(step, int) and 0 <= step < len(data):
            mark, data = data.marks[step], data[step]
        elif step == 0 and not isinstance(data, Seq):
            continue  # one thing where a list of them may stand: `labels: person`
        else:
            break
    return mark


def read_file(path: str | Path) -> bytes:
    """The bytes of a configuration file; ConfigProblems with one line when that is impossible."""
    file, name = Path(path).expanduser(), str(path)
    try:
        if file.is_dir():
            inside = file / "pahara.yml"
            raise ConfigProblems([Problem("this is a folder, not a file", f"Try '{inside}'" if inside.exists() else "", name)])
        if file.exists() and not file.is_file():
            raise ConfigProblems([Problem("this is no ordinary file", "", name)])
        if file.stat().st_size > MAX_BYTES:
            raise ConfigProblems([Problem(f"larger than {MAX_BYTES // 1024} KiB: this is no configuration", "", name)])
        return file.read_bytes()
    except FileNotFoundError:
        near = []
        if file.parent.is_dir():
            near = [other.name for pattern in ("*.yml", "*.yaml") for other in file.parent.glob(pattern)]
        hint = did_you_mean(file.name, near, otherwise="`pahara config init` writes one to begin with")
        problem = Problem("there is no such file", hint, name)
    except OSError as error:
        problem = Problem(f"cannot be read: {error.strerror}", "", name)
    except ValueError:  # a null character in the name
        problem = Problem("this is no file name", "", repr(name))
    raise ConfigProblems([problem])


def read(text: str | bytes, *, file: str = "", env: Mapping[str, str] | None = None) -> Map:
    """The document as plain values with their places. `{PAHARA_…}` in texts is filled in from `env`.

    ConfigProblems for anything that is not one YAML mapping.
    """
    return _Reader(file, env or {}).document(text)


class _Reader:
    def __init__(self, file: str, env: Mapping[str, str]) -> None:
        self.file, self.env = file, env
        self.problems: list[Problem] = []
        self._open: list[int] = []  # ids of the nodes being read: an alias to one of them never ends
        self._count = 0

    def document(self, text: str | bytes) -> Map:
        root = self._compose(self._decode(text))
        if root is None:
            raise self._stop("the file is empty", "`pahara config init` writes one to begin with", Mark(1, 1))
        value = self._value(root)
        if not isinstance(value, Map):
            self.problems.append(self._problem(f"the file must be a mapping (key: value), not {describe(value)}", "", _mark(root)))
        if self.problems:
            raise ConfigProblems(self.problems)
        assert isinstance(value, Map)
        return value

    def _decode(self, text: str | bytes) -> str:
        if isinstance(text, str):
            if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
                raise self._stop(f"larger than {MAX_BYTES // 1024} KiB: this is no configuration", "", Mark(0, 0))
            return text.removeprefix("\ufeff")
        if len(text) > MAX_BYTES:
            raise self._stop(f"larger than {MAX_BYTES // 1024} KiB: this is no configuration", "", Mark(0, 0))
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise self._stop("the file is UTF-16, not UTF-8", "In the editor: Save as, encoding UTF-8", Mark(0, 0))
        try:
            return text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = text[: error.start]
            line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
            raise self._stop("the file is not UTF-8 text", "In the editor: Save as, encoding UTF-8", Mark(line, column)) from None

    def _compose(self, text: str) -> Any:
        """The node graph; the parser's complaints in plain words."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an anchor defined twice: the later one counts, as YAML says
                return YAML(typ="safe", pure=True).compose(text)
        except RecursionError:
            problem = self._problem(f"nested deeper than {MAX_DEPTH} levels", "", Mark(0, 0))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(0, 0)
            problem = self._problem(*_plain_words(error, text, place), place)
        except (YAMLError, ValueError, TypeError, IndexError, KeyError, AttributeError, AssertionError) as error:
            # ruamel raises its bare errors for odd characters and odd directives
            said = str(error).split("\n")[0]
            problem = self._problem(f"this is not YAML: {said}" if said else "this is not YAML", "", _first_odd(text))
        raise ConfigProblems([problem])

    def _value(self, node: Any) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._stop(f"more than {MAX_VALUES} values", "Do aliases (*name) repeat one another?", _mark(node))
        if id(node) in self._open:
            raise self._stop("an alias inside its own anchor never ends", "Write the value out", _mark(node))
        if len(self._open) >= MAX_DEPTH:
            raise self._stop(f"nested deeper than {MAX_DEPTH} levels", "", _mark(node))
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        self._open.append(id(node))
        try:
            kind = "map" if isinstance(node, MappingNode) else "seq"
            if node.tag != _CORE + kind:
                self._refuse_tag(node)
            if isinstance(node, MappingNode):
                return self._mapping(node)
            assert isinstance(node, SequenceNode)
            made = Seq(start=_mark(node))
            for item in node.value:
                made.append(self._value(item))
                made.marks.append(_mark(item))
            return made
        finally:
            self._open.pop()

    def _mapping(self, node: Any) -> Map:
        made = Map(start=_mark(node))
        merged: list[Map] = []
        for key_node, value_node in node.value:
            mark = _mark(key_node)
            if not isinstance(key_node, ScalarNode) or key_node.tag == _CORE + "null":
                self.problems.append(self._problem("a key must be a word", 'Put texts with braces in quotes: "{…}"', mark))
                continue
            key = key_node.value
            if key == "<<" and key_node.tag == _CORE + "merge":
                merged += self._merged(value_node)
                continue
            if key in made:
                first = made.key_marks[key].line
                self.problems.append(self._problem(f"the key '{key}' stands twice", f"The first is on line {first}", mark))
                continue
            if key.startswith("PAHARA_") and node.flow_style and len(node.value) == 1 and value_node.value == "":
                hint = 'Put the whole text in quotes: "{' + key + '}"'
                self.problems.append(self._problem(f"{{{key}}} without quotes is a mapping, not a text", hint, mark))
            made[key] = self._value(value_node)
            made.key_marks[key], made.value_marks[key] = mark, _mark(value_node)
        for other in merged:
            for key, value in other.items():
                if key not in made:
                    made[key] = value
                    made.key_marks[key], made.value_marks[key] = other.key_marks[key], other.value_marks[key]
        return made

    def _merged(self, node: Any) -> list[Map]:
        value = self._value(node)
        found = [value] if isinstance(value, Map) else value if isinstance(value, Seq) else []
        if not found or not all(isinstance(each, Map) for each in found):
            self.problems.append(self._problem("'<<' takes a mapping or a list of mappings", "For example `<<: *gate`", _mark(node)))
            return []
        return list(found)

    def _scalar(self, node: Any) -> Any:
        tag, text, mark = node.tag, node.value, _mark(node)
        if tag == _CORE + "null":
            return None
        if tag == _CORE + "bool" and text.casefold() in ("true", "false"):
            return text.casefold() == "true"
        try:
            if tag == _CORE + "int":
                return _integer(text)
            if tag == _CORE + "float":
                return _real(text)
        except ValueError:
            self.problems.append(self._problem(f"'{text[:40]}' is no number", "Put a text in quotes", mark))
            return None
        if not tag.startswith(_CORE) or tag.removeprefix(_CORE) not in ("str", "timestamp", "merge", "value", "bool"):
            self._refuse_tag(node)
            return None
        filled, missing = fill(text, self.env)
        for name in missing:
            hint = did_you_mean(name, (known for known in self.env if known.startswith("PAHARA_")), otherwise=f"Set it: export {name}=…")
            self.problems.append(self._problem(f"the environment variable {name} is not set", hint, mark))
        return filled

    def _refuse_tag(self, node: Any) -> None:
        tag = "!!" + node.tag.removeprefix(_CORE) if node.tag.startswith(_CORE) else node.tag
        self.problems.append(self._problem(f"the tag '{tag[:60]}' is not allowed", "Write the plain value", _mark(node)))

    def _problem(self, message: str, hint: str, mark: Mark) -> Problem:
        return Problem(message, hint, self.file, mark.line, mark.column)

    def _stop(self, message: str, hint: str, mark: Mark) -> ConfigProblems:
        return ConfigProblems([*self.problems, self._problem(message, hint, mark)])


def describe(value: object) -> str:
    """What a value is, in the words of this manual."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "a text"


def _mark(node: Any) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def _integer(text: str) -> int:
    plain = text.replace("_", "")
    digits = plain.lstrip("+-")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2].lower(), 10)
    return int(plain, base)


def _real(text: str) -> float:
    plain = text.replace("_", "").casefold()
    sign = -1.0 if plain.startswith("-") else 1.0
    if plain.lstrip("+-") == ".inf":
        return sign * math.inf
    return math.nan if plain == ".nan" else float(plain)


def _plain_words(error: MarkedYAMLError, text: str, place: Mark) -> tuple[str, str]:
    """ruamel's complaint -> (message, hint) for someone who does not know YAML's grammar."""
    lines = text.splitlines()
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    said = str(error.problem or error.context or "cannot be understood")
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in said:
        return "a tab where YAML allows only spaces", "Indent with two spaces"
    if "single document" in str(error.context or "") or "another document" in said:
        return "a second document begins here ('---')", "Keep one configuration in one file"
    if "undefined alias" in said:
        return f"{said.replace('found ', '')}", "Its anchor (&name) must stand above"
    if "mapping values are not allowed" in said:
        return "a second ':' in one value", 'Put a text that holds ": " in quotes; or the line above is indented wrongly'
    if "could not find expected ':'" in said:
        return "here should be 'key: value'", "Is the ':' missing, or the indentation wrong?"
    if "expected <block end>" in said or ("expected '<document start>'" in said and "block" in said):
        return "the indentation does not fit the lines above", "Items of one list or mapping begin in the same column"
    if "cannot start any token" in said:
        return f"{said.removeprefix('found ')}", "Put the text in quotes"
    return f"this is not YAML: {said}", ""


def _first_odd(text: str) -> Mark:
    """The first character that YAML forbids (control characters), else unknown."""
    found = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if not found:
        return Mark(0, 0)
    before = text[: found.start()]
    return Mark(before.count("\n") + 1, found.start() - (before.rfind("\n") + 1) + 1)
