"""What a camera has learned, as a picture and a page: speed and ways by place, stays, hours, and what it can judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from numpy.typing import NDArray

from pahara import __version__, language
from pahara.core.frame import Image
from pahara.normality import Normality, Range
from pahara.normality.attributes import UNITS

from . import phrases
from .charts import data_uri, percent
from .explained import Usual
from .html import Words, page_part, policy_hash, write_page
from .phrases import Phrase, duration, plain, say
from .view import Distribution, distribution

COLUMNS = 36  # cells across the picture
ARROWS = 12
FEW = 3  # remembered moments without which a cell says nothing
WIDTH = 960  # pixels of the picture
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Kept:
    """How a budget was kept: alarms in the seconds that were judged."""

    alarms: int = 0
    seconds: float = 0.0

    @property
    def per_day(self) -> float:
        """Alarms a day; 0 where nothing was judged."""
        return self.alarms * 86400.0 / self.seconds if self.seconds else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """95 % interval of the true rate a day (Garwood 1936, exact for a Poisson count)."""
        from scipy.stats import chi2

        if not self.seconds:
            return 0.0, float("inf")
        days = self.seconds / 86400.0
        low = float(chi2.ppf(0.025, 2 * self.alarms)) / 2 if self.alarms else 0.0
        return low / days, float(chi2.ppf(0.975, 2 * self.alarms + 2)) / 2 / days


@dataclass(frozen=True, eq=False)
class Portrait:
    """All that is shown of one camera's model."""

    camera: str
    model: Normality
    version: int = 0
    size: tuple[int, int] = (1280, 720)
    background: Image | None = None  # (h, w, 3) BGR
    kept: Kept = field(default_factory=Kept)
    budget: str = ""  # as its owner wrote it, e.g. "3/day"
    journal: Sequence[Mapping[str, Any]] = ()
    examples: Sequence[bytes] = ()  # JPEGs of people who behaved as is usual

    # -- numbers -------------------------------------------------------------------------------------------------

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """(rows, COLUMNS) middle speed in body heights a second, NaN where hardly anyone was; and how many moments."""
        feet, velocity = self._moving()
        rows = max(1, round(COLUMNS * self.size[1] / self.size[0]))
        where = _cell(feet, rows, COLUMNS)
        speed = np.hypot(velocity[:, 0], velocity[:, 1])
        count = np.bincount(where, minlength=rows * COLUMNS).reshape(rows, COLUMNS)
        middle = np.full(rows * COLUMNS, np.nan)
        for cell in np.flatnonzero(count.reshape(-1) >= FEW):
            middle[cell] = float(np.median(speed[where == cell]))
        return middle.reshape(rows, COLUMNS), count

    def ways(self) -> list[tuple[float, float, float, float]]:
        """Ways that are taken: x, y as fractions of the picture, and the unit vector of the way; up to two a cell."""
        feet, velocity = self._moving()
        rows = max(1, round(ARROWS * self.size[1] / self.size[0]))
        where = _cell(feet, rows, ARROWS)
        speed = np.hypot(velocity[:, 0], velocity[:, 1])
        found = []
        for cell in np.unique(where):
            mine = (where == cell) & (speed > 0.15)
            if mine.sum() < FEW:
                continue
            ahead = velocity[mine] / speed[mine, None]
            spot = feet[mine].mean(axis=0)
            double = np.stack([ahead[:, 0] ** 2 - ahead[:, 1] ** 2, 2 * ahead[:, 0] * ahead[:, 1]], axis=1).mean(axis=0)
            axis = np.array([np.cos(np.arctan2(double[1], double[0]) / 2), np.sin(np.arctan2(double[1], double[0]) / 2)])
            along = ahead @ axis
            enough = max(FEW, 0.15 * len(along))
            signs = [sign for sign in (1.0, -1.0) if (along * sign > 0.3).sum() >= enough]
            found += [(float(spot[0]), float(spot[1]), float(axis[0] * sign), float(axis[1] * sign)) for sign in signs]
        return found

    def hours(self) -> NDArray[np.int64]:
        """(24,) remembered moments by the camera's clock."""
        known = self.model.known.get("motion")
        if known is None:
            return np.zeros(24, np.int64)
        hour = (known.memory.times / 3600.0 + self.model.settings.utc_offset) % 24.0
        return np.bincount(hour.astype(np.int64), minlength=24)[:24]

    def range_of(self, quantity: str) -> Range | None:
        """The usual range of a quantity, whichever attribute knows it."""
        return next((known.ranges[quantity] for known in self.model.known.values() if quantity in known.ranges), None)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        low, high = self.kept.bounds
        return {
            "camera": self.camera,
            "version": self.version,
            "ready": self.model.ready,
            "hours_watched": round(self.model.watched / 3600.0, 3),
            "tracks": max((known.tracks for known in self.model.known.values()), default=0),
            "attributes": [
                {
                    "name": each.name,
                    "tracks": each.tracks,
                    "needed": each.needed,
                    "days": round(each.days, 3),
                    "days_needed": each.days_needed,
                    "ready": each.ready,
                }
                for each in self.model.readiness()
            ],
            "usual": {
                quantity: {"low": found.low, "high": found.high, "unit": UNITS[quantity], "steps": list(found.steps)}
                for known in self.model.known.values()
                for quantity, found in known.ranges.items()
            },
            "hours": self.hours().tolist(),
            "speed_by_place": self.cells()[0].tolist(),
            "ways": [list(way) for way in self.ways()],
            "thresholds": {str(budget): self.model.threshold(budget) for budget in (1, 3, 10)},
            "budget": self.budget,
            "alarms": self.kept.alarms,
            "judged_hours": round(self.kept.seconds / 3600.0, 3),
            "alarms_per_day": round(self.kept.per_day, 3),
            "alarms_per_day_95": [low, high],
        }

    def _moving(self) -> tuple[Floats, Floats]:
        """Feet (n, 2) as fractions of the picture, and velocity (n, 2) in body heights a second, of remembered moments."""
        known = self.model.known.get("motion")
        if known is None:
            return np.zeros((0, 2)), np.zeros((0, 2))
        memory = known.memory
        boxes = memory.boxes.astype(np.float64)
        feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
        return feet, memory.points[:, :2].astype(np.float64) * memory.unit[:2]

    # -- pictures ------------------------------------------------------------------------------------------------

    def picture(self) -> Image:
        """(h, WIDTH, 3) BGR: speed in colours and ways as arrows over the place."""
        wide, tall = WIDTH, max(1, round(WIDTH * self.size[1] / self.size[0]))
        if self.background is not None:
            ground = cv2.resize(self.background, (wide, tall), interpolation=cv2.INTER_AREA)
            grey = cv2.cvtColor(ground, cv2.COLOR_BGR2GRAY)
            sheet = cv2.cvtColor((grey * 0.6).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        else:
            sheet = np.full((tall, wide, 3), 46, np.uint8)
        speed, _ = self.cells()
        top = self.fastest
        colours = cv2.applyColorMap((np.clip(np.nan_to_num(speed) / top, 0, 1) * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
        share = np.where(np.isnan(speed), 0.0, 0.62).astype(np.float32)
        colours = cv2.resize(colours, (wide, tall), interpolation=cv2.INTER_NEAREST).astype(np.float32)
        share = cv2.resize(share, (wide, tall), interpolation=cv2.INTER_NEAREST)[..., None]
        drawn: Image = (sheet * (1 - share) + colours * share).astype(np.uint8)
        length = wide / ARROWS * 0.36
        for x, y, dx, dy in self.ways():
            start = np.array([x * wide, y * tall]) + np.array([-dy, dx]) * 5  # two ways of one cell do not cover each other
            tip = start + np.array([dx, dy]) * length
            for colour, thick in (((20, 20, 20), 5), ((255, 255, 255), 2)):
                cv2.arrowedLine(drawn, _point(start), _point(tip), colour, thick, cv2.LINE_AA, tipLength=0.38)
        return drawn

    @property
    def fastest(self) -> float:
        """Body heights a second at the warmest colour."""
        speed, _ = self.cells()
        known = speed[np.isfinite(speed)]
        return max(float(np.percentile(known, 95)), 0.2) if len(known) else 1.0

    def sheet(self) -> Image:
        """The picture with a legend, stays and hours below it, for a PNG: numbers and English words only."""
        top = self.picture()
        low: Image = np.full((210, WIDTH, 3), 250, np.uint8)
        legend = cv2.applyColorMap(np.linspace(0, 255, 240).astype(np.uint8).reshape(1, -1), cv2.COLORMAP_VIRIDIS)
        low[16:28, 20:260] = np.repeat(legend, 12, axis=0)
        _write(low, f"0 .. {self.fastest:.1f} body heights/s   {self.camera}, model {self.version}", (270, 27))
        for index, name in enumerate(("speed", "stay")):
            found = self.range_of(name)
            if found is None or len(found.steps) < 3:
                continue
            usual = Usual(name, UNITS[name], found.low, found.high, found.steps[10], found.steps)
            left, right, floor = 20 + index * 310, 310 + index * 310, 170
            pairs = [pair.split() for pair in usual.hill()[1:-1].split("L")]
            hill = [(left + float(x) / 1000 * (right - left), 70 + float(y) / 100 * (floor - 70)) for x, y in pairs]
            band = [left + round(usual.at(value) * (right - left)) for value in (found.low, found.high)]
            cv2.rectangle(low, (band[0], 70), (band[1], floor), (226, 230, 232), -1)
            cv2.fillPoly(low, [np.array(hill, np.int32)], (150, 140, 60), cv2.LINE_AA)
            _write(low, f"{name}: usual {found.low:.1f} .. {found.high:.1f} {UNITS[name]}", (left, 60))
            _write(low, f"{usual.axis[0]:.1f}", (left, 190))
            _write(low, f"{usual.axis[1]:.1f}", (right - 40, 190))
        hours = self.hours()
        tallest = max(int(hours.max(initial=0)), 1)
        for hour, count in enumerate(hours.tolist()):
            x = 650 + hour * 12
            cv2.rectangle(low, (x, 170 - round(100 * count / tallest)), (x + 9, 170), (150, 140, 60), -1)
        _write(low, "hour of the day", (650, 60))
        for hour in (0, 6, 12, 18):
            _write(low, str(hour), (650 + hour * 12, 190))
        return np.concatenate([top, low])


def write_portrait(portrait: Portrait, path: Path, shown_in: str = "en", *, zone: tzinfo | None = None) -> Path:
    """The page as one HTML file, or the picture where `path` ends in .png. PaharaError when it cannot be written."""
    if path.suffix.lower() == ".png":
        from pahara.core import PaharaError

        done, encoded = cv2.imencode(".png", portrait.sheet())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if done:
                path.write_bytes(encoded.tobytes())
        except OSError as problem:
            raise PaharaError(f"cannot write the picture {path}: {problem.strerror or problem}; try another folder") from problem
        return path
    return write_page(render_portrait(portrait, shown_in, zone=zone), path)


def render_portrait(portrait: Portrait, shown_in: str = "en", *, zone: tzinfo | None = None) -> str:
    """The whole page as text."""
    words = Words(shown_in)
    style, script = page_part("page.css"), page_part("page.js")
    done, encoded = cv2.imencode(".jpg", portrait.picture(), [cv2.IMWRITE_JPEG_QUALITY, 86])
    return _template().render(
        title=say("show.title", camera=portrait.camera),
        figures=_figures(portrait),
        picture=data_uri(encoded.tobytes()) if done else "",
        fastest=language.number(portrait.fastest),
        size=(WIDTH, round(WIDTH * portrait.size[1] / portrait.size[0])),
        colours=_colours(),
        hills=_hills(portrait),
        hours=_hours(portrait),
        ready=_ready(portrait),
        kept=_kept(portrait),
        journal=_journal(portrait, zone),
        examples=[data_uri(each) for each in portrait.examples],
        footer=say("report.footer", version=__version__),
        t=words.span, ts=words.tspan, attr=words.attributes, say=say, words=words, language=shown_in, languages=language.LANGUAGES,
        style=Markup(style), script=Markup(script),
        policy=f"default-src 'none'; img-src data:; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'; base-uri 'none'; form-action 'none'",
    )  # fmt: skip


def rate_words(kept: Kept, budget: str) -> Phrase:
    """How the budget was kept, in a sentence; with the interval where the watch was short."""
    told = phrases.counted("normality.rate", kept.alarms, time=duration(kept.seconds), rate=language.number(kept.per_day), budget=budget)
    low, high = kept.bounds
    if not kept.seconds or kept.alarms >= 20:
        return told
    return phrases.listed([told, say("normality.rate.bounds", low=language.number(low), high=language.number(high))], "; ")


def still_learning(model: Normality) -> list[Phrase]:
    """What is missing of each attribute that is not ready."""
    missing = []
    for each in model.readiness():
        if not each.ready:
            name = phrases.named(f"attribute.{each.name}") if language.has(f"attribute.{each.name}") else plain(each.name)
            if each.tracks < each.needed:
                missing.append(say("normality.still.one", attribute=name, tracks=each.tracks, needed=each.needed))
            else:
                days = {"days": language.number(each.days), "needed": language.number(each.days_needed)}
                missing.append(say("normality.still.days", attribute=name, **days))
    return missing


# ---------------------------------------------------------------- inside


def _figures(portrait: Portrait) -> list[tuple[Phrase, Phrase]]:
    tracks = max((known.tracks for known in portrait.model.known.values()), default=0)
    return [
        (plain(f"{tracks}"), say("show.tracks")),
        (duration(portrait.model.watched), say("show.watched")),
        (plain(f"{sum(each.ready for each in portrait.model.readiness())}/{len(portrait.model.readiness())}"), say("show.ready.yes")),
    ]


def _hills(portrait: Portrait) -> list[Distribution]:
    found = []
    for quantity in ("speed", "stay", "distance", "height"):
        told = portrait.range_of(quantity)
        if told is not None and len(told.steps) > 2:
            found.append(distribution(Usual(quantity, UNITS[quantity], told.low, told.high, told.steps[len(told.steps) // 2], told.steps)))
    return found


def _hours(portrait: Portrait) -> list[tuple[str, str, str, str, Phrase]]:
    hours = portrait.hours()
    most = max(int(hours.max(initial=0)), 1)
    return [
        (
            percent(hour / 24 + 0.004),
            percent(1 / 24 - 0.008),
            percent(1 - count / most),
            percent(count / most),
            say("show.count", n=count, hour=hour),
        )
        for hour, count in enumerate(hours.tolist())
    ]


def _ready(portrait: Portrait) -> list[tuple[Phrase, int, str, bool, list[Phrase]]]:
    rows = []
    for each in portrait.model.readiness():
        name = phrases.named(f"attribute.{each.name}") if language.has(f"attribute.{each.name}") else plain(each.name)
        needed = f"{each.needed}" + (f" · {language.number(each.days_needed)} d" if each.days_needed else "")
        known = portrait.model.known.get(each.name)
        usual = [
            distribution(Usual(q, UNITS[q], r.low, r.high, r.low, r.steps))
            for q, r in (known.ranges.items() if known else ())
            if len(r.steps) > 2
        ]
        said = [phrases.listed([one.name, one.usual], ": ") for one in usual]
        rows.append((name, each.tracks, needed, each.ready, said))
    return rows


def _kept(portrait: Portrait) -> Phrase:
    return rate_words(portrait.kept, portrait.budget or "–") if portrait.kept.seconds else say("show.alarms.none")


def _journal(portrait: Portrait, zone: tzinfo | None) -> list[tuple[str, str, str]]:
    rows = []
    for line in list(portrait.journal)[-24:][::-1]:
        when = datetime.fromtimestamp(float(line.get("time", 0.0)), UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")
        facts = ", ".join(
            f"{key} {value}" for key, value in line.items() if key not in ("time", "what", "tracks") or isinstance(value, int)
        )
        rows.append((when, str(line.get("what", "")), facts))
    return rows


def _colours(steps: int = 9) -> list[tuple[str, str]]:
    bgr = cv2.applyColorMap(np.linspace(0, 255, steps).astype(np.uint8).reshape(1, -1), cv2.COLORMAP_VIRIDIS)[0]
    return [(percent(i / (steps - 1)), f"#{r:02x}{g:02x}{b:02x}") for i, (b, g, r) in enumerate(bgr.tolist())]


def _cell(feet: Floats, rows: int, columns: int) -> NDArray[np.int64]:
    across = np.clip((feet[:, 0] * columns).astype(np.int64), 0, columns - 1)
    down = np.clip((feet[:, 1] * rows).astype(np.int64), 0, rows - 1)
    return down * columns + across


def _point(at: Floats) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))


def _write(sheet: Image, words: str, at: tuple[int, int]) -> None:
    cv2.putText(sheet, words.encode("ascii", "replace").decode(), at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (40, 40, 40), 1, cv2.LINE_AA)


@cache
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        page_part("portrait.html.jinja")
    )


__all__ = ["Kept", "Portrait", "rate_words", "render_portrait", "still_learning", "write_portrait"]
