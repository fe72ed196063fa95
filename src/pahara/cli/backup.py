"""`pahara backup` and `pahara restore`: everything that cannot be made again, in one file that is checked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from .output import Json, note, progress, say, say_json, warn


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    target: Annotated[Path, typer.Argument(help="A new .tar file, or a folder to put one into.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="pahara.yml.", readable=False)] = Path("pahara.yml"),
    evidence: Annotated[bool, typer.Option("--evidence", help="With clips and pictures.")] = False,
    as_json: Json = False,
) -> None:
    """Back up events, accounts, keys, what was learned and the configuration, while pahara may run.

    Clips and pictures come with --evidence; continuous recording never does. The file holds secrets: keep it as you keep passwords.
    """
    from pahara.config import load, store_place
    from pahara.store.backup import back_up

    from .stores import existing

    loaded = load(config)
    where, folder = store_place(loaded)
    if target.is_dir():
        target = target / f"pahara-{time.strftime('%Y%m%d-%H%M%S')}.tar"
    with existing(where, media=folder / "media") as store, progress("Files") as tell:
        made = back_up(store, config, target, evidence=evidence, tell=tell)
    if as_json:
        say_json(
            {
                "path": made.path,
                "files": len(made.files),
                "bytes": made.bytes,
                "database": made.database,
                "evidence": made.evidence,
                "gone": made.gone,
            }
        )
        return
    say(f"{made.path}: {len(made.files)} files, {made.bytes / 1e6:.1f} MB, {made.evidence} of evidence; read back and compared")
    if not made.database:
        warn("the database is PostgreSQL and not in it: pg_dump --format=custom --file pahara.dump DATABASE")
    if made.gone:
        note(f"{made.gone} files of evidence have a row but are not there")


def restore(
    source: Annotated[Path, typer.Argument(help="A file that `pahara backup` made.", readable=False)],
    config: Annotated[Path, typer.Option("--config", "-c", help="Where the configuration goes.", readable=False)] = Path("pahara.yml"),
    check: Annotated[bool, typer.Option("--check", help="Only look whether the backup is whole.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Move aside what is there already.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup back, after every checksum in it was compared; the store goes where its configuration says.

    Exit code 0: it is back (with --check: it is whole).
    """
    from pahara.store.backup import config_text, read_backup
    from pahara.store.backup import restore as put_back

    found = read_backup(source)
    folder = _folder(config_text(source), config)
    if not check:
        with progress("Files") as tell:
            found = put_back(source, config, folder, force=force, tell=tell)
    if as_json:
        say_json(
            {
                "files": len(found.files),
                "bytes": found.bytes,
                "made": found.made,
                "version": found.version,
                "restored": not check,
                "store": folder,
            }
        )
        return
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(found.made))
    say(f"{source}: {len(found.files)} files of {made}, pahara {found.version}, whole")
    if not check:
        say(f"put back: {config} and {folder}")
        if not found.evidence:
            note("clips and pictures were not in it: events say that theirs are missing")
        if not found.database:
            warn("the database is PostgreSQL and was not in it: pg_restore --dbname DATABASE pahara.dump")


def _folder(text: str, config: Path) -> Path:
    """The store's folder as the configuration in the backup has it, relative to where it will lie."""
    from pahara.config import store_place
    from pahara.config.loading import parse

    return store_place(parse(text or "version: 1\n", file=str(config), folder=config.expanduser().absolute().parent))[1]
