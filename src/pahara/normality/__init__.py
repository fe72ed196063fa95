"""What is normal for this camera, learned from watching it; and what is not.

`measure` a scene, `Normality.fit` what was measured, `judge` what comes; `Unusual` is the behaviour, `Learner` keeps what a
model is made from while a camera watches.
"""

from .evidence import STEP, grid, over_tracks
from .explanation import Exemplar, Explanation, Range
from .learning import Learner, Update
from .measure import measure, track_key
from .model import Judgement, Normality, Readiness, fuse
from .samples import Samples, none_of, together
from .scale import BodyScale
from .settings import Settings
from .unusual import VERSION, Unusual

__all__ = [
    "STEP",
    "VERSION",
    "BodyScale",
    "Exemplar",
    "Explanation",
    "Judgement",
    "Learner",
    "Normality",
    "Range",
    "Readiness",
    "Samples",
    "Settings",
    "Unusual",
    "Update",
    "fuse",
    "grid",
    "measure",
    "none_of",
    "over_tracks",
    "together",
    "track_key",
]
