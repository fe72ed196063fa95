"""How good it is: metrics of tracks, detections and events, and files of ground truth."""

from .alarms import Alarm, AlarmReport, Incident, alarms_of, by_kind, evaluate_alarms, pooled
from .annotations import Annotations
from .anomaly import AurocRow, AurocTable, auroc_table, centre_bump, frame_scores, micro_interval, published_smoothing, random_null
from .auroc import FrameAuroc, auroc, frame_auroc
from .budgets import BUDGETS, BudgetRow, Watched, alerts, at_threshold, by_budget, threshold_for
from .detection import DetectionReport, PrecisionRecall, evaluate_detection, precision_recall
from .formats import (
    Spans,
    Truth,
    TruthError,
    read_coco,
    read_coco_results,
    read_mot,
    read_spans,
    read_truth,
    read_yolo,
    write_coco,
    write_coco_results,
    write_mot,
)
from .mot import TrackingReport, evaluate_tracking
from .regions import RegionReport, Regions, region_report

__all__ = [
    "BUDGETS",
    "Alarm",
    "AlarmReport",
    "Annotations",
    "AurocRow",
    "AurocTable",
    "BudgetRow",
    "DetectionReport",
    "FrameAuroc",
    "Incident",
    "PrecisionRecall",
    "RegionReport",
    "Regions",
    "Spans",
    "TrackingReport",
    "Truth",
    "TruthError",
    "Watched",
    "alarms_of",
    "alerts",
    "at_threshold",
    "auroc",
    "auroc_table",
    "by_budget",
    "by_kind",
    "centre_bump",
    "evaluate_alarms",
    "evaluate_detection",
    "evaluate_tracking",
    "frame_auroc",
    "frame_scores",
    "micro_interval",
    "pooled",
    "precision_recall",
    "published_smoothing",
    "random_null",
    "read_coco",
    "read_coco_results",
    "read_mot",
    "read_spans",
    "read_truth",
    "read_yolo",
    "region_report",
    "threshold_for",
    "write_coco",
    "write_coco_results",
    "write_mot",
]  # fmt: skip
