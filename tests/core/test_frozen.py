"""Nobody changes a value behind another's back, and every value travels to another process."""

import copy
import doctest
import json
import pickle

import pytest

from pahara.core import frozen
from pahara.core.frozen import Frozen


def test_the_example_holds():
    done = doctest.testmod(frozen)
    assert (done.attempted, done.failed) == (1, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.__setitem__("a", 2), lambda told: told.__delitem__("a"), lambda told: told.update(b=1), lambda told: told.clear(),
        lambda told: told.pop("a"), lambda told: told.popitem(), lambda told: told.setdefault("b", 1), lambda told: told.__ior__({"b": 1}),
    ],
)  # fmt: skip
def test_it_cannot_be_changed(change):
    told = Frozen({"a": 1})
    with pytest.raises(TypeError, match="never changes: make a new one"):
        change(told)
    assert told == {"a": 1}


def test_it_is_the_same_after_a_journey():
    told = Frozen({"a": 1, "b": Frozen()})
    for other in (pickle.loads(pickle.dumps(told)), copy.copy(told), copy.deepcopy(told)):
        assert other == told
        assert type(other) is type(other["b"]) is Frozen
    assert json.loads(json.dumps(told)) == {"a": 1, "b": {}}
