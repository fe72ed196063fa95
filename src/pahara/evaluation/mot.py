"""How well tracks keep to the true identities: CLEAR MOT, identity F1 and HOTA."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pahara.core.boxes import iou_matrix

from .annotations import Annotations
from .formats.problems import TruthError

ALPHAS = np.arange(1, 20) / 20  # HOTA's 19 matching thresholds, 0.05 ... 0.95
EDGE = 1e-9  # an IoU of exactly the threshold counts as a match, whatever the last bit says


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Truth and result side by side, picture by picture; identities renumbered from 0."""

    truth: tuple[NDArray[np.intp], ...]  # for each picture (n,) true identities
    found: tuple[NDArray[np.intp], ...]  # for each picture (m,) found identities
    iou: tuple[NDArray[np.float64], ...]  # for each picture (n, m)
    truth_count: NDArray[np.int64]  # (identities,) pictures in which each true identity appears
    found_count: NDArray[np.int64]

    @property
    def truth_boxes(self) -> int:
        return int(self.truth_count.sum())

    @property
    def found_boxes(self) -> int:
        return int(self.found_count.sum())


def pair(truth: Annotations, found: Annotations, *, ignore_iou: float = 0.5) -> Paired:
    """Puts truth and result side by side.

    Every picture in which either has a box is judged. A found box is dropped when its best
    counterpart (one to one, IoU at least `ignore_iou`) is an ignored truth box, as the MOT
    challenge does with distractors. Classes are not looked at: hand in one class, or treat all as one.
    TruthError when one identity has two boxes in one picture.
    """
    frames = np.union1d(truth.frames[~truth.ignore], found.frames)
    truths, founds, ious = [], [], []
    for t_rows, f_rows in zip(truth.rows_in(frames), found.rows_in(frames), strict=True):
        iou = iou_matrix(truth.boxes[t_rows], found.boxes[f_rows])
        ignored = truth.ignore[t_rows]
        if ignored.any():
            t, f = linear_sum_assignment(np.where(iou >= ignore_iou - EDGE, -iou, 0.0))
            t, f = t[iou[t, f] >= ignore_iou - EDGE], f[iou[t, f] >= ignore_iou - EDGE]
            kept = np.setdiff1d(np.arange(len(f_rows)), f[ignored[t]])
            t_rows, f_rows, iou = t_rows[~ignored], f_rows[kept], iou[~ignored][:, kept]
        truths.append(truth.ids[t_rows])
        founds.append(found.ids[f_rows])
        ious.append(np.asarray(iou, np.float64))
    truths, truth_count = _renumber(truths, frames, "ground truth")
    founds, found_count = _renumber(founds, frames, "result")
    return Paired(tuple(truths), tuple(founds), tuple(ious), truth_count, found_count)


@dataclass(frozen=True, slots=True)
class Clear:
    """CLEAR MOT (Bernardin & Stiefelhagen 2008)."""

    mota: float  # 1 - (misses + false positives + ID switches) / true boxes; at most 1, may be negative
    motp: float  # mean IoU of the matched pairs, 0..1 (higher is better; the paper gives a distance)
    misses: int  # true boxes without a match (FN)
    false_positives: int  # found boxes without a match (FP)
    id_switches: int  # a true identity matched by another track than the last time it was matched
    fragments: int  # times a true identity was lost and found again
    matches: int
    mostly_tracked: int  # true identities matched in at least 80 % of their pictures
    mostly_lost: int  # ... in less than 20 %


