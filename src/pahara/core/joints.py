"""The joints of a body that pose finds: COCO's seventeen, and the bones between them."""

from __future__ import annotations

COCO_17 = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow", "right elbow",
    "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee", "left ankle", "right ankle",
)  # fmt: skip
# Pairs of joints that a picture joins with a line. The head is one line down from the nose: nobody needs a face.
BONES = ((0, 5), (0, 6), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16))
SURE = 0.3  # confidence from which a joint is worth a look; MoveNet's model card recommends it
