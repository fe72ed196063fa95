"""The report is one file that says what happened, in two languages, and gives nothing away."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta, timezone
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from pahara.core import Event, PaharaError, Reason, Tripwire, Zone
from pahara.language import LANGUAGES
from pahara.report import EventCard, RunSummary, Staged, SummaryCollector, render, write_report
from pahara.report.phrases import duration, media_time
from pahara.testing.actors import scenes, stand

EVIL = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>{{7*7}}{camera}"
GATE = Zone("gate", ((0.0, 0.4), (0.4, 0.4), (0.4, 1.0), (0.0, 1.0)))
DHAKA = timezone(timedelta(hours=6))


def picture(shade: int = 0) -> bytes:
    """A small grey JPEG."""
    return cv2.imencode(".jpg", np.full((90, 160, 3), shade % 256, np.uint8))[1].tobytes()


class Page(HTMLParser):
    """Tags with their attributes, and what a reader sees."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.seen = ""
        self._hidden = ""
        self.feed(source)
        self.seen = re.sub(r"\s+", " ", self.seen)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag if tag in ("style", "script") else ""

    def handle_endtag(self, tag):
        self._hidden = ""

    def handle_data(self, data):
        self.seen += "" if self._hidden else data + " "

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]


def event(number: int, *, kind: str = "loitering", start: float = 10.0, **changes: object) -> Event:
    plain = Event(
        f"{number:016x}", "yard", kind, kind, (number,), "ended", start, start + 6, 0.0, 0.8, start + 4,
        Reason("loitering.dwell", 34.0, 30.0, "s", "gate"), ((100, 80, 140, 200),), (640, 360),
    )  # fmt: skip
    return replace(plain, **changes)


def summary(*cards: EventCard, **changes: object) -> RunSummary:
    return replace(RunSummary("yard", "yard.mp4", (640, 360), 0.0, 252.0, cards=cards, zones=(GATE,)), **changes)


def card(number: int = 1, **changes: object) -> EventCard:
    return EventCard(event(number, **changes), alarm=12.0, end=16.0, snapshot=picture(number))


def test_the_headline_counts_the_alerts():
    assert "A quiet watch: nothing in 4 min 12 s" in Page(render(summary())).seen
    assert "1 alert in 4 min 12 s" in Page(render(summary(card(1)))).seen
    assert "2 alerts in 4 min 12 s" in Page(render(summary(card(1), card(2)))).seen
    assert "4 মিনিট 12 সেকেন্ডে 2টি alert" in Page(render(summary(card(1), card(2)), "bn")).seen


def test_every_event_tells_why_it_fired_where_and_when(story):
    page = Page(render(story, zone=DHAKA))
    assert len(page.all("article")) == len(story.cards) > 3
    assert re.search(r"Stayed 4\d s, limit 20 s \(gate\)", page.seen)
    assert "18:00:22" in page.seen  # noon in Greenwich, on a clock in Dhaka
    assert "20 March 2026, 18:00:00 to 18:01:00 (UTC+06:00)" in page.seen
    assert "0:22 in the recording" in page.seen


def test_without_an_epoch_no_clock_is_invented():
    page = Page(render(summary(card())))
    assert "1970" not in page.seen
    assert "0:12 in the recording" in page.seen


def test_behaviours_that_stayed_silent_are_shown_too(story):
    assert "far-too-long: silent" in Page(render(story)).seen


