"""`pahara verify`: whether everything in a store is as it was kept: rows, files, the chain of hashes and its signatures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pahara.store.seal import Seal


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("verify", no_args_is_help=True)(verify)


def verify(
    store: Annotated[str, typer.Argument(help="Folder of the store (or a database URL with --media).")],
    media: Annotated[Path | None, typer.Option("--media", help="Folder of the evidence, where the store is a database URL.")] = None,
    files: Annotated[bool, typer.Option("--files/--no-files", help="Read every file and compare its SHA-256.")] = True,
    key: Annotated[Path | None, typer.Option("--key", help="signing.pub (or public.pem) as you kept it: who must have signed.", readable=False)] = None,
    manifest: Annotated[Path | None, typer.Option("--manifest", help="manifest.json of an earlier export: the store must still hold what it held then.", readable=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:  # fmt: skip
    """Tell exactly what was changed, taken away or put in since it was kept. Exit code 1 where something was."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from pahara.store.seal import public_key
    from pahara.store.verifying import verify as look

    from .output import err, say, say_json, warn
    from .stores import existing

    anchor = _anchor(manifest) if manifest else None
    expected = public_key(_bytes(key)) if key else ""
    with existing(store, media=media) as opened, Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err(), transient=True, disable=not err().is_terminal) as bar:  # fmt: skip
        task = bar.add_task("looking")
        found = look(
            opened, files=files, key=expected, anchor=anchor, tell=lambda what, done: bar.update(task, description=f"{what}: {done}")
        )
    if as_json:
        say_json(
            {
                "whole": found.whole, "links": found.links, "events": found.events, "files": found.files, "seals": found.seals,
                "sealed": found.sealed, "keys": found.keys,
                "findings": [{"wrong": each.wrong, "of": each.of, "name": each.name, "said": each.said} for each in found.findings],
            }
        )  # fmt: skip
    else:
        for each in found.findings:
            warn(f"{each.wrong}: {each.said}")
        signed = (
            f"signed up to link {found.sealed} by {', '.join(one[:16] + '…' for one in found.keys)}" if found.keys else "not signed yet"
        )
        end = "everything is as it was kept" if found.whole else f"{len(found.findings)} things are not as they were kept"
        say(f"{found.events} events, {found.files} files, {found.links} links of the chain ({signed}): {end}")
    if not found.whole:
        raise typer.Exit(1)


def _anchor(path: Path) -> Seal:
    """The seal in an export's manifest. PaharaError where there is none."""
    import json

    from pahara.core.errors import PaharaError
    from pahara.store.seal import Seal

    try:
        told = json.loads(_bytes(path))["chain"]
        return Seal(float(told["at"]), int(told["link"]), str(told["hash"]), str(told["key"]), str(told["signature"]))
    except (ValueError, KeyError, TypeError):
        raise PaharaError(f"{path} is no manifest of an export with the chain in it") from None


def _bytes(path: Path) -> bytes:
    from pahara.core.errors import PaharaError

    try:
        return path.read_bytes()
    except OSError as problem:
        raise PaharaError(f"cannot read {path}: {problem.strerror}") from None
