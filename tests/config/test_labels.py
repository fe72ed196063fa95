"""The words of the rules and the words of the detector come together."""

import pytest

from pahara.config import from_data, plan
from pahara.config.labels import fit_labels
from pahara.detection import MotionDetector
from pahara.detection.names import COCO_80

ZONES = {"yard": [[0, 0], [1, 0], [1, 1], [0, 1]]}


def rules(*behaviours):
    return plan(from_data({"version": 1, "cameras": {"gate": {"source": "0", "zones": ZONES, "behaviours": list(behaviours)}}}), "gate")


@pytest.mark.parametrize(
    ("group", "members"),
    [("vehicle", {"car", "truck", "bus", "motorcycle", "bicycle"}), ("bag", {"backpack", "handbag", "suitcase"})],
)
def test_a_rule_for_a_group_is_one_for_all_its_members(group, members):
    made = rules({"kind": "intrusion", "zone": "yard", "labels": [group]})
    assert set(made.behaviours["intrusion-yard"].labels) == {group, *members}
    assert fit_labels(made, COCO_80) == (made, {})


def test_a_rule_for_cars_takes_vehicles_where_the_detector_knows_no_cars():
    made = rules({"kind": "intrusion", "zone": "yard", "labels": ["car", "person"]}, {"kind": "running", "labels": ["bus", "car"]})
    fitted, told = fit_labels(made, MotionDetector().names)
    assert told == {"vehicle": ("car", "bus")}
    assert fitted.behaviours["intrusion-yard"].labels == ("car", "person", "vehicle")
    assert fitted.behaviours["running"].labels == ("bus", "car", "vehicle")
    assert fit_labels(made, COCO_80) == (made, {})
    assert fit_labels(made, ("car", "bus", "vehicle")) == (made, {})
    assert fit_labels(made, ()) == (made, {})


def test_standard_rules_need_no_other_words():
    made = rules("running", "falling", "loitering", "crowding", "abandoned", "tamper", {"kind": "intrusion", "zone": "yard", "labels": []})
    assert fit_labels(made, MotionDetector().names) == (made, {})
    assert made.behaviours["intrusion-yard"].labels == ()
