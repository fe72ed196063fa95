"""Tracking scores agree with an independent library, with the papers' formulas spelt out, and with hand counts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pahara.core.boxes import iou_matrix
from pahara.evaluation import Annotations, TruthError, evaluate_tracking
from pahara.evaluation.mot import ALPHAS, hota, identity, pair

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import motmetrics

BOX = [0.0, 0.0, 10.0, 10.0]


def sequence(seed: int, *, frames: int = 25, people: int = 5) -> tuple[Annotations, Annotations]:
    """People who walk about, and a tracker that misses, invents, swaps and renames them."""
    rng = np.random.default_rng(seed)
    place, pace = rng.uniform(0, 60, (people, 2)), rng.normal(0, 2, (people, 2))
    names, fresh = list(range(1, people + 1)), 100
    true, found = [], {}
    for frame in range(frames):
        place = place + pace
        for i in range(people):
            if rng.random() < 0.9:
                true.append((frame, i + 1, *place[i], *(place[i] + 20)))
            if rng.random() < 0.05:
                j = rng.integers(people)
                names[i], names[j] = names[j], names[i]
            if rng.random() < 0.02:
                names[i], fresh = fresh, fresh + 1
            if rng.random() < 0.85:
                off = place[i] + rng.normal(0, 3, 2)
                found[frame, names[i]] = (frame, names[i], *off, *(off + 20))
        if rng.random() < 0.4:
            off = rng.uniform(0, 60, 2)
            ghost = 1000 + int(rng.integers(3))
            found[frame, ghost] = (frame, ghost, *off, *(off + 20))
    return table(true), table(list(found.values()))


def table(rows: list[tuple[float, ...]]) -> Annotations:
    return Annotations.of([r[0] for r in rows], [r[2:] for r in rows], ids=[r[1] for r in rows])


def motmetrics_of(truth: Annotations, found: Annotations) -> dict[str, float]:
    accumulator = motmetrics.MOTAccumulator()
    for frame in np.union1d(truth.frames, found.frames):
        a, b = truth[truth.frames == frame], found[found.frames == frame]
        iou = iou_matrix(a.boxes, b.boxes)
        accumulator.update(a.ids, b.ids, np.where(iou >= 0.5, 1 - iou, np.nan), frameid=int(frame))
    wanted = [
        "mota", "motp", "num_switches", "num_misses", "num_false_positives", "num_fragmentations",
        "mostly_tracked", "mostly_lost", "idf1", "idp", "idr",
    ]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return motmetrics.metrics.create().compute(accumulator, metrics=wanted, return_dataframe=False)


def agree_with_motmetrics(truth: Annotations, found: Annotations) -> None:
    ours, theirs = evaluate_tracking(truth, found), motmetrics_of(truth, found)
    assert ours.clear.mota == pytest.approx(theirs["mota"], abs=1e-12)
    assert ours.clear.motp == pytest.approx(1 - theirs["motp"], abs=1e-12)
    assert ours.clear.id_switches == theirs["num_switches"]
    assert ours.clear.misses == theirs["num_misses"]
    assert ours.clear.false_positives == theirs["num_false_positives"]
    assert ours.clear.fragments == theirs["num_fragmentations"]
    assert ours.clear.mostly_tracked == theirs["mostly_tracked"]
    assert ours.clear.mostly_lost == theirs["mostly_lost"]
    assert ours.identity.idf1 == pytest.approx(theirs["idf1"], abs=1e-12)
    assert ours.identity.idp == pytest.approx(theirs["idp"], abs=1e-12)
    assert ours.identity.idr == pytest.approx(theirs["idr"], abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_clear_mot_and_idf1_are_those_of_motmetrics(seed):
    agree_with_motmetrics(*sequence(seed))


@pytest.mark.parametrize("seed", range(6))
def test_hota_is_the_papers_formula_spelt_out(seed):
    truth, found = sequence(seed, frames=15, people=4)
    ours, literal = hota(pair(truth, found)), literal_hota(truth, found)
    assert (ours.hota, ours.deta, ours.assa, ours.loca) == pytest.approx(literal, abs=1e-12)


def literal_hota(truth: Annotations, found: Annotations) -> tuple[float, float, float, float]:
    """Luiten et al. 2021, equations 3-11 in plain loops over sets, with brute-force matching."""
    from itertools import permutations

    frames = sorted({*truth.frames.tolist(), *found.frames.tolist()})
    rows = {f: (np.flatnonzero(truth.frames == f), np.flatnonzero(found.frames == f)) for f in frames}

    def iou(t: int, f: int) -> float:
        return float(iou_matrix(truth.boxes[t : t + 1], found.boxes[f : f + 1])[0, 0])

    soft: dict[tuple[int, int], float] = {}
    for ts, fs in rows.values():
        for t in ts:
            for f in fs:
                other = sum(iou(t, g) for g in fs) + sum(iou(u, f) for u in ts) - iou(t, f)
                if other > 0:
                    key = int(truth.ids[t]), int(found.ids[f])
                    soft[key] = soft.get(key, 0.0) + iou(t, f) / other

    def lengths(key: tuple[int, int]) -> int:
        return int((truth.ids == key[0]).sum() + (found.ids == key[1]).sum())

    def worth(t: int, f: int) -> float:
        key = int(truth.ids[t]), int(found.ids[f])
        return soft.get(key, 0.0) / (lengths(key) - soft.get(key, 0.0)) * iou(t, f)

    matched = []
    for ts, fs in rows.values():
        best, chosen = -1.0, []
        small, large, turned = (ts, fs, False) if len(ts) <= len(fs) else (fs, ts, True)
        for order in permutations(large, len(small)):
            pairs = [(b, a) if turned else (a, b) for a, b in zip(small, order, strict=True)]
            total = sum(worth(t, f) for t, f in pairs)
            if total > best + 1e-15:
                best, chosen = total, pairs
        matched += chosen
    parts = []
    for alpha in ALPHAS:
        hits = [(t, f) for t, f in matched if iou(t, f) >= alpha - 1e-9]
        keys = [(int(truth.ids[t]), int(found.ids[f])) for t, f in hits]
        deta = len(hits) / (len(truth) + len(found) - len(hits))
        assa = sum(keys.count(k) / (lengths(k) - keys.count(k)) for k in keys) / max(1, len(keys))
        loca = sum(iou(t, f) for t, f in hits) / len(hits) if hits else 1.0
        parts.append(((deta * assa) ** 0.5, deta, assa, loca))
    return tuple(float(v) for v in np.mean(parts, axis=0))


def test_a_perfect_tracker_scores_one_everywhere():
    truth, _ = sequence(3)
    report = evaluate_tracking(truth, truth)
    assert (report.clear.mota, report.identity.idf1, report.hota.hota, report.clear.motp) == pytest.approx((1, 1, 1, 1))
    assert report.clear.id_switches == report.clear.fragments == 0


def test_a_blind_tracker_scores_nothing():
    truth, _ = sequence(3)
    report = evaluate_tracking(truth, truth[:0])
    assert (report.clear.mota, report.identity.idf1, report.hota.hota, report.hota.deta) == (0, 0, 0, 0)
    assert report.clear.misses == len(truth)


def test_nothing_to_see_and_nothing_seen_is_no_error():
    nothing = table([])
    report = evaluate_tracking(nothing, nothing)
    assert report.pictures == 0
    assert report.clear.misses == report.clear.false_positives == 0


def test_names_and_order_of_tracks_do_not_matter():
    truth, found = sequence(5)
    shuffled = found[np.random.default_rng(0).permutation(len(found))]
    renamed = Annotations.of(shuffled.frames, shuffled.boxes, ids=shuffled.ids * 7 + 13)
    a, b = evaluate_tracking(truth, found), evaluate_tracking(truth, renamed)
    assert a.identity == b.identity
    assert a.hota.hota == pytest.approx(b.hota.hota)
    assert a.clear.id_switches == b.clear.id_switches


def test_a_person_stays_with_the_track_even_when_a_better_box_comes_by():
    # In frame 2 the ghost overlaps more, but the old track still overlaps enough.
    truth = Annotations.of([1, 2], [BOX, BOX], ids=[1, 1])
    found = Annotations.of([1, 2, 2], [BOX, [2, 0, 12, 10], BOX], ids=[5, 5, 6])
    report = evaluate_tracking(truth, found)
    assert report.clear.id_switches == 0
    assert report.clear.false_positives == 1


def test_an_overlap_of_exactly_the_threshold_counts():
    truth = Annotations.of([1], [[0, 0, 3, 1]], ids=[1])
    found = Annotations.of([1], [[1, 0, 4, 1]], ids=[1])  # shares 2 of 4
    assert evaluate_tracking(truth, found, iou=0.5).clear.matches == 1
    assert evaluate_tracking(truth, found, iou=0.51).clear.matches == 0


def test_a_box_on_an_ignored_person_counts_neither_way():
    truth = Annotations.of([1, 1], [BOX, [50, 0, 60, 10]], ids=[1, 2], ignore=[False, True])
    found = Annotations.of([1, 1, 1], [BOX, [50, 0, 60, 10], [80, 0, 90, 10]], ids=[1, 2, 3])
    report = evaluate_tracking(truth, found)
    assert (report.clear.matches, report.clear.misses, report.clear.false_positives) == (1, 0, 1)
    assert report.truth_boxes == 1


def test_a_truth_file_that_has_someone_twice_is_named():
    twice = Annotations.of([4, 4], [BOX, [20, 0, 30, 10]], ids=[9, 9])
    with pytest.raises(TruthError, match="ground truth has two boxes of identity 9 in frame 4"):
        evaluate_tracking(twice, twice[:1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_every_score_stays_in_its_range(seed):
    truth, found = sequence(seed, frames=8, people=3)
    report = evaluate_tracking(truth, found)
    assert report.clear.mota <= 1
    for value in (report.identity.idf1, report.identity.idp, report.identity.idr, *vars_of(report.hota), report.clear.motp):
        assert 0 <= value <= 1
    assert report.clear.matches + report.clear.misses == len(truth)
    assert report.clear.matches + report.clear.false_positives == len(found)


def vars_of(scores: object) -> list[float]:
    return [getattr(scores, name) for name in scores.__dataclass_fields__]  # type: ignore[attr-defined]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_idf1_never_falls_when_a_false_track_goes(seed):
    truth, found = sequence(seed, frames=8, people=3)
    without = found[found.ids < 1000]
    assert identity(pair(truth, without)).idf1 >= identity(pair(truth, found)).idf1 - 1e-12
