"""Neural networks, one readable file each, with no training in them.

Names are loaded on first use, so that importing this package loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .autoencoder import Autoencoder
    from .cnn_lstm import CNNLSTM
    from .gan import Discriminator, Generator
    from .mlp import MLP
    from .mobilenet import MobileNet
    from .recurrent import Recurrent
    from .registry import MODELS, build, names, options_of
    from .resnet import ResNet
    from .sequence_autoencoder import SequenceAutoencoder
    from .tcn import TCN
    from .tinyvgg import TinyVGG
    from .transformer import ImageTransformer, SequenceTransformer
    from .vgg import VGG
    from .yolox import YOLOX

__all__ = [
    "CNNLSTM", "MLP", "MODELS", "TCN", "VGG", "YOLOX", "Autoencoder", "Discriminator", "Generator", "ImageTransformer", "MobileNet", "Recurrent",
    "ResNet", "SequenceAutoencoder", "SequenceTransformer", "TinyVGG", "build", "names", "options_of",
]  # fmt: skip

_HOMES = {
    "autoencoder": ("Autoencoder",),
    "cnn_lstm": ("CNNLSTM",),
    "gan": ("Discriminator", "Generator"),
    "mlp": ("MLP",),
    "mobilenet": ("MobileNet",),
    "recurrent": ("Recurrent",),
    "registry": ("MODELS", "build", "names", "options_of"),
    "resnet": ("ResNet",),
    "sequence_autoencoder": ("SequenceAutoencoder",),
    "tcn": ("TCN",),
    "tinyvgg": ("TinyVGG",),
    "transformer": ("ImageTransformer", "SequenceTransformer"),
    "vgg": ("VGG",),
    "yolox": ("YOLOX",),
}

if not TYPE_CHECKING:  # a type checker would take every misspelt name for a lazy one

    def __getattr__(name: str) -> object:
        for module, promised in _HOMES.items():
            if name in promised:
                value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
