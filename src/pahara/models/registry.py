"""The models by name: what there is, which options each takes, and `build`.

A weights file keeps a name and options, so it can be rebuilt years later: names and options here are promises.
Listing the names loads no torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from math import isfinite
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pahara.core.errors import ModelError
from pahara.core.frozen import Frozen

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Entry:
    """One name of the registry."""

    where: str  # "module:Class" inside pahara.models
    takes: str  # "table", "image", "clip", "window" (box or skeleton windows) or "noise"
    gives: str  # "classes", "boxes", "copy" (the input again), "image" or "score"
    about: str  # one line for a list of models
    preset: Mapping[str, Any] = field(default_factory=dict)  # options that the name itself decides


MODELS: Mapping[str, Entry] = Frozen(
    {
        "mlp": Entry("mlp:MLP", "table", "classes", "fully connected layers, for tables and tiny pictures"),
        "tinyvgg": Entry("tinyvgg:TinyVGG", "image", "classes", "a small CNN of two blocks: the first one to try"),
        "vgg11": Entry("vgg:VGG", "image", "classes", "VGG with 8 convolutions and batch norm", {"depth": 11}),
        "vgg16": Entry("vgg:VGG", "image", "classes", "VGG with 13 convolutions and batch norm", {"depth": 16}),
        "resnet18": Entry("resnet:ResNet", "image", "classes", "residual network of 18 layers", {"depth": 18}),
        "resnet34": Entry("resnet:ResNet", "image", "classes", "residual network of 34 layers", {"depth": 34}),
        "mobilenet": Entry("mobilenet:MobileNet", "image", "classes", "MobileNetV2: depthwise convolutions for phones and small computers"),
        "transformer-image": Entry("transformer:ImageTransformer", "image", "classes", "a small vision transformer over patches"),
        "yolox-nano": Entry(
            "yolox:YOLOX", "image", "boxes", "detector for small computers", {"depth": 0.33, "width": 0.25, "depthwise": True}
        ),
        "yolox-tiny": Entry(
            "yolox:YOLOX", "image", "boxes", "detector, 5 million weights", {"depth": 0.33, "width": 0.375, "depthwise": False}
        ),
        "yolox-s": Entry("yolox:YOLOX", "image", "boxes", "detector, 9 million weights", {"depth": 0.33, "width": 0.5, "depthwise": False}),
        "yolox": Entry("yolox:YOLOX", "image", "boxes", "detector of a depth and width of one's own"),
        "cnn-lstm": Entry("cnn_lstm:CNNLSTM", "clip", "classes", "a CNN looks at each frame, an LSTM at their order"),
        "lstm": Entry(
            "recurrent:Recurrent", "window", "classes", "LSTM over box or skeleton windows, of one person or two", {"cell": "lstm"}
        ),
        "gru": Entry("recurrent:Recurrent", "window", "classes", "GRU over box or skeleton windows, of one person or two", {"cell": "gru"}),
        "tcn": Entry("tcn:TCN", "window", "classes", "causal dilated convolutions over windows, of one person or two"),
        "transformer-sequence": Entry("transformer:SequenceTransformer", "window", "classes", "a small transformer over windows"),
        "autoencoder": Entry(
            "autoencoder:Autoencoder", "image", "copy", "squeezes a frame and paints it again: large error, unusual frame"
        ),
        "sequence-autoencoder": Entry("sequence_autoencoder:SequenceAutoencoder", "window", "copy", "the same for windows"),
        "dcgan-generator": Entry("gan:Generator", "noise", "image", "DCGAN: noise to picture"),
        "dcgan-discriminator": Entry("gan:Discriminator", "image", "score", "DCGAN: is the picture real?"),
    }
)


def build(name: str, **options: Any) -> nn.Module:
    """A new model with fresh weights (from torch's global generator: seed it first).

    Options are the model's own keyword arguments (`options_of(name)`). ModelError for a name or an option that nobody
    knows, an option that is missing, or a value that cannot be.
    """
    known = options_of(name)
    for option in options:
        if option not in known:
            raise ModelError(f"the model '{name}' has no option '{option}'. {_did_you_mean(option, known)}")
    missing = [option for option, parameter in known.items() if parameter.default is parameter.empty and option not in options]
    if missing:
        example = ", ".join(f"{option}=…" for option in missing)
        raise ModelError(f"the model '{name}' needs {' and '.join(missing)}: build('{name}', {example})")
    given = {option: _fitting(name, option, value, known[option].annotation) for option, value in options.items()}
    try:
        made: nn.Module = _load(name)(**MODELS[name].preset, **given)
    except (ValueError, RuntimeError) as error:  # what torch itself refuses: a share of 1.5 to drop, or a terabyte of weights
        raise ModelError(f"the model '{name}' cannot be built with these options: {str(error).splitlines()[0]}") from error
    return made


def options_of(name: str) -> Mapping[str, inspect.Parameter]:
    """Option -> its parameter (`default`, `annotation`); `default is inspect.Parameter.empty` where it must be given."""
    parameters = inspect.signature(_load(name), eval_str=True).parameters
    return {option: parameter for option, parameter in parameters.items() if option not in MODELS[name].preset}


def names(takes: str = "", gives: str = "") -> tuple[str, ...]:
    """The names, all or those that take ("image", "clip", "window" …) and give ("classes", "copy" …) something."""
    return tuple(name for name, entry in MODELS.items() if takes in ("", entry.takes) and gives in ("", entry.gives))


def _load(name: str) -> Any:
    if name not in MODELS:
        raise ModelError(f"no model named '{name}'. {_did_you_mean(name, MODELS)}")
    module, _, attribute = MODELS[name].where.partition(":")
    try:
        return getattr(import_module(f".{module}", __package__), attribute)
    except ModuleNotFoundError as error:
        if error.name == "torch":
            raise ModelError(f"the model '{name}' needs PyTorch, which is not installed. Try `pip install 'pahara[train]'`") from None
        raise


def _fitting(name: str, option: str, value: Any, kind: Any) -> Any:
    """The value as the option wants it: a list from JSON becomes a tuple, a whole number a float; ModelError otherwise."""
    if get_origin(kind) is tuple and isinstance(value, (list, tuple)):
        return tuple(_fitting(name, option, item, get_args(kind)[0]) for item in value)
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    if kind in (int, bool, str) and type(value) is kind:
        return value
    wanted = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}.get(kind, "a list of whole numbers")
    raise ModelError(f"the model '{name}': {option} must be {wanted}, not {value!r}")


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = get_close_matches(word.lower().replace("_", "-"), known, 1) or get_close_matches(word.lower(), known, 1)
    return f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known)}"
