"""What is drawn is what the truth says, the same for the same seed."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from pahara.core import Source
from pahara.simulate import SimulatedSource, Stage, load_script
from pahara.simulate.actions import Crouch, Drive, Fall, Stand, Walk
from pahara.simulate.script import Actor, Bag, Change, Light, Place, Script, Sensor, Tamper, Thing, Wall

SIZE = (320, 180)
CLEAN = Sensor(noise=0, sharpen=0, blur=0, fringe=0, clock=False)
YARD = Script(
    "yard",
    SIZE,
    fps=8,
    duration=3,
    seed=4,
    sensor=CLEAN,
    light=Light("overcast"),
    place=Place("concrete", walls=(Wall((-8, 14), (8, 14), 3),)),
    actors=(
        Actor(1, (-2.5, 7), (Walk(((4, 7),)),)),
        Actor(2, (2.0, 6), (Stand(9),), facing=160),
        Actor(3, (0, 9), (Stand(0.4), Fall("left"))),
        Actor(4, (-1.5, 10), (Crouch(9),)),
    ),
    bags=(Bag(9, "suitcase", at=(-0.6, 6.2)), Bag(10, "backpack", by=2)),
)


@pytest.fixture(scope="module")
def shots():
    return list(Stage(YARD))


def test_the_same_seed_gives_the_same_pictures_and_truth(shots):
    again = list(Stage(replace(YARD, name="other name")))
    assert len(again) == len(shots) == 24
    assert all((a.image == b.image).all() and a.truth == b.truth for a, b in zip(again, shots, strict=True))


def test_a_stage_can_be_played_twice():
    stage = Stage(replace(YARD, duration=0.5, sensor=Sensor()))
    first, second = list(stage), list(stage)
    assert all((a.image == b.image).all() for a, b in zip(first, second, strict=True))


def test_another_seed_gives_other_people_and_other_noise():
    noisy = replace(YARD, sensor=Sensor(), duration=0.3)
    one, other = next(iter(Stage(noisy))), next(iter(Stage(replace(noisy, seed=5))))
    assert (one.image != other.image).mean() > 0.3


def test_the_truth_alone_agrees_with_the_truth_of_the_drawn_pictures(shots):
    for drawn, told in zip(shots, Stage(YARD, draw=False), strict=True):
        assert [o.id for o in drawn.truth] == [o.id for o in told.truth]
        assert [o.box for o in drawn.truth] == [o.box for o in told.truth]
        assert [o.visible for o in drawn.truth] == pytest.approx([o.visible for o in told.truth], abs=0.12)


def test_boxes_contain_the_drawn_pixels_and_are_tight():
    for actor in YARD.actors:
        alone = replace(YARD, actors=(actor,), bags=(), duration=2)
        empty = next(iter(Stage(replace(alone, actors=())))).image.astype(int)
        for shot in list(Stage(alone))[::5]:
            (told,) = shot.truth
            changed = np.abs(shot.image.astype(int) - empty).max(2)
            x1, y1, x2, y2 = told.box
            inside = np.zeros(changed.shape, bool)
            inside[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))] = True
            # Outside of the box only the soft shadow on the ground changes anything.
            above = changed[: max(int(y1) - 1, 0)]
            assert above.max(initial=0) <= 2
            body = (changed > 12) & inside
            rows, columns = np.flatnonzero(body.any(1)), np.flatnonzero(body.any(0))
            assert rows[0] <= y1 + 2.5
            assert rows[-1] >= y2 - 3.5
            assert columns[0] <= x1 + 2.5
            assert columns[-1] >= x2 - 3.5


def test_keypoints_lie_in_their_box_and_the_head_is_above_the_hips(shots):
    for shot in shots:
        people = [o for o in shot.truth if o.label == "person"]
        assert people
        for person in people:
            points = np.array(person.keypoints)
            assert points.shape == (17, 3)
            seen = points[points[:, 2] > 0]
            x1, y1, x2, y2 = person.box
            assert ((seen[:, 0] >= x1 - 1) & (seen[:, 0] <= x2 + 1) & (seen[:, 1] >= y1 - 1) & (seen[:, 1] <= y2 + 1)).all()
            if person.id == 2:
                assert points[0, 1] < points[11, 1] < points[13, 1] < points[15, 1]


def test_ids_and_labels_stay_with_their_objects(shots):
    labels = {}
    for shot in shots:
        assert len({o.id for o in shot.truth}) == len(shot.truth)
        for o in shot.truth:
            assert labels.setdefault(o.id, o.label) == o.label
    assert labels == {1: "person", 2: "person", 3: "person", 4: "person", 9: "suitcase", 10: "backpack"}


def test_feet_stand_where_the_script_puts_them(shots):
    view = YARD.view
    standing = next(o for o in shots[0].truth if o.id == 2)
    foot = np.array([[(standing.box[0] + standing.box[2]) / 2, standing.box[3]]])
    assert np.abs(view.ground(foot)[0] - (2.0, 6.0)).max() < 0.35


def test_a_pillar_hides_who_stands_behind_it_and_not_who_stands_before():
    people = (Actor(1, (0, 8), (Stand(5),)), Actor(2, (0.1, 4.2), (Stand(5),)), Actor(3, (3, 8), (Stand(5),)))
    hidden = replace(YARD, actors=people, bags=(), duration=0.2, place=Place(things=(Thing("pillar", (0, 6), size=(0.9, 0.9, 3.5)),)))
    told = {o.id: o for o in next(iter(Stage(hidden))).truth}
    assert told[1].visible < 0.25
    assert told[2].visible > 0.9
    assert told[3].visible > 0.95
    assert {c for _, _, c in told[1].keypoints} <= {0.5, 1.0}
    assert sum(c == 0.5 for _, _, c in told[1].keypoints) >= 10


def test_who_stands_behind_someone_is_hidden_by_them():
    people = (Actor(1, (0, 6.0), (Stand(5),)), Actor(2, (0, 4.4), (Stand(5),)))
    told = {o.id: o for o in next(iter(Stage(replace(YARD, actors=people, bags=(), duration=0.2)))).truth}
    assert told[1].visible < 0.75
    assert told[2].visible > 0.95


def test_a_bag_goes_with_its_bearer(shots):
    for shot in shots[::6]:
        told = {o.id: o for o in shot.truth}
        bag, bearer = told[10].box, told[2].box
        assert bearer[0] - 5 < (bag[0] + bag[2]) / 2 < bearer[2] + 5
        assert bearer[1] < bag[1]
        assert bag[3] < bearer[3]


def test_who_walks_out_of_the_picture_is_cut_and_then_gone():
    out = replace(YARD, actors=(Actor(1, (2, 5), (Walk(((8, 5),)),)),), bags=(), duration=5)
    boxes = [[o.box for o in shot.truth] for shot in Stage(out, draw=False)]
    assert boxes[0]
    assert not boxes[-1]
    assert max(b[2] for row in boxes for b in row) == SIZE[0]


def test_cyclists_and_cars_are_objects_too():
    traffic = replace(
        YARD,
        bags=(),
        duration=0.5,
        actors=(Actor(1, (-2, 8), (Drive(((6, 8),), 3),), "cyclist"), Actor(2, (0, 11), (Drive(((8, 11),)),), "car")),
    )
    shot = next(iter(Stage(traffic)))
    assert sorted(o.label for o in shot.truth) == ["bicycle", "car", "person"]


def test_light_changes_change_the_light():
    dark = Change(1.0, "cloud", 0.1, 0.5)
    shady = replace(YARD, light=Light("day", changes=(dark,)), actors=(), bags=(), duration=2.5)
    bright = [shot.image.mean() for shot in Stage(shady)]
    assert bright[12] < 0.95 * bright[0]
    assert np.ptp(bright[:8]) < 0.5


def test_infrared_is_grey():
    assert (
        np.ptp(next(iter(Stage(replace(YARD, light=Light("night_ir"), sensor=Sensor(clock=False))))).image.astype(int), axis=2).max() == 0
    )


@pytest.mark.parametrize("kind", ["covered", "defocused", "dark", "moved"])
def test_tampering_changes_the_picture_much_and_frozen_not_at_all(kind):
    script = replace(YARD, tampers=(Tamper(kind, 1.0, 3.0),), sensor=replace(CLEAN, noise=0.5), bags=())
    shots = list(Stage(script))
    before, after = (cv2.cvtColor(shots[i].image, cv2.COLOR_BGR2GRAY) for i in (4, 20))
    detail = [cv2.Laplacian(cv2.GaussianBlur(x, (0, 0), 1), cv2.CV_32F).std() for x in (before, after)]
    if kind == "moved":
        assert np.corrcoef(before.ravel(), after.ravel())[0, 1] < 0.8
    else:
        assert detail[1] < 0.6 * detail[0]
    if kind in ("covered", "dark"):
        assert after.mean() < 0.4 * before.mean()
        assert all(o.visible == 0 for o in shots[20].truth)


def test_a_frozen_picture_is_the_same_to_the_last_bit():
    shots = list(Stage(replace(YARD, tampers=(Tamper("frozen", 1.0, 2.0),), sensor=Sensor())))
    assert all((shots[k].image == shots[9].image).all() for k in range(9, 16))
    assert (shots[16].image != shots[9].image).any()
    assert (shots[6].image != shots[5].image).any()


def test_noise_changes_from_frame_to_frame_but_its_strength_does_not():
    still = replace(YARD, actors=(), bags=(), duration=2, sensor=replace(CLEAN, noise=1.0))
    images = [shot.image.astype(float) for shot in Stage(still)]
    steps = [np.abs(b - a).mean() for a, b in pairwise(images)]
    assert min(steps) > 0.5
    assert max(steps) < 1.3 * min(steps)


def test_a_simulated_source_is_a_source_of_the_product():
    source = SimulatedSource(replace(YARD, duration=1), camera="gate")
    assert isinstance(source, Source)
    frames = list(source)
    assert [f.camera for f in frames] == ["gate"] * 8
    assert np.diff([f.time for f in frames]) == pytest.approx(1 / 8)
    assert frames[0].image.shape == (180, 320, 3)
    assert frames[0].image.dtype == np.uint8
    assert frames[0].luma.shape == (180, 320)
    assert {o.id for o in frames[0].truth} == {1, 2, 3, 4, 9, 10}
    assert (source.size, source.live, source.duration) == (SIZE, False, 1.0)
    assert source.epoch == 1741339800.0  # 2025-03-07T09:30:00Z


@pytest.mark.parametrize("name", ["shop-door", "school-corridor"])
def test_a_bundled_script_can_be_staged_indoors(name):
    shot = next(iter(Stage(replace(load_script(name), size=SIZE))))
    assert 60 < shot.image.mean() < 210