def clear(paired: Paired, iou: float = 0.5) -> Clear:
    """MOTA and its parts. A pair may match when its IoU is at least `iou`.

    Correspondence is kept: a true identity stays with the track it was last matched by as long as the
    two overlap enough, even after a gap; the rest is matched with as many pairs, and then as much
    overlap, as possible. This is the convention of `motmetrics`.

    Two pictures, one person: found in the first, found under another id in the second.

    >>> box = [[0, 0, 10, 10]] * 2
    >>> result = clear(pair(Annotations.of([1, 2], box, ids=[7, 7]), Annotations.of([1, 2], box, ids=[1, 2])))
    >>> result.id_switches, result.mota
    (1, 0.5)
    """
    last = np.full(len(paired.truth_count), -1)  # the track that last matched each true identity
    matched_before = np.zeros(len(last), bool)  # ... in its previous picture
    hits = np.zeros(len(last), np.int64)
    misses = false_positives = switches = fragments = matches = 0
    overlap = 0.0
    for truth, found, similar in zip(paired.truth, paired.found, paired.iou, strict=True):
        allowed = similar >= iou - EDGE
        t, f = np.nonzero(allowed & (last[truth][:, None] == found[None, :]))
        # Two true identities may both have been last seen as this track: the first keeps it.
        f, first = np.unique(f, return_index=True)
        t = t[first]
        free_t, free_f = np.setdiff1d(np.arange(len(truth)), t), np.setdiff1d(np.arange(len(found)), f)
        worth = np.where(allowed, 1e4 + similar, 0.0)[np.ix_(free_t, free_f)]
        new_t, new_f = linear_sum_assignment(-worth)
        good = worth[new_t, new_f] > 0
        new_t, new_f = free_t[new_t[good]], free_f[new_f[good]]
        switches += int(np.count_nonzero((last[truth[new_t]] >= 0) & (last[truth[new_t]] != found[new_f])))
        t, f = np.concatenate([t, new_t]), np.concatenate([f, new_f])
        last[truth[t]] = found[f]
        seen = np.zeros(len(truth), bool)
        seen[t] = True
        fragments += int(np.count_nonzero(seen & ~matched_before[truth] & (hits[truth] > 0)))
        matched_before[truth] = seen
        hits[truth[t]] += 1
        matches += len(t)
        misses += len(truth) - len(t)
        false_positives += len(found) - len(f)
        overlap += float(similar[t, f].sum())
    share = hits / np.maximum(paired.truth_count, 1)
    return Clear(
        mota=1 - (misses + false_positives + switches) / max(1, paired.truth_boxes),
        motp=overlap / max(1, matches),
        misses=misses,
        false_positives=false_positives,
        id_switches=switches,
        fragments=fragments,
        matches=matches,
        mostly_tracked=int(np.count_nonzero(share >= 0.8)),
        mostly_lost=int(np.count_nonzero(share < 0.2)),
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity precision, recall and F1 (Ristani et al. 2016)."""

    idf1: float  # 2 IDTP / (true boxes + found boxes), 0..1
    idp: float  # IDTP / found boxes
    idr: float  # IDTP / true boxes


def identity(paired: Paired, iou: float = 0.5) -> Identity:
    """One global one-to-one matching of true identities to tracks that maximises IDTP, the boxes they share.

    A person followed in 4 pictures by two tracks, 3 and 1 long: the longer one counts.

    >>> box = [[0, 0, 10, 10]] * 4
    >>> identity(pair(Annotations.of([1, 2, 3, 4], box, ids=[7] * 4), Annotations.of([1, 2, 3, 4], box, ids=[1, 1, 1, 2]))).idf1
    0.75
    """
    shared = np.zeros((len(paired.truth_count), len(paired.found_count)))
    for truth, found, similar in zip(paired.truth, paired.found, paired.iou, strict=True):
        shared[np.ix_(truth, found)] += similar >= iou - EDGE
    both = float(shared[linear_sum_assignment(-shared)].sum())
    return Identity(
        idf1=2 * both / max(1, paired.truth_boxes + paired.found_boxes),
        idp=both / max(1, paired.found_boxes),
        idr=both / max(1, paired.truth_boxes),
    )


@dataclass(frozen=True, slots=True)
class Hota:
    """Higher order tracking accuracy (Luiten et al. 2021), each averaged over the 19 thresholds."""

    hota: float  # mean over the thresholds of sqrt(DetA AssA), 0..1
    deta: float  # TP / (TP + FN + FP)
    assa: float  # mean over the TP of TPA / (TPA + FNA + FPA) of their pair of identities
    loca: float  # mean IoU of the TP


def hota(paired: Paired) -> Hota:
    """HOTA as the paper and TrackEval compute it.

    In each picture, pairs are matched to maximise global alignment x IoU; the alignment of two
    identities is the Jaccard index of their soft-matched boxes over the whole sequence.

    A person followed in 4 pictures by two tracks of equal length: detection is perfect, association is half.

    >>> box = [[0, 0, 10, 10]] * 4
    >>> result = hota(pair(Annotations.of([1, 2, 3, 4], box, ids=[7] * 4), Annotations.of([1, 2, 3, 4], box, ids=[1, 1, 2, 2])))
    >>> round(result.deta, 4), round(result.assa, 4), round(result.hota, 4)
    (1.0, 0.5, 0.7071)
    """
    shape = (len(paired.truth_count), len(paired.found_count))
    soft = np.zeros(shape)
    for truth, found, similar in zip(paired.truth, paired.found, paired.iou, strict=True):
        total = similar.sum(axis=0)[None, :] + similar.sum(axis=1)[:, None] - similar
        soft[np.ix_(truth, found)] += np.divide(similar, total, out=np.zeros_like(similar), where=total > 1e-12)
    both = paired.truth_count[:, None] + paired.found_count[None, :]
    alignment = soft / np.maximum(both - soft, 1e-12)

    together = np.zeros((len(ALPHAS), *shape))  # pictures in which two identities are matched, per threshold
    overlap = np.zeros(len(ALPHAS))
    for truth, found, similar in zip(paired.truth, paired.found, paired.iou, strict=True):
        t, f = linear_sum_assignment(-(alignment[np.ix_(truth, found)] * similar))
        close = similar[t, f][None, :] >= ALPHAS[:, None] - EDGE  # (19, matched)
        together[:, truth[t], found[f]] += close
        overlap += (close * similar[t, f]).sum(axis=1)
    hits = together.sum(axis=(1, 2))
    deta = hits / np.maximum(1, paired.truth_boxes + paired.found_boxes - hits)
    assa = (together * together / np.maximum(1, both - together)).sum(axis=(1, 2)) / np.maximum(1, hits)
    # A threshold that nothing reaches has no error of place either (TrackEval's convention).
    loca = np.where(hits > 0, overlap / np.maximum(1, hits), 1.0)
    return Hota(*(float(part.mean()) for part in (np.sqrt(deta * assa), deta, assa, loca)))


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """All tracking scores of one sequence."""

    clear: Clear
    identity: Identity
    hota: Hota
    iou: float  # matching threshold of `clear` and `identity`
    pictures: int  # pictures in which truth or result has a box
    truth_boxes: int
    found_boxes: int
    truth_identities: int
    found_identities: int


def evaluate_tracking(truth: Annotations, found: Annotations, *, iou: float = 0.5) -> TrackingReport:
    """MOTA, IDF1 and HOTA of a result against ground truth; pixels of one picture size in both."""
    paired = pair(truth, found)
    return TrackingReport(
        clear(paired, iou),
        identity(paired, iou),
        hota(paired),
        iou,
        len(paired.truth),
        paired.truth_boxes,
        paired.found_boxes,
        len(paired.truth_count),
        len(paired.found_count),
    )


def _renumber(ids: list[NDArray[np.int64]], frames: NDArray[np.int64], whose: str) -> tuple[list[NDArray[np.intp]], NDArray[np.int64]]:
    for frame, present in zip(frames, ids, strict=True):
        if len(np.unique(present)) < len(present):
            twice = sorted({int(i) for i in present if np.count_nonzero(present == i) > 1})
            raise TruthError(f"the {whose} has two boxes of identity {twice[0]} in frame {frame}")
    _, position, count = np.unique(np.concatenate([*ids, np.zeros(0, np.int64)]), return_inverse=True, return_counts=True)
    ends = np.cumsum([len(present) for present in ids])
    return [position[end - len(present) : end] for end, present in zip(ends, ids, strict=True)], count
