"""Writes a run's summary as one HTML file that needs nothing else: no network, no fonts, no pictures beside it."""

from __future__ import annotations

import base64
import contextlib
import os
import tempfile
from datetime import tzinfo
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from pahara import language as words_of
from pahara.core import PaharaError

from .phrases import Clock, Phrase, counted, say
from .summary import RunSummary
from .view import page

PICTURES = 200  # snapshots that one page carries; later events keep their sketch


def write_report(
    summary: RunSummary, path: str | Path, language: str = "en", *, zone: tzinfo | None = None, pictures: int = PICTURES
) -> Path:
    """Write the report to `path` and return it.

    `language` ("bn" or "en") is the one that the page opens in; both are inside. `zone` is the time zone of
    the clock on the wall (default: this computer's). The file appears whole or not at all.
    PaharaError when the language is unknown or the file cannot be written.
    """
    path = Path(path)
    try:
        written = render(summary, language, folder=path.parent, zone=zone, pictures=pictures)
    except LookupError as problem:
        if language in words_of.LANGUAGES:
            raise
        raise PaharaError(f"{problem.args[0]}; try --lang {words_of.DEFAULT}") from problem
    return write_page(written, path)


def write_page(written: str, path: Path) -> Path:
    """A whole page -> its file, which appears whole or not at all. PaharaError when it cannot be written."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(written.encode("utf-8", "replace"))
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)  # noqa: PTH105 Path.replace says the same
    except OSError as problem:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise PaharaError(f"cannot write the report {path}: {problem.strerror or problem}; try another folder") from problem
    return path


def render(
    summary: RunSummary, language: str = "en", *, folder: str | Path = ".", zone: tzinfo | None = None, pictures: int = PICTURES
) -> str:
    """The whole page as text; clips are linked as seen from `folder`. LookupError for an unknown language."""
    words_of.catalogue(language)
    words = Words(language)
    style, script = page_part("page.css"), page_part("page.js")
    return _template().render(
        **page(summary, Clock(summary.epoch, zone), Path(folder), pictures),
        t=words.span,
        ts=words.tspan,
        attr=words.attributes,
        say=say,
        counted=counted,
        words=words,
        language=language,
        languages=words_of.LANGUAGES,
        style=Markup(style),
        script=Markup(script),
        policy=(
            f"default-src 'none'; img-src data:; style-src '{policy_hash(style)}'; script-src '{policy_hash(script)}'; base-uri 'none'; form-action 'none'"
        ),
    )


class Words:
    """Marks each phrase on the page, so that the script can say it in the other language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._index: dict[Phrase, int] = {}

    def span(self, phrase: Phrase) -> Markup:
        """<span>words</span>; bare words where all languages say the same."""
        return self._mark("span", phrase)

    def tspan(self, phrase: Phrase) -> Markup:
        """The same inside an SVG text."""
        return self._mark("tspan", phrase)

    def attributes(self, **phrases: Phrase) -> Markup:
        """alt="…" aria-label="…" and a note for the script where each comes from."""
        told, notes = [], []
        for name, phrase in phrases.items():
            name = name.replace("_", "-")
            told.append(Markup('{}="{}"').format(name, phrase[self.language]))
            if len(set(phrase.words)) > 1:
                notes.append(f"{name}:{self._number(phrase)}")
        return Markup(" ").join([*told, Markup('data-a="{}"').format(" ".join(notes))] if notes else told)

    @property
    def table(self) -> dict[str, list[str]]:
        """language -> the words of every numbered phrase; read it after the page was laid out."""
        return {one: [phrase[one] for phrase in self._index] for one in words_of.LANGUAGES}

    def _mark(self, tag: str, phrase: Phrase) -> Markup:
        words = phrase[self.language]
        if len(set(phrase.words)) == 1:
            return escape(words)
        return Markup('<{0} data-w="{1}">{2}</{0}>').format(Markup(tag), self._number(phrase), words)

    def _number(self, phrase: Phrase) -> int:
        return self._index.setdefault(phrase, len(self._index))


@cache
def page_part(name: str) -> str:
    """The text of page.css, page.js or the template."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        page_part("page.html.jinja")
    )


def policy_hash(part: str) -> str:
    """How a content security policy names the one style or script that may run."""
    return "sha256-" + base64.b64encode(sha256(part.encode()).digest()).decode()
