"""Files, folders, webcams and RTSP in; clips and annotated video out."""

from .draw import draw, snapshot, thumbnail
from .files import ClipInfo
from .open import open_source
from .ring import FrameRing, PacketRing, Ring
from .source import SourceStats, VideoSource
from .writer import AnnotatedWriter, VideoWriter

__all__ = [
    "AnnotatedWriter", "ClipInfo", "FrameRing", "PacketRing", "Ring", "SourceStats", "VideoSource", "VideoWriter",
    "draw", "open_source", "snapshot", "thumbnail",
]  # fmt: skip
