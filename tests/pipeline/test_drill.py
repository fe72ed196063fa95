"""A drill into real footage: what it reports is what happened, kept take by take, and the footage stays as it is."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pahara.config import choose_detector, from_data, plan
from pahara.core import ConfigError, Frame
from pahara.pipeline import drill as work
from pahara.pipeline.drill_told import figures, lines_of, page_of, picture_of
from pahara.pipeline.footage import composed, open_footage
from pahara.report.drill import render_drill

RULES = {
    "zones": {"junction": [[0.45, 0.42], [0.75, 0.40], [0.95, 0.75], [0.62, 0.62]]},
    "lines": {"gate": {"from": [0.70, 0.38], "to": [0.86, 0.62]}},
    "behaviours": [
        {"kind": "intrusion", "zone": "junction", "schedule": {"from": "02:00", "to": "03:00"}},
        {"kind": "crossing", "line": "gate"},
        {"kind": "loitering", "seconds": 500},
        {"kind": "tamper", "watch_for": ["covered"]},
    ],
}  # fmt: skip


def config(film: Path):
    return from_data({"version": 1, "timezone": "UTC", "cameras": {"yard": {"source": str(film), **RULES}}})


@pytest.fixture(scope="module")
def film(asset) -> Path:
    return asset("footage/pets-s2l1/video.avi")


@pytest.fixture(scope="module")
def ready(asset, film) -> work.Stageable:
    wanted = plan(config(film), "yard")
    chosen = choose_detector(str(asset("models/yolox-nano-416.onnx")))
    return work.understand(wanted, open_footage(wanted, seconds=25.0), chosen.make(), chosen)


@pytest.fixture(scope="module")
def done(ready, tmp_path_factory) -> tuple[work.DrillRun, Path]:
    folder = tmp_path_factory.mktemp("drill")
    return work.run(ready, folder, seeds=1), folder


@pytest.mark.slow
def test_staged_incidents_are_caught_by_the_cameras_own_rules(done) -> None:
    made, _ = done
    by = {r.kind: r for r in made.results}
    assert by["crossing"].state == "caught"
    assert abs(by["crossing"].delay) < 2.0
    assert by["tamper"].state == "caught"
    assert by["intrusion"].state == "caught"  # held in the hours of its schedule
    assert by["loitering"].state == "unstaged"
    assert by["loitering"].why == "short"
    assert by["passing"].rows
    assert 0.3 < np.mean([row.confidence > 0 for r in made.results for row in r.rows]) <= 1.0


@pytest.mark.slow
def test_the_footage_is_read_and_never_written(done, film) -> None:
    made, _ = done
    before = film.stat()
    told = hashlib.sha256(film.read_bytes()).hexdigest()
    work.drill_one(made.ready, work.PASSING, 5)
    assert hashlib.sha256(film.read_bytes()).hexdigest() == told
    assert film.stat().st_mtime == before.st_mtime
    assert not list(film.parent.glob("*drill*"))


@pytest.mark.slow
def test_an_interrupted_drill_goes_on_to_the_same_end(done, ready, tmp_path) -> None:
    made, _ = done

    def stop(_: work.DrillRun, n: int, total: int) -> None:
        if n == 2:
            raise KeyboardInterrupt

    first = work.run(ready, tmp_path, seeds=1, on_take=stop)
    assert first.interrupted
    assert len(first.results) == 2
    with (tmp_path / work.TAKES).open("a") as file:
        file.write('{"kind": "crossing", "beh')  # killed while it wrote
    second = work.run(ready, tmp_path, seeds=1, resume=True)
    assert not second.interrupted
    assert [r.plain() for r in second.results] == [r.plain() for r in made.results]
    third = work.run(ready, tmp_path, seeds=1, resume=True)  # nothing is left to do
    assert [r.plain() for r in third.results] == [r.plain() for r in made.results]


@pytest.mark.slow
def test_other_rules_are_another_drill(done, ready) -> None:
    _, folder = done
    other = replace(ready, plan=replace(ready.plan, rules={}))
    with pytest.raises(ConfigError, match="another alarms"):
        work.run(other, folder, seeds=1, resume=True)


@pytest.mark.slow
def test_the_page_and_the_figures_tell_the_same(done) -> None:
    made, folder = done
    told = figures(made)
    assert told["staged"] == sum(line.staged for line in lines_of(made)) == 3
    assert told["caught"] == 3
    assert {b["name"]: b["unstaged"] for b in told["behaviours"]}["loitering"] == 1
    page = page_of(made, folder)
    for language in ("en", "bn"):
        text = render_drill(page, language)
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert '<img src="data:' in text
    assert "3 of 3 staged incidents caught" in render_drill(page)
    assert picture_of(made)[:8] == b"\x89PNG\r\n\x1a\n"
    assert (folder / "pictures" / "crossing-gate.jpg").is_file()


def test_a_changed_picture_changes_luma_as_the_camera_would_have_it() -> None:
    picture = np.full((8, 8, 3), 100, np.uint8)
    real = Frame("c", 1.0, (8, 8), lambda: picture, lambda: np.full((8, 8), 102, np.uint8))  # 16 + 0.86 * 100
    brighter = picture.copy()
    brighter[2:4] = 200
    made = composed(real, brighter, 0.86)
    assert made.time == 1.0
    assert made.luma[0, 0] == 102
    assert made.luma[2, 0] == 188


def test_only_known_rules_are_drilled() -> None:
    wanted = plan(config(Path("nowhere.mp4")), "yard")
    wishes, unknown = work.wishes_of(wanted, ["crossing"])
    assert [w.kind for w in wishes] == ["crossing"]
    assert unknown == ()
    with pytest.raises(ConfigError, match="no behaviour 'flying'"):
        work.wishes_of(wanted, ["flying"])


def test_a_camera_that_looks_for_nothing_stageable_is_told() -> None:
    nothing = from_data({"version": 1, "cameras": {"c": {"source": "x.mp4", "behaviours": []}}})
    with pytest.raises(ConfigError, match="nothing that can be staged"):
        work.wishes_of(plan(nothing, "c"))