def test_the_demo_shows_staged_against_caught(staged):
    page = Page(render(staged)).seen
    assert "2 of 3 staged incidents caught" in page
    assert "missed" in page
    assert "caught after 1.5 s" in page
    assert "False alarms: 1, that is 60 per hour" in page
    clean = Page(render(replace(staged, drill=replace(staged.drill, false_alarms=(), staged=(Staged("falling", 1, 2, 1.5),))))).seen
    assert "No false alarm in 1 min" in clean


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_opens_in_the_asked_language_and_holds_the_other(story, language):
    source = render(story, language)
    page = Page(source)
    assert page.all("html") == [{"lang": language}]
    words = json.loads(re.search(r'<script type="application/json" id="words">(.*?)</script>', source)[1])
    assert sorted(words) == sorted(LANGUAGES)
    assert len(words["bn"]) == len(words["en"]) > 60
    for attrs in (attrs for _, attrs in page.tags if "data-w" in attrs):
        assert int(attrs["data-w"]) < len(words[language])
    used = "Where people stood" if language == "en" else "কে কোথায় দাঁড়িয়েছিল"
    other = "কে কোথায় দাঁড়িয়েছিল" if language == "en" else "Where people stood"
    assert used in page.seen
    assert other not in page.seen
    assert other in words["bn" if language == "en" else "en"]


def test_numbers_use_ascii_digits_in_bangla(staged):
    assert not re.search("[০-৯]", render(staged, "bn"))


def test_an_unknown_language_is_told_with_those_that_exist(tmp_path):
    with pytest.raises(PaharaError, match=r"no language 'fr'; there are bn, en; try --lang en"):
        write_report(summary(), tmp_path / "report.html", "fr")


def test_names_cannot_become_markup():
    zone, line = Zone(EVIL, GATE.corners), Tripwire(EVIL, (0, 0), (1, 1))
    evil = card(behaviour=EVIL, kind=EVIL, reason=Reason(EVIL, 2, 1, EVIL, EVIL, {"thing": EVIL}), id='"><script>')
    collector = SummaryCollector(EVIL, (640, 360), source=EVIL, zones=[zone], lines=[line], behaviours={EVIL: EVIL})
    for scene in scenes({1: stand((0.2, 0.8), 0, 5)}, seconds=5):
        collector.see(scene, {EVIL: {(1,): 0.3}})
    source = render(
        replace(collector.finish(), cards=(evil,), title=EVIL, warnings=(EVIL,), facts=replace(summary().facts, detector=EVIL, detector_note=EVIL, versions={EVIL: EVIL}))
    )  # fmt: skip
    page = Page(source)
    assert len(page.all("script")) == 2
    assert not [attrs for attrs in page.all("img") if attrs.get("src") == "x"]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert EVIL.replace("\n", " ") in page.seen
    assert "49" not in page.seen


