"""The command line: one file per verb."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `pahara` command."""
    from .app import run

    run()
