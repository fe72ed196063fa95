"""Where a camera is blind can be read without telling red from green: by number and by pattern."""

from __future__ import annotations

import numpy as np

from pahara.report.blindmap import Cells, blind_map, draw_cells, draw_incidents

SIZE = (640, 480)


def background() -> np.ndarray:
    return np.full((480, 640, 3), 120, np.uint8)


def cells(shares: dict[tuple[int, int], tuple[int, int]]) -> Cells:
    tried, found = np.zeros((6, 8), np.int64), np.zeros((6, 8), np.int64)
    for (row, column), (n, k) in shares.items():
        tried[row, column], found[row, column] = n, k
    return Cells(tried, found)


def corner(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    """The upper left quarter of a cell, where no number stands."""
    h, w = picture.shape[0] // 6, picture.shape[1] // 8
    return picture[row * h + 4 : row * h + h // 3, column * w + 4 : (column + 1) * w - 4]


def test_looks_are_counted_where_the_feet_were() -> None:
    spots = np.array([[0.01, 0.01], [0.01, 0.01], [0.99, 0.99], [1.0, 1.0]])
    made = Cells.of(spots, np.array([True, False, True, True]), SIZE)
    assert made.tried.shape == (6, 8)
    assert (made.tried[0, 0], made.found[0, 0]) == (2, 1)
    assert (made.tried[5, 7], made.found[5, 7]) == (2, 2)
    assert made.tried.sum() == 4
    assert np.isnan(made.share[3, 3])
    assert Cells.of(np.zeros((0, 2)), np.zeros(0, bool), SIZE).tried.sum() == 0


def test_good_fair_and_bad_differ_in_pattern_not_in_colour_alone() -> None:
    picture = draw_cells(background(), cells({(2, 1): (100, 95), (2, 3): (100, 60), (2, 5): (100, 10)}))
    grey = picture.mean(-1)
    rough = [float(corner(grey, 2, column).std()) for column in (1, 3, 5)]
    assert rough[0] < 0.5 * rough[1] < rough[2]
    assert float(corner(grey, 0, 0).std()) < 1.0  # nobody stood there: left as it is


def test_too_few_looks_are_grey_whatever_they_saw() -> None:
    picture = draw_cells(background(), cells({(2, 1): (4, 4), (2, 3): (4, 0)}))
    for column in (1, 3):
        part = corner(picture, 2, column).astype(int)
        assert np.abs(part[..., 0] - part[..., 2]).max() < 12  # no colour


def test_what_was_missed_is_a_cross_and_what_was_caught_a_ring() -> None:
    picture = draw_incidents(background(), np.array([[0.25, 0.5], [0.75, 0.5]]), [True, False])
    plain = draw_incidents(background(), np.zeros((0, 2)), [])
    changed = (picture != plain).any(-1)
    h, w = changed.shape
    disc, cross = changed[:, : w // 2], changed[:, w // 2 :]
    # A disc is widest in its middle row; a cross is narrowest there.
    rows = [np.flatnonzero(part[h // 2 + off].astype(int)) for part in (disc, cross) for off in (0, 7)]
    assert np.ptp(rows[0]) > np.ptp(rows[1])
    assert np.ptp(rows[2]) < np.ptp(rows[3])
    both = blind_map(background(), cells({(2, 1): (100, 95)}), np.array([[0.25, 0.5]]), [True])
    assert both.shape[0] == 2 * h + 10
