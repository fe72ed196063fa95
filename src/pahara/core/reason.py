"""Why an event fired, as numbers: a language turns them into a sentence later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .frozen import Frozen


@dataclass(frozen=True, slots=True)
class Reason:
    """What was measured, the limit, and where: enough for "stayed 34 s, limit 30 s", in any language.

    `code` names the sentence in the language catalogues (`reason.<code>`), e.g. "loitering.dwell".
    `measured` and `limit` share `unit`. `values` are further numbers or words for the sentence.
    """

    code: str
    measured: float
    limit: float
    unit: str = ""  # "s", "body heights/s", "people", "" for a plain ratio
    place: str = ""  # name of the zone or line; "" for the whole picture
    values: Mapping[str, float | str] = field(default_factory=Frozen)
