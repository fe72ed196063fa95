"""A training run as one self-contained HTML page, in Bangla and English."""

from .blocks import Bars, Block, Chart, Gallery, Group, Line, Matrix, Shot, Table, TrainingReport, words
from .html import render, write_training_report

__all__ = [
    "Bars", "Block", "Chart", "Gallery", "Group", "Line", "Matrix", "Shot", "Table", "TrainingReport", "render", "words",
    "write_training_report",
]  # fmt: skip
