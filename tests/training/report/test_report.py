"""The report is one file, in two languages, that asks nobody for anything."""

from __future__ import annotations

import re
from html import unescape

import cv2
import numpy as np
import pytest

from pahara.core import PaharaError
from pahara.evaluation import Annotations, evaluate_detection, frame_auroc
from pahara.report.phrases import plain, say
from pahara.training.report import Bars, Chart, Group, Line, TrainingReport, render, write_training_report
from pahara.training.report.anomaly import anomaly_blocks
from pahara.training.report.classes import class_blocks, history_charts, key_figure
from pahara.training.report.detection import detection_blocks, worst_pictures
from pahara.training.report.drawing import draw_bars, draw_chart, nice_step
from pahara.training.report.pictures import shot, skeleton, strip, with_boxes
from pahara.training.tasks.classes import classified


def result(classes=3, n=120):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes, n)
    scores = np.exp(rng.normal(0, 1, (n, classes)) + 1.5 * np.eye(classes)[truth])
    return classified(scores / scores.sum(1, keepdims=True), truth, [f"<class {k}>" for k in range(classes)])


def page(blocks, language="en"):
    figures = (key_figure("accuracy", 0.913),)
    return render(TrainingReport("run <1>", "image", say("training.headline.image", right=9, all=10), figures, tuple(blocks)), language)


HISTORY = [
    {"epoch": k, "lr": 1e-3 / k, "train_loss": 2 / k, "held_out_loss": 3 / k, "accuracy": 1 - 0.5 / k, "deciding": 1.0} for k in range(1, 6)
]


def test_the_page_asks_the_network_for_nothing_and_runs_no_strange_script():
    html = page([*history_charts(HISTORY), *class_blocks(result())])
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert "default-src 'none'" in unescape(html)
    assert html.count("<script") == 2


def test_names_of_classes_and_runs_are_text_and_no_markup():
    html = page(class_blocks(result()))
    assert "<class 0>" not in html
    assert "&lt;class 0&gt;" in html
    assert "run &lt;1&gt;" in html


@pytest.mark.parametrize(("language", "words"), [("en", "What is taken for what"), ("bn", "কোনটাকে কী ভেবেছে")])
def test_both_languages_are_inside_and_the_wanted_one_is_open(language, words):
    html = page(class_blocks(result()), language)
    assert f'<html lang="{language}">' in html
    assert words in html


def test_an_unknown_language_is_one_clear_line(tmp_path):
    report = TrainingReport("run", "image", plain("x"), (), ())
    with pytest.raises(PaharaError, match="no language 'fr'"):
        write_training_report(report, tmp_path / "report.html", "fr")
    assert write_training_report(report, tmp_path / "report.html", "bn").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_curves_tell_learning_from_measuring_and_leave_out_what_is_no_curve():
    charts = history_charts(HISTORY)
    by_title = {chart.title["en"]: {line.name["en"]: line for line in chart.lines} for chart in charts}
    assert by_title["Loss"]["training loss"].dashed
    assert not by_title["Loss"]["held-out loss"].dashed
    assert set(by_title["On held-out data"]) == {"accuracy"}
    assert history_charts([]) == ()


def test_a_line_goes_where_its_numbers_are():
    chart = Chart(
        plain("t"), (Line(plain("a"), np.array([0.0, 1.0]), np.array([0.0, 1.0])),), plain("x"), plain("y"), None, (0.0, 1.0), (0.0, 1.0)
    )
    drawn = draw_chart(chart)
    assert drawn.lines[0].path == f"M{drawn.left:.1f} {drawn.bottom:.1f}L{drawn.right:.1f} {drawn.top:.1f}"
    assert [said for _, said in drawn.x_ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 20, 60])
def test_there_is_no_half_epoch(epochs):
    history = [{"epoch": float(k + 1), "train_loss": 1.0 / (k + 1)} for k in range(epochs)]
    (chart,) = history_charts(history)
    marks = [said for _, said in draw_chart(chart).x_ticks]
    assert marks
    assert all(said.isdecimal() for said in marks), marks


def test_a_gap_in_the_numbers_is_a_gap_in_the_line():
    chart = Chart(plain("t"), (Line(plain("a"), np.arange(4.0), np.array([1.0, np.nan, 2.0, 3.0])),), plain("x"), plain("y"))
    assert draw_chart(chart).lines[0].path.count("M") == 2


@pytest.mark.parametrize("values", [[], [np.nan], [5.0, 5.0], [1e-9, 2e-9], [-3.0, 1e6]])
def test_no_numbers_however_odd_break_a_chart(values):
    y = np.array(values)
    page([Chart(plain("t"), (Line(plain("a"), np.arange(float(len(y))), y),), plain("x"), plain("y"))])


