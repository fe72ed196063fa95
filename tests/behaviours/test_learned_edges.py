"""A model as a behaviour asks it: nothing to look at is an answer too."""

from __future__ import annotations

import numpy as np
import pytest

from pahara.behaviours.learned import Recogniser, Window


def test_no_windows_get_no_certainties_and_the_model_is_not_asked():
    def never(_windows):
        raise AssertionError("the model was asked")

    model = Recogniser(never, ("nothing", "falling"))
    assert model(np.zeros((0, *Window().shape), np.float32)).shape == (0, 2)


def test_a_model_that_answers_for_other_classes_is_told_apart():
    model = Recogniser(lambda windows: np.zeros((len(windows), 3)), ("nothing", "falling"))
    with pytest.raises(ValueError, match="2 classes"):
        model(np.zeros((4, *Window().shape), np.float32))
