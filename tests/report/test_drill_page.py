"""The page of a drill opens without a network, in both languages, and hides nothing that went wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pahara.evaluation.alarms import wilson
from pahara.report.drill import DrillLine, DrillPage, render_drill, write_drill
from pahara.report.phrases import plain, say

NAN = float("nan")
PNG = bytes.fromhex("89504e470d0a1a0a")


def page() -> DrillPage:
    lines = (
        DrillLine("gate", "crossing", "gate", 10, 9, wilson(9, 10), 0.2, 0.9, 0.2, 0, 1, 0),
        DrillLine("falling", "falling", "", 8, 2, wilson(2, 8), 1.0, 1.4, 4.0, 3, 1, 2),
        DrillLine("abandoned", "abandoned", "", 0, 0, wilson(0, 0), NAN, NAN, NAN, 0, 0, 0, unstaged=5, why_unstaged="short"),
    )
    return DrillPage(
        camera="<b>gate</b>", source="film.mp4", facts=(plain("x"),), lines=lines, seen_map=PNG, incident_map=PNG, blind_about=say("drill.blind.about", sure="0.5"), size_table=(("36–54", 40, wilson(30, 40)),),
        gap_verdict="harder", gap_words=say("drill.gap.harder", gap="-0.20", low="-0.30", high="-0.10"), gap_table=((say("drill.gap.people"), "5 / 6"),),
        control=say("drill.control", minutes="1.3", n=0, rate="138"), side=say("drill.side", n=2, minutes="9"), notes=(), cannot=(say("drill.cannot.behind"),),
        caught=11, staged=18, unknown=(("odd", "unusual"),),
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "bn"])
def test_the_page_needs_nothing_else(language: str) -> None:
    text = render_drill(page(), language)
    assert f'<html lang="{language}">' in text
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert 'style="' not in text  # the policy forbids it
    assert "<b>gate</b>" not in text
    assert say("drill.cannot", **{})[language] in text


def test_misses_and_their_reasons_are_on_it() -> None:
    text = render_drill(page())
    assert "11 of 18 staged incidents caught" in text
    assert "3: the detector hardly saw them" in text
    assert "2: the rule would not have told it even with perfect sight" in text
    assert "5 could not be staged: the footage is too short for it" in text
    assert "60–98 %" in text  # Wilson's interval of 9 in 10
    assert "nan" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL).lower()


def test_an_interrupted_drill_says_so() -> None:
    assert "interrupted" not in render_drill(page())
    assert "interrupted" in render_drill(replace(page(), unfinished=True))


def test_it_is_written_whole(tmp_path) -> None:
    written = write_drill(page(), tmp_path / "deep" / "report.html", "bn")
    assert written.read_text(encoding="utf-8") == render_drill(page(), "bn")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["report.html"]
