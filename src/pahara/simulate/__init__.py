"""Staged scenes with ground truth: people, bags and cars before a described camera, drawn as CCTV would see them."""

from .incidents import incidents
from .places import line_values, lines_of, script_rules, zone_values, zones_of
from .random import random_script
from .reading import ScriptError
from .render import Shot, SimulatedFrame, SimulatedSource, Stage
from .script import KINDS, Script, bundled_scripts, dump, load_script
from .truth import Incident, Sighting, Truth, read_truth, write_truth
from .write import truth_of, write_frames, write_video

__all__ = [
    "KINDS", "Incident", "Script", "ScriptError", "Shot", "Sighting", "SimulatedFrame", "SimulatedSource", "Stage", "Truth", "bundled_scripts",
    "dump", "incidents", "line_values", "lines_of", "load_script", "random_script", "read_truth", "script_rules", "truth_of", "write_frames",
    "write_truth", "write_video", "zone_values", "zones_of",
]  # fmt: skip
