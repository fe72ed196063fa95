"""What the demo catches: staged incidents against events over many seeds, from pixels, with default settings."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pahara.evaluation import pooled
from pahara.pipeline.demo import demo
from shared import arguments, show


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each scene")
    parser.add_argument("--detector", default="auto", help="auto (what a watch would take by itself), a zoo name, motion, or a path")
    asked = parser.parse_args()
    start = time.perf_counter()
    reports, kinds = [], {}
    for seed in range(asked.first, asked.first + asked.seeds):
        with tempfile.TemporaryDirectory() as folder:
            result = demo(Path(folder), seed=seed, seconds=asked.seconds, detector=asked.detector, keep=False)
        reports.append(result.report)
        for kind, report in result.kinds.items():
            kinds.setdefault(kind, []).append(report)
        if not asked.json:
            missed = ", ".join(f"{one.kind} at {one.start:.0f} s" for one in result.report.missed)
            false = ", ".join(f"{one.kind} at {one.time:.0f} s" for one in result.report.false)
            print(
                f"seed {seed:3d} {result.truth.name:24s} caught {len(result.report.hits)} of {result.report.incidents}"
                f"{f'; missed {missed}' if missed else ''}{f'; false {false}' if false else ''}",
                flush=True,
            )
    everything = pooled(reports)
    figures = {
        "recall": everything.recall.value,
        "recall_low": everything.recall.low,
        "recall_high": everything.recall.high,
        "false_alarms_per_hour": everything.false_per_hour,
        "false_alarms_per_hour_at_most": everything.false_per_hour_at_most,
        "median_delay_s": everything.median_delay,
        "incidents": everything.incidents,
        "staged_hours": everything.hours,
        "seeds": asked.seeds,
        "detector": asked.detector,
        "wall_s": time.perf_counter() - start,
        "kinds": {
            kind: {
                "caught": len(p.hits),
                "staged": p.incidents,
                "false": len(p.false),
                "median_delay_s": None if not p.hits else round(p.median_delay, 2),
            }
            for kind, p in ((kind, pooled(each)) for kind, each in sorted(kinds.items()))
        },
    }
    if asked.json:
        show(figures, as_json=True)
        return
    per_kind = figures.pop("kinds")
    show(figures, as_json=False, title="staged against caught", notes={"recall": "goal ≥ 0.95", "false_alarms_per_hour": "goal ≤ 1"})
    for kind, row in per_kind.items():
        print(f"  {kind:<12} {row['caught']:3d} of {row['staged']:3d}   false {row['false']}   median delay {row['median_delay_s']} s")


if __name__ == "__main__":
    main()
