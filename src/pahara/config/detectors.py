"""Which detector to use, and why: "auto" takes the best that is here, without any download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pahara.core import Detector
from pahara.language import text

from .model import DetectorChoice, detector_mapping
from .problems import ConfigProblems
from .registry import find
from .resolve import check_options
from .telling import Teller

# What "auto" takes, first come first served: what an ordinary PC runs for several cameras comes first, then
# what asks for more of it. A better model than the default is taken when its owner names it.
PREFERRED = (
    "yolox-nano", "nanodet-plus-m-416", "yolox-tiny", "nanodet-plus-m-320", "nanodet-m", "dfine-nano", "yolox-s", "rfdetr-nano",
)  # fmt: skip
LARGER = "yolox-tiny"  # what to fetch for a machine with power to spare
EMBEDDED = "pahara-nano"  # comes with Pahara: what a fresh machine watches with
FALLBACK = "motion"  # where even that is missing
MANY = 20  # classes of a model that was made for everything
WATCHED = (
    "person", "bicycle", "car", "motorcycle", "bus", "truck", "train", "boat", "backpack", "handbag", "suitcase",
    "dog", "cat", "cow", "horse", "sheep",
)  # fmt: skip


@dataclass(frozen=True)
class ChosenDetector:
    """A detector that can be made, what it is called, and why it was chosen."""

    name: str  # for people: "yolox-nano", "motion"
    kind: str
    options: Mapping[str, Any]  # by the plug-in's own field names
    reason: str = "asked"  # key of the sentence: `detector.why.<reason>`
    values: Mapping[str, str] = field(default_factory=dict)  # of the sentence

    def why(self, language: str = "en") -> str:
        """One sentence: "yolox-nano, found in PAHARA_MODELS"."""
        return text(f"detector.why.{self.reason}", language, name=self.name, **self.values)

    def make(self) -> Detector:
        """Load it. ModelError when that is impossible.

        A model with many classes (COCO's 80) reports only what a camera is there for, unless `classes` says otherwise:
        a vase that flickers is a track that nobody asked for.
        """
        detector: Detector = find("detectors", self.kind)(**self.options)
        if self.kind == "onnx" and not self.options.get("classes"):
            names = getattr(detector, "names", ())
            wanted = [name for name in WATCHED if name in names]
            if len(names) >= MANY and wanted:
                detector.only(wanted)  # type: ignore[attr-defined]
        return detector


def choose_detector(choice: DetectorChoice | str = "auto", *, folder: Path | None = None) -> ChosenDetector:
    """The detector of a plan (or of a word such as "auto", "yolox-nano", "motion", "my.onnx").

    A relative path to a model is looked for in `folder` (of the configuration) first. Nothing is loaded yet and
    nothing downloaded: a zoo model that was asked for by name is fetched by `make`. ConfigError for an unknown kind or option.
    """
    wanted = DetectorChoice.model_validate(detector_mapping(choice)) if isinstance(choice, str) else choice
    if wanted.kind == "auto":
        return _best_here()
    reason = "told" if isinstance(choice, str) else "asked"  # a word comes from a person at hand, a choice from a file
    options, problems = check_options("detectors", str(wanted.kind), wanted.options, Teller({}), ())
    if problems:
        raise ConfigProblems(problems)
    if wanted.kind != "onnx":
        return ChosenDetector(str(wanted.kind), str(wanted.kind), options, reason)
    model = str(options["model"])
    beside = (folder or Path()) / Path(model).expanduser()
    options["model"] = str(beside) if _is_path(model) and beside.is_file() else model
    return ChosenDetector(model if not _is_path(model) else Path(model).name, "onnx", options, reason)


def _best_here() -> ChosenDetector:
    from pahara.detection import zoo

    for name in PREFERRED:
        found = zoo.find(zoo.MODELS[name])
        if found.path is not None:
            return ChosenDetector(name, "onnx", {"model": name}, "here", {"origin": found.origin})
    if zoo.find(zoo.MODELS[EMBEDDED]).path is not None:
        return ChosenDetector(EMBEDDED, "onnx", {"model": EMBEDDED}, "embedded", {"best": LARGER})
    return ChosenDetector(FALLBACK, FALLBACK, {}, "fallback", {"best": PREFERRED[0]})


def _is_path(model: str) -> bool:
    return model.endswith(".onnx") or "/" in model or "\\" in model
