"""Signatures on the chain: an Ed25519 key beside the store says, now and then, "up to here it was so"."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from pahara.core import StoreError

from . import chain
from .database import told
from .tables import seals

if TYPE_CHECKING:
    from .store import Store

KEY = "signing.key"  # PEM, readable by its owner alone
PUBLIC = "signing.pub"  # PEM: give it to whoever will have to check an export


@dataclass(frozen=True, slots=True)
class Seal:
    """One signature: everything up to `link` was as `hash` says at `at` (UTC seconds)."""

    at: float
    link: int
    hash: str
    key: str  # the public key, 64 hex digits
    signature: str  # 128 hex digits

    def signed(self, store: str) -> bytes:
        """What the signature is over. `store` is the store's identity."""
        return json.dumps(["pahara seal", store, self.at, self.link, self.hash], separators=(",", ":")).encode()

    def genuine(self, store: str) -> bool:
        """Whether the signature is of this key over these words."""
        return genuine(self.key, self.signed(store), self.signature)


class Signer:
    """The store's key; made where there is none."""

    def __init__(self, folder: Path) -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self.path = folder / KEY
        try:
            if not self.path.exists():
                made = Ed25519PrivateKey.generate().private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
                part = self.path.with_name(f"{KEY}.{os.getpid()}.part")
                with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(made)
                    file.flush()
                    os.fsync(file.fileno())
                try:
                    os.link(part, self.path)
                    part.unlink()
                except FileExistsError:  # another program was faster: its key counts
                    part.unlink()
                except OSError:  # a file system without links
                    part.rename(self.path)
            elif self.path.stat().st_mode & 0o077 and os.name != "nt":
                self.path.chmod(0o600)
            loaded = serialization.load_pem_private_key(self.path.read_bytes(), None)
        except OSError as problem:
            raise told(problem, str(self.path)) from problem
        except ValueError:
            raise StoreError(
                f"{self.path} is no key: put the right one back from a backup, or move it away (a new one will be made)"
            ) from None
        if not isinstance(loaded, Ed25519PrivateKey):
            raise StoreError(f"{self.path} is a key of another kind: move it away, and a new one will be made")
        self._private = loaded
        self.public = loaded.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
        self.pem = loaded.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        with contextlib.suppress(OSError):
            beside = folder / PUBLIC
            if not beside.exists() or beside.read_bytes() != self.pem:
                beside.write_bytes(self.pem)

    def sign(self, words: bytes) -> str:
        """Ed25519, 128 hex digits."""
        return self._private.sign(words).hex()


def key_folder(store: Store) -> Path:
    """Beside the database; of a database server, beside the evidence."""
    return store.database.file.parent if store.database.file else store.evidence.folder.parent


def seal(store: Store, signer: Signer | None = None) -> Seal | None:
    """Sign what is there now; None where nothing has come since the last seal by this key."""
    signer = signer or Signer(key_folder(store))
    with store.database.reading() as connection:
        link, hash_ = chain.head(connection)
        last = connection.execute(select(seals).order_by(seals.c.id.desc()).limit(1)).first()
    if not link or (last is not None and (last.link, last.hash, last.key) == (link, hash_, signer.public)):
        return None
    made = Seal(round(float(store.clock()), 3), link, hash_, signer.public, "")
    made = Seal(made.at, link, hash_, signer.public, signer.sign(made.signed(store.identity)))
    with store.database.writing() as connection:
        connection.execute(insert(seals).values(at=made.at, link=link, hash=hash_, key=made.key, signature=made.signature))
    return made


def signed_manifest(store: Store, manifest: dict[str, Any]) -> list[tuple[str, bytes]]:
    """An export's manifest with the chain's newest seal in it, its signature and the public key, as files (name, content)."""
    signer = Signer(key_folder(store))
    seal(store, signer)
    with store.database.reading() as connection:
        last = connection.execute(select(seals).order_by(seals.c.id.desc()).limit(1)).first()
    anchor = None if last is None else {"at": last.at, "link": last.link, "hash": last.hash, "key": last.key, "signature": last.signature}
    content = json.dumps({**manifest, "chain": anchor}, ensure_ascii=False, indent=1).encode()
    return [("manifest.json", content), ("manifest.sig", signer.sign(content).encode() + b"\n"), ("public.pem", signer.pem)]


def genuine(key: str, words: bytes, signature: str) -> bool:
    """Whether `signature` is that of the public key (both hex) over `words`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), words)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key(pem: bytes) -> str:
    """A PEM file's public key as hex; StoreError where it is none."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        loaded = serialization.load_pem_public_key(pem)
    except ValueError:
        loaded = None
    if not isinstance(loaded, Ed25519PublicKey):
        raise StoreError("this is no public key of a store (signing.pub, or public.pem of an export)")
    return loaded.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
