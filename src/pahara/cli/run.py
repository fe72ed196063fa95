"""`pahara run`: watch every camera of the configuration, day and night, until it is told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pahara.pipeline.service import Service
    from pahara.web.serve import Dashboard


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(run)


def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="pahara.yml with the cameras.", readable=False)] = Path("pahara.yml"),
    rate: Annotated[float, typer.Option("--rate", min=0.2, max=30, help="Looks a second at each camera.")] = 5.0,
    web: Annotated[
        bool, typer.Option("--web/--no-web", help="Serve the dashboard (by default on port 8971; web: in the configuration).")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="The log as one JSON object a line.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
) -> None:
    """Watch all cameras until Ctrl-C or SIGTERM; a changed configuration is followed while it runs (SIGHUP: at once)."""
    import logging
    import signal
    import threading
    from types import FrameType

    from pahara.core.errors import PaharaError
    from pahara.pipeline.service import Service
    from pahara.pipeline.telling import one_line

    from .logs import set_up

    set_up(as_json=as_json, verbose=verbose)
    log = logging.getLogger("pahara.run")
    stopping, again = threading.Event(), threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt  # asked twice: do not wait for what hangs
        stopping.set()

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    if hasattr(signal, "SIGHUP"):
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: again.set())
    service = Service(config, rate=rate)
    try:
        dashboard = _dashboard(service) if web else None
    except BaseException:
        service.stop()
        raise
    try:
        service.live.listen(lambda event: log.info("%s: %s", event.camera, one_line(event, service.config.language)))
        service.start()
        if dashboard is not None:
            dashboard.start()
            log.info("the dashboard is at %s", dashboard.address)
            if link := dashboard.set_up_link:
                # Not into the log, which is kept and sent elsewhere: whoever holds this link becomes the owner.
                print(f"Make the owner's account: {link}", flush=True)
        log.info("watching %d cameras; Ctrl-C ends it", len(service.live.stations))
        while not stopping.wait(0.5):
            if again.is_set():
                again.clear()
                try:
                    service.reload()
                except PaharaError as problem:
                    log.error("the changed configuration is not in force: %s", problem)
        log.info("ending: what goes on is being kept")
    finally:
        if dashboard is not None:
            dashboard.stop()
        done = service.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    if not done:
        raise PaharaError("not everything could be kept in time: the disk is slow or full")
    log.info("ended")


def _dashboard(service: Service) -> Dashboard:
    """Not started, but its port is taken: better told before the watch begins."""
    from pahara.web.serve import Dashboard

    return Dashboard(service)
