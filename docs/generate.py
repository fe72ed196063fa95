"""Writes docs/reference/ from the code: `python -m docs.generate`; with --check it only tells what is stale.

Nothing here is typed twice: commands come from the command line itself, options of behaviours from their fields,
the configuration from its JSON schema, sentences from the catalogues, the Python interface from docstrings.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "pahara"
TARGET = ROOT / "docs" / "reference"
MARK = "<!-- Written by `python -m docs.generate` from the code. Change the code, not this file. -->\n\n"
EXIT_CODES = (
    (0, "done"),
    (1, "the command did its work and its answer is no: see the command"),
    (2, "a mistake that its user can mend, told in one line; or wrong options"),
    (130, "stopped with Ctrl-C"),
    (141, "the program that read the output has left (`pahara … | head`)"),
)


def pages() -> dict[str, str]:
    """File name in docs/reference/ -> its text."""
    made = {
        "cli.md": cli_page(),
        "behaviours.md": plug_in_page("behaviour", "Behaviours", "What each one measures, its options and its alarm."),
        "plugins.md": others_page(),
        "config.md": config_page(),
        "reasons.md": reasons_page(),
        **{f"api/{room}.md": text for room, text in api_pages()},
    }
    made["README.md"] = index_page(made)
    return {name: MARK + text.rstrip() + "\n" for name, text in made.items()}


def index_page(made: Mapping[str, str]) -> str:
    lines = ["# Reference", "", "Written from the code; the [guide](../guide/README.md) explains, this page only lists.", ""]
    for name, text in made.items():
        if not name.startswith("api/"):
            lines.append(f"- [{_title(text)}]({name}): {_lead(text)}")
    lines += ["- Python interface, room by room:", ""]
    lines += table(
        ("room", "what happens there"),
        [(f"[`pahara.{Path(name).stem}`]({name})", _lead(text)) for name, text in sorted(made.items()) if name.startswith("api/")],
    )
    return "\n".join(lines)


def _title(text: str) -> str:
    return text.splitlines()[0].lstrip("# ")


def _lead(text: str) -> str:
    return next(line for line in text.splitlines()[1:] if line)


# ---------------------------------------------------------------- the command line


def cli_page() -> str:
    """Every command with its arguments and options."""
    import typer

    from pahara.cli.app import app

    lines = ["# The command line", "", "Every command of `pahara`, its arguments and its options.", ""]
    lines += ["Answers go to stdout, progress and problems to stderr. `--json` gives one JSON object for machines.", ""]
    lines += [*table(("exit code", "meaning"), [(f"{code}", words) for code, words in EXIT_CODES]), ""]
    for name, command in commands(typer.main.get_command(app), "pahara"):
        lines += [f"## `{name}`", "", _prose(command.help or ""), ""]
        parameters = [p for p in command.params if not getattr(p, "hidden", False) and p.name not in ("help", "install_completion")]
        arguments = [p for p in parameters if p.param_type_name == "argument"]
        options = [p for p in parameters if p.param_type_name == "option" and p.name != "show_completion"]
        subcommands = getattr(command, "commands", {})
        used = [name, *(_usage(p) for p in arguments), *(["[options]"] if options else []), *(["COMMAND"] if subcommands else [])]
        lines += ["```", " ".join(used), "```", ""]
        if arguments:
            lines += [*table(("argument", "what"), [(f"`{_usage(p)}`", _prose(p.help or "")) for p in arguments]), ""]
        if options:
            rows = [(_option(p), _default(p), _prose(p.help or "")) for p in options]
            lines += [*table(("option", "default", "what"), rows), ""]
    return "\n".join(lines)


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """A command and all below it, each with its full name."""
    yield name, command
    for word, below in getattr(command, "commands", {}).items():
        if not getattr(below, "hidden", False):
            yield from commands(below, f"{name} {word}")


def _usage(parameter: Any) -> str:
    word = (parameter.metavar or parameter.name).upper() if parameter.metavar is None else parameter.metavar
    word += "…" if parameter.nargs == -1 else ""
    return word if parameter.required else f"[{word}]"


def _option(parameter: Any) -> str:
    names = " ".join(f"`{word}`" for word in [*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return names
    environment = parameter.envvar if isinstance(parameter.envvar, str) else ""
    return f"{names} {_escaped(parameter.metavar or _kind(parameter))}" + (f" (or `${environment}`)" if environment else "")


def _kind(parameter: Any) -> str:
    """What an option takes, in a word."""
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    words = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}
    if annotation in words:
        return words[annotation]
    return {"integer": "INTEGER", "float": "NUMBER", "path": "PATH", "file": "PATH"}.get(
        getattr(getattr(parameter, "type", None), "name", ""), "TEXT"
    )


def _default(parameter: Any) -> str:
    default = parameter.default
    if default is None or default == "" or default == () or callable(default) or (parameter.is_flag and not default):
        return ""
    if isinstance(default, list | tuple):
        return " ".join(f"`{value}`" for value in default)
    return f"`{str(default).replace(str(Path.home()), '~')}`" if not isinstance(default, bool) else ("yes" if default else "no")


# ---------------------------------------------------------------- plug-ins and the configuration


def schema() -> dict[str, Any]:
    """The JSON schema of pahara.yml."""
    from pahara.config import json_schema

    return json_schema()


def plug_in_page(prefix: str, title: str, about: str) -> str:
    lines = [f"# {title}", "", about, ""]
    lines += [
        "Options stand in `pahara.yml` beside `kind:`, or are the fields of the class in Python. Sentences are in both languages.",
        "",
    ]
    return "\n".join([*lines, *_plug_ins(prefix, schema()["$defs"])])


def others_page() -> str:
    definitions = schema()["$defs"]
    lines = ["# Detectors, trackers, gate and signals", "", "The other plug-ins and their options.", ""]
    for prefix, title in (("detector", "Detectors"), ("tracker", "Trackers")):
        lines += [f"## {title}", "", *_plug_ins(prefix, definitions, level="###")]
    for name, title in (("MotionGate", "Motion gate"), ("AlarmRule", "Alarm rule")):
        if name in definitions:
            lines += [f"## {title}", "", _prose(definitions[name].get("description", "")), "", *_properties(definitions[name]), ""]
    signals = _built_in("signals")
    if signals:
        from pahara.config.fielddocs import summary
        from pahara.config.registry import find

        lines += [
            "## Signals",
            "",
            *table(("name", "what"), [(f"`{name}`", _prose(summary(find("signals", name)))) for name in signals]),
            "",
        ]
    return "\n".join(lines)


def _built_in(group: str) -> list[str]:
    """Names that Pahara itself registers; what a stranger installed here is none of our reference's business."""
    from importlib.metadata import entry_points

    return sorted(entry.name for entry in entry_points(group=f"pahara.{group}") if entry.value.startswith("pahara."))


