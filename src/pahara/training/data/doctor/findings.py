"""What the doctor of data sets can find, and how grave each finding is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pahara.core.frozen import Frozen
from pahara.language import text

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info")

# error: training on it stops or teaches what is wrong. warning: it works, and is probably not meant. info: to know.
CODES: Mapping[str, Level] = {
    # the description of the set, and its folders
    "unreadable": "error", "yaml-missing": "error", "yaml-damaged": "error", "names-missing": "error", "names-bad": "error",
    "names-twice": "error", "names-gap": "error", "count-differs": "error", "path-missing": "warning", "no-train": "error",
    "no-val": "warning", "split-missing": "error", "split-empty": "error", "list-missing": "error", "folder-case": "error",
    "labels-nowhere": "error", "folder-none": "error", "folder-one": "warning", "folder-empty": "warning", "folder-loose": "warning",
    "folder-twins": "warning", "folder-differs": "warning", "file-odd": "warning",
    # pictures and clips
    "picture-missing": "error", "picture-empty": "error", "picture-damaged": "error", "picture-cut": "error", "picture-kind": "warning",
    "picture-tiny": "warning", "pictures-turned": "info", "clip-damaged": "error", "clip-short": "warning",
    # label files and their lines
    "label-missing": "warning", "label-empty": "info", "label-orphan": "warning", "label-ending": "error", "label-text": "error",
    "line-values": "error", "line-number": "error", "line-commas": "error", "line-nan": "error", "line-confidence": "error",
    "line-same": "warning", "lines-outlines": "info", "class-whole": "error", "class-negative": "error", "class-unknown": "error",
    # boxes
    "box-area": "error", "box-pixels": "error", "box-over": "error", "box-outside": "error", "box-tiny": "warning", "box-huge": "warning",
    "boxes-same": "warning", "boxes-classes": "warning",
    # the set as a whole
    "class-absent": "warning", "class-rare": "warning", "class-imbalance": "warning", "copy-same": "warning", "copy-near": "warning",
    "copy-conflict": "error", "leak-same": "error", "leak-near": "error", "leak-source": "error", "leak-few": "warning", "leak-names": "warning",
}  # fmt: skip
FIXABLE = ("box-over", "line-same")  # what `--fix` mends


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing."""

    code: str  # of CODES
    path: Path  # the file or folder
    line: int = 0  # from 1; 0: the file as a whole
    values: Mapping[str, Any] = field(default_factory=Frozen)  # what the sentence is filled with

    @property
    def level(self) -> Level:
        return CODES[self.code]

    @property
    def fixable(self) -> bool:
        return self.code in FIXABLE

    @property
    def place(self) -> str:
        """ "labels/7.txt, line 3" """
        return f"{self.path}, line {self.line}" if self.line else str(self.path)

    def what(self, language: str = "en") -> str:
        """What is wrong, in the reader's language."""
        return text(f"data.{self.code}", language, **self.values)

    def todo(self, language: str = "en") -> str:
        """What to do about it."""
        return text(f"data.{self.code}.do", language)

    def plain(self, language: str = "en") -> dict[str, Any]:
        """As `--json` tells it."""
        return {
            "code": self.code, "level": self.level, "path": str(self.path), "line": self.line, "values": dict(self.values),
            "what": self.what(language), "do": self.todo(language), "fixable": self.fixable,
        }  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What was looked at, and what was found, gravest first."""

    path: Path
    kind: str  # "yolo", "images", "clips", "coco", "voc"
    names: tuple[str, ...]  # class names
    splits: Mapping[str, int]  # files in each split; {"": n} where there is none
    objects: Mapping[str, int]  # boxes (or pictures, of class folders) of each class
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """{"error": 3, "warning": 1, "info": 0}"""
        counted = Counter(finding.level for finding in self.findings)
        return {level: counted[level] for level in LEVELS}

    @property
    def fit(self) -> bool:
        """Whether there is no error."""
        return self.counts["error"] == 0

    def plain(self, language: str = "en") -> dict[str, Any]:
        """As `--json` tells it."""
        return {
            "path": str(self.path), "kind": self.kind, "names": list(self.names), "splits": dict(self.splits), "objects": dict(self.objects),
            "counts": self.counts, "findings": [finding.plain(language) for finding in self.findings],
        }  # fmt: skip


def sorted_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Gravest first, then by code, file and line; the same finding once."""
    order = {code: n for n, code in enumerate(CODES)}
    return tuple(sorted(findings, key=lambda f: (LEVELS.index(f.level), order[f.code], str(f.path), f.line)))
