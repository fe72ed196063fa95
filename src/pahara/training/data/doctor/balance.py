"""Classes that a split lacks, has too little of, or has far more of than of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from .findings import Finding

RARE = 10  # objects or pictures of a class to learn from, below which it is told
UNEVEN = 20.0  # times as many of one class as of another


def class_findings(names: tuple[str, ...], boxes_of: Mapping[str, Counter[int]], where: Path) -> list[Finding]:
    """`boxes_of`: for each split, how many boxes (or pictures, of class folders) each class has."""
    if not names or not boxes_of:
        return []
    findings = []
    learn = "train" if "train" in boxes_of else next(iter(boxes_of))
    counts = {name: boxes_of[learn][label] for label, name in enumerate(names)}
    for split, boxes in boxes_of.items():
        absent = [name for label, name in enumerate(names) if not boxes[label] and (split == learn or counts[name])]
        if absent and sum(boxes.values()):
            findings.append(
                Finding("class-absent", where, 0, {"split": split or "all", "count": len(absent), "names": _some(absent)})
            )  # fmt: skip
    rare = {name: count for name, count in counts.items() if 0 < count < RARE}
    if rare:
        findings.append(
            Finding("class-rare", where, 0, {"names": _some([f"{name} ({count})" for name, count in rare.items()]), "count": len(rare)})
        )
    some = {name: count for name, count in counts.items() if count}
    if some:
        most, least = max(some, key=lambda name: some[name]), min(some, key=lambda name: some[name])
        if some[most] > UNEVEN * some[least]:
            values = {"most": most, "most_count": some[most], "least": least, "least_count": some[least]}
            findings.append(Finding("class-imbalance", where, 0, values))
    return findings


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
