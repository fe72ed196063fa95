"""How a report is given a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

Picture: TypeAlias = bytes | Path  # an encoded JPEG or PNG, or the file that holds one; b"" is no picture