def test_nothing_points_outside(staged):
    source = render(staged)
    assert not re.search(r"(?i)(https?:|ftp:|//[a-z0-9-]+\.)", re.sub(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+", "", source))
    page = Page(source)
    for name, attrs in page.tags:
        assert name not in ("link", "iframe", "object", "embed", "base", "form") or attrs == {"method": "dialog"}, name
        if name == "img" and "src" in attrs:
            assert attrs["src"].startswith("data:image/")
        assert not attrs.get("href", "#").strip() or attrs.get("href", "#").startswith(("#", "./"))


def test_the_policy_allows_exactly_the_style_and_script_that_are_there(story):
    source = render(story)
    policy = next(attrs["content"] for attrs in Page(source).all("meta") if attrs.get("http-equiv"))
    for tag in ("style", "script"):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL)[1]
        told_hash = base64.b64encode(sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{told_hash}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert not [attrs for _, attrs in Page(source).tags if "style" in attrs]


def test_secrets_of_the_source_are_not_written():
    assert "hunter2" not in render(summary(source="rtsp://admin:hunter2@10.0.0.7/ch1?token=hunter2"))


def test_a_run_without_pictures_is_drawn_as_a_sketch(bare_story):
    page = Page(render(bare_story))
    assert any("sketch" in attrs.get("class", "") for attrs in page.all("svg"))


def test_a_snapshot_whose_file_is_gone_becomes_a_sketch(tmp_path):
    kept, gone = tmp_path / "kept.jpg", tmp_path / "gone.jpg"
    kept.write_bytes(picture())
    cards = [replace(card(1), snapshot=kept), replace(card(2), snapshot=gone), replace(card(3), snapshot=b"<script>")]
    page = Page(render(summary(*cards)))
    assert len([a for a in page.all("button") if "data-enlarge" in a]) == 1
    assert len([a for a in page.all("svg") if "sketch" in a.get("class", "")]) == 2


def test_only_so_many_pictures_are_carried():
    page = Page(render(summary(*[card(i) for i in range(1, 30)]), pictures=10))
    assert len(page.all("article")) == 29
    assert len([a for a in page.all("button") if "data-enlarge" in a]) == 10


def test_a_clip_is_linked_as_seen_from_the_report(tmp_path):
    clip = tmp_path / "media" / "javascript:alert(1) ২ %.mp4"
    shown = replace(card(), clip=clip)
    write_report(summary(shown), tmp_path / "out" / "report.html")
    page = Page((tmp_path / "out" / "report.html").read_text("utf-8"))
    link = next(attrs["href"] for attrs in page.all("a") if attrs.get("class") == "clip")
    assert link == "./../media/javascript%3Aalert%281%29%20%E0%A7%A8%20%25.mp4"


def test_a_reason_that_compares_nothing_has_no_bar():
    compares, tells = event(1), event(2, reason=Reason("crossing.forward", 0.2, 0.1, "body heights", "gate"))
    page = Page(render(summary(*(EventCard(e, 12, 16) for e in (compares, tells)))))
    assert [a["aria-label"] for a in page.all("svg") if a.get("class") == "measure"] == ["Measured 34 s, limit 30 s"]


def test_the_same_run_gives_the_same_page(staged):
    assert render(staged, zone=DHAKA) == render(staged, zone=DHAKA)


def test_a_run_in_which_nothing_was_seen_still_makes_a_page(tmp_path):
    empty = SummaryCollector("yard", (640, 360)).finish()
    assert "Nobody was seen." in Page(render(empty)).seen


def test_the_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "report.html"
    assert write_report(summary(), str(path)) == path
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "report.html").mkdir()
    (tmp_path / "report.html" / "inside").touch()
    with pytest.raises(PaharaError, match=r"cannot write the report .*report\.html.*try another folder"):
        write_report(summary(), tmp_path / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    (tmp_path / "file").touch()
    with pytest.raises(PaharaError, match="cannot write the report"):
        write_report(summary(), tmp_path / "file" / "report.html")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full to try a full disk")
def test_a_full_disk_leaves_the_old_report_alone(tmp_path, monkeypatch):
    import tempfile

    path = tmp_path / "report.html"
    path.write_text("old")
    made = tempfile.NamedTemporaryFile

    def on_a_full_disk(*args: object, **options: object) -> object:
        file = made(*args, **options)
        Path(file.name).unlink()
        Path(file.name).symlink_to("/dev/full")
        file.file = Path(file.name).open("wb", buffering=0)  # noqa: SIM115 the caller closes it
        return file

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", on_a_full_disk)
    with pytest.raises(PaharaError, match="No space left on device"):
        write_report(summary(), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(("seconds", "told_time"), [(0, "0 s"), (4.21, "4.2 s"), (59.4, "59 s"), (59.6, "1 min"), (252, "4 min 12 s"), (3599.7, "1 h 0 min"), (7380, "2 h 3 min")])  # fmt: skip
def test_durations_as_people_say_them(seconds, told_time):
    assert duration(seconds)["en"] == told_time


def test_a_player_shows_media_time():
    assert [media_time(s) for s in (0, 9.99, 75, 3674, -1)] == ["0:00", "0:09", "1:15", "1:01:14", "0:00"]


def test_fifty_events_are_written_in_well_under_a_second(tmp_path, story):
    import time

    cards = tuple(card(i, start=5.0 * i) for i in range(1, 51))
    many = replace(story, cards=cards, end=260.0, epoch=1.8e9)
    write_report(many, tmp_path / "warm.html")
    begin = time.process_time()
    write_report(many, tmp_path / "report.html")
    assert time.process_time() - begin < 1.0
