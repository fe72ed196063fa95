"""`pahara doctor`: what is installed, what works, and what to do about the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import MARKS, Json, Language, mark, out, say, say_json

if TYPE_CHECKING:
    from .checks import Finding

FAILED = 1  # exit code when something essential does not work
HERE = Path("pahara.yml")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(doctor)


def doctor(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="A configuration to check too (default: pahara.yml, if it is here).", readable=False),
    ] = None,
    data: Annotated[Path, typer.Option("--data", help="Where events and evidence go.")] = Path("pahara-data"),
    language: Language = "en",
    as_json: Json = False,
) -> None:
    """Try everything that a watch needs, and say what to do where something is wrong.

    Exit code 0: a watch will work. 1: something essential does not.
    """
    from pahara.config.starter import LANGUAGES
    from pahara.core.errors import ConfigError
    from pahara.language import text

    from .checks import Room, examine

    if language not in LANGUAGES:
        raise ConfigError(f"no language '{language}'. There are 'bn' and 'en'")
    room = Room(data, config or (HERE if HERE.exists() else None))
    findings = []
    for finding in examine(room):
        findings.append(finding)
        if not as_json:
            _tell(finding, language)
    failed = [finding for finding in findings if finding.state == "fail"]
    warned = [finding for finding in findings if finding.state == "warn"]
    if as_json:
        say_json(
            {
                "ok": not failed,
                "checks": [
                    {
                        "check": finding.check,
                        "title": text(f"doctor.{finding.check}", language),
                        "state": finding.state,
                        "detail": finding.detail,
                        "advice": _advice(finding, language),
                    }
                    for finding in findings
                ],
            }
        )
    else:
        key = "doctor.failed" if failed else "doctor.warned" if warned else "doctor.well"
        style = MARKS["fail" if failed else "warn" if warned else "ok"][2]
        say(text(key, language, failed=len(failed), warned=len(warned)), style=style)
    if failed:
        raise typer.Exit(FAILED)


def _tell(finding: Finding, language: str) -> None:
    from rich.text import Text

    from pahara.language import text

    style = MARKS[finding.state][2]
    line = Text.assemble((f"{mark(finding.state)} ", style), (text(f"doctor.{finding.check}", language), "bold"), f"  {finding.detail}")
    out().print(line, soft_wrap=True)
    if advice := _advice(finding, language):
        out().print(Text(f"    {advice}", style=style if finding.state != "ok" else "dim"), soft_wrap=True)


def _advice(finding: Finding, language: str) -> str:
    from pahara.language import text

    return text(f"doctor.advice.{finding.advice}", language, **finding.values) if finding.advice else ""
