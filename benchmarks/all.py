"""Every benchmark in turn, as `make bench` runs them; `--quick` takes the short forms."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from shared import arguments

# name -> arguments of the short form
ALL = {
    "startup": [],
    "overhead": ["--frames", "100", "--rounds", "1"],
    "tracking": [],
    "motion_gate": [],
    "demo": ["--seeds", "3"],
    "memory": ["--hours", "0.25"],
    "detector": [],
    "throughput": ["--rounds", "2", "--steps", "20"],
    "int8": ["--every", "20", "--rounds", "15"],
    "skeletons": [],
    "fights": [],
    "pose": ["--seconds", "20"],
    "ped2": [],
    "contamination": [],
    "budget": ["--cameras", "1", "--days", "4"],
    "explanations": ["--cameras", "1"],
    "drill": ["--seeds", "1"],
    "finetune": ["--epochs", "2"],
}


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short forms: minutes instead of half an hour")
    asked = parser.parse_args()
    failed = []
    found = {}
    for name, short in ALL.items():
        command = [
            sys.executable,
            str(Path(__file__).with_name(f"{name}.py")),
            "--assets",
            str(asked.assets),
            *(short if asked.quick else []),
        ]
        if asked.json:
            done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                found[name] = json.loads(done.stdout.strip().splitlines()[-1])
            else:
                print(done.stderr.strip(), file=sys.stderr)
        else:
            print(f"== {name}", flush=True)
            done = subprocess.run(command, check=False)
        if done.returncode:
            failed.append(name)
    if asked.json:
        print(json.dumps(found))
    if failed:
        sys.exit(f"these benchmarks failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
