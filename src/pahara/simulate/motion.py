"""How bodies move: gaits, standing, sitting, falling, fighting, bending, climbing, as rows of pose numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .skeleton import ANKLE, BALL, POSE, POSE_SIZE

Floats = NDArray[np.floating[Any]]


def pose(**values: float) -> Floats:
    """(28,): standing upright, arms hanging, with `values` instead where given."""
    row = np.zeros(POSE_SIZE)
    base = {
        "z": 0.525, "l_out": 0.10, "r_out": 0.10, "l_elbow": 0.18, "r_elbow": 0.18, "lf_x": -0.062, "rf_x": 0.062,
        "lf_z": ANKLE, "rf_z": ANKLE, "l_turn": 0.4, "r_turn": 0.4, "lf_y": -0.01, "rf_y": 0.01,
    }  # fmt: skip
    for name, value in (base | values).items():
        row[POSE[name]] = value
    return row


def keyed(times: Floats, keys: list[tuple[float, Floats]]) -> Floats:
    """(n,) seconds and (time, pose) keys -> (n, 28), easing in and out between them."""
    at = np.array([t for t, _ in keys])
    rows = np.stack([row for _, row in keys])
    i = np.clip(np.searchsorted(at, times, side="right") - 1, 0, len(at) - 2)
    u = np.clip((times - at[i]) / np.maximum(at[i + 1] - at[i], 1e-6), 0, 1)
    u = u * u * (3 - 2 * u)
    result: Floats = rows[i] * (1 - u)[:, None] + rows[i + 1] * u[:, None]
    return result


def wander(times: Floats, seed: int, slow: float = 1.0) -> Floats:
    """(n,) seconds -> (n,) a smooth aimless number of about -1..1, the same for the same seed."""
    rng = np.random.default_rng(seed)
    rates, offsets = rng.uniform(0.25, 1.3, 4) / slow, rng.uniform(0, 2 * np.pi, 4)
    weights = np.array([1.0, 0.7, 0.5, 0.4]) / 1.6
    result: Floats = (np.sin(2 * np.pi * rates * np.asarray(times)[:, None] + offsets) * weights).sum(1)
    return result


def stride(speed: float, height: float, running: bool) -> float:
    """Metres of one full cycle (two steps)."""
    if running:
        return height * (0.55 + 0.28 * speed)
    return float(height * 0.84 * (max(speed, 0.15) / 1.3) ** 0.5)


def gait(phase: Floats, cycle: float, speed: float, *, running: bool = False, vigour: Floats | float = 1.0, bend: float = 0.0) -> Floats:
    """(n,) cycles -> (n, 28). A planted foot moves back exactly as fast as the body moves forward.

    `cycle` is the stride in body heights, `speed` metres per second; `vigour` 0..1 fades the steps out at rest.
    """
    n = len(phase)
    out = np.tile(pose(), (n, 1))

    def put(name: str, value: Floats | float) -> None:
        out[:, POSE[name]] = value

    duty = 0.30 if running else 0.62
    sweep = duty * cycle
    for s, offset in (("l", 0.0), ("r", 0.5)):
        own = (phase + offset) % 1.0
        planted = own < duty
        a = np.clip(own / duty, 0, 1)  # 0 strike .. 1 toe-off
        b = np.clip((own - duty) / (1 - duty), 0, 1)  # 0 toe-off .. 1 strike
        eased = b - np.sin(2 * np.pi * b) / (2 * np.pi) * 0.85
        ball = np.where(planted, sweep * (0.5 - a), sweep * (eased - 0.5)) + (0.03 if running else 0.055)
        if running:
            pitch = np.where(planted, -0.9 * np.clip((a - 0.55) / 0.45, 0, 1) ** 1.5, -0.9 - 0.7 * np.sin(np.pi * b) + 0.95 * b)
            lift = np.where(planted, 0, 0.05 + 0.10 * min(speed / 5, 1.4)) * np.sin(np.pi * b**0.8)
        else:
            heel_off = np.clip((a - 0.62) / 0.38, 0, 1)
            strike = np.clip(1 - a / 0.16, 0, 1)
            pitch = np.where(planted, 0.28 * strike - 0.85 * heel_off**1.4, -0.85 * (1 - b) ** 1.6 + 0.28 * b**2)
            lift = np.where(planted, 0, 0.022 * np.sin(np.pi * b))
        # The foot turns about its ball: the ankle rises as the heel leaves the ground.
        turned = np.minimum(pitch, 0)
        ankle_y = ball - BALL * np.cos(turned) - ANKLE * np.sin(-turned) * 0.3
        ankle_z = ANKLE * np.cos(turned) + BALL * np.sin(-turned) + lift
        put(f"{s}f_y", ankle_y * vigour + (1 - vigour) * (-0.005))
        put(f"{s}f_z", ankle_z * vigour + (1 - vigour) * ANKLE)
        put(f"{s}f_pitch", pitch * vigour)
        put(f"{s}f_x", (-1 if s == "l" else 1) * (0.040 if running else 0.048))
        # An arm swings with the other leg.
        back = np.cos(2 * np.pi * own)
        if running:
            put(f"{s}_swing", (-0.15 - 0.75 * back) * vigour)
            put(f"{s}_elbow", 1.55 - 0.25 * back)
            put(f"{s}_out", 0.18)
            put(f"{s}_turn", 0.55)
        else:
            reach = 0.16 + 0.17 * speed
            put(f"{s}_swing", (0.04 - reach * back) * vigour)
            put(f"{s}_elbow", 0.22 + (0.16 - 0.2 * back * reach) * vigour)
    wave = np.cos(2 * np.pi * phase)
    double = np.cos(4 * np.pi * phase)
    if running:
        put("z", 0.500 - 0.022 * np.cos(4 * np.pi * (phase - 0.15)) * vigour)
        put("pitch", 0.10 + 0.02 * speed)
        put("spine_pitch", 0.10)
        put("head_pitch", -0.16)
        put("yaw", -0.14 * wave * vigour)
        put("spine_twist", 0.34 * wave * vigour)
    else:
        put("z", 0.508 - 0.012 * double * vigour + 0.010 * (1 - vigour))
        put("pitch", 0.03 + 0.02 * speed)
        put("x", 0.012 * np.sin(2 * np.pi * phase) * vigour)
        put("yaw", -0.09 * wave * vigour)
        put("roll", 0.035 * np.sin(2 * np.pi * phase) * vigour)
        put("spine_twist", 0.17 * wave * vigour)
        put("head_pitch", 0.05 + 0.02 * double)
    if bend:
        out[:, POSE["spine_pitch"]] += 0.9 * bend
        out[:, POSE["z"]] -= 0.04 * bend
        out[:, POSE["head_pitch"]] -= 0.5 * bend
    return out


def standing(times: Floats, seed: int, style: str = "idle") -> Floats:
    """(n,) seconds -> (n, 28): nobody stands quite still."""
    out = np.tile(pose(), (len(times), 1))

    def add(name: str, value: Floats | float) -> None:
        out[:, POSE[name]] += value

    side = 1.0 if seed % 2 else -1.0
    weight = np.tanh(2.5 * wander(times, seed, 4.0))
    add("x", 0.022 * weight)
    add("roll", 0.05 * weight)
    add("spine_roll", -0.06 * weight)
    add("y", 0.006 * wander(times, seed + 1, 1.5))
    add("head_yaw", 0.45 * wander(times, seed + 2, 3.0))
    add("head_pitch", 0.08 + 0.08 * wander(times, seed + 3, 2.0))
    add("l_swing", 0.08 + 0.07 * wander(times, seed + 4, 2.0))
    add("r_swing", 0.08 + 0.07 * wander(times, seed + 5, 2.0))
    add("lf_x", -0.02)
    add("rf_y", 0.03 * side)
    mine, other = ("r", "l") if side > 0 else ("l", "r")
    if style == "phone":
        add(f"{mine}_swing", 0.55)
        add(f"{mine}_elbow", 1.75)
        add(f"{mine}_turn", 0.35)
        add("head_pitch", 0.42)
        out[:, POSE["head_yaw"]] *= 0.3
    elif style == "chat":
        talk = np.clip(wander(times, seed + 6, 3.0) * 3, 0, 1)
        for s, k in ((mine, 7), (other, 8)):
            add(f"{s}_swing", talk * (0.3 + 0.25 * wander(times, seed + k, 0.6)))
            add(f"{s}_elbow", talk * (1.1 + 0.4 * wander(times, seed + k + 2, 0.6)))
        out[:, POSE["head_yaw"]] *= 0.4
        add("head_pitch", 0.06 * talk * wander(times, seed + 11, 0.4))
    elif style == "look":
        add("head_yaw", 0.7 * wander(times, seed + 12, 2.0))
        add("spine_twist", 0.25 * wander(times, seed + 12, 2.0))
    return out


CROUCHED = pose(
    z=0.25, y=-0.04, pitch=0.18, spine_pitch=0.62, head_pitch=0.2, lf_y=0.07, rf_y=-0.10, rf_z=0.10, rf_pitch=-0.75,
    l_swing=0.45, l_elbow=0.25, r_swing=0.5, r_elbow=0.3, l_turn=0.6, r_turn=0.6,
)  # fmt: skip
BENT = pose(
    z=0.40, y=-0.05, pitch=0.55, spine_pitch=0.95, head_pitch=-0.35, lf_y=0.08, rf_y=-0.08, rf_pitch=-0.25, rf_z=0.055,
    r_swing=1.25, r_out=0.12, r_elbow=0.1, l_swing=0.55, l_elbow=0.7,
)  # fmt: skip


def crouching(times: Floats, seed: int) -> Floats:
    """(n,) seconds -> (n, 28): down on the heels, hands at a shoe."""
    out = np.tile(CROUCHED, (len(times), 1))
    for k, name in enumerate(("l_elbow", "r_elbow", "l_swing", "r_swing")):
        out[:, POSE[name]] += 0.09 * wander(times, seed + k, 0.35)
    return out


def sitting(times: Floats, seed: int, seat: float) -> Floats:
    """(n,) seconds -> (n, 28): on a seat `seat` body heights high."""
    deep = seat < 0.12
    row = pose(
        z=seat + 0.055, y=-0.24, pitch=-0.10, spine_pitch=0.30, head_pitch=0.05, lf_y=0.10 if deep else 0.02, rf_y=0.05,
        l_swing=0.55, r_swing=0.6, l_elbow=0.85, r_elbow=0.75, l_turn=0.5, r_turn=0.5, lf_x=-0.075, rf_x=0.075,
    )  # fmt: skip
    out = np.tile(row, (len(times), 1))
    out[:, POSE["head_yaw"]] += 0.4 * wander(times, seed, 3.0)
    out[:, POSE["spine_roll"]] += 0.06 * wander(times, seed + 1, 4.0)
    return out


def lying(way: str, seed: int = 0) -> Floats:
    """(28,): flat on the ground."""
    knee = 0.06 + 0.1 * (seed % 3) / 2
    if way == "forward":
        return pose(
            z=0.068, y=0.44, pitch=1.5, spine_pitch=0.02, head_pitch=-0.15, head_yaw=0.9, l_swing=2.5, l_out=0.5, l_elbow=0.9, r_swing=0.6, r_out=0.7,
            r_elbow=0.8, lf_y=-0.035, rf_y=-0.03 + knee, lf_z=0.05, rf_z=0.05, lf_x=-0.10, rf_x=0.12, loose=1,
        )  # fmt: skip
    if way == "backward":
        return pose(
            z=0.070, y=-0.44, pitch=-1.5, spine_pitch=0.08, head_pitch=0.1, head_yaw=-0.4, l_swing=0.2, l_out=0.85, l_elbow=0.5, r_swing=-0.1, r_out=0.5,
            r_elbow=1.0, lf_y=0.035, rf_y=0.03 - knee, lf_z=0.05, rf_z=0.05 + knee, lf_x=-0.08, rf_x=0.09, loose=1,
        )  # fmt: skip
    side = 1.0 if way == "right" else -1.0
    low, high = ("r", "l") if side > 0 else ("l", "r")
    values = {
        "z": 0.085, "x": side * 0.42, "y": -0.05, "roll": side * 1.48, "spine_roll": side * 0.06, "spine_pitch": 0.25, "pitch": 0.05, "head_pitch": 0.15,
        f"{low}_swing": 1.3, f"{low}_elbow": 0.8, f"{low}_out": 0.1, f"{high}_swing": 0.8, f"{high}_elbow": 0.9, f"{high}_out": -0.1,
        f"{low}f_x": side * 0.0, f"{high}f_x": side * 0.02, f"{low}f_y": 0.06, f"{high}f_y": 0.12, f"{low}f_z": 0.05, f"{high}f_z": 0.12, "loose": 1.0,
    }  # fmt: skip
    return pose(**values)


def falling(times: Floats, way: str, takes: float, lie: float, rise: bool, seed: int) -> Floats:
    """(n,) seconds from the stumble -> (n, 28): the trunk goes round like a toppling mast while the knees give way."""
    flat = lying(way, seed)
    up = pose()
    u = np.clip(times / takes, 0, 1)
    fall = np.where(u < 1, u**2.1, 1.0)  # accelerates as under gravity
    out = up[None] * (1 - fall)[:, None] + flat[None] * fall[:, None]
    # The pelvis moves on an arc and the knees buckle, so it drops sooner than a stiff mast would.
    angle = fall * np.pi / 2
    out[:, POSE["z"]] = flat[POSE["z"]] + (0.525 - flat[POSE["z"]]) * np.cos(angle) ** 1.15 * (1 - 0.10 * np.sin(np.pi * u))
    for axis in ("x", "y"):
        out[:, POSE[axis]] = flat[POSE[axis]] * np.sin(angle)
    # Hands go out to catch the ground.
    catch = np.sin(np.pi * np.clip(u, 0, 1) ** 0.8) * (u < 1)
    reach = {"forward": 1.2, "backward": -0.7}.get(way, 0.4)
    for s in ("l", "r"):
        out[:, POSE[f"{s}_swing"]] += catch * reach
        out[:, POSE[f"{s}_out"]] += catch * 0.55
        out[:, POSE[f"{s}_elbow"]] += catch * 0.2
    step = np.sin(np.pi * np.clip(times / (takes * 0.6), 0, 1))  # one foot tries to save the balance
    out[:, POSE["rf_y"]] += step * {"forward": 0.16, "backward": -0.16}.get(way, 0.0)
    out[:, POSE["rf_x"]] += step * {"right": 0.14, "left": 0.0}.get(way, 0.0)
    stir = (u >= 1) * np.clip(times - takes - 1.0, 0, 1)
    out[:, POSE["l_elbow"]] += 0.10 * stir * wander(times, seed + 3, 2.0)
    out[:, POSE["head_yaw"]] += 0.15 * stir * wander(times, seed + 4, 3.0)
    if rise:
        begin = takes + lie
        kneel = CROUCHED.copy()
        kneel[POSE["y"]] += flat[POSE["y"]] * 0.35
        up_again = keyed(times - begin, [(0.0, flat), (0.9, kneel * 0.65 + flat * 0.35), (1.7, CROUCHED), (2.8, up)])
        out = np.asarray(np.where((times > begin)[:, None], up_again, out))
    result: Floats = out
    return result


RISING = 2.8  # seconds to get up


def bending(times: Floats, takes: float) -> Floats:
    """(n,) seconds -> (n, 28): down to the ground with the right hand, and up again."""
    up = pose()
    return keyed(times, [(0.0, up), (takes * 0.42, BENT), (takes * 0.58, BENT), (takes, up)])


def blows(seed: int, seconds: float) -> list[tuple[float, int, str]]:
    """(time, who (0 or 1), what) of a fight: two to three a second at first, with pauses for breath and grappling."""
    rng = np.random.default_rng(seed)
    told, now = [], 0.7
    while now < seconds - 0.6:
        what = str(rng.choice(["punch", "punch", "punch", "push", "kick", "swing"]))
        told.append((now, int(rng.integers(2)), what))
        now += float(rng.uniform(0.28, 0.75)) + (0.6 if rng.random() < 0.12 else 0)
    return told


GUARD = pose(
    z=0.485, pitch=0.08, spine_pitch=0.18, head_pitch=0.1, lf_y=0.11, rf_y=-0.13, rf_pitch=-0.2, rf_z=0.055, lf_x=-0.075, rf_x=0.085,
    l_swing=0.75, l_elbow=1.75, l_turn=0.55, r_swing=0.6, r_elbow=1.95, r_turn=0.6, l_out=0.2, r_out=0.25,
)  # fmt: skip
STRIKES: dict[str, dict[str, float]] = {
    "punch": {"r_swing": 0.95, "r_elbow": -1.75, "r_turn": -0.3, "spine_twist": 0.55, "yaw": 0.25, "y": 0.06, "spine_pitch": 0.12},
    "swing": {"r_swing": 0.9, "r_elbow": -1.2, "r_out": 0.7, "r_turn": 0.5, "spine_twist": 0.75, "yaw": 0.3, "y": 0.05},
    "push": {"l_swing": 0.7, "r_swing": 0.8, "l_elbow": -1.45, "r_elbow": -1.6, "y": 0.09, "pitch": 0.18, "l_turn": -0.3, "r_turn": -0.3},
    "kick": {"rf_y": 0.62, "rf_z": 0.34, "rf_pitch": 0.7, "pitch": -0.28, "y": -0.02, "spine_pitch": 0.2, "yaw": 0.2},
}
RECOIL = {
    "pitch": -0.28,
    "spine_pitch": -0.25,
    "head_pitch": -0.35,
    "y": -0.07,
    "l_out": 0.35,
    "r_out": 0.3,
    "spine_roll": 0.2,
    "l_swing": -0.2,
}


def fighting(times: Floats, seed: int, who: int, seconds: float) -> tuple[Floats, Floats]:
    """(n,) seconds, the pair's seed, 0 or 1 -> (n, 28) poses and (n,) metres by which this one lunges forward (negative: is thrown back)."""
    out = np.tile(GUARD, (len(times), 1))
    lunge = np.zeros(len(times))
    out[:, POSE["x"]] += 0.03 * wander(times, seed + 17 * who, 0.8)
    out[:, POSE["spine_roll"]] += 0.12 * wander(times, seed + 17 * who + 1, 0.7)
    out[:, POSE["z"]] -= 0.015 * (1 + np.sin(2 * np.pi * 2.1 * times + who))
    for s in ("l", "r"):
        out[:, POSE[f"{s}_swing"]] += 0.25 * wander(times, seed + 31 * who + ord(s), 0.5)
        out[:, POSE[f"{s}_elbow"]] += 0.25 * wander(times, seed + 37 * who + ord(s), 0.5)
        out[:, POSE[f"{s}f_y"]] += 0.035 * wander(times, seed + 41 * who + ord(s), 0.5)
    for at, hitter, what in blows(seed, seconds):
        if hitter == who:
            u = np.clip((times - at) / 0.42, 0, 1)
            w = np.sin(np.pi * u**0.75)
            for name, value in STRIKES[what].items():
                out[:, POSE[name]] += w * value
            lunge += w * (0.16 if what != "kick" else 0.05)
        else:
            u = np.clip((times - at - 0.14) / 0.6, 0, 1)
            w = np.sin(np.pi * u**0.6)
            for name, value in RECOIL.items():
                out[:, POSE[name]] += w * value
            lunge -= w * (0.26 if what in ("push", "kick") else 0.14)
    # Now and then they hold each other.
    grip = np.clip(np.sin(2 * np.pi * times / 5.5 - 1.2) * 3 - 1.4, 0, 1)
    hold = {"l_swing": 0.55, "r_swing": 0.65, "l_elbow": -0.9, "r_elbow": -1.0, "pitch": 0.22, "l_out": 0.15, "r_out": 0.15}
    for name, value in hold.items():
        out[:, POSE[name]] += grip * value
    lunge += 0.13 * grip
    out[:, POSE["spine_roll"]] += grip * 0.25 * np.sin(2 * np.pi * 0.9 * times + 2 * who)
    return out, lunge


