"""What all verbs print with: plain lines, tables and progress for people, one JSON object for machines.

Answers go to stdout, everything else (progress, notes, problems) to stderr. Rich is imported on first use.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines.")]
Lang = Annotated[str, typer.Option("--lang", help="Language of what is printed: bn or en.", envvar="PAHARA_LANG", metavar="bn|en")]
Language = Annotated[str, typer.Option("--lang", help="Language of the words: bn or en.", envvar="PAHARA_LANG", metavar="bn|en")]

State = Literal["ok", "warn", "fail"]
PIPED_WIDTH = 120  # columns when nobody's terminal says how wide it is
MARKS: Mapping[State, tuple[str, str, str]] = {"ok": ("✓", "ok", "green"), "warn": ("!", "!!", "yellow"), "fail": ("✗", "XX", "red")}


@cache
def out() -> Console:
    """The console of answers: stdout."""
    return _console(stderr=False)


@cache
def err() -> Console:
    """The console of everything else: stderr."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    if not _unicode(stream) and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # an old Windows console: a question mark instead of a traceback
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH
    return Console(stderr=stderr, highlight=False, emoji=False, markup=False, width=width, soft_wrap=False)


def say(*words: object, style: str = "") -> None:
    """One line of an answer; a long one is left to the terminal to wrap, so that it can be copied."""
    out().print(*words, style=style or None, soft_wrap=True)


def note(*words: object, style: str = "dim") -> None:
    """One line that is no answer, on stderr."""
    err().print(*words, style=style or None, soft_wrap=True)


def warn(words: str) -> None:
    """Something to know, on stderr."""
    err().print(f"{mark('warn', stderr=True)} {words}", style="yellow", soft_wrap=True)


def mark(state: State, *, stderr: bool = False) -> str:
    """✓, ! or ✗; letters where the terminal cannot show them."""
    pretty, plain, _ = MARKS[state]
    return pretty if _unicode(sys.stderr if stderr else sys.stdout) else plain


def say_json(value: object, *, line: bool = False) -> None:
    """The one JSON object of `--json`; `line` where many follow each other, one a line."""
    text = json.dumps(plain(value), ensure_ascii=not _unicode(sys.stdout), indent=None if line else 2, allow_nan=False)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """Dataclasses, paths, tuples and numpy's numbers as JSON has them; what is no number (nan, inf) becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy, without importing it
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(each) for each in value]
    return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", right: Sequence[int] = ()) -> None:
    """A table on stdout; `right` are the numbers of the columns that hold numbers. A cell may be a rich Text."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, title_style="bold")
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    out().print(made)


@contextmanager
def progress(words: str, total: float | None = None) -> Iterator[Callable[[float, float | None], None]]:
    """A bar on stderr while the body runs, where a person looks: `with progress("Frames", 100) as tell: tell(done, None)`.

    `tell(done, total)` moves it; a total of None leaves it as it is.
    """
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = err()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(words, total=total)

        def tell(done: float, total: float | None = None) -> None:
            if total is None:
                bar.update(task, completed=done)
            else:
                bar.update(task, completed=done, total=total)

        yield tell


def _unicode(stream: Any) -> bool:
    return "utf" in (getattr(stream, "encoding", None) or "").lower()
