"""Files of ground truth and results: MOT text, YOLO labels, COCO JSON, Pahara's own truth."""

from .coco import read_coco, read_coco_results, write_coco, write_coco_results
from .mot import read_mot, write_mot
from .problems import TruthError
from .spans import Spans, read_spans
from .truth import Truth, read_truth
from .yolo import picture_size, read_yolo

__all__ = [
    "Spans", "Truth", "TruthError", "picture_size", "read_coco", "read_coco_results", "read_mot", "read_spans", "read_truth", "read_yolo",
    "write_coco", "write_coco_results", "write_mot",
]  # fmt: skip
