"""`pahara user`: accounts of the dashboard, from the machine itself: whoever may read its files needs no password to make one."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Json, say, say_json, table

if TYPE_CHECKING:
    from pahara.store import Store
    from pahara.store.accounts import User

user = typer.Typer(name="user", help="Accounts of the dashboard: add, password, remove, list.", no_args_is_help=True)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="pahara.yml.", readable=False)]
Name = Annotated[str, typer.Argument(help="The user's name.")]
HERE = Path("pahara.yml")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(user)


@user.command()
def add(
    name: Name,
    role: Annotated[str, typer.Option("--role", help="owner, operator or viewer.")] = "viewer",
    camera: Annotated[list[str] | None, typer.Option("--camera", help="May see this camera alone; may be given again.")] = None,
    config: ConfigFile = HERE,
) -> None:
    """Make an account; its password is asked for, or read from the first line of a pipe."""
    from pahara.core.errors import PaharaError
    from pahara.store.accounts import ROLES

    if role not in ROLES:
        raise PaharaError(f"no role {role!r}: there are {', '.join(ROLES)}")
    with _store(config) as store:
        if store.accounts.named(name) is not None:
            raise PaharaError(f"there is a user named {name!r} already; a new password: pahara user password {name}")
        made = store.accounts.add(name, _password(name), role, cameras=camera, language="en", now=time.time())
        _note(store, "user added", made, f"role {made.role}")
    say(f"{made.name} may log in as {made.role}")


@user.command()
def password(
    name: Name,
    config: ConfigFile = HERE,
    without_totp: Annotated[bool, typer.Option("--without-totp", help="Also forget the second factor, where the phone is lost.")] = False,
) -> None:
    """Give a new password (asked for, or read from a pipe); every session of theirs ends."""
    with _store(config) as store:
        found = _named(store, name)
        values = {"password": _password(found.name), **({"totp": "", "totp_step": 0} if without_totp else {})}
        store.accounts.change(found.id, time.time(), **values)
        _note(store, "password changed", found, "second factor forgotten" if without_totp else "")
    say(f"{found.name} has a new password; every session of theirs has ended")


@user.command()
def remove(name: Name, config: ConfigFile = HERE) -> None:
    """Remove an account with its sessions and tokens; the last owner stays."""
    with _store(config) as store:
        found = _named(store, name)
        store.accounts.remove(found.id)
        _note(store, "user removed", found)
    say(f"{found.name} is gone")


@user.command("list")
def list_(config: ConfigFile = HERE, as_json: Json = False) -> None:
    """Who may log in, as what, and which cameras they see."""
    with _store(config) as store:
        found = store.accounts.users()
    if as_json:
        say_json(
            [
                {"name": each.name, "role": each.role, "cameras": each.cameras, "second_factor": bool(each.totp), "disabled": each.disabled}
                for each in found
            ]
        )
        return
    rows = [(each.name, each.role, "all" if each.cameras is None else ", ".join(each.cameras), "yes" if each.totp else "", "disabled" if each.disabled else "") for each in found]  # fmt: skip
    table(("name", "role", "cameras", "second factor", ""), rows)


def _store(config: Path) -> Store:
    from pahara.config import load, store_place
    from pahara.store import Store

    where, folder = store_place(load(config))
    return Store.open(where, media=folder / "media" if "://" in where else None)


def _named(store: Store, name: str) -> User:
    from pahara.core.errors import PaharaError

    found = store.accounts.named(name)
    if found is None:
        there = ", ".join(each.name for each in store.accounts.users())
        raise PaharaError(f"there is no user {name!r}{f': there are {there}' if there else ''}")
    return found


def _password(name: str) -> str:
    """Hashed. Never from the command line, which every process of the machine may read."""
    from pahara.core.errors import PaharaError
    from pahara.web.passwords import LONGEST, SHORTEST, hash_password, weak

    if sys.stdin.isatty():
        import getpass

        given = getpass.getpass(f"Password of {name}: ")
        if given != getpass.getpass("Once more: "):
            raise PaharaError("the two are not the same; nothing was changed")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    told = {
        "short": f"a password has at least {SHORTEST} characters",
        "long": f"a password has at most {LONGEST} characters",
        "obvious": "this password would be guessed: choose a longer, stranger one",
    }
    if why := weak(given, name):
        raise PaharaError(f"{told[why]}; nothing was changed")
    return hash_password(given)


def _note(store: Store, action: str, who: User, detail: str = "") -> None:
    store.accounts.note(action, "(this machine)", object=who.name, detail=detail, now=time.time())
