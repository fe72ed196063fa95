"""Changes a configuration file's text and keeps its comments, order and quotes; shows it without its secrets, and takes it back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from pahara.core import ConfigError, without_secrets
from pahara.core.secrets import MASKED, VARIABLE

from .document import read
from .model import SECRETS
from .problems import ConfigProblems, Problem

Path = tuple[str | int, ...]
MOST_LINES = 5000  # of a file whose lines are compared one by one
_COMMENT = re.compile(r"(^|\s)#.*$")


def set_places(text: str, camera: str, zones: Mapping[str, Any] | None, lines: Mapping[str, Any] | None) -> str:
    """The text with these zones and lines of the camera; None leaves them as they are. ConfigError where there is no such camera."""

    def change(whole: CommentedMap) -> None:
        entry = _camera(whole, camera)
        for key, places in (("zones", zones), ("lines", lines)):
            if places is None:
                continue
            if not places:
                entry.pop(key, None)
                continue
            had = entry.get(key)
            kept = had if isinstance(had, CommentedMap) else CommentedMap()
            if kept is not had:
                entry[key] = kept
            kept.fa.set_block_style()
            for name in [name for name in kept if str(name) not in places]:
                del kept[name]
            for name, place in places.items():
                if name not in kept or _plain(kept[name]) != _rounded(place):
                    kept[name] = _flow(_rounded(place))

    return edited(text, change)


def set_behaviours(text: str, camera: str, behaviours: Sequence[Any] | None) -> str:
    """The text with these behaviours of the camera; None: it does again what cameras do that say nothing. Entries that stay keep their comments."""

    def change(whole: CommentedMap) -> None:
        entry = _camera(whole, camera)
        if behaviours is None:
            entry.pop("behaviours", None)
        else:
            entry["behaviours"] = _list(entry.get("behaviours"), behaviours)

    return edited(text, change)


def add_camera(text: str, key: str, camera: Mapping[str, Any]) -> str:
    """The text with one camera more. ConfigError where the key is taken."""

    def change(whole: CommentedMap) -> None:
        cameras = whole.get("cameras")
        if not isinstance(cameras, CommentedMap):
            whole["cameras"] = cameras = CommentedMap()
        cameras.fa.set_block_style()
        if any(str(each).casefold() == key.casefold() for each in cameras):
            raise ConfigError(f"there is a camera '{key}' already: choose another key")
        cameras[key] = _node(dict(camera))

    return edited(text, change)


def remove_camera(text: str, key: str) -> str:
    """The text without the camera. ConfigError where there is none."""

    def change(whole: CommentedMap) -> None:
        _camera(whole, key)
        del whole["cameras"][key]

    return edited(text, change)


def merge(text: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The text with what differs between two dumps (`Config.as_dict`) of it. What is equal, masked secrets among it, is not touched."""
    return edited(text, lambda whole: _merge(whole, old, new))


def edited(text: str, change: Callable[[CommentedMap], None]) -> str:
    """The text after `change` of its document. ConfigError where it cannot be read, or would hold `***` for a secret."""
    _check(text)
    yaml = YAML(typ="rt")  # knows no tag that makes an object
    yaml.preserve_quotes = True
    yaml.width = 4096
    offset = _offset(text)
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    out = StringIO()
    try:
        whole = yaml.load(text)
        if not isinstance(whole, CommentedMap):
            raise ConfigError("the configuration is no mapping")
        change(whole)
        yaml.dump(whole, out)
    except (YAMLError, ValueError, TypeError, AttributeError, RecursionError) as problem:
        said = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ConfigError(f"the configuration cannot be changed by machine ({said}): change the file by hand") from None
    made = out.getvalue()
    _no_masks(made)
    return made


# --------------------------------------------------------------------------------------------------------- secrets


def masked(text: str) -> str:
    """The text with every log-in, token and address of a messenger as `***`, also in comments."""
    try:
        spans = [(node, path, shown) for node, path in _scalars(_compose(text)) if (shown := _shown(node.value, path)) != node.value]
    except ConfigError:  # no YAML: nothing tells where values are, so rather too much is hidden
        return "\n".join(_hidden(line) for line in text.split("\n"))
    for node, _, shown in sorted(spans, key=lambda each: -each[0].start_mark.index):
        text = text[: node.start_mark.index] + _written(shown, node) + text[node.end_mark.index :]
    return "\n".join(_COMMENT.sub(lambda found: without_secrets(found[0]), line) for line in text.split("\n"))


def unmasked(text: str, old: str) -> str:
    """A text that came back from `masked(old)` with changes -> with the secrets in it again.

    A `***` becomes what it stood for only where the rest of its value is as it was, so that nobody learns a password by
    sending it elsewhere. ConfigError for a `***` that nothing stands behind.
    """
    if MASKED not in text:
        return text
    hidden, had, new = masked(old).split("\n"), old.split("\n"), text.split("\n")
    if len(hidden) == len(had) and max(len(had), len(new)) <= MOST_LINES:
        for block in SequenceMatcher(None, hidden, new, autojunk=False).get_matching_blocks():
            new[block.b : block.b + block.size] = had[block.a : block.a + block.size]
        text = "\n".join(new)
    before = {path: (node, old[node.start_mark.index : node.end_mark.index]) for node, path in _scalars(_compose(old))}
    found = [
        (node, path)
        for node, path in _scalars(_compose(text))
        if MASKED in node.value and path in before and _shown(before[path][0].value, path) == node.value
    ]
    for node, path in sorted(found, key=lambda each: -each[0].start_mark.index):
        was, raw = before[path]
        again = raw if "\n" not in raw else json.dumps(was.value, ensure_ascii=False)
        text = text[: node.start_mark.index] + again + text[node.end_mark.index :]
    _no_masks(text)
    return text


