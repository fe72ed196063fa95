"""Fights in real CCTV clips, on sources that were held out, beside how much the picture moves: five folds by source.

`recipes/fights.py` does it and explains it, and tries other ways too; this prints its headline. The first run measures every
clip (some minutes); what was measured lies in the user's cache.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))  # the recipe of the same name comes first
from fights import NOTES, headline, read_clips
from pahara.core import PaharaError
from shared import arguments, asset, show


def main() -> None:
    parser = arguments(__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=3, help="times that the five folds are drawn anew")
    parser.add_argument("--quick", action="store_true", help="drawn once")
    asked = parser.parse_args()
    clips = read_clips(asset(asked.assets, "fights"), asset(asked.assets, "models/yolox-nano-416.onnx"))
    figures = headline(clips, repeats=1 if asked.quick else asked.repeats)
    show(figures, as_json=asked.json, title="Fights, by source", notes=NOTES)


if __name__ == "__main__":
    try:
        main()
    except PaharaError as error:
        sys.exit(str(error))