def climbing(times: Floats, takes: float, wall: float) -> tuple[Floats, Floats, Floats]:
    """(n,) seconds over a wall `wall` body heights high -> (n, 28) poses, (n,) height of the root, (n,) way across from -1 to 1."""
    up = pose()
    reach = pose(l_swing=2.9, r_swing=2.75, l_elbow=0.1, r_elbow=0.35, head_pitch=-0.35, l_out=0.15, r_out=0.15, z=0.53)
    left = pose(
        l_swing=2.5,
        r_swing=2.6,
        l_elbow=0.9,
        r_elbow=0.8,
        head_pitch=-0.2,
        lf_z=0.26,
        lf_y=0.11,
        rf_y=0.04,
        lf_pitch=0.5,
        z=0.52,
        spine_roll=-0.15,
    )
    right = pose(
        l_swing=2.6,
        r_swing=2.5,
        l_elbow=0.8,
        r_elbow=0.9,
        head_pitch=-0.2,
        rf_z=0.26,
        rf_y=0.11,
        lf_y=0.04,
        rf_pitch=0.5,
        z=0.52,
        spine_roll=0.15,
    )
    mount = pose(
        pitch=0.85, spine_pitch=0.4, l_swing=0.5, r_swing=0.4, l_elbow=0.3, r_elbow=0.3, lf_z=0.42, lf_y=0.15, rf_z=0.10, rf_y=-0.28, z=0.54
    )
    astride = pose(
        pitch=0.7, spine_pitch=0.3, l_swing=0.6, r_swing=0.7, l_elbow=0.4, r_elbow=0.5, lf_z=0.18, lf_y=0.18, rf_z=0.42, rf_y=-0.22, z=0.56
    )
    drop = pose(l_swing=2.0, r_swing=1.8, l_elbow=0.5, r_elbow=0.4, lf_y=0.04, rf_y=0.02, pitch=0.1, lf_pitch=-0.4, rf_pitch=-0.4)
    land = CROUCHED * 0.7 + up * 0.3
    t = takes
    keys = [
        (0.0, up), (0.10 * t, reach), (0.20 * t, left), (0.30 * t, right), (0.40 * t, left), (0.52 * t, mount), (0.66 * t, astride), (0.80 * t, drop),
        (0.87 * t, land), (t, up),
    ]  # fmt: skip
    top = max(wall - 0.50, 0.08)
    rise = np.interp(times, np.array([0, 0.12, 0.48, 0.56, 0.70, 0.74, 0.83, 1]) * t, [0, 0, top * 0.85, top, top, top * 0.9, 0, 0])
    across = np.interp(times, np.array([0, 0.45, 0.54, 0.68, 0.76, 1]) * t, [-1, -1, -0.35, 0.35, 1, 1])
    return keyed(times, keys), rise, across


def riding(phase: Floats, saddle: float) -> Floats:
    """(n,) turns of the pedals -> (n, 28) on a bicycle whose saddle is `saddle` body heights high."""
    row = pose(
        z=saddle + 0.045, y=-0.13, pitch=0.42, spine_pitch=0.22, head_pitch=-0.35, l_swing=0.95, r_swing=0.95, l_elbow=0.45, r_elbow=0.45,
        l_turn=0.1, r_turn=0.1, l_out=0.12, r_out=0.12,
    )  # fmt: skip
    out = np.tile(row, (len(phase), 1))
    for s, offset in (("l", 0.0), ("r", np.pi)):
        angle = 2 * np.pi * phase + offset
        out[:, POSE[f"{s}f_y"]] = -0.005 + 0.098 * np.cos(angle)
        out[:, POSE[f"{s}f_z"]] = 0.20 - 0.098 * np.sin(angle)
        out[:, POSE[f"{s}f_x"]] = (-1 if s == "l" else 1) * 0.06
        out[:, POSE[f"{s}f_pitch"]] = -0.25
    return out
