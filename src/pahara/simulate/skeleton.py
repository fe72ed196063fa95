"""A body of segments: pose angles in, joints and COCO keypoints out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# Segment lengths as shares of the body height, after Drillis and Contini (1966).
ANKLE, SHIN, THIGH = 0.039, 0.246, 0.245
HIP_HALF, SHOULDER_HALF = 0.053, 0.108
LOWER_SPINE, UPPER_SPINE, NECK = 0.150, 0.145, 0.052
HEAD_CENTRE, CROWN = 0.055, 0.125  # above the top of the neck
UPPER_ARM, FOREARM, HAND = 0.180, 0.146, 0.095
HEEL, BALL, TOE = -0.040, 0.085, 0.115  # along the foot from the ankle

# One pose is a row of POSE_SIZE numbers: lengths in body heights, angles in radians.
POSE = {
    name: i
    for i, name in enumerate(
        [
            "x",
            "y",
            "z",
            "pitch",
            "roll",
            "yaw",
            "spine_pitch",
            "spine_roll",
            "spine_twist",
            "head_pitch",
            "head_yaw",
            "l_swing",
            "l_out",
            "l_turn",
            "l_elbow",
            "r_swing",
            "r_out",
            "r_turn",
            "r_elbow",
            "lf_x",
            "lf_y",
            "lf_z",
            "lf_pitch",
            "rf_x",
            "rf_y",
            "rf_z",
            "rf_pitch",
            "loose",
        ]
    )
}
POSE_SIZE = len(POSE)

JOINTS = (
    "pelvis", "waist", "neck", "head", "crown", "l_shoulder", "l_elbow", "l_wrist", "l_hand", "r_shoulder", "r_elbow", "r_wrist", "r_hand",
    "l_hip", "l_knee", "l_ankle", "l_heel", "l_toe", "r_hip", "r_knee", "r_ankle", "r_heel", "r_toe",
    "nose", "l_eye", "r_eye", "l_ear", "r_ear",
)  # fmt: skip
J = {name: i for i, name in enumerate(JOINTS)}
COCO_NAMES = (
    "nose", "l_eye", "r_eye", "l_ear", "r_ear", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow", "l_wrist", "r_wrist",
    "l_hip", "r_hip", "l_knee", "r_knee", "l_ankle", "r_ankle",
)  # fmt: skip
COCO = np.array([J[name] for name in COCO_NAMES])
SOLES = np.array([J[name] for name in ("l_heel", "l_toe", "r_heel", "r_toe")])
# Flesh around each joint, as a share of the height: enough for a box without drawing anybody.
FLESH = np.array([
    0.075, 0.075, 0.045, 0.05, 0.012, 0.045, 0.033, 0.025, 0.022, 0.045, 0.033, 0.025, 0.022,
    0.06, 0.037, 0.03, 0.012, 0.012, 0.06, 0.037, 0.03, 0.012, 0.012, 0.02, 0.03, 0.03, 0.02, 0.02,
])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Skeleton:
    """n bodies (or n moments of one) in the world. Axes are columns right, forward, up."""

    joints: Floats  # (n, 28, 3) metres, in the order of JOINTS
    pelvis: Floats  # (n, 3, 3)
    chest: Floats  # (n, 3, 3)
    head: Floats  # (n, 3, 3)
    feet: Floats  # (n, 2, 3, 3) left and right
    heading: Floats  # (n,) radians to the left of y

    @property
    def keypoints(self) -> Floats:
        """(n, 17, 3) metres, in COCO's order."""
        points: Floats = self.joints[:, COCO]
        return points

    def __getitem__(self, rows: slice) -> Skeleton:
        return Skeleton(self.joints[rows], self.pelvis[rows], self.chest[rows], self.head[rows], self.feet[rows], self.heading[rows])


def turn(pitch: Floats, roll: Floats, yaw: Floats) -> Floats:
    """(n,) angles -> (n, 3, 3): lean forward, then to the right, then turn to the left."""
    cp, sp, cr, sr, cy, sy = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll), np.cos(yaw), np.sin(yaw)
    out = np.empty((*np.shape(pitch), 3, 3))
    # Rz(yaw) @ Rx(-pitch) @ Ry(roll), written out
    out[..., 0, 0], out[..., 0, 1], out[..., 0, 2] = cy * cr + sy * sp * sr, -sy * cp, cy * sr - sy * sp * cr
    out[..., 1, 0], out[..., 1, 1], out[..., 1, 2] = sy * cr - cy * sp * sr, cy * cp, sy * sr + cy * sp * cr
    out[..., 2, 0], out[..., 2, 1], out[..., 2, 2] = -cp * sr, -sp, cp * cr
    return out


def _unit(v: Floats) -> Floats:
    result: Floats = v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
    return result


def _arm(chest: Floats, shoulder: Floats, angles: Floats, side: float) -> tuple[Floats, Floats, Floats]:
    swing, out, inward, elbow = angles.T
    elbow = np.clip(elbow, 0.0, 2.6)  # no elbow bends backward
    zero = np.zeros_like(swing)
    upper = np.stack([side * np.sin(out), np.sin(swing) * np.cos(out), -np.cos(swing) * np.cos(out)], -1)
    front = np.stack([zero, np.cos(swing), np.sin(swing)], -1)
    across = np.stack([-side * np.cos(out), np.sin(swing) * np.sin(out), -np.cos(swing) * np.sin(out)], -1)
    bend = _unit(np.cos(inward)[:, None] * front + np.sin(inward)[:, None] * across)
    bend = _unit(bend - (bend * upper).sum(-1, keepdims=True) * upper)
    lower = np.cos(elbow)[:, None] * upper + np.sin(elbow)[:, None] * bend
    upper, lower = np.einsum("nij,nj->ni", chest, upper), np.einsum("nij,nj->ni", chest, lower)
    at_elbow = shoulder + UPPER_ARM * upper
    wrist = at_elbow + FOREARM * lower
    return at_elbow, wrist, wrist + HAND * 0.75 * lower


