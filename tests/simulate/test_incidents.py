"""Incidents are what the geometry says, at the time when a right rule could know it."""

from dataclasses import replace

import numpy as np
import pytest

from pahara.core.boxes import cover_matrix, foot_points
from pahara.simulate import Stage, incidents, line_values, load_script, random_script, script_rules, truth_of, zone_values
from pahara.simulate.acting import Company
from pahara.simulate.actions import Climb, Fall, Fight, PickUp, PutDown, Run, Stand, Walk
from pahara.simulate.incidents import observe
from pahara.simulate.script import Actor, Bag, Place, Rule, Script, Tamper, Wall

YARD = Script(
    "yard",
    duration=40,
    zones={"left": ((-3, 6), (0, 6), (0, 9), (-3, 9)), "lane": ((-4, 9.5), (4, 9.5), (4, 11.5), (-4, 11.5))},
    lines={"gate": ((0, 12), (0, 5))},
)


def judged(*actors, rules=(), **more):
    script = replace(YARD, actors=actors, rules=rules, **more)
    stage = Stage(script, draw=False)
    return script, stage, incidents(script, stage.company)


def trail(script, id_):
    """(t,) times and (t, 4) boxes of one object in the truth of the frames."""
    rows = [(shot.time, o.box) for shot in Stage(script, draw=False) for o in shot.truth if o.id == id_]
    return np.array([t for t, _ in rows]), np.array([b for _, b in rows])


def test_a_crossing_happens_when_the_true_foot_point_passes_the_line():
    script, _, (crossing,) = judged(Actor(1, (-5, 8), (Walk(((5, 8),)),)), rules=(Rule("crossing", line="gate"),))
    times, boxes = trail(script, 1)
    off = line_values(script)["gate"].side(foot_points(boxes), script.size)
    before, after = off[times < crossing.start - 0.35], off[times > crossing.start + 0.35]
    assert len(before) > 5
    assert len(after) > 5
    assert (np.sign(before) == -np.sign(after[0])).all()
    assert (np.sign(after) == np.sign(after[0])).all()
    assert crossing.detail["direction"] == ("forward" if after[0] > 0 else "backward")
    assert crossing.sure
    assert crossing.place == "gate"


def test_only_the_wanted_direction_is_an_incident():
    way = (Walk(((5, 8),)),)
    counts = [
        len(judged(Actor(1, (-5, 8), way), rules=(Rule("crossing", line="gate", direction=d),))[2]) for d in ("forward", "backward", "both")
    ]
    assert sorted(counts[:2]) == [0, 1]
    assert counts[2] == 1


def test_who_turns_back_at_the_line_has_not_crossed_it():
    assert judged(Actor(1, (-5, 8), (Walk(((-0.05, 8),)), Walk(((-6, 8),)))), rules=(Rule("crossing", line="gate"),))[2] == ()


def test_a_loiterer_is_due_after_the_limit_and_the_dwell_is_what_the_truth_boxes_say():
    script, _, (loitering,) = judged(
        Actor(1, (-6, 7.5), (Walk(((-1.5, 7.5),)), Stand(16), Walk(((-7, 7.5),)))), rules=(Rule("loitering", "left", seconds=8),)
    )
    times, boxes = trail(script, 1)
    inside = zone_values(script)["left"].contains(foot_points(boxes), script.size)
    entered, left = times[inside][0], times[inside][-1]
    assert loitering.start == pytest.approx(entered + 8, abs=0.3)
    assert loitering.end == pytest.approx(left, abs=0.3)
    assert loitering.detail["dwell"] == pytest.approx(left - entered, abs=0.5)
    assert loitering.sure


def test_a_short_stay_is_no_loitering_and_a_stay_at_the_limit_is_not_sure():
    def told(stay):
        walk = (Walk(((-1.5, 7.5),)), Stand(stay), Walk(((-7, 7.5),)))
        return judged(Actor(1, (-6, 7.5), walk), rules=(Rule("loitering", "left", seconds=12),))[2]

    assert told(3) == ()
    assert [i.sure for i in told(10)] == [False]
    assert [i.sure for i in told(20)] == [True]


