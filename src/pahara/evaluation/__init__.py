"""How good it is: metrics of tracks, detections and events, and files of ground truth."""

from .alarms import Alarm, AlarmReport, Incident, alarms_of, by_kind, evaluate_alarms, pooled
from .annotations import Annotations
from .anomaly import AurocRow, AurocTable, auroc_table, centre_bump, frame_scores, micro_interval, published_smoothing, random_null
from .auroc import FrameAuroc, auroc, frame_auroc
from .detection import DetectionReport, PrecisionRecall, evaluate_detection, precision_recall
from .formats import (
    Truth,
    TruthError,
    read_coco,
    read_coco_results,
    read_mot,
    read_truth,
    read_yolo,
    write_coco,
    write_coco_results,
    write_mot,
)
from .mot import TrackingReport, evaluate_tracking

__all__ = [
    "Alarm", "AlarmReport", "Annotations", "AurocRow", "AurocTable", "DetectionReport", "FrameAuroc", "Incident", "PrecisionRecall",
    "TrackingReport", "Truth", "TruthError",
    "alarms_of", "auroc", "auroc_table", "by_kind", "centre_bump", "evaluate_alarms", "evaluate_detection", "evaluate_tracking", "frame_auroc",
    "frame_scores", "micro_interval", "pooled", "precision_recall", "published_smoothing", "random_null", "read_coco", "read_coco_results", "read_mot", "read_truth", "read_yolo", "write_coco", "write_coco_results", "write_mot",
]  # fmt: skip