def _leg(hip: Floats, ankle: Floats, pole: Floats) -> tuple[Floats, Floats]:
    reach = ankle - hip
    far = np.linalg.norm(reach, axis=-1, keepdims=True)
    way = reach / np.maximum(far, 1e-9)
    far = np.clip(far, 0.08, (THIGH + SHIN) * 0.9995)
    along = (far**2 + THIGH**2 - SHIN**2) / (2 * far)
    off = np.sqrt(np.maximum(THIGH**2 - along**2, 0))
    pole = _unit(pole - (pole * way).sum(-1, keepdims=True) * way)
    return hip + way * along + pole * off, hip + way * far


def stand_up(poses: Floats, heights: Floats, roots: Floats, headings: Floats, grounded: NDArray[np.bool_]) -> Skeleton:
    """Forward kinematics of the trunk and arms, inverse kinematics of the legs.

    poses (n, 28), heights (n,) metres, roots (n, 3) metres, headings (n,) radians to the left of y;
    a `grounded` body is moved up or down until its lowest sole touches z = roots[:, 2], others are only kept from sinking in.
    """
    p = {name: poses[:, i] for name, i in POSE.items()}
    n = len(poses)
    joints = np.empty((n, len(JOINTS), 3))
    pelvis_axes = turn(p["pitch"], p["roll"], p["yaw"])
    half = turn(p["spine_pitch"] * 0.5, p["spine_roll"] * 0.5, p["spine_twist"] * 0.5)
    middle = pelvis_axes @ half
    chest = middle @ half
    head_axes = chest @ turn(p["head_pitch"], np.zeros(n), p["head_yaw"])

    pelvis = np.stack([p["x"], p["y"], p["z"]], -1)
    joints[:, J["pelvis"]] = pelvis
    joints[:, J["waist"]] = waist = pelvis + middle[..., 2] * LOWER_SPINE
    joints[:, J["neck"]] = neck = waist + chest[..., 2] * UPPER_SPINE
    joints[:, J["head"]] = head = neck + (chest[..., 2] * 0.6 + head_axes[..., 2] * 0.4) * NECK
    joints[:, J["crown"]] = head + head_axes[..., 2] * CROWN
    centre = head + head_axes[..., 2] * HEAD_CENTRE
    for name, spot in {
        "nose": (0, 0.058, -0.004), "l_eye": (-0.019, 0.048, 0.012), "r_eye": (0.019, 0.048, 0.012),
        "l_ear": (-0.042, 0.0, 0.004), "r_ear": (0.042, 0.0, 0.004),
    }.items():  # fmt: skip
        joints[:, J[name]] = centre + head_axes @ np.array(spot)
    feet = np.empty((n, 2, 3, 3))
    for i, (s, side) in enumerate((("l", -1.0), ("r", 1.0))):
        shoulder = neck + chest @ np.array([side * SHOULDER_HALF, 0.0, -0.022])
        joints[:, J[f"{s}_shoulder"]] = shoulder
        arm = _arm(chest, shoulder, np.stack([p[f"{s}_{k}"] for k in ("swing", "out", "turn", "elbow")], -1), side)
        for name, at in zip(("elbow", "wrist", "hand"), arm, strict=True):
            joints[:, J[f"{s}_{name}"]] = at
        hip = pelvis + pelvis_axes @ np.array([side * HIP_HALF, 0.0, 0.0])
        target = np.stack([p[f"{s}f_x"], p[f"{s}f_y"], p[f"{s}f_z"]], -1)
        splay = np.zeros(n) + side * -0.12
        pole = _unit(pelvis_axes[..., 1] + pelvis_axes[..., 0] * (side * 0.08))
        knee, ankle = _leg(hip, target, pole)
        joints[:, J[f"{s}_hip"]], joints[:, J[f"{s}_knee"]], joints[:, J[f"{s}_ankle"]] = hip, knee, ankle
        flat = turn(-p[f"{s}f_pitch"], np.zeros(n), splay + p["yaw"] * 0.3)
        shin_up = _unit(knee - ankle)  # a lying foot hangs at the shin
        forward = _unit(pole - (pole * shin_up).sum(-1, keepdims=True) * shin_up) - 0.5 * shin_up
        forward = _unit(forward)
        up = _unit(shin_up - (shin_up * forward).sum(-1, keepdims=True) * forward)
        hanging = np.stack([np.cross(forward, up), forward, up], -1)
        loose = p["loose"][:, None, None]
        mixed = (1 - loose) * flat + loose * hanging
        f = _unit(mixed[..., 1])
        u = _unit(mixed[..., 2] - (mixed[..., 2] * f).sum(-1, keepdims=True) * f)
        feet[:, i] = axes = np.stack([np.cross(f, u), f, u], -1)
        joints[:, J[f"{s}_heel"]] = ankle + axes @ np.array([0, HEEL, -ANKLE])
        joints[:, J[f"{s}_toe"]] = ankle + axes @ np.array([0, TOE, -ANKLE])

    low = joints[:, SOLES, 2].min(1)
    joints[..., 2] -= np.where(grounded, low, np.minimum(low, 0.0))[:, None]
    spin = turn(np.zeros(n), np.zeros(n), headings)
    joints = np.einsum("nij,nkj->nki", spin, joints * heights[:, None, None]) + roots[:, None, :]
    return Skeleton(joints, spin @ pelvis_axes, spin @ chest, spin @ head_axes, spin[:, None] @ feet, headings)
