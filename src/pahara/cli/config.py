"""`pahara config`: check a pahara.yml, begin one, and help an editor to write it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import Json, mark, note, say, say_json, table, warn

if TYPE_CHECKING:
    from pahara.config.model import Config
    from pahara.config.problems import Problem

WRONG = 1  # exit code of `check` for a file with problems; 2 is a file that cannot be read at all

config = typer.Typer(name="config", help="Check, begin and describe pahara.yml.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(config)


@config.command()
def check(
    file: Annotated[Path, typer.Argument(help="The configuration.", readable=False)] = Path("pahara.yml"),
    as_json: Json = False,
) -> None:
    """Tell everything that is wrong with a configuration, with line numbers.

    Exit code 0: in order. 1: problems. 2: there is no such file.
    """
    from pahara.config.document import read_file
    from pahara.config.loading import parse
    from pahara.config.problems import ConfigProblems

    try:
        text = read_file(file)
    except ConfigProblems as unreadable:
        if not as_json:
            raise
        say_json({"file": str(file), "ok": False, "problems": _listed(unreadable.problems), "notes": [], "cameras": []})
        raise typer.Exit(unreadable.exit_code) from None
    try:
        loaded = parse(text, file=str(file), folder=file.expanduser().absolute().parent)
    except ConfigProblems as wrong:
        if as_json:
            say_json({"file": str(file), "ok": False, "problems": _listed(wrong.problems), "notes": [], "cameras": []})
        else:
            for problem in wrong.problems:
                say(f"{mark('fail')} {problem}", style="red")
            count = len(wrong.problems)
            say(f"{file}: {count} problem{'' if count == 1 else 's'}")
        raise typer.Exit(WRONG) from None
    if as_json:
        say_json(_facts(file, loaded))
    else:
        _tell(file, loaded)


@config.command()
def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it here instead of to stdout.")] = None,
    as_json: Json = False,
) -> None:
    """Print the JSON schema of pahara.yml, with the options of every installed plug-in, for editors."""
    import json

    from pahara.config.schema import json_schema

    made = json_schema()
    if output is None:
        say_json(made)
        return
    _write(output, json.dumps(made, ensure_ascii=False, indent=2) + "\n")
    if as_json:
        say_json({"file": str(output)})
        return
    say(f"{output}: begin pahara.yml with")
    say(f"# yaml-language-server: $schema={output}")


@config.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("pahara.yml"),
    language: Annotated[
        str, typer.Option("--language", "--lang", help="Of the comments and of events: bn or en.", envvar="PAHARA_LANG")
    ] = "en",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a commented configuration to begin with. A file that is there stays, unless --force is given."""
    from pahara.config.starter import starter
    from pahara.core.errors import ConfigError

    text = starter(language)
    if file.is_dir():
        file = file / "pahara.yml"
    if file.exists() and not force:
        raise ConfigError(f"{file} is there already and was left as it is. Name another file, or replace it with --force")
    _write(file, text)
    if as_json:
        say_json({"file": str(file), "language": language})
        return
    say(f"{mark('ok')} {file}", style="green")
    note(f"Now put your camera's address and places into it, then: pahara config check {file}")


def _write(file: Path, text: str) -> None:
    from pahara.core.errors import ConfigError

    beside = file.with_name(file.name + ".new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error


def _tell(file: Path, loaded: Config) -> None:
    facts = _facts(file, loaded)
    for each in loaded.notes:
        warn(str(each))
    if facts["cameras"]:
        table(
            ["camera", "name", "source", "detector", "looks for"],
            [
                [
                    each["camera"] + ("" if each["enabled"] else " (off)"),
                    each["name"],
                    each["source"],
                    each["detector"],
                    ", ".join(each["behaviours"]) or "nothing",
                ]
                for each in facts["cameras"]
            ],
        )
    count = len(facts["cameras"])
    say(f"{mark('ok')} {file} is in order: {count} camera{'' if count == 1 else 's'}", style="green")


def _facts(file: Path, loaded: Config) -> dict[str, Any]:
    from pahara.config.build import plan, store_place
    from pahara.config.detectors import choose_detector
    from pahara.core import without_secrets

    cameras = []
    for key, camera in loaded.cameras.items():
        made = plan(loaded, key)
        detector = choose_detector(made.detector, folder=loaded.folder)
        cameras.append(
            {
                "camera": key,
                "name": made.name,
                "enabled": camera.enabled,
                "source": made.source_shown,
                "detector": detector.name,
                "detector_why": detector.why(loaded.language),
                "behaviours": dict(made.kinds),
                "zones": list(made.zones),
                "lines": list(made.lines),
                "memory": made.memory,
            }
        )
    where, media = store_place(loaded)
    return {
        "file": str(file),
        "ok": True,
        "problems": [],
        "notes": _listed(loaded.notes),
        "language": loaded.language,
        "timezone": str(loaded.timezone),
        "store": {"where": without_secrets(where), "media": str(media), "days": loaded.store.days, "gigabytes": loaded.store.gigabytes},
        "cameras": cameras,
    }


def _listed(problems: tuple[Problem, ...]) -> list[dict[str, Any]]:
    return [{"message": p.message, "hint": p.hint, "line": p.line, "column": p.column} for p in problems]
