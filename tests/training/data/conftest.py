"""So that the tests beside this file find `damage.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
