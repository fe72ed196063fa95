"""What cameras do to pictures: blur, compression, night. Boxes stay where they are."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np

from pahara.core import Image

Rng = np.random.Generator


def blurred(image: Image, rng: Rng) -> Image:
    """Out of focus (Gaussian, 0.6 to 2 pixels) or moving (a line of 3 to 9 pixels), half and half."""
    if rng.random() < 0.5:
        result: Image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.6, 2.0)))
        return result
    length = 2 * int(rng.integers(1, 5)) + 1
    angle = rng.uniform(0, np.pi)
    reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    kernel = np.zeros((length, length), np.float32)
    for along in np.linspace(-1, 1, 2 * length + 1):
        x, y = np.rint((length - 1) / 2 + along * reach).astype(int)
        kernel[y, x] = 1
    moved: Image = cv2.filter2D(image, -1, kernel / kernel.sum())
    return moved


def jpeg_noise(image: Image, quality: int) -> Image:
    """The picture after a JPEG of `quality` 1..100."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Image | None = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return image if decoded is None else decoded


def video_noise(image: Image, crf: int, rng: Rng) -> Image:
    """The picture as the second frame of an H.264 stream: predicted from a slightly shifted first one, with few bits.

    `crf` is x264's rate factor: 23 looks good, 40 bad. Really encoded and decoded, about 5 ms at 416 × 416.
    """
    tall, wide = image.shape[:2]
    even = cv2.copyMakeBorder(image, 0, tall % 2, 0, wide % 2, cv2.BORDER_REPLICATE)
    shift = rng.integers(-3, 4, 2)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = even.shape[1], even.shape[0], "yuv420p", Fraction(1, 10)
    encoder.options = {"preset": "ultrafast", "crf": str(crf), "tune": "zerolatency", "x264-params": "log-level=none"}
    encoder.thread_count = 1
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    packets = []
    for n, picture in enumerate((np.roll(even, tuple(shift), (0, 1)), even)):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24").reformat(format="yuv420p", threads=1)
        frame.pts = n
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + list(decoder.decode(None))
    if not frames:
        return image
    result: Image = frames[-1].to_ndarray(format="bgr24", threads=1)[:tall, :wide]
    return np.ascontiguousarray(result)


def night(image: Image, rng: Rng) -> Image:
    """A night picture: darkened, brightest where a lamp stands, with the noise of a sensor, and grey in two of three cases."""
    tall, wide = image.shape[:2]
    light = cv2.LUT(image, (255 * (np.arange(256) / 255) ** float(rng.uniform(1.2, 2.0))).astype(np.uint8)).astype(np.float32)
    if rng.random() < 2 / 3:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    x, y = rng.uniform(0.2, 0.8, 2) * (wide, tall)
    reach = max(wide, tall) * float(rng.uniform(0.4, 0.9))
    across, down = ((np.arange(wide) - x) / reach) ** 2, ((np.arange(tall) - y) / reach) ** 2
    lamp = np.exp(-(across[None] + down[:, None]) / 2).astype(np.float32)[..., None]
    light *= float(rng.uniform(0.35, 0.7)) * (0.45 + 0.55 * lamp)
    strength = float(rng.uniform(2, 8))
    noise = rng.standard_normal((tall, wide, 1), np.float32) * strength
    result: Image = (light + noise).clip(0, 255).astype(np.uint8)
    return result
