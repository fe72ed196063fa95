"""A plug-in's fields are its options: what may be written for it, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import annotated_types
import pytest
from pydantic import ValidationError

from pahara.behaviours import Intrusion
from pahara.behaviours.schedule import Hours, Schedule
from pahara.config.fielddocs import field_docs, summary
from pahara.config.options import Places, adapter_of, checker_of, given, model_of, options_of
from pahara.core import EVERYWHERE, ConfigError, Tripwire, Zone

DOOR = Zone("door", ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9)))
WIRE = Tripwire("wire", (0.1, 0.5), (0.9, 0.5))
PLACES = Places("gate", {"door": DOOR}, {"wire": WIRE}, "Asia/Dhaka")


@dataclass(frozen=True)
class Limits:
    """Inner options."""

    low: float = 0.1  # from here
    high: float = 0.9  # up to there


@dataclass(frozen=True)
class Everything:
    """All that an option can be.

    And more words that a summary leaves out.
    """

    zone: Zone
    line: Tripwire | None = None
    others: tuple[Zone, ...] = ()
    by_name: Mapping[str, Zone] = field(default_factory=dict)
    limits: Limits = Limits()  # nested
    mode: Literal["fast", "slow"] = "fast"
    count: Annotated[int, annotated_types.Ge(1)] = 3  # how many
    labels: tuple[str, ...] = ("person",)
    from_: str = "here"
    until: str = field(default="there", metadata={"key": "to", "help": "where it ends"})
    schema: str = ""  # a name that pydantic uses itself
    function: Callable[[Any], Any] | None = None
    hidden: int = field(default=0, init=False)


def make(plug_in, **options):
    return adapter_of(plug_in).validate_python(options, context=PLACES)


def errors(plug_in, **options):
    with pytest.raises(ValidationError) as caught:
        make(plug_in, **options)
    return {".".join(map(str, each["loc"])): each["type"] for each in caught.value.errors()}


def test_zones_and_lines_are_given_by_name_wherever_they_stand():
    made = make(Everything, zone="door", line="wire", others=["door", "everywhere"], by_name={"a": "door"})
    assert (made.zone, made.line, made.others, made.by_name) == (DOOR, WIRE, (DOOR, EVERYWHERE), {"a": DOOR})


def test_a_zone_of_ones_own_may_be_called_everywhere():
    own = Zone("everywhere", DOOR.corners)
    made = adapter_of(Everything).validate_python({"zone": "everywhere"}, context=Places("gate", {"everywhere": own}))
    assert made.zone == own


def test_what_is_not_written_is_left_to_the_plug_in():
    assert make(Everything, zone="door") == Everything(DOOR)
    assert make(Intrusion) == Intrusion()


def test_misspelt_options_are_refused_at_every_depth():
    assert errors(Everything, zone="door", modus="fast") == {"modus": "extra_forbidden"}
    assert errors(Everything, zone="door", limits={"lo": 1}) == {"limits.lo": "extra_forbidden"}
    assert errors(Intrusion, schedule={"start": "22:00"}) == {"schedule.0.start": "extra_forbidden"}


def test_a_number_is_a_number():
    assert errors(Everything, zone="door", count=True) == {"count": "number_type"}
    assert errors(Everything, zone="door", count=0) == {"count": "greater_than_equal"}
    assert errors(Everything, zone="door", count=1.5) == {"count": "int_from_float"}
    assert errors(Everything, zone="door", limits={"low": float("nan"), "high": float("inf")}) == {
        "limits.low": "finite_number",
        "limits.high": "finite_number",
    }


def test_words_of_python_and_of_pydantic_can_be_options():
    made = make(Everything, zone="door", **{"from": "a", "to": "b", "schema": "c"})
    assert (made.from_, made.until, made.schema) == ("a", "b", "c")
    assert errors(Everything, zone="door", until="b") == {"until": "extra_forbidden"}


def test_functions_and_inner_fields_are_no_options():
    keys = [option.key for option in options_of(Everything)]
    assert "function" not in keys
    assert "hidden" not in keys


def test_the_plug_ins_own_complaint_is_told():
    with pytest.raises(ValidationError, match=r"intrusion: seconds must be 0 or more"):
        make(Intrusion, seconds=-1)


def test_the_class_of_the_plug_in_is_left_as_it_is():
    before = dict(vars(Limits))
    make(Everything, zone="door", limits={"low": 0.2})
    assert dict(vars(Limits)) == before


def test_a_schedule_is_one_window_or_several_in_the_time_zone_of_the_file():
    night = Hours(("fri", "sat"), "22:00", "06:00")
    assert make(Intrusion, schedule={"days": ["fri", "sat"], "from": "22:00", "to": "06:00"}).schedule == Schedule((night,), "Asia/Dhaka")
    two = make(Intrusion, schedule=[{"days": "fri-sat"}, {"from": "22:00"}]).schedule
    assert two == Schedule((Hours(("fri-sat",)), Hours(start="22:00")), "Asia/Dhaka")


def test_a_function_is_a_plug_in_too():
    def load(model: str, *, threads: int = 1, names: tuple[str, ...] = ()) -> object:
        """Load it. threads: how many; names: of the classes."""
        return (model, threads, names)

    assert make(load, model="x", names="person") == ("x", 1, ("person",))
    assert given(checker_of(load).validate_python({"model": "x", "threads": 2})) == {"model": "x", "threads": 2}
    assert errors(load, thread=2) == {"model": "missing", "thread": "extra_forbidden"}
    assert field_docs(load) == {"threads": "how many", "names": "of the classes"}


def test_a_plug_in_that_needs_what_no_file_can_say_is_told():
    @dataclass(frozen=True)
    class Learned:
        model: Callable[[Any], Any]

    with pytest.raises(ConfigError, match="Learned needs 'model', which cannot be written in a file"):
        model_of(Learned)


def test_a_plug_in_whose_types_do_not_exist_is_told():
    @dataclass(frozen=True)
    class Broken:
        zone: Nowhere  # noqa: F821

    with pytest.raises(ConfigError, match="options of Broken cannot be read: name 'Nowhere' is not defined"):
        model_of(Broken)


def test_comments_beside_fields_describe_them():
    assert field_docs(Everything)["count"] == "how many"
    assert "zone" not in field_docs(Everything)
    assert summary(Everything) == "All that an option can be."
    properties = model_of(Everything).model_json_schema()["properties"]
    assert properties["count"]["description"] == "how many"
    assert properties["to"]["description"] == "where it ends"


def test_a_subclass_has_the_comments_of_its_parents():
    @dataclass(frozen=True)
    class More(Limits):
        """Further."""

        middle: float = 0.5  # between

    assert field_docs(More) == {"low": "from here", "high": "up to there", "middle": "between"}
