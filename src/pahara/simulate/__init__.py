"""Staged scenes with ground truth: people, bags and cars before a described camera, drawn as CCTV would see them."""

from .render import Shot, SimulatedFrame, SimulatedSource, Stage
from .script import Script, bundled_scripts, dump, load_script
from .truth import Incident, Sighting, Truth, read_truth, write_truth

__all__ = [
    "Incident", "Script", "Shot", "Sighting", "SimulatedFrame", "SimulatedSource", "Stage", "Truth", "bundled_scripts", "dump",
    "load_script", "read_truth", "write_truth",
]  # fmt: skip
