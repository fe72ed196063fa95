"""The always-on service: a configuration file that is followed, a store, the live watch; what a dashboard and a signal handler talk to."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from pathlib import Path
from typing import Any

from pahara.config import Config, load, store_place
from pahara.core import ConfigError, PaharaError
from pahara.store import Store
from pahara.store.seal import seal

from .channels import dispatcher_of
from .live import Live

log = logging.getLogger(__name__)

SEAL = 600.0  # seconds between two signatures on the chain of evidence
FOLLOW = 2.0  # seconds between two looks at the configuration file


class Service:
    """`with Service(Path("pahara.yml")) as service:` watches until the block ends, and follows the file when it changes.

    A change that makes no sense is told in `problem` and in the log, and changes nothing. ConfigError, StoreError or ModelError at the start.
    """

    def __init__(self, file: Path, **options: Any) -> None:
        """`options` go to `Live`."""
        self.file = file
        self.problem = ""  # why the file as it stands now is not in force; "" when it is
        config = load(file)
        if not any(camera.enabled for camera in config.cameras.values()):
            log.warning("%s has no camera that is enabled: nothing is watched until one is added", file)
        where, media = store_place(config)
        self.store = Store.open(where, media=media / "media" if "://" in where else None)
        try:
            self.notify = dispatcher_of(config, self.store)
            self.live = Live(config, self.store, **options)
        except BaseException:
            self.store.close()
            raise
        self._seen, self._sealed = self._print(), False
        self._stopping, self._reloading = threading.Event(), threading.Lock()
        self._follower = threading.Thread(target=self._follow, name="follow the configuration", daemon=True)

    @property
    def config(self) -> Config:
        """What is in force."""
        return self.live.config

    def start(self) -> None:
        """Begin to watch."""
        try:
            self.live.start()
        except BaseException:
            self.stop()
            raise
        self.live.listen(lambda event: self.notify.ring())  # noqa: ARG005
        self.notify.start()
        self._follower.start()

    def stop(self, timeout: float = 30.0) -> bool:
        """End well -> whether everything was kept in time. Stopping twice is no error."""
        self._stopping.set()
        if self._follower.is_alive() and threading.current_thread() is not self._follower:
            self._follower.join(FOLLOW + 1)
        done = self.live.stop(timeout)
        self.notify.stop()
        if not self._sealed:
            self._sealed = True
            self._seal()
        self.store.close()
        return done

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reload(self) -> dict[str, str]:
        """Read the file again -> camera -> "added" | "removed" | "changed". ConfigError, ModelError …: then the old one stays in force."""
        with self._reloading:
            return self._reload()

    def _reload(self) -> dict[str, str]:
        self._seen = self._print()
        try:
            config = load(self.file)
            if store_place(config) != store_place(self.config):
                raise ConfigError(
                    f"{self.file}: another place for the store takes effect after a restart of pahara; nothing else was changed"
                )
            notify = dispatcher_of(config, self.store)
            told = self.live.reload(config)
        except PaharaError as problem:
            self.problem = str(problem)
            raise
        self.problem = ""
        muted, before, self.notify = self.notify.muted, self.notify, notify
        before.stop()
        notify.muted |= muted & set(config.cameras)
        notify.start()
        if told:
            log.info("configuration: %s", ", ".join(f"{camera} {what}" for camera, what in told.items()))
        return told

    def _seal(self) -> None:
        try:
            seal(self.store)
        except PaharaError as problem:  # a full disk: the chain itself goes on
            log.warning("the chain of evidence could not be signed: %s", problem)

    def _follow(self) -> None:
        due = time.monotonic() + SEAL
        while not self._stopping.wait(FOLLOW):
            if time.monotonic() >= due:
                due = time.monotonic() + SEAL
                self._seal()
            if self._print() != self._seen:
                try:
                    self.reload()
                except PaharaError as problem:
                    log.error("the changed configuration is not in force: %s", problem)
                except Exception:  # whatever it is, the watch goes on with what it has
                    log.exception("the changed configuration is not in force")

    def _print(self) -> str:
        """What stands in the file, as a hash: editors replace files, and network disks round their times."""
        try:
            return hashlib.sha256(self.file.read_bytes()).hexdigest()
        except OSError:
            return self._seen if hasattr(self, "_seen") else ""  # in the middle of being replaced
