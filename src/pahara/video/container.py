"""Opens FFmpeg containers: allowed formats and protocols only, one decoder thread, errors as one clear line."""

from __future__ import annotations

import ctypes
import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av

from pahara.core import SourceError, without_secrets

# Not the demuxers that open further addresses or draw text: concat, lavfi, sdp, tty, …
FILE_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,vvc,flv,asf,mjpeg,mpjpeg,ogg,gif,apng,ivf,av1,obu,"
    "rm,dv,mxf,nut,yuv4mpegpipe,vc1,dhav,image2,jpeg_pipe,png_pipe,bmp_pipe,webp_pipe,tiff_pipe,mp3,wav,flac,aac,caf,aiff"
)
NETWORK_FORMATS = FILE_FORMATS + ",rtsp,rtp,hls"

TIMELESS = frozenset({"mpjpeg", "mjpeg", "h264", "hevc", "m4v", "jpeg_pipe", "png_pipe", "image2"})

LARGEST = 256 << 20  # bytes in one piece: a picture of 8K takes 50 MB

Opener = Callable[[], av.container.InputContainer]


@dataclass(frozen=True, slots=True)
class Connection:
    """An open container, the stream of pictures in it, and its decoder."""

    container: av.container.InputContainer
    stream: av.VideoStream
    decoder: av.VideoCodecContext  # owns its memory: it may outlive the container
    time_base: Fraction
    step: float  # nominal seconds between frames
    timeless: bool = False  # whether its timestamps are made up from a frame rate that nobody told

    def close(self) -> None:
        self.container.close()


def connect(opener: Opener, shown: str, threads: int = 1, timeout: float = float("inf")) -> Connection:
    """Open, find the pictures, set up their decoder. SourceError in one line otherwise."""
    began = time.monotonic()
    try:
        container = opener()
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise SourceError(explain(error, shown, late=time.monotonic() - began > 0.9 * timeout)) from error
    pictures = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not pictures:
        kinds = {s.type for s in container.streams}
        container.close()
        told = "sound but no pictures" if "audio" in kinds or kinds == {"video"} else "no pictures"
        raise SourceError(f"{shown} has {told}; give a video")
    stream = pictures[0]
    container.flags &= ~av.container.Flags.gen_pts.value  # made-up times are worse than none: AVI's would be in decoding order
    for other in container.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all
    if stream.codec_context is None:
        container.close()
        raise SourceError(f"no decoder is known for the pictures of {shown}; convert it to H.264")
    stream.codec_context.thread_count = threads
    if threads != 1:
        stream.thread_type = "AUTO"
    rate = stream.average_rate or stream.guessed_rate
    step = float(1 / rate) if rate and 0.1 <= rate <= 1000 else 0.04
    timeless = container.format.name in TIMELESS
    return Connection(container, stream, stream.codec_context, stream.time_base or Fraction(1, 1000), step, timeless)


@cache
def bound_allocations() -> bool:
    """No single piece of memory that FFmpeg takes is larger than `LARGEST` -> whether that could be arranged.

    A camera may announce a description of 2 GB (RTSP, Content-Length), and FFmpeg would make room for it and read it.
    """
    beside = Path(av.__file__).parent
    for folder in (beside.with_name("av.libs"), beside / ".dylibs", beside):
        for library in sorted(folder.glob("*avutil*")) if folder.is_dir() else ():
            try:
                limit = ctypes.CDLL(str(library)).av_max_alloc
                limit.argtypes, limit.restype = [ctypes.c_size_t], None
                limit(LARGEST)
            except (OSError, AttributeError):
                continue
            return True
    return False


def file_opener(path: str) -> Opener:
    options = {"protocol_whitelist": "file", "format_whitelist": FILE_FORMATS}
    return lambda: av.open(path, container_options=options, metadata_errors="replace")


def network_opener(url: str, timeout: float) -> Opener:
    scheme = url.split(":", 1)[0].lower()
    if scheme in ("rtsp", "rtsps"):
        options = {
            "rtsp_transport": "tcp",
            "allowed_media_types": "video",
            "timeout": str(round(timeout * 1e6)),  # microseconds, of the socket; the interrupt below is the one that always works
            "analyzeduration": "1500000",  # microseconds of looking for the frame rate, which nothing here depends on
            "fpsprobesize": "2",
            "protocol_whitelist": "rtsp,rtsps,rtp,srtp,tcp,tls,udp,crypto",
        }
    else:
        # A camera that redirects would send us wherever it likes, into the network that it was locked up in.
        options = {
            "rw_timeout": str(round(timeout * 1e6)),
            "max_redirects": "0",
            "protocol_whitelist": "http,https,tcp,tls,crypto,httpproxy",
        }
    options["format_whitelist"] = NETWORK_FORMATS
    bound_allocations()
    return lambda: av.open(url, container_options=options, timeout=timeout, metadata_errors="replace")


def explain(error: Exception, shown: str, *, late: bool = False) -> str:
    """What was wrong with `shown`, and what to try, in one line without secrets.

    `late`: the whole timeout had passed. RTSP tells an interrupted read as damaged data.
    """
    shown = without_secrets(shown)
    if late:
        return f"{shown} does not answer in time; check the network and the camera, or give it a longer timeout"
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (av.error.HTTPUnauthorizedError, f"{shown} refuses the user name or password; check them (they stand before the @)"),
        (av.error.HTTPForbiddenError, f"{shown} forbids reading it; check the user's rights"),
        (av.error.HTTPNotFoundError, f"{shown} has no such stream; check the path after the host name"),
        (ConnectionRefusedError, f"nothing listens at {shown}; check the address and port, and that the camera is on"),
        (
            (av.error.ExitError, TimeoutError),
            f"{shown} does not answer in time; check the network and the camera, or give it a longer timeout",
        ),
        (FileNotFoundError, f"{shown} does not exist; check the name"),
        (PermissionError, f"{shown} may not be read; check its permissions"),
        (av.error.ProtocolNotFoundError, f"{shown} is of a kind that cannot be opened"),
        (av.error.HTTPError, f"{shown} answers with an error: {error}"),
        ((av.error.InvalidDataError, ValueError), f"{shown} is no video that can be read; it may be damaged, or a file of another kind"),
    )
    for kind, line in kinds:
        if isinstance(error, kind):
            return without_secrets(line)
    if "://" in shown and getattr(error, "errno", None) == errno.EIO:
        return f"cannot reach {shown}; check the host name and the network"
    reason = getattr(error, "strerror", None) or str(error)
    return without_secrets(f"cannot read {shown}: {reason}; check the address and that the camera is on")


def mends_itself(error: BaseException | None) -> bool:
    """Whether waiting may help: not where the camera answered that it will not."""
    return not isinstance(error, av.error.HTTPClientError | av.error.ProtocolNotFoundError)


def sniff(path: Path) -> str:
    """Why a file that FFmpeg refuses is no video: "" when that cannot be said."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:  # told already by who tried to open it
        return ""
    if not head:
        return "is empty (0 bytes)"
    if b"\0" not in head:
        try:
            head.decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            if error.start < len(head) - 3:  # not just a character cut in two
                return ""
        return "is a text file, not a video"
    if b"ftyp" in head[:64]:
        return "is a video without its index (moov): the recording was cut off; copy it again, or mend it with untrunc or ffmpeg"
    return ""
