"""What a person sees while a model trains: a bar with the time left, a line for each epoch, and how to go on after Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any, Self


class Progress:
    """A bar on a terminal, one line an epoch elsewhere, nothing when `shown` is False. All of it goes to stderr."""

    def __init__(self, shown: bool, epochs: int, steps: int, done: int = 0) -> None:
        self.shown, self.epochs, self.steps, self.done = shown, epochs, steps, done
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if not self.shown:
            return self
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"), TimeElapsedColumn(), TextColumn("left:"),
            TimeRemainingColumn(elapsed_when_finished=True), console=Console(stderr=True), transient=True,
            disable=not sys.stderr.isatty(), refresh_per_second=2,
        )  # fmt: skip
        self._bar.start()
        self._task = self._bar.add_task("training", total=self.epochs * self.steps, completed=self.done)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, epoch: int) -> None:
        """One step of the optimiser was made."""
        self.done += 1
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, description=f"epoch {epoch + 1}/{self.epochs}")

    def epoch(self, row: Mapping[str, Any], better: bool) -> None:
        """An epoch was measured; `row` is its line of metrics.csv."""
        figures = [f"{name} {value:.4g}" for name, value in row.items() if name not in ("epoch", "step", "seconds", "lr")]
        self.say(f"epoch {row['epoch']:.0f}/{self.epochs}  {'  '.join(figures)}  {'better' if better else ''}".rstrip())

    def say(self, text: str) -> None:
        """One line for the reader."""
        if self.shown:
            if self._bar is not None and not self._bar.disable:
                self._bar.console.print(text, markup=False, highlight=False)
            else:
                print(text, file=sys.stderr, flush=True)


class Stop:
    """Turns the first Ctrl-C (or a polite kill) into a request: the step is finished and saved first. The second one ends at once."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in self.SIGNALS:
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