def _plug_ins(prefix: str, definitions: Mapping[str, Any], level: str = "##") -> list[str]:
    from pahara.config.registry import find
    from pahara.language import LANGUAGES, catalogue

    lines: list[str] = []
    for kind in _built_in(f"{prefix}s"):
        if f"{prefix}.{kind}" not in definitions:
            continue
        definition = definitions[f"{prefix}.{kind}"]
        plug_in = find(f"{prefix}s", kind)
        names = [catalogue(one).get(f"{prefix}.{kind}") for one in reversed(LANGUAGES)]
        lines += [f"{level} `{kind}`" + (f": {' · '.join(filter(None, names))}" if all(names) else ""), ""]
        module = sys.modules[plug_in.__module__].__doc__ or ""
        lines += [_prose(module.strip().split("\n\n")[0]), "", _prose(definition.get("description", "")), ""]
        lines += [*_properties(definition, skip=("kind", "name", "alarm")), ""]
        defaults = getattr(plug_in, "alarm_defaults", {})
        if defaults:
            lines += ["Alarm: " + ", ".join(f"`{key}` {value:g}" for key, value in defaults.items()) + ".", ""]
        told = [key for key in catalogue("en") if key.startswith(f"reason.{kind}.")]
        if told:
            lines += [*_sentences(told), ""]
        lines += [f"Python: `{plug_in.__module__}.{plug_in.__qualname__}`", ""]
    return lines


def config_page() -> str:
    """Every key of pahara.yml."""
    whole = schema()
    definitions = whole["$defs"]
    lines = ["# `pahara.yml`", "", "Every key of the configuration; `pahara config schema` prints the JSON schema for editors.", ""]
    lines += ["Unknown keys are refused. `{PAHARA_…}` is replaced by the environment variable of that name.", ""]
    lines += ["## The file", "", *_properties(whole), ""]
    for name, key in (("Camera", "cameras.NAME"), ("Line", "cameras.NAME.lines.NAME"), ("Defaults", "defaults"), ("PoseChoice", "pose"), ("StorePart", "store"), ("EvidencePart", "evidence"), ("WebPart", "web"), ("Hours", "schedule")):  # fmt: skip
        if name in definitions:
            definition = definitions[name]
            definition = definition.get("oneOf", [definition])[0]
            lines += [f"## `{key}`", "", _prose(definition.get("description", "")), "", *_properties(definition), ""]
    lines += ["Options of [behaviours](behaviours.md), of [detectors, trackers, the gate and the alarm rule](plugins.md).", ""]
    return "\n".join(lines)


