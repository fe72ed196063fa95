"""A run's summary -> what stands on the page: phrases and shapes, in reading order, before any HTML."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import numpy as np

from pahara import __version__, language
from pahara.core import Event, Zone, without_secrets
from pahara.core.rate import Rate

from . import charts, phrases
from .charts import Span, percent
from .explained import Explained, Usual
from .phrases import Clock, Phrase, counted, duration, media_time, plain, say
from .picture import Picture
from .summary import EventCard, RunSummary

COLOURS = 7  # the page knows so many colours for behaviours; then they begin again, each row has its name anyway
CARDS = 12  # cards in sight; the others wait behind a button
LANES = 4  # events at once in one row that stay apart
LANE = 15  # pixels


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure: a large value, its name, and a word more."""

    value: Phrase
    name: Phrase
    detail: Phrase | None = None
    tone: str = ""  # "alarm", "good" or ""


@dataclass(frozen=True, slots=True)
class Mark:
    """One event on the timeline."""

    anchor: str
    x: str
    width: str
    dot: str
    y: int
    tip: Phrase


@dataclass(frozen=True, slots=True)
class Row:
    """One behaviour on the timeline; pixels from the top of the drawing."""

    name: Phrase
    label: Phrase
    colour: int
    y: int
    height: int
    hill: str
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Timeline:
    rows: list[Row]
    present: str  # path of the hill of those in view; "" when nobody counted
    present_y: int
    most: int
    ticks: list[tuple[str, str, str, str]]  # x, media time, clock, class
    blind: list[tuple[str, str, Phrase]]  # x, width, words
    plot: int  # pixels: height without the axis
    height: int