def _no_masks(text: str) -> None:
    problems = [
        Problem(f"'{MASKED}' stands for a secret, and this is none that was here before", "Write it out, or better {PAHARA_…}", "", node.start_mark.line + 1, node.start_mark.column + 1)
        for node, _ in _scalars(_compose(text))
        if MASKED in node.value
    ]  # fmt: skip
    if problems:
        raise ConfigProblems(problems)


def _shown(value: str, path: Path) -> str:
    if path[:2] == ("notify", "channels") and path[-1] in SECRETS and value and not VARIABLE.search(value):
        return MASKED
    return without_secrets(value)


def _hidden(line: str) -> str:
    line = without_secrets(line)
    for key in SECRETS:
        line = re.sub(rf"(^|[\s{{,])({key})\s*:\s*\S.*$", rf"\1\2: {MASKED}", line)
    return line


def _written(value: str, node: Any) -> str:
    return value if node.style is None and not value.startswith("*") else json.dumps(value, ensure_ascii=False)


def _scalars(node: Any, path: Path = (), inside: tuple[int, ...] = ()) -> Iterator[tuple[Any, Path]]:
    """Every text of the document, once, by its path."""
    if id(node) in inside:
        return
    if isinstance(node, ScalarNode):
        yield node, path
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield from _scalars(value, (*path, str(key.value)), (*inside, id(node)))
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            yield from _scalars(value, (*path, number), (*inside, id(node)))


def _compose(text: str) -> Any:
    _check(text)
    try:
        return YAML(typ="safe", pure=True).compose(text)
    except (YAMLError, ValueError, TypeError, AttributeError, RecursionError):
        raise ConfigError("this is not YAML") from None


def _check(text: str) -> None:
    """Everything that `document.read` refuses (tags, bombs, two documents …) is refused here too; a missing variable is no hindrance."""
    read(text, env=dict.fromkeys(VARIABLE.findall(text), "x"))


# --------------------------------------------------------------------------------------------------------- changing


def _camera(whole: CommentedMap, key: str) -> CommentedMap:
    cameras = whole.get("cameras")
    entry = cameras.get(key) if isinstance(cameras, Mapping) else None
    if not isinstance(entry, CommentedMap):
        raise ConfigError(f"no camera '{key}' in the configuration")
    return entry


def _merge(node: CommentedMap, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for key, value in new.items():
        before = old.get(key)
        if key in old and before == value:
            continue
        here = node.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if isinstance(here, CommentedMap):
                _merge(here, before, value)
                continue
            if here is None:  # the file says nothing: only what differs from the defaults is written
                value = {name: each for name, each in value.items() if name not in before or before[name] != each}
        node[key] = _list(here, value) if isinstance(value, list) and isinstance(here, CommentedSeq) else _node(value)
    for key in [key for key in old if key not in new]:
        node.pop(key, None)


def _list(had: Any, wanted: Sequence[Any]) -> CommentedSeq:
    """The entries that were there already stay as they were written."""
    left = dict(enumerate(had)) if isinstance(had, CommentedSeq) else {}
    made = CommentedSeq()
    for value in wanted:
        twin = next((number for number, each in left.items() if _plain(each) == value), None)
        made.append(_node(value, flow=True) if twin is None else left.pop(twin))
        if twin is not None and twin in had.ca.items:  # the comment behind an entry belongs to the list
            made.ca.items[len(made) - 1] = had.ca.items[twin]
    if isinstance(had, CommentedSeq) and made:
        made.ca.comment = had.ca.comment
        if had.fa.flow_style() is not None and had:
            made._yaml_format = had.fa
    if not any(isinstance(each, Mapping) for each in made):
        made.fa.set_flow_style()
    return made


def _node(value: Any, *, flow: bool = False) -> Any:
    """Plain values as a file would write them: short things on one line."""
    if isinstance(value, Mapping):
        made = CommentedMap((str(key), _node(each, flow=flow)) for key, each in value.items())
        if flow or not made:
            made.fa.set_flow_style()
        return made
    if isinstance(value, list | tuple):
        numbers = not any(isinstance(each, Mapping) for each in value)
        row = CommentedSeq(_node(each, flow=flow or numbers) for each in value)
        if flow or numbers:
            row.fa.set_flow_style()
        return row
    return value


def _flow(value: Any) -> Any:
    return _node(value, flow=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _rounded(value: Any) -> Any:
    """A ten-thousandth of a picture is finer than any hand."""
    if isinstance(value, Mapping):
        return {str(key): _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def _offset(text: str) -> int:
    """How far lists are moved in under their key: as the file does it already."""
    found = re.search(r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- ", text, re.MULTILINE)
    return 0 if found and len(found[2]) <= len(found[1]) else 2
