"""The `pahara` command: one file per verb, heavy libraries loaded only by the verb that needs them."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from pahara import __version__
from pahara.core.errors import PaharaError

# Verbs in the order of the help. Each module has `register(app)`.
VERBS = (
    "watch", "run", "verify", "backup", "user", "demo", "drill", "replay", "backtest", "normality", "data", "train", "predict", "evaluate", "compare", "export", "quantize", "simulate", "models",
    "bench", "config", "doctor",
)  # fmt: skip

app = typer.Typer(
    name="pahara",
    help="Pahara (পাহারা): video in, explained events out. On an ordinary PC, offline.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"pahara {__version__}")
        raise typer.Exit


@app.callback()
def _pahara(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


for verb in VERBS:
    if find_spec(f"pahara.cli.{verb}") is not None:
        import_module(f"pahara.cli.{verb}").register(app)


def run() -> None:
    """Run the command line; a user's mistake ends in one clear line and an exit code, never a traceback."""
    try:
        app()
    except PaharaError as problem:
        print(f"pahara: {problem}", file=sys.stderr)
        sys.exit(problem.exit_code)
    except SystemExit as end:  # Typer turns Ctrl-C into a silent exit; a watch that was stopped has told what it kept
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):
            print("pahara: stopped", file=sys.stderr)
        raise
    except KeyboardInterrupt:
        print("pahara: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `pahara … | head`: the reader has left
        sys.stderr.close()
        sys.exit(141)