@dataclass(frozen=True, slots=True)
class Card:
    """One event as the page tells it."""

    anchor: str
    name: Phrase
    colour: int
    why: Phrase
    at: Phrase
    when: Phrase
    lasted: Phrase
    where: Phrase
    who: Phrase
    peak: str
    picture: str  # data URI; "" for a sketch
    alt: Phrase
    size: tuple[int, int]
    boxes: list[tuple[str, str, str, str]]
    corners: str  # of the zone, in thousandths; "" where there is none
    bar: tuple[str, str, Phrase, Phrase, Phrase] | None  # filled, limit, measured, limit, both in words
    clip: str  # address beside the report; "" when there is none
    false_alarm: bool
    held: bool
    usual: Distribution | None
    heat: str  # data URI
    likes: list[tuple[str, Phrase]]  # data URI and words of each nearest normal example


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is usual here and where the event lies in it; places along the drawing in percent."""

    name: Phrase
    hill: str
    band: tuple[str, str]  # left, width
    here: str
    label: Phrase
    usual: Phrase
    observed: Phrase


def page(summary: RunSummary, clock: Clock, folder: Path, pictures: int) -> dict[str, object]:
    """All that the template shows. `folder` is where the report will lie, `pictures` how many it may carry."""
    span = Span(summary.begin, summary.end)
    kinds = dict(summary.behaviours)
    for card in summary.cards:
        kinds.setdefault(card.event.behaviour, card.event.kind)
    fired = {card.event.behaviour for card in summary.cards}
    order = [*(name for name in kinds if name in fired), *(name for name in kinds if name not in fired)]
    colours = {name: i % COLOURS for i, name in enumerate(order)}
    names = {name: phrases.behaviour(name, kinds[name]) for name in order}
    cards = []
    for card in summary.cards:
        shown = _picture(card.snapshot) or _picture(card.thumbnail) if pictures > 0 else ""
        pictures -= bool(shown)
        cards.append(_card(card, summary, clock, names[card.event.behaviour], colours[card.event.behaviour], folder, shown))
    title = summary.title or summary.camera
    return {
        "title": say("report.title", camera=title),
        "headline": _headline(summary),
        "subline": _alerts_in(summary) if summary.drill else None,
        "camera": plain(summary.title) if summary.title else say("report.camera", camera=summary.camera),
        "clock": clock.span(summary.begin, summary.end) if clock.known else None,
        "source": without_secrets(summary.source),
        "tone": "alarm" if summary.cards and not summary.drill else "calm",
        "figures": _figures(summary),
        "note": phrases.sentence(summary.facts.detector_note) if summary.facts.detector_note else None,
        "warnings": [phrases.sentence(words) for words in summary.warnings],
        "timeline": _timeline(summary, span, clock, order, names, colours),
        "cards": cards[:CARDS],
        "more": cards[CARDS:],
        "drill": _drill(summary),
        "places": _places(summary),
        "stays": _stays(summary),
        "lines": _lines(summary, span),
        "details": _details(summary, names, order),
        "footer": say("report.footer", version=__version__),
    }


def _headline(summary: RunSummary) -> Phrase:
    if summary.drill:
        return counted("report.headline.drill", len(summary.drill.staged), caught=summary.drill.caught, staged=len(summary.drill.staged))
    return _alerts_in(summary)


def _alerts_in(summary: RunSummary) -> Phrase:
    n = len(summary.cards)
    return say(f"report.headline.{'none' if n == 0 else 'one' if n == 1 else 'many'}", n=n, time=duration(summary.seconds))


def _figures(summary: RunSummary) -> list[Figure]:
    figures = []
    if summary.drill:
        wrong = len(summary.drill.false_alarms)
        every = summary.drill.caught == len(summary.drill.staged)
        figures.append(
            Figure(
                plain(f"{summary.drill.caught}/{len(summary.drill.staged)}"),
                say("report.figure.caught"),
                counted("report.figure.false_alarms", wrong),
                "good" if every and not wrong else "alarm",
            )
        )
    n = len(summary.cards)
    fired = list(dict.fromkeys(card.event.kind for card in summary.cards))
    known = phrases.listed([phrases.kind(kind) for kind in fired[:2]])
    detail = (
        say("report.figure.quiet")
        if not fired
        else say("report.figure.kinds.more", names=known, n=len(fired) - 2)
        if len(fired) > 2
        else say("report.figure.kinds", names=known)
    )
    figures.append(Figure(plain(str(n)), counted("report.figure.alerts", n), detail, "alarm" if n and not summary.drill else ""))

    everyone = summary.stays.get("", {})
    label = _main_label(summary)
    if label:
        stays = np.asarray(everyone.get(label, []), np.float64)
        most = int(np.nanmax(summary.present[label].peaks, initial=0)) if label in summary.present else 0
        person = label == "person"
        figures.append(
            Figure(
                plain(str(len(stays))),
                counted("report.figure.visitors", len(stays)) if person else counted("report.figure.objects", len(stays)),
                say("report.figure.at_once", n=most),
            )
        )
        if len(stays):
            figures.append(
                Figure(
                    duration(float(np.median(stays))),
                    say("report.figure.stay"),
                    say("report.figure.stay.longest", time=duration(float(stays.max()))),
                )
            )
    if summary.lines:
        ways = [summary.crossings.count(i) for i in range(len(summary.lines))]
        forward, backward = sum(way[0] for way in ways), sum(way[1] for way in ways)
        total = forward + backward
        figures.append(
            Figure(
                plain(str(total)), counted("report.figure.crossings", total), say("report.figure.ways", forward=forward, backward=backward)
            )
        )
    if summary.facts.budget and summary.facts.judged:
        rate = summary.facts.unusual * 86400.0 / summary.facts.judged
        over = summary.facts.unusual > 1 and rate > 2 * summary.facts.budget
        detail = say("report.figure.budget.detail", budget=str(Rate(summary.facts.budget)))
        figures.append(Figure(plain(language.number(rate)), say("report.figure.budget"), detail, "alarm" if over else ""))
    if summary.stats.gaps:
        lost = sum(end - begin for begin, end in summary.stats.gaps)
        figures.append(
            Figure(duration(lost), say("report.figure.blind"), counted("report.figure.blind.gaps", len(summary.stats.gaps)), "alarm")
        )
    return figures


def _main_label(summary: RunSummary) -> str:
    """The class that the figures speak of: people, or what was seen most often."""
    everyone = summary.stays.get("", {})
    if "person" in everyone or "person" in summary.present:
        return "person"
    return max(everyone, key=lambda label: len(everyone[label]), default="")


def _timeline(
    summary: RunSummary, span: Span, clock: Clock, order: Sequence[str], names: dict[str, Phrase], colours: dict[str, int]
) -> Timeline:
    rows, y = [], 0
    for name in order:
        mine = [card for card in summary.cards if card.event.behaviour == name]
        lanes = _lanes(mine, span)
        height = 14 + LANE * max(1, 1 + max(lanes, default=0))
        marks = [_mark(card, span, clock, names[name], y + 26 + LANE * lane) for card, lane in zip(mine, lanes, strict=True)]
        label = counted("report.timeline.row", len(mine), name=names[name]) if mine else say("report.timeline.row.none", name=names[name])
        hill = charts.hill(summary.scores[name], span, 1.0) if name in summary.scores else ""
        rows.append(Row(names[name], label, colours[name], y + 20, height, hill, marks))
        y += 20 + height + 12
    present, present_y, most = "", y + 20, 0
    main = _main_label(summary)
    if main in summary.present:
        bins = summary.present[main]
        most = int(np.nanmax(bins.peaks, initial=0))
        present = charts.hill(bins, span, max(1, most))
        y += 20 + 44 + 12
    plot = max(y, 24)
    ticks = []
    for i, tick in enumerate(span.ticks()):
        x = span(tick)
        side = "start" if x < 0.03 else "end" if x > 0.97 else "middle"
        precise = span.seconds < 600
        ticks.append((percent(x), media_time(tick), clock.time(tick, precise=precise) if clock.known else "", f"{side} {'odd' * (i % 2)}"))
    blind = [
        (percent(span(a)), percent(span(b) - span(a)), say("report.timeline.blind", begin=media_time(a), end=media_time(b)))
        for a, b in summary.stats.gaps
        if b > summary.begin and a < summary.end
    ]
    return Timeline(rows, present, present_y, most, ticks, blind, plot, plot + (40 if clock.known else 24))


def _lanes(cards: Sequence[EventCard], span: Span) -> list[int]:
    """Which lane of its row each event takes, so that events at once do not cover each other."""
    free = [-math.inf] * LANES
    lanes = []
    for card in cards:
        begin, end = span(card.event.start), max(span(card.end), span(card.alarm) + 0.012)
        lane = next((i for i, until in enumerate(free) if until <= begin), int(np.argmin(free)))
        free[lane] = end
        lanes.append(lane)
    return lanes


def _mark(card: EventCard, span: Span, clock: Clock, name: Phrase, y: int) -> Mark:
    begin, end = span(card.event.start), span(max(card.end, card.alarm))
    at = media_time(card.alarm) + (f" ({clock.time(card.alarm)})" if clock.known else "")
    tip = say("report.timeline.mark", name=name, at=at, time=duration(card.seconds), why=phrases.why(card.event.reason))
    return Mark(_anchor(card.event), percent(begin), percent(max(end - begin, 0.001)), percent(span(card.alarm)), y, tip)


def _anchor(event: Event) -> str:
    return "e-" + "".join(c for c in event.id if c.isalnum())


def _picture(picture: Picture) -> str:
    """The data URI of a picture; "" when there is none, or its file is gone."""
    if isinstance(picture, Path):
        try:
            picture = picture.read_bytes()
        except OSError:  # retention may have taken it: the card shows a sketch
            return ""
    return charts.data_uri(picture)


def _card(card: EventCard, summary: RunSummary, clock: Clock, name: Phrase, colour: int, folder: Path, picture: str) -> Card:
    event, reason = card.event, card.event.reason
    at = plain(clock.time(card.alarm) if clock.known else media_time(card.alarm))
    when = say("report.events.at", media=media_time(card.alarm))
    lasted = duration(card.seconds)
    wide, tall = event.size
    zone = next((zone for zone in summary.zones if zone.name == event.place), None)
    return Card(
        anchor=_anchor(event),
        name=name,
        colour=colour,
        why=phrases.why(reason),
        at=at,
        when=phrases.listed([plain(clock.time(card.alarm)), when]) if clock.known else when,
        lasted=say("report.events.still", time=lasted) if card.open else lasted,
        where=_place(event.place),
        who=plain(", ".join(f"#{track}" for track in event.subject)) if event.subject else say("report.events.who.scene"),
        peak=language.number(event.peak),
        picture=picture,
        alt=say("report.events.picture" if picture else "report.events.sketch", name=name, at=at),
        size=event.size,
        boxes=[
            (percent(x1 / wide), percent(y1 / tall), percent((x2 - x1) / wide), percent((y2 - y1) / tall)) for x1, y1, x2, y2 in event.boxes
        ],
        corners=_thousandths(zone) if zone else "",
        bar=_measured(event),
        clip=_address(card.clip, folder) if card.clip else "",
        false_alarm=event.id in summary.drill.false_alarms,
        held=card.held,
        usual=distribution(card.explained.usual) if card.explained.usual else None,
        heat=_picture(card.explained.heat),
        likes=_likes(card.explained, clock),
    )


def distribution(told: Usual) -> Distribution:
    """One quantity as the page draws it."""
    low, high = told.at(told.low), told.at(told.high)
    values = {"low": language.number(told.low), "high": language.number(told.high), "observed": language.number(told.observed)}
    unit, quantity = phrases.unit(told.unit), say(f"quantity.{told.quantity}")
    return Distribution(
        name=quantity,
        hill=told.hill(),
        band=(percent(low), percent(high - low)),
        here=percent(told.at(told.observed)),
        label=_trimmed(say("report.unusual.label", quantity=quantity, unit=unit, **values)),
        usual=_trimmed(say("report.unusual.band", unit=unit, low=values["low"], high=values["high"])),
        observed=_trimmed(say("report.unusual.observed", unit=unit, observed=values["observed"])),
    )


def _likes(told: Explained, clock: Clock) -> list[tuple[str, Phrase]]:
    found = []
    for example in told.examples:
        if picture := _picture(example.picture):
            when = datetime.fromtimestamp(example.time, UTC).astimezone(clock.zone).strftime("%Y-%m-%d %H:%M")
            found.append((picture, say("report.unusual.like.alt", at=when)))
    return found


def _measured(event: Event) -> tuple[str, str, Phrase, Phrase, Phrase] | None:
    measured, limit, unit = event.reason.measured, event.reason.limit, phrases.unit(event.reason.unit)
    sentence = language.catalogue(language.DEFAULT).get(f"reason.{event.reason.code}", "{limit}")
    if "{limit}" not in sentence:  # "crossed the gate forward" compares nothing
        return None
    if not (math.isfinite(measured) and math.isfinite(limit) and limit > 0 and measured >= 0):
        return None
    top = 1.12 * max(measured, limit)
    values = {"measured": language.number(measured), "limit": language.number(limit), "unit": unit}
    return (
        percent(measured / top),
        percent(limit / top),
        _trimmed(say("report.events.measured", **values)),
        _trimmed(say("report.events.limit", **values)),
        _trimmed(say("report.events.bar", **values)),
    )


def _trimmed(phrase: Phrase) -> Phrase:
    """Without the blank that an empty unit leaves behind."""
    return Phrase(tuple(words.replace(" ,", ",").strip() for words in phrase.words))


def _address(clip: Path, folder: Path) -> str:
    """Where the clip lies, seen from the report; an address of a file and of nothing else."""
    try:
        relative = os.path.relpath(clip.resolve(), folder.resolve())
    except ValueError:  # another drive
        return clip.resolve().as_uri()
    return "./" + quote(relative.replace(os.sep, "/"))


def _place(name: str) -> Phrase:
    return plain(name) if name else phrases.each(lambda one: language.text("place.everywhere", one))


def _thousandths(zone: Zone) -> str:
    return " ".join(f"{1000 * x:.0f},{1000 * y:.0f}" for x, y in zone.corners)


def _drill(summary: RunSummary) -> dict[str, object] | None:
    drill = summary.drill
    if not drill:
        return None
    shown = {card.event.id: _anchor(card.event) for card in summary.cards}
    rows = [
        {
            "kind": phrases.kind(row.kind),
            "where": _place(row.place),
            "begin": media_time(row.begin),
            "missed": row.missed,
            "result": say("report.drill.missed") if row.missed else say("report.drill.caught", time=duration(max(0.0, row.delay))),
            "anchor": shown.get(row.event_id, ""),
        }
        for row in drill.staged
    ]
    hours = drill.hours or summary.seconds / 3600
    wrong = len(drill.false_alarms)
    told = (
        say("report.drill.false_alarms", n=wrong, rate=language.number(wrong / hours))
        if wrong and hours > 0
        else say("report.drill.false_alarms.none", time=duration(3600 * hours))
    )
    return {"rows": rows, "false_alarms": told, "wrong": wrong}


def _places(summary: RunSummary) -> dict[str, object]:
    wide, tall = summary.size
    warm = charts.heat(summary.feet)
    zones = []
    for zone in summary.zones:
        x, y = np.array(zone.corners).mean(axis=0)
        zones.append((_thousandths(zone), zone.name, percent(float(x)), percent(float(y))))
    lines = []
    for line in summary.lines:
        start, end = line.pixels(summary.size)
        along = end - start
        right = np.array([-along[1], along[0]]) / np.hypot(*along)  # the right hand: forward
        middle = (start + end) / 2
        tip = middle + right * 0.06 * wide
        (x1, y1), (x2, y2), (mx, my), (tx, ty) = (point / np.array([wide, tall]) for point in (start, end, middle, tip))
        angle = math.degrees(math.atan2(right[1], right[0]))
        ends = tuple(percent(float(v)) for v in (x1, y1, x2, y2, mx, my, tx, ty))
        lines.append((*ends, f"{angle:.0f}", line.name))
    names = [zone.name for zone in summary.zones] + [line.name for line in summary.lines]
    label = say("report.places.label", names=plain(", ".join(names))) if names else say("report.places")
    return {
        "background": charts.data_uri(summary.background) or charts.data_uri(charts.blank_picture(summary.size)),
        "heat": charts.data_uri(warm.png) if warm else "",
        "ticks": [(percent(share), language.number(warm.at(share)) + "+" * (share == 1 and warm.beyond)) for share in (0.0, 0.5, 1.0)]
        if warm
        else [],
        "colours": charts.legend_colours(),
        "zones": zones,
        "lines": lines,
        "label": label,
        "size": (wide, tall),
    }


def _stays(summary: RunSummary) -> dict[str, object] | None:
    label = _main_label(summary)
    everyone = np.asarray(summary.stays.get("", {}).get(label, []), np.float64)
    if len(everyone) == 0:
        return None
    bars = []
    for bar in charts.stay_histogram(everyone):
        last = bar.end != bar.end
        tip = (
            say("report.stays.bar.last", begin=duration(bar.begin), n=bar.count)
            if last
            else say("report.stays.bar", begin=duration(bar.begin), end=duration(bar.end), n=bar.count)
        )
        height = 0.78 * bar.height
        bars.append(
            {
                "x": percent(bar.x + 0.06 * bar.width),
                "width": percent(0.88 * bar.width),
                "y": percent(0.88 - height),
                "height": percent(height),
                "top": percent(0.86 - height),
                "middle": percent(bar.x + bar.width / 2),
                "count": bar.count,
                "edge": percent(bar.x),
                "begin": _short(bar.begin),
                "tip": tip,
                "last": "" if last else _short(bar.end),
            }
        )
    table = []
    for place, by_label in sorted(summary.stays.items()):
        for name, seconds in sorted(by_label.items(), key=lambda item: -len(item[1])):
            values = np.asarray(seconds, np.float64)
            if len(values):
                table.append(
                    (_place(place), phrases.label(name), len(values), duration(float(np.median(values))), duration(float(values.max())))
                )
    return {
        "bars": bars,
        "table": table,
        "mixed": len({row[1] for row in table}) > 1,
        "label": counted("report.stays.label", len(everyone), median=duration(float(np.median(everyone)))),
    }


def _short(seconds: float) -> str:
    """An edge of the histogram: 30 s stays 30, a minute is 1:00."""
    return f"{seconds:.0f}" if seconds < 60 else media_time(seconds)


def _lines(summary: RunSummary, span: Span) -> list[dict[str, object]]:
    times, index = np.asarray(summary.crossings.times, np.float64), np.asarray(summary.crossings.lines, np.intp)
    forward = np.asarray(summary.crossings.forward, np.int8).astype(bool)
    found: list[dict[str, object]] = []
    for i, line in enumerate(summary.lines):
        mine = index == i
        bins = charts.ways_over_time(times[mine], forward[mine], span)
        top = max([max(a, b) for _, _, a, b in bins], default=1)
        ahead, back = summary.crossings.count(i)
        found.append(
            {
                "name": line.name,
                "forward": ahead,
                "backward": back,
                "total": ahead + back,
                "label": say("report.lines.label", name=line.name, forward=ahead, backward=back),
                "bars": [
                    (
                        percent(x + 0.1 * w),
                        percent(0.8 * w),
                        percent(0.5 - 0.46 * a / top),
                        percent(0.46 * a / top),
                        percent(0.46 * b / top),
                    )
                    for x, w, a, b in bins
                ],
            }
        )
    return found


def _details(summary: RunSummary, names: dict[str, Phrase], order: Sequence[str]) -> list[tuple[Phrase, Phrase]]:
    facts, stats = summary.facts, summary.stats
    rows = [
        (say("report.details.source"), plain(without_secrets(summary.source))),
        (say("report.details.size"), plain(f"{summary.size[0]} × {summary.size[1]}" + (f", {facts.fps:.4g} fps" if facts.fps else ""))),
    ]
    if facts.detector:
        rows.append((say("report.details.detector"), plain(facts.detector)))
    if facts.frames:
        told = say("report.details.frames.value", frames=facts.frames, detected=facts.detected, spared=f"{100 * facts.spared:.0f}")
        rows.append((say("report.details.frames"), told))
    if facts.frames and facts.wall_seconds > 0:
        told = say(
            "report.details.speed.value",
            fps=language.number(facts.frames / facts.wall_seconds),
            times=language.number(summary.seconds / facts.wall_seconds),
        )
        rows.append((say("report.details.speed"), told))
    if facts.frames and facts.cpu_seconds > 0:
        told = say(
            "report.details.cpu.value",
            seconds=language.number(facts.cpu_seconds),
            ms=language.number(1000 * facts.cpu_seconds / facts.frames),
        )
        rows.append((say("report.details.cpu"), told))
    damage = say("report.details.damage.value", corrupt=stats.corrupt_packets, dropped=stats.dropped_frames, reconnects=stats.reconnects)
    rows.append((say("report.details.damage"), damage))
    gaps = ", ".join(f"{media_time(a)}–{media_time(b)}" for a, b in stats.gaps)
    rows.append((say("report.details.blind"), plain(gaps) if gaps else say("report.details.blind.none")))
    if order:
        rows.append((say("report.details.behaviours"), phrases.listed([names[name] for name in order])))
    versions = {"pahara": __version__, **facts.versions}
    rows.append((say("report.details.versions"), plain(", ".join(f"{name} {version}" for name, version in versions.items()))))
    return rows
