"""`pahara run`: watch every camera of the configuration, day and night, until it is told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("run")(run)


def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="pahara.yml with the cameras.", readable=False)] = Path("pahara.yml"),
    rate: Annotated[float, typer.Option("--rate", min=0.2, max=30, help="Looks a second at each camera.")] = 5.0,
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

    service = Service(config, rate=rate)
    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    if hasattr(signal, "SIGHUP"):
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: again.set())
    try:
        service.live.listen(lambda event: log.info("%s: %s", event.camera, one_line(event, service.config.language)))
        service.start()
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
        done = service.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    if not done:
        raise PaharaError("not everything could be kept in time: the disk is slow or full")
    log.info("ended")
