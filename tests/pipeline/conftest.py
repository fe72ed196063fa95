"""A film of one bright block, and a detector that sees bright blocks: the real loop at the smallest price."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pahara.config import CameraPlan, Config, from_data, plan
from pahara.core import Detections, Image
from pahara.pipeline.session import Session
from pahara.pipeline.setup import open_plan, prepare
from pahara.store import Store
from pahara.video.writer import VideoWriter

SIZE = (160, 90)
FPS = 10
SECONDS = 12


def block_at(time: float) -> float:
    """Left edge in pixels: comes in at 2 s, stands in the right half from 5 s to 8 s, and leaves to the left."""
    return float(np.interp(time, [2, 5, 8, 11], [-12, 110, 110, -12]))


def picture(time: float) -> Image:
    image = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
    left = round(block_at(time))
    image[40:76, max(left, 0) : max(left + 12, 0)] = 230
    return image


def bright_blocks(images):
    """A detector as a function: the box around all that is bright."""
    found = []
    for image in images:
        rows, columns = np.nonzero(image[..., 1] > 140)
        box = [(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)] if len(rows) > 40 else []
        found.append(Detections.of(box, [0.9] * len(box), [0] * len(box), ("person",)))
    return found


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "block.mp4"
    with VideoWriter(path) as writer:
        for n in range(SECONDS * FPS):
            writer.write(picture(n / FPS), n / FPS)
    return path


def configuration(film: Path, **intrusion: object) -> Config:
    return from_data(
        {
            "version": 1,
            "gate": False,
            "evidence": {"before": 1, "after": 1, "longest": 5},
            "cameras": {
                "yard": {
                    "source": str(film),
                    "zones": {"right": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]},
                    "behaviours": [{"kind": "intrusion", "zone": "right", **intrusion}],
                }
            },
        }
    )


@pytest.fixture
def config(film: Path) -> Config:
    return configuration(film)


@pytest.fixture
def yard(config: Config) -> CameraPlan:
    return plan(config, "yard")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "out") as opened:
        yield opened


@pytest.fixture
def session(yard: CameraPlan, config: Config, store: Store) -> Iterator[Session]:
    """Ready to run; its source is closed in the end."""
    with open_plan(yard) as source:
        yield prepare(yard, source, config=config, detector=bright_blocks, store=store)