def test_steps_of_an_axis_are_round():
    assert [nice_step(v) for v in (0.1, 0.11, 0.3, 7, 1200)] == [0.1, 0.2, 0.5, 10.0, 2000.0]


def test_bars_stand_on_the_axis_and_empty_bins_have_none():
    drawn = draw_bars(
        Bars(plain("t"), np.array([0.0, 1.0, 2.0]), (Group(plain("g"), np.array([np.nan, 4.0])),), plain("x"), plain("y"), mark=1.5)
    )
    assert len(drawn.bars) == 1
    assert float(drawn.bars[0].y) + float(drawn.bars[0].height) == pytest.approx(drawn.bottom, abs=0.2)
    assert drawn.mark == pytest.approx((drawn.left + drawn.right) / 2 + (drawn.right - drawn.left) / 4)


def test_the_picture_with_the_most_mistakes_comes_first_and_a_perfect_one_never():
    truth = Annotations.of(
        [0, 1, 1, 2], [[0, 0, 10, 10], [0, 0, 10, 10], [30, 30, 50, 50], [5, 5, 20, 20]], pictures=("right.jpg", "bad.jpg", "half.jpg")
    )
    found = Annotations.of([0, 1, 2, 2], [[0, 0, 10, 10], [60, 60, 70, 70], [5, 5, 20, 20], [40, 40, 60, 60]], scores=[0.9, 0.8, 0.9, 0.7])
    shots = worst_pictures(truth, found, lambda _: np.zeros((80, 80, 3), np.uint8), 0.5)
    assert [one.name["en"] for one in shots] == ["bad.jpg", "half.jpg"]
    assert shots[0].words["en"] == "2 of 2 missed, 1 false"
    blocks = detection_blocks(evaluate_detection(truth, found), truth, found, lambda _: np.zeros((80, 80, 3), np.uint8))
    assert "bad.jpg" in page(blocks)


def test_a_box_of_another_class_is_a_miss_and_a_false_one():
    truth = Annotations.of([0], [[0, 0, 10, 10]], labels=[0], names=("person", "bag"))
    found = Annotations.of([0], [[0, 0, 10, 10]], labels=[1], scores=[0.9], names=("person", "bag"))
    (one,) = worst_pictures(truth, found, lambda _: np.zeros((20, 20, 3), np.uint8), 0.5)
    assert one.words["en"] == "1 of 1 missed, 1 false"


def test_micro_and_macro_stand_beside_each_other_and_only_known_frames_count():
    errors, odd = np.array([0.1, 0.2, 0.9]), np.array([False, False, True])
    clips = {"a": (np.arange(3.0), odd, errors), "b": (np.arange(3.0), None, errors)}
    blocks = anomaly_blocks(clips, frame_auroc([(errors, odd)]), 0.5)
    html = page(blocks)
    assert "Micro pools" in html
    assert "abnormal (1)" in html
    assert "normal (5)" in html


def test_pictures_of_the_report_are_small_and_whole():
    image = np.random.default_rng(0).integers(0, 255, (900, 1600, 3), dtype=np.uint8)
    one = shot(image, plain("a"), plain("b"))
    assert one.size == (320, 180)
    assert cv2.imdecode(np.frombuffer(one.picture, np.uint8), cv2.IMREAD_COLOR).shape == (180, 320, 3)
    drawn = with_boxes(image, np.array([[100.0, 100, 400, 500]]), np.zeros((0, 4)), missed=np.array([True]))
    assert drawn.shape[1] == 640
    assert strip([image[:90, :160]] * 9).ndim == 3
    figure = skeleton(np.array([[[0.0, 0, 1], [1, 1, 1]]]), [(0, 1)])
    assert (figure != 245).any()


def test_labels_of_axes_wear_no_outline():
    """The watch's page draws the lines of a grid by a class of that name: no box around charts may have it, or all text inherits its stroke."""
    html = page(history_charts(HISTORY))
    assert re.findall(r'<(\w+) class="grid"', html)
    assert set(re.findall(r'<(\w+) class="grid"', html)) == {"line"}


def test_parts_of_the_training_loss_are_not_shown_as_measured_on_held_out_data():
    rows = [{"epoch": k, "lr": 0.1, "train_loss": 3.0 - k, "train_box": 2.0, "map50": 0.1 * k} for k in (1, 2)]
    shown = {chart.title["en"]: len(chart.lines) for chart in history_charts(rows)}
    assert shown == {"Loss": 2, "On held-out data": 1, "Learning rate": 1}
