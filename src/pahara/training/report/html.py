"""Writes a training report as one HTML file that needs nothing else, with the look and the words of the watch's report."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from pahara import __version__
from pahara import language as words_of
from pahara.core import PaharaError
from pahara.report.charts import data_uri
from pahara.report.html import Words, page_part, policy_hash, write_page
from pahara.report.phrases import say

from .blocks import TrainingReport
from .drawing import CELLS, HEIGHT, WIDTH, draw_bars, draw_chart, draw_matrix


def write_training_report(report: TrainingReport, path: str | Path, language: str = "en") -> Path:
    """Write the page to `path` and return it; it opens in `language`, both are inside.

    PaharaError when the language is unknown or the file cannot be written.
    """
    if language not in words_of.LANGUAGES:
        raise PaharaError(f"no language {language!r}; there are {', '.join(words_of.LANGUAGES)}; try --lang {words_of.DEFAULT}")
    return write_page(render(report, language), Path(path))


def render(report: TrainingReport, language: str = "en") -> str:
    """The whole page as text."""
    words = Words(language)
    style, script = page_part("page.css") + _part("training.css"), page_part("page.js")
    return _template().render(
        report=report,
        kind=type_name,
        draw_chart=draw_chart,
        draw_bars=draw_bars,
        draw_matrix=draw_matrix,
        data_uri=data_uri,
        cells=CELLS,
        width=WIDTH,
        height=HEIGHT,
        title=say("training.title", run=report.title),
        footer=say("report.footer", version=__version__),
        t=words.span,
        ts=words.tspan,
        attr=words.attributes,
        say=say,
        words=words,
        language=language,
        languages=words_of.LANGUAGES,
        style=Markup(style),
        script=Markup(script),
        policy=(
            f"default-src 'none'; img-src data:; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'; base-uri 'none'; form-action 'none'"
        ),
    )


def type_name(block: object) -> str:
    """Which part of the template draws it: "Chart", "Bars" …"""
    return type(block).__name__


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        _part("training.html.jinja")
    )
