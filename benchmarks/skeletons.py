"""Eight things that two people do to each other, from skeletons: accuracy on pairs of people that were held out, five folds by pair.

`recipes/skeletons.py` does it and explains it; this prints its figures.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))  # the recipe of the same name comes first
from pahara.core import DataError
from shared import arguments, asset, show
from skeletons import examine


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=0, help="of folds, weights and augmentation")
    parser.add_argument("--quick", action="store_true", help="the first fold alone")
    asked = parser.parse_args()
    figures = examine(asset(asked.assets, "skeletons/sbu"), seed=asked.seed, quick=asked.quick)
    del figures["confusion"]
    notes = {"accuracy": "goal ≥ 0.85 on held-out pairs", "low": "95 %, drawing whole pairs", "baseline": "always the most frequent class"}
    show(figures, as_json=asked.json, title="SBU interactions, causal TCN with a pair head", notes=notes)


if __name__ == "__main__":
    try:
        main()
    except DataError as error:
        sys.exit(str(error))
