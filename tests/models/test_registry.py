"""Models by name: what a wrong name, option or value is answered, and what is rebuilt from a file's words."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest
import torch

import pahara.models
from pahara.core import ModelError
from pahara.models import MODELS, build, names, options_of


def refusal(name, **options):
    with pytest.raises(ModelError) as refused:
        build(name, **options)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_a_misspelt_model_is_told_the_right_one():
    assert refusal("resnet19", classes=2) == "no model named 'resnet19'. Did you mean 'resnet18'?"
    assert "Did you mean 'cnn-lstm'?" in refusal("CNN_LSTM", classes=2)


def test_a_model_that_is_nothing_like_any_is_told_what_there_is():
    message = refusal("quantum")
    assert all(name in message for name in MODELS)


def test_a_misspelt_option_is_told_the_right_one():
    assert refusal("tcn", classes=2, inputs=51, widht=3) == "the model 'tcn' has no option 'widht'. Did you mean 'width'?"


def test_an_option_that_the_name_decides_is_no_option():
    assert "no option 'depth'" in refusal("resnet18", classes=2, depth=34)
    assert "depth" not in options_of("resnet18")


def test_a_missing_option_is_named_with_an_example():
    assert refusal("mlp") == "the model 'mlp' needs classes and inputs: build('mlp', classes=…, inputs=…)"


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("resnet18", {"classes": "2"}, "classes must be a whole number, not '2'"),
        ("resnet18", {"classes": True}, "classes must be a whole number, not True"),
        ("resnet18", {"classes": 2.5}, "classes must be a whole number, not 2.5"),
        ("resnet18", {"classes": None}, "classes must be a whole number, not None"),
        ("resnet18", {"classes": 0}, "classes must be at least 1, not 0"),
        ("resnet18", {"classes": 2, "stem": "huge"}, "stem must be one of large, small, not huge"),
        ("mobilenet", {"classes": 2, "width": "wide"}, "width must be a number, not 'wide'"),
        ("mobilenet", {"classes": 2, "width": 0}, "width must be at least 0.05, not 0"),
        ("mlp", {"classes": 2, "inputs": 3, "hidden": [8, "x"]}, "hidden must be a whole number, not 'x'"),
        ("mlp", {"classes": 2, "inputs": 3, "hidden": 8}, "hidden must be a list of whole numbers, not 8"),
        ("mlp", {"classes": 2, "inputs": 3, "hidden": [8, 0]}, "hidden[1] must be at least 1, not 0"),
        ("tcn", {"classes": 2, "inputs": 51, "persons": 3}, "persons must be one of 1, 2, not 3"),
        ("tcn", {"classes": 2, "inputs": 51, "pool": "max"}, "pool must be one of mean, last, not max"),
        ("lstm", {"classes": 2, "inputs": 0}, "inputs must be at least 1, not 0"),
        ("resnet18", {"classes": 2, "dropout": 1.5}, "dropout probability has to be between 0 and 1, but got 1.5"),
        ("resnet18", {"classes": 2, "dropout": float("nan")}, "dropout must be a number, not nan"),
        ("transformer-image", {"classes": 2, "width": 30}, "width must be a multiple of 4 and of heads (4), not 30"),
        ("tinyvgg", {"classes": 10**13}, "the model 'tinyvgg' cannot be built with these options"),
        ("dcgan-generator", {"size": 28}, "size must be one of 8, 16, 32, 64, 128 pixels, not 28"),
        ("cnn-lstm", {"classes": 2, "motion": 1}, "motion must be true or false, not 1"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_told_in_one_line(name, options, told):
    assert told in refusal(name, **options)


def test_options_from_a_file_build_the_same_model():
    options = {"classes": 3, "inputs": 20, "hidden": (16, 8), "dropout": 0}
    torch.manual_seed(0)
    one = build("mlp", **options)
    torch.manual_seed(0)
    other = build("mlp", **json.loads(json.dumps(options)))
    assert repr(one) == repr(other)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_every_option_has_a_default_or_is_about_the_data(name):
    for option, parameter in options_of(name).items():
        assert parameter.default is not inspect.Parameter.empty or option in {"classes", "inputs"}


def test_models_can_be_chosen_by_what_they_take_and_give():
    assert {"tinyvgg", "resnet18", "mobilenet"} <= set(names("image", "classes"))
    assert set(names("window", "classes")) == {"lstm", "gru", "tcn", "transformer-sequence"}
    assert names(gives="boxes") == ("yolox-nano", "yolox-tiny", "yolox-s", "yolox")
    assert names() == tuple(MODELS)


def test_listing_the_models_loads_no_torch():
    code = "import sys; from pahara.models import MODELS, names; assert names('image'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_without_torch_the_answer_is_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pahara.models import build\n"
        "from pahara.core import ModelError\n"
        "try: build('tcn', classes=2, inputs=51)\n"
        "except ModelError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'pahara[train]'" in answer


def test_every_promised_name_is_there():
    for name in pahara.models.__all__:
        assert getattr(pahara.models, name) is not None
    homes = [name for promised in pahara.models._HOMES.values() for name in promised]
    assert sorted(homes) == sorted(pahara.models.__all__)
    with pytest.raises(AttributeError, match="Resnet"):
        _ = pahara.models.Resnet
