"""How much processor time it takes to import pahara and to print the help, beside a bare Python."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from shared import arguments, show

RUNS = 7  # of each; the median counts

NOTES = {
    "import_s": "CPU seconds of `import pahara`, Python's own start included (at most 0.3)",
    "help_s": "CPU seconds of `pahara --help` (at most 0.5)",
    "bare_s": "CPU seconds of `python -c pass`, for comparison",
}


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run of a command, with its children; a failure ends the benchmark."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed: {done.stderr.decode(errors='replace').strip()}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(runs: int = RUNS) -> dict[str, float]:
    """The three figures, from runs that take turns, so that a busy moment of the machine meets all of them."""
    pahara = Path(sys.executable).with_name("pahara")
    help_command = (
        [str(pahara), "--help"]
        if pahara.exists()
        else [sys.executable, "-c", "import sys, pahara.cli; sys.argv = ['pahara', '--help']; pahara.cli.main()"]
    )
    commands = {"import_s": [sys.executable, "-c", "import pahara"], "help_s": help_command, "bare_s": [sys.executable, "-c", "pass"]}
    for command in commands.values():
        cpu_seconds(command)  # warms the disk cache and compiles what is new
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(cpu_seconds(command))
    return {name: statistics.median(measured) for name, measured in times.items()}


if __name__ == "__main__":
    given = arguments(__doc__ or "").parse_args()
    show(measure(), as_json=given.json, title="Start of the program", notes=NOTES)