def test_running_across_the_view_is_running_and_walking_is_not():
    assert judged(Actor(1, (-7, 8), (Walk(((7, 8),), 1.6),)), rules=(Rule("running"),))[2] == ()
    (running,) = judged(Actor(1, (-7, 8), (Run(((7, 8),), 5.6),)), rules=(Rule("running"),))[2]
    assert running.sure
    assert running.detail["speed"] >= 2 * 1.5


def test_the_wrong_way_is_against_the_arrow():
    rule = Rule("wrong_way", "lane", direction=(1.0, 0.0))
    assert judged(Actor(1, (-6, 10.5), (Walk(((7, 10.5),)),)), rules=(rule,))[2] == ()
    ((wrong,), script) = (judged(Actor(1, (6, 10.5), (Walk(((-7, 10.5),)),)), rules=(rule,))[k] for k in (2, 0))
    assert wrong.sure
    (entry,) = script_rules(script)
    assert entry["direction"] == pytest.approx([1.0, 0.0], abs=0.02)  # x to the right, y downwards


def test_two_close_together_are_tailgating_and_two_far_apart_are_not():
    def told(gap):
        pair = (Actor(1, (-5, 8), (Walk(((6, 8),)),)), Actor(2, (-5, 8.2), (Walk(((6, 8.2),)),), enters=gap))
        return judged(*pair, rules=(Rule("tailgating", line="gate"),))[2]

    assert [i.subjects for i in told(1.4)] == [(1, 2)]
    assert told(1.4)[0].detail["gap"] == pytest.approx(1.4, abs=0.3)
    assert told(5.0) == ()


def test_people_are_a_crowd_from_the_number_on():
    def told(n):
        people = [Actor(k + 1, (-2.6 + 0.6 * k, 7.5), (Stand(15),)) for k in range(n)]
        return judged(*people, rules=(Rule("crowding", "left", people=3),))[2]

    assert told(2) == ()
    assert [i.sure for i in told(4)] == [True]


def test_a_fall_across_the_view_is_sure_and_one_along_it_is_not():
    def told(way):
        return judged(Actor(1, (0, 7), (Stand(2), Fall(way, lie=12)), facing=180), rules=(Rule("falling"),))[2][0]

    assert told("left").sure
    assert told("left").start == pytest.approx(2 + 0.9 + 2.0, abs=0.1)
    assert not told("forward").sure


def test_a_bag_is_abandoned_so_many_seconds_after_its_owner_left():
    owner = Actor(1, (-6, 7), (Walk(((-1, 7),)), PutDown(9), Stand(2), Walk(((-7, 7),))))
    bag = Bag(9, by=1)
    script, stage, (left,) = judged(owner, rules=(Rule("abandoned", seconds=10),), bags=(bag,))
    assert left.subjects == (9,)
    times, boxes = trail(script, 1)
    spot = foot_points(np.array([left.box]))[0]
    away = np.hypot(*(foot_points(boxes) - spot).T) / (boxes[:, 3] - boxes[:, 1])
    last_near = times[away <= 1.5][-1]
    assert left.start == pytest.approx(last_near + 10, abs=0.3)
    put_down = next(s for s in stage.company.performances[1].segments if s.verb == "put_down")
    assert put_down.end + 2 < last_near < put_down.end + 7


def test_a_bag_that_its_owner_takes_along_again_is_no_incident():
    owner = Actor(1, (-6, 7), (Walk(((-1, 7),)), PutDown(9), Stand(5), PickUp(9), Walk(((-7, 7),))))
    assert judged(owner, rules=(Rule("abandoned", seconds=10), Rule("removed", seconds=10)), bags=(Bag(9, by=1),))[2] == ()


