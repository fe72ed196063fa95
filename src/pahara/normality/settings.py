"""How a normality model is made; the choices that are not learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from pahara.core.frozen import Frozen


@dataclass(frozen=True)
class Settings:
    """Nothing here needs to be touched; `ready` and `days` may be lowered where a camera sees few people."""

    k: int = 5  # distinct tracks that must have done a thing for it to be near
    points: int = 2000  # remembered per attribute
    per_track: int = 8  # of them, at most, of one track
    folds: int = 5  # parts that the tracks are split into: each is judged by what the others remember
    ready: Mapping[str, int] = field(default_factory=Frozen)  # attribute -> tracks, where they differ from the usual
    days: Mapping[str, float] = field(default_factory=Frozen)  # attribute -> days watched, where they differ
    utc_offset: float = 0.0  # hours that the camera's clock is ahead of UTC (6 in Dhaka)
    drift: float = 2.5  # what a second of evidence must exceed: -log p of one moment in twelve
    trim: float = 0.0  # share of the tracks, the oddest of each attribute, that rarity is not reckoned from: incidents learned as normal
    without: tuple[str, ...] = ()  # attributes that are left out

    def __post_init__(self) -> None:
        if not 0 <= self.trim <= 0.2:
            raise ValueError(f"normality: trim is a share of the tracks from 0 to 0.2, got {self.trim}")
        for name, least in (("k", 1), ("points", 10), ("per_track", 1), ("folds", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"normality: {name} is {least} or more, got {getattr(self, name)}")
        if not (isfinite(self.drift) and self.drift > 0 and isfinite(self.utc_offset) and abs(self.utc_offset) <= 15):
            raise ValueError(f"normality: drift is above 0 and utc_offset within 15 hours, got {self.drift} and {self.utc_offset}")