def _properties(definition: Mapping[str, Any], skip: Sequence[str] = ()) -> list[str]:
    needed = definition.get("required", [])
    rows = []
    for name, value in definition.get("properties", {}).items():
        if name in skip:
            continue
        default = "*needed*" if name in needed else f"`{_yaml(value['default'])}`" if value.get("default") not in (None, "") else ""
        rows.append((f"`{name}`", _shape(value), default, _prose(value.get("description", ""))))
    return table(("key", "takes", "default", "what"), rows) if rows else ["No options."]


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return "{}" if value == {} else str(value)


def _shape(value: Mapping[str, Any]) -> str:
    """What a JSON schema allows, in a few words."""
    if "const" in value:
        return f"`{_yaml(value['const'])}`"
    if "enum" in value:
        return " ".join(f"`{_yaml(each)}`" for each in value["enum"])
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return {
            "BehaviourChoice": "behaviour",
            "DetectorChoice": "detector",
            "TrackerChoice": "tracker",
            "GateChoice": "gate",
            "PoseChoice": "pose",
        }.get(name, name)
    for key in ("anyOf", "oneOf"):
        if key in value:
            return " or ".join(dict.fromkeys(_shape(each) for each in value[key] if each.get("type") != "null"))
    kind = value.get("type", "anything")
    if kind == "array":
        return f"list of {_shape(value['items'])}" if isinstance(value.get("items"), dict) and value["items"] else "list"
    if kind == "object":
        inside = value.get("additionalProperties")
        return f"names → {_shape(inside)}" if isinstance(inside, dict) and inside else "mapping"
    word = {"string": "text", "boolean": "yes or no", "integer": "whole number"}.get(kind, kind)
    low = value.get("minimum", value.get("exclusiveMinimum"))
    high = value.get("maximum", value.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f"{word}, {low:g} to {high:g}"
    if low is not None:
        return f"{word}, {'above' if 'exclusiveMinimum' in value else 'at least'} {low:g}"
    return f"{word}, {'below' if 'exclusiveMaximum' in value else 'at most'} {high:g}" if high is not None else word


# ---------------------------------------------------------------- words


def reasons_page() -> str:
    """Reason codes with their sentences, and the errors that a user can meet."""
    from pahara.language import catalogue

    lines = ["# Reasons and errors", "", "Why events fire, in both languages, and the errors that a user can mend.", ""]
    lines += ["## Reasons", "", "`Reason.code` names the sentence `reason.<code>`; a code without one uses `generic`.", ""]
    lines += [*_sentences(key for key in catalogue("en") if key.startswith("reason.")), ""]
    lines += ["## Errors", "", "All are `pahara.core.PaharaError`: one line that says what was wrong, where, and what to try.", ""]
    rows = [(f"`{name}`", f"`{where}`", _prose(told)) for name, where, told in sorted(_errors())]
    return "\n".join([*lines, *table(("error", "where", "when"), rows), ""])


def _sentences(keys: Iterable[str]) -> list[str]:
    from pahara.language import LANGUAGES, catalogue

    rows = [(f"`{key.removeprefix('reason.')}`", *(_prose(catalogue(one)[key]) for one in reversed(LANGUAGES))) for key in sorted(keys)]
    return table(("code", *reversed(LANGUAGES)), rows)


def _errors() -> Iterator[tuple[str, str, str]]:
    """Classes that stand on PaharaError: name, module, docstring."""
    family, found = {"PaharaError"}, {}
    classes = [(module, node) for module, tree in modules(SOURCE) for node in tree.body if isinstance(node, ast.ClassDef)]
    for _ in range(4):  # as deep as the family is
        for module, node in classes:
            if node.name in family or any(ast.unparse(base).rsplit(".", 1)[-1] in family for base in node.bases):
                family.add(node.name)
                found[node.name, module] = (ast.get_docstring(node) or "").split("\n\n")[0]
    for (name, module), told in found.items():
        yield name, module, told


# ---------------------------------------------------------------- the Python interface


def api_pages() -> Iterator[tuple[str, str]]:
    """Each room that has public names -> its page. Read from the source: nothing is imported."""
    for room in sorted(folder for folder in SOURCE.iterdir() if (folder / "__init__.py").exists()):
        if room.name in ("cli", "language"):  # told by cli.md; words
            continue
        trees = dict(modules(room))
        home = trees[f"pahara.{room.name}"]
        wanted = _exported(home)
        found = [
            (module, tree, node)
            for module, tree in trees.items()
            for node in tree.body
            if (name := _name(node)) and (name in wanted if wanted else _is_public(node, name))
        ]
        if not found:
            continue
        lines = [f"# `pahara.{room.name}`", "", _prose((ast.get_docstring(home) or "").split("\n\n")[0]), ""]
        found.sort(key=lambda each: (each[0], each[2].lineno))
        for module in dict.fromkeys(module for module, _, _ in found):
            told = (ast.get_docstring(trees[module]) or "").split("\n\n")[0]
            lines += [f"## {module}", "", _prose(told), ""] if module != f"pahara.{room.name}" else []
            for _, _, node in (each for each in found if each[0] == module):
                lines += _entry(node, (SOURCE.parent / (module.replace(".", "/") + ".py")), room)
        yield room.name, "\n".join(lines)


def modules(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module below a folder of the package: its dotted name and its tree; migrations are nobody's interface."""
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        if "migrations" not in path.parts:
            yield name, ast.parse(path.read_text(encoding="utf-8"), str(path))


def _exported(home: ast.Module) -> set[str]:
    """The names in a room's `__all__`; empty where it has none."""
    for node in home.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return set(ast.literal_eval(node.value))
    return set()


def _name(node: ast.stmt) -> str:
    """What a statement of a module defines: a class, a function, a constant or an alias; "" for anything else."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return node.name
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0] if isinstance(node, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else ""


def _is_public(node: ast.stmt, name: str) -> bool:
    """Where a room has no `__all__`, its classes and functions count, its constants do not."""
    return isinstance(node, ast.ClassDef | ast.FunctionDef) and not name.startswith("_")


def _entry(node: ast.stmt, path: Path, room: Path) -> list[str]:
    source = (path if path.exists() else room / "__init__.py").read_text(encoding="utf-8").splitlines()
    lines = [f"### `{_name(node)}`", "", "```python"]
    if isinstance(node, ast.FunctionDef):
        lines += [_signature(node)]
    elif not isinstance(node, ast.ClassDef):
        return [*lines, *source[node.lineno - 1 : node.end_lineno], "```", ""]
    else:
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        lines += [f"class {node.name}" + (f"({bases})" if bases else "") + ":"]
        body: list[str] = []
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and not item.target.id.startswith("_"):
                body += [f"    {line.strip()}" for line in source[item.lineno - 1 : item.end_lineno]]  # with the comment beside it
            elif isinstance(item, ast.FunctionDef) and (not item.name.startswith("_") or item.name in ("__init__", "__call__")):
                told = (ast.get_docstring(item) or "").split("\n\n")[0].replace("\n", " ")
                how = [
                    f"    @{ast.unparse(mark)}"
                    for mark in item.decorator_list
                    if "property" in ast.unparse(mark) or "method" in ast.unparse(mark)
                ]
                line = f"    {_signature(item)}"
                beside = told and len(line) + len(told) < 110
                body += [*([] if beside or not told else [f"    # {told}"]), *how, f"{line}  # {told}" if beside else line]
        lines = [*lines, *body] if body else [*lines[:-1], f"{lines[-1]} ..."]
    lines += ["```", "", *_docstring(ast.get_docstring(node) or ""), ""]
    return lines


def _signature(node: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}"


def _docstring(text: str) -> list[str]:
    """Paragraphs as they are; examples and indented blocks as code."""
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        code = paragraph.lstrip().startswith(">>>") or paragraph.startswith("    ")
        lines += ["```python", paragraph, "```", ""] if code else [*map(_escaped, paragraph.splitlines()), ""]
    return lines[:-1]


# ---------------------------------------------------------------- Markdown


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return lines + [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


def _prose(text: str) -> str:
    """Running text on one line."""
    return _escaped(re.sub(r"\s+", " ", text.replace("\b", "")).strip())


def _escaped(text: str) -> str:
    """Text in which nothing is taken for HTML; code between backticks stays as it is."""
    parts = text.split("`")
    return "`".join(part if i % 2 else part.replace("<", "&lt;").replace("*", r"\*") for i, part in enumerate(parts))


# ---------------------------------------------------------------- writing


def stale(made: Mapping[str, str], target: Path) -> list[str]:
    """A difference, line by line, between what is there and what should be; empty when nothing is stale."""
    there = (
        {path.relative_to(target).as_posix(): path.read_text(encoding="utf-8") for path in target.rglob("*.md")} if target.exists() else {}
    )
    lines: list[str] = []
    for name in sorted({*made, *there}):
        before, after = there.get(name, ""), made.get(name, "")
        lines += difflib.unified_diff(before.splitlines(), after.splitlines(), f"docs/reference/{name}", "from the code", lineterm="", n=1)
    return lines


def write(made: Mapping[str, str], target: Path) -> None:
    """All pages; pages that nothing stands behind any more are removed."""
    for path in target.rglob("*.md") if target.exists() else ():
        if path.relative_to(target).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None, target: Path = TARGET) -> int:
    parser = argparse.ArgumentParser(description="Write docs/reference/ from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 with the difference when it is stale")
    made = pages()
    if not parser.parse_args(arguments).check:
        write(made, target)
        return 0
    difference = stale(made, target)
    if difference:
        print("\n".join(difference))
        print("docs/reference is stale: run `python -m docs.generate` and commit what it writes", file=sys.stderr)
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