def test_a_thing_that_stood_long_and_is_taken_is_removed():
    """The five seconds count from when the empty place can be seen: until then the thief stands before it."""
    thief = Actor(1, (-6, 7), (Walk(((-1, 7),)), PickUp(9), Walk(((7, 7),), 2.0)), enters=16)
    script, stage, (removed,) = judged(thief, rules=(Rule("removed", seconds=12),), bags=(Bag(9, at=(-0.5, 7.2)),))
    taken = next(h.end for h in stage.company.bags[9] if h.by is None)
    times, boxes = trail(script, 1)
    hidden = times[(times >= taken) & (cover_matrix(np.array([removed.box]), boxes)[0] >= 0.3)]
    assert taken < hidden[-1] < taken + 3
    assert removed.start == pytest.approx(hidden[-1] + 5.0, abs=0.3)
    assert removed.detail["by"] == 1
    assert removed.detail["taken"] == pytest.approx(taken, abs=0.01)


def test_a_thing_that_nobody_stands_before_is_removed_five_seconds_after_it_was_taken():
    thief = Actor(1, (-6, 8.2), (Walk(((-1, 8.0),)), PickUp(9), Walk(((-3, 12), (-9, 13)), 2.0)), enters=16)  # from behind
    _, stage, (removed,) = judged(thief, rules=(Rule("removed", seconds=12),), bags=(Bag(9, at=(-0.5, 7.2)),))
    taken = next(h.end for h in stage.company.bags[9] if h.by is None)
    assert taken + 5.0 <= removed.start <= taken + 7.0


def test_fights_climbing_and_tampering_are_told_as_staged():
    wall = Wall((-6, 13), (6, 13), 1.7, name="wall")
    people = (
        Actor(1, (-0.6, 7), (Stand(2), Fight(2, 8))), Actor(2, (0.6, 7), (Stand(2), Fight(1, 8))), Actor(3, (2, 12), (Climb("wall"),)),
    )  # fmt: skip
    _, _, told = judged(*people, rules=(Rule("tamper"),), place=Place(walls=(wall,)), tampers=(Tamper("covered", 25, 38),))
    assert {(i.kind, i.subjects) for i in told} == {("fight", (1, 2)), ("climbing", (3,)), ("tamper", ())}
    assert next(i.start for i in told if i.kind == "tamper") == 25
    assert next(i.rule for i in told if i.kind == "fight") == -1


def test_nothing_is_sure_behind_a_covered_lens():
    walker = Actor(1, (-5, 8), (Walk(((5, 8),)),), enters=10)
    _, _, told = judged(walker, rules=(Rule("crossing", line="gate"), Rule("tamper")), tampers=(Tamper("covered", 8, 30),))
    assert {i.kind: i.sure for i in told} == {"crossing": False, "tamper": True}


def test_the_boxes_that_judge_incidents_agree_with_the_drawn_ones():
    script = replace(load_script("alley"), duration=40)
    stage = Stage(script, draw=False)
    seen = observe(script, stage.company)
    worst = []
    for shot in list(stage)[::24]:
        for o in shot.truth:
            if o.id in seen.trails and o.label == "person":
                told = seen.trails[o.id].boxes[min(round(shot.time * 10), len(seen.times) - 1)]
                if seen.trails[o.id].clear[min(round(shot.time * 10), len(seen.times) - 1)]:
                    worst.append(abs(told[3] - o.box[3]) / (o.box[3] - o.box[1]))
    assert len(worst) > 10
    assert max(worst) < 0.05


def test_bundled_scripts_hold_only_clear_cases():
    for name in ("alley", "shop-door", "car-park-night", "mosque-courtyard", "school-corridor"):
        told = truth_of(load_script(name), []).incidents
        assert len(told) >= 3, name
        assert all(i.sure for i in told), name


def test_rules_are_entries_that_the_product_understands():
    from pahara import behaviours

    classes = {c.kind: c for c in vars(behaviours).values() if isinstance(c, type) and isinstance(getattr(c, "kind", None), str)}
    if not classes:
        pytest.skip("the behaviours are not exported by name")
    for seed in range(12):
        script = random_script(seed)
        assert all(rule["kind"] in classes for rule in script_rules(script))
        for rule in script_rules(script):
            known = set(classes[rule["kind"]].__dataclass_fields__) | {"kind", "name"}
            assert set(rule) <= known


def test_a_company_needs_only_heights():
    script = load_script("alley")
    assert set(Company(script, {}).performances) == {a.id for a in script.actors}
