"""A script's zones, lines and rules as the product draws and configures them: in fractions of the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pahara.core import Tripwire, Zone

from .camera import View
from .paint import ground_polygon
from .reading import ScriptError
from .script import Rule, Script

Floats = NDArray[np.floating[Any]]
STAGED_ONLY = ("fight", "climbing")  # staged and told in the truth; no rule of boxes alone can find them


def _cut(corners: Floats, wide: float, tall: float) -> Floats:
    """A polygon cut to the picture (Sutherland and Hodgman, 1974)."""
    for axis, limit, keep in ((0, 0.0, 1), (0, wide, -1), (1, 0.0, 1), (1, tall, -1)):
        out: list[Floats] = []
        inside = (corners[:, axis] - limit) * keep >= 0
        for i in range(len(corners)):
            a, b = corners[i - 1], corners[i]
            if inside[i] != inside[i - 1]:
                out.append(a + (b - a) * (limit - a[axis]) / (b[axis] - a[axis]))
            if inside[i]:
                out.append(b)
        if len(out) < 3:
            return np.zeros((0, 2))
        corners = np.array(out)
    return corners


def _fractions(pixels: Floats, view: View) -> list[tuple[float, float]]:
    rows = np.clip(pixels / np.array(view.size), 0, 1)
    return [(round(float(x), 4), round(float(y), 4)) for x, y in rows]


def _simple(corners: Floats) -> Floats:
    """Without the points that lie nearly on the line between their neighbours."""
    kept = list(range(len(corners)))
    changed = True
    while changed and len(kept) > 4:
        changed = False
        for k in range(len(kept)):
            a, b, c = corners[kept[k - 1]], corners[kept[k]], corners[kept[(k + 1) % len(kept)]]
            off = abs((c[0] - a[0]) * (b[1] - a[1]) - (c[1] - a[1]) * (b[0] - a[0])) / max(float(np.hypot(*(c - a))), 1e-6)
            if off < 0.35:
                del kept[k]
                changed = True
                break
    return corners[kept]


def zones_of(script: Script) -> dict[str, list[tuple[float, float]]]:
    """Corners of each zone in fractions of the picture. ScriptError for a zone that the camera does not see."""
    view, told = script.view, {}
    for name, corners in script.zones.items():
        outline = ground_polygon(view, np.array(corners, np.float64))
        cut = _cut(outline, *view.size) if outline is not None else np.zeros((0, 2))
        if len(cut) < 3:
            raise ScriptError(f"{script.name}: the camera does not see zone {name!r}")
        told[name] = _fractions(_simple(cut), view)
    return told


def lines_of(script: Script) -> dict[str, list[tuple[float, float]]]:
    """Start and end of each line in fractions of the picture, cut to what the camera sees. ScriptError when that is nothing."""
    view, told = script.view, {}
    for name, (start, end) in script.lines.items():
        u = np.linspace(0, 1, 201)[:, None]
        spots = np.array(start) * (1 - u) + np.array(end) * u
        pixels, depth = view.project(np.concatenate([spots, np.zeros((201, 1))], 1))
        seen = (depth > 0.3) & (pixels >= 0).all(1) & (pixels <= np.array(view.size)).all(1)
        if seen.sum() < 2:
            raise ScriptError(f"{script.name}: the camera does not see line {name!r}")
        told[name] = _fractions(pixels[seen][[0, -1]], view)
    return told


def zone_values(script: Script) -> dict[str, Zone]:
    """The zones as the product has them."""
    return {name: Zone(name, tuple(corners)) for name, corners in zones_of(script).items()}


def line_values(script: Script) -> dict[str, Tripwire]:
    """The lines as the product has them."""
    return {name: Tripwire(name, *ends) for name, ends in lines_of(script).items()}


def way_in_picture(script: Script, rule: Rule) -> tuple[float, float]:
    """The allowed way of a wrong_way rule as an arrow on the picture: x to the right, y downwards."""
    view = script.view
    middle = np.mean(np.array(script.zones[rule.zone]), axis=0)
    way = np.array(rule.direction, np.float64)
    ends = np.stack([middle - 0.3 * way, middle + 0.3 * way])
    pixels, _ = view.project(np.concatenate([ends, np.zeros((2, 1))], 1))
    arrow = pixels[1] - pixels[0]
    arrow /= max(float(np.hypot(*arrow)), 1e-9)
    return round(float(arrow[0]), 3), round(float(arrow[1]), 3)


def rule_entry(script: Script, rule: Rule) -> dict[str, Any]:
    """One rule as an entry of `behaviours:` in pahara.yml."""
    entry: dict[str, Any] = {"kind": rule.kind}
    for name in ("zone", "line", "name"):
        if getattr(rule, name):
            entry[name] = getattr(rule, name)
    for name in ("seconds", "speed", "people"):
        if getattr(rule, name) is not None:
            entry[name] = getattr(rule, name)
    if rule.kind == "wrong_way":
        entry["direction"] = list(way_in_picture(script, rule))
    elif rule.direction is not None:
        entry["direction"] = rule.direction
    return entry


def script_rules(script: Script) -> list[dict[str, Any]]:
    """The script's rules as `behaviours:` entries of pahara.yml, in their order, without those that are only staged (fights, climbing)."""
    return [rule_entry(script, rule) for rule in script.rules if rule.kind not in STAGED_ONLY]
