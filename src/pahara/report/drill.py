"""A drill as one self-contained HTML page: the table, the blind map, the realism gap, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from pahara import language as words_of
from pahara.evaluation.alarms import Interval

from .charts import data_uri
from .html import Words, page_part, policy_hash, write_page
from .phrases import Phrase, behaviour, plain, say


@dataclass(frozen=True)
class DrillLine:
    """One rule of the camera: how often its staged incidents were caught, and how fast."""

    name: str
    kind: str
    place: str
    staged: int  # that count
    caught: int
    share: Interval  # Wilson, 95 %
    delay: float  # seconds, median, from the moment at which the rule could first know; nan without a catch
    slowest: float  # seconds, the slowest of ten (90th percentile)
    after_deed: float  # seconds, median, from the deed itself
    unseen: int  # missed: the detector hardly saw them
    lost: int  # missed: seen, but not followed well enough
    rule: int  # missed: the rule would not have told it even with perfect sight
    void: int = 0  # not counted: the footage raised the same alarm by itself
    unstaged: int = 0
    why_unstaged: str = ""  # room, short, never


@dataclass(frozen=True)
class DrillPicture:
    """What the camera was shown."""

    name: str
    kind: str
    jpeg: bytes


@dataclass(frozen=True)
class DrillPage:
    """Everything on the page. Phrases are in all languages."""

    camera: str
    source: str
    facts: tuple[Phrase, ...]
    lines: tuple[DrillLine, ...]
    seen_map: bytes  # PNG
    incident_map: bytes  # PNG
    blind_about: Phrase
    size_table: tuple[tuple[str, int, Interval], ...]  # body heights, looks, share found
    gap_verdict: str
    gap_words: Phrase
    gap_table: tuple[tuple[Phrase, str], ...]
    control: Phrase  # the footage's own alarms
    side: Phrase
    notes: tuple[Phrase, ...]  # how the staging was fitted to the footage
    cannot: tuple[Phrase, ...]
    pictures: tuple[DrillPicture, ...] = ()
    caught: int = 0
    staged: int = 0
    unfinished: bool = False
    unknown: Sequence[tuple[str, str]] = field(default=())


def write_drill(page: DrillPage, path: Path, language: str = "en") -> Path:
    """Write the page and return where. PaharaError when it cannot be written."""
    return write_page(render_drill(page, language), path)


def render_drill(page: DrillPage, language: str = "en") -> str:
    """The page as text."""
    words = Words(language)
    style, script = page_part("page.css") + page_part("drill.css"), page_part("page.js")
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        page_part("drill.html.jinja")
    )
    rows = [
        {
            "name": behaviour(line.name, line.kind),
            "place": line.place,
            "caught": f"{line.caught} / {line.staged}" if line.staged else "–",
            "share": f"{100 * line.share.value:.0f} %" if line.staged else "–",
            "interval": f"{100 * line.share.low:.0f}–{100 * line.share.high:.0f} %" if line.staged else "",
            "bar": (f"{100 * line.share.low:.1f}%", f"{100 * (line.share.high - line.share.low):.1f}%", f"{100 * line.share.value:.1f}%")
            if line.staged
            else None,
            "delay": _seconds(line.delay),
            "any": line.caught > 1,
            "slowest": _seconds(line.slowest),
            "deed": _seconds(line.after_deed),
            "misses": _misses(line),
            "level": "" if not line.staged else "high" if line.share.value >= 0.8 else "middle" if line.share.value >= 0.5 else "low",
        }
        for line in page.lines
    ]
    return template.render(
        page=page, rows=rows, t=words.span, attr=words.attributes, say=say, plain=plain, words=words, language=language, languages=words_of.LANGUAGES,
        title=say("drill.title", camera=page.camera), style=Markup(style), script=Markup(script),
        seen_map=data_uri(page.seen_map), incident_map=data_uri(page.incident_map),
        sizes=[(name, n, f"{100 * s.value:.0f} %", f"{100 * s.low:.0f}–{100 * s.high:.0f} %", f"{100 * s.value:.1f}%") for name, n, s in page.size_table],
        pictures=[(behaviour(p.name, p.kind) if p.kind != "passing" else say("drill.passing"), data_uri(p.jpeg)) for p in page.pictures],
        unknown=[behaviour(name, kind) for name, kind in page.unknown],
        policy=(
            f"default-src 'none'; img-src data:; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'; base-uri 'none'; form-action 'none'"
        ),
    )  # fmt: skip


def _seconds(value: float) -> Phrase:
    return say("drill.seconds", s=f"{value:.1f}") if value == value else plain("–")


def _misses(line: DrillLine) -> list[Phrase]:
    told = [say(f"drill.miss.{why}", n=n) for why, n in (("unseen", line.unseen), ("lost", line.lost), ("rule", line.rule)) if n]
    if line.void:
        told.append(say("drill.miss.void", n=line.void))
    if line.unstaged:
        told.append(say(f"drill.unstaged.{line.why_unstaged}", n=line.unstaged))
    return told
