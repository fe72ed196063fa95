"""What a service says while it runs: one line for people, one JSON object for machines, never a secret."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any


def set_up(*, as_json: bool, verbose: bool = False) -> None:
    """Send every log record to stderr: readable lines, or JSON (one object a line) with `event`, `level`, `logger`, `timestamp`."""
    import structlog

    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=as_json),
    ]
    ending: list[Any]
    if as_json:
        ending = [structlog.processors.format_exc_info, _clean, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        ending = [structlog.processors.format_exc_info, _clean, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("pahara").setLevel(logging.DEBUG if verbose else logging.INFO)


def _clean(_logger: Any, _method: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Passwords and tokens inside addresses become ***, in the words, in every value and in tracebacks."""
    from pahara.core import without_secrets

    for key, value in told.items():
        if isinstance(value, str):
            told[key] = without_secrets(value)
    return told
