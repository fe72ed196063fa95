"""The dashboard beside the watch: a web server in a thread of its own, which ends well."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from pahara.core import ConfigError, PaharaError
from pahara.pipeline.service import Service

from .app import create_app

GRACE = 3.0  # seconds that open requests get to end
MOST_CONNECTIONS = 400  # at once; further ones are answered 503
IDLE = 30  # seconds after which a silent connection is closed


class Dashboard:
    """`with Dashboard(service) as dashboard:` serves until the block ends. ConfigError when the port or the certificate cannot be used.

    The service is running, or will be; it is not stopped. `address` is where a browser finds it.
    """

    def __init__(self, service: Service, *, host: str | None = None, port: int | None = None) -> None:
        told = service.config.web
        self.service = service
        self.host, wanted = host or str(told.host), told.port if port is None else port
        certificate, key = (_path(service, str(each)) for each in (told.certificate, told.key))
        self.app = create_app(service)
        self.secure = bool(certificate)
        self._socket = _bind(self.host, wanted)
        self.port: int = self._socket.getsockname()[1]
        try:
            if certificate:
                _check_certificate(certificate, key)
            options: dict[str, Any] = {"ssl_certfile": certificate, "ssl_keyfile": key} if certificate else {}
            settings = uvicorn.Config(
                self.app,
                lifespan="off",
                log_config=None,
                access_log=False,  # addresses of pages hold ids of events, and nobody reads such a log
                server_header=False,
                date_header=True,
                proxy_headers=False,  # a header that anybody can send says nothing about where a request came from
                ws="none",
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=IDLE,
                timeout_graceful_shutdown=int(GRACE),
                h11_max_incomplete_event_size=64 * 1024,  # bytes of headers
                http="h11",
                **options,
            )
            self._server = _Server(settings)
        except BaseException:
            self._socket.close()
            raise
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="dashboard", daemon=True)

    @property
    def address(self) -> str:
        """http://this-machine:8971."""
        shown = _own_name() if self.host in ("0.0.0.0", "::") else self.host
        shown = f"[{shown}]" if ":" in shown else shown
        return f"{'https' if self.secure else 'http'}://{shown}:{self.port}"

    @property
    def set_up_link(self) -> str:
        """Where the owner makes their account; "" once there is one."""
        if self.service.store.accounts.count():
            return ""
        return f"{self.address}/setup#{self.app.state.setup_code}"  # behind the #: no log and no proxy sees it

    def start(self) -> None:
        """Returns once requests are answered."""
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started:
            if self._failure is not None or not self._thread.is_alive() or time.monotonic() > until:
                raise PaharaError(f"the dashboard could not start: {self._failure or 'it did not answer'}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Open streams end, requests are finished, the port is free. Stopping twice is no error."""
        self.app.state.hub.close()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(GRACE + 2)
            if self._thread.is_alive():
                self._server.force_exit = True
                self._thread.join(2)
        with contextlib.suppress(OSError):
            self._socket.close()

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except BaseException as problem:  # noqa: BLE001  whoever starts it must hear of it
            self._failure = problem

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """Signals belong to `pahara run`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.set_inheritable(False)
    except (OSError, OverflowError) as problem:
        made.close()
        number = getattr(problem, "errno", None)
        if number == errno.EADDRINUSE:
            raise ConfigError(
                f"port {port} is taken by another program (another pahara run?): set web.port in pahara.yml, or run with --no-web"
            ) from None
        if number == errno.EACCES:
            raise ConfigError(f"port {port} may not be used by this user: set web.port to one above 1023") from None
        raise ConfigError(f"the dashboard cannot listen on {host}:{port} ({problem}): check web.host and web.port") from None
    return made


def _path(service: Service, text: str) -> str:
    return str((service.config.folder / Path(text).expanduser()).absolute()) if text else ""


def _check_certificate(certificate: str, key: str) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except FileNotFoundError:
        missing = certificate if not Path(certificate).exists() else key
        raise ConfigError(f"there is no {missing}: check web.certificate and web.key") from None
    except (ssl.SSLError, OSError) as problem:
        raise ConfigError(f"the certificate {certificate} cannot be used with its key: {problem}") from None


def _own_name() -> str:
    """The address by which others on the network reach this machine; no packet is sent to learn it."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # of the block for documentation: it exists nowhere
        return str(probe.getsockname()[0])
    return "localhost"
