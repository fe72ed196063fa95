"""What a cheap camera does to a picture: softness, sharpening halos, colour fringes, noise, rain on the way, a clock in the corner."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pahara.core import Image

from .script import Script, Tamper

Floats = NDArray[np.floating[Any]]
FIELDS = 12  # noise pictures that take turns, each time shifted differently
GAIN = {"day": 1.0, "overcast": 1.1, "dusk": 2.0, "night_ir": 1.6, "night_lamp": 2.6, "indoor": 1.4}  # noise under each light


def tone_table() -> NDArray[np.uint8]:
    """(4096,): the film curve. Row sqrt(x / 4) * 4095 holds what linear x in 0..4 becomes."""
    x = (np.arange(4096) / 4095) ** 2 * 4
    curve = 1 - np.exp(-1.75 * x)
    return np.asarray(np.round(255 * curve ** (1 / 2.2)), np.uint8)


_TONE = tone_table()


def tone(linear: Floats) -> NDArray[np.uint8]:
    """Linear light (1 is white paper in the sun, exposed) -> display values 0..255."""
    index = np.sqrt(np.clip(linear, 0, 4, dtype=np.float32)) * np.float32(4095 / 2)
    return np.asarray(_TONE[index.astype(np.uint16)])


class Sensor:
    """Turns the clean picture of one moment into what the camera delivers."""

    def __init__(self, script: Script) -> None:
        self.script = script
        w, h = script.size
        s = script.sensor
        self.amount = s.noise * GAIN[script.light.kind]
        self.ir = script.light.kind == "night_ir"
        rng = np.random.default_rng([script.seed, 31])
        self._fields = []
        if self.amount > 0:
            for _ in range(FIELDS):
                luma = rng.normal(0, 1, (h + 64, w + 64)).astype(np.float32)
                luma = 0.65 * luma + 1.1 * cv2.GaussianBlur(luma, (0, 0), 0.8)
                field = np.repeat(luma[..., None], 3, -1)
                if not self.ir:  # colour noise is coarse: the camera has smoothed it already
                    blotch = cv2.resize(
                        rng.normal(0, 1, ((h + 64) // 4, (w + 64) // 4, 3)).astype(np.float32),
                        (w + 64, h + 64),
                        interpolation=cv2.INTER_LINEAR,
                    )
                    field += 0.55 * blotch
                self._fields.append(np.clip(field * 24, -127, 127).astype(np.int8))
        x = np.arange(256, dtype=np.float32)
        # Photon noise in display values: strongest in the dark greys, little in white, none in clipped black.
        self._strength = np.clip(self.amount * 2.4 * (0.55 + 0.9 * np.exp(-(((x - 55) / 70) ** 2))) * np.clip(x / 14, 0.25, 1), 0, 40)
        self._last = -1
        self._stamps: dict[bool, tuple[str, Any]] = {}
        self._fringe = self._fringe_maps() if s.fringe > 0 and not self.ir else None

    def _fringe_maps(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        w, h = self.script.size
        grow = 2 * self.script.sensor.fringe / w
        made = []
        for sign in (1, -1):
            k = 1 + sign * grow
            made.append(np.array([[k, 0, (1 - k) * w / 2], [0, k, (1 - k) * h / 2]], np.float32))
        return made[0], made[1]

    def __call__(self, picture: Image, time: float, index: int, tampers: tuple[Tamper, ...] = ()) -> Image:
        """(h, w, 3) BGR -> the delivered (h, w, 3) BGR; `index` is the frame's number."""
        s, rng = self.script.sensor, np.random.default_rng([self.script.seed, index, 7])
        out = picture
        if self.script.rain > 0:
            out = self._rain(out, rng)
        for tamper in tampers:
            out = self._tamper(out, tamper, time)
        if self._fringe is not None:
            size = self.script.size
            blue = cv2.warpAffine(
                np.ascontiguousarray(out[..., 0]), self._fringe[0], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            red = cv2.warpAffine(
                np.ascontiguousarray(out[..., 2]), self._fringe[1], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            out = cv2.merge([blue, np.ascontiguousarray(out[..., 1]), red])
        if s.blur > 0:
            out = cv2.GaussianBlur(out, (0, 0), s.blur)
        if s.sharpen > 0:
            out = cv2.addWeighted(out, 1 + s.sharpen, cv2.GaussianBlur(out, (0, 0), 1.6), -s.sharpen, 0)
        if self._fields:
            out = self._noise(out, rng)
        if self.ir:
            grey = cv2.cvtColor(out, cv2.COLOR_BGR2GRAY)
            out = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        if s.clock or s.title:
            out = self._write(np.ascontiguousarray(out), time)
        if s.jpeg:
            squeezed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, s.jpeg])[1]
            out = np.asarray(cv2.imdecode(squeezed, cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(out)

    def _noise(self, picture: Image, rng: np.random.Generator) -> Image:
        which = int(rng.integers(FIELDS - 1))
        which += which >= self._last >= 0
        self._last = which = which % FIELDS
        dx, dy = rng.integers(64, size=2)
        h, w = picture.shape[:2]
        field = self._fields[which][dy : dy + h, dx : dx + w]
        level = cv2.LUT(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.round(self._strength * 6).astype(np.uint8))
        grained = (field.astype(np.int16) * level[..., None].astype(np.int16)) >> 7  # 24 * 6 is about 128
        result: Image = cv2.add(picture, grained, dtype=cv2.CV_8U)
        return result

    def _rain(self, picture: Image, rng: np.random.Generator) -> Image:
        h, w = picture.shape[:2]
        mask = np.zeros((h, w), np.uint8)
        n = int(self.script.rain * 150 * w / 640)
        x, y = rng.uniform(-20, w, n), rng.uniform(-40, h, n)
        near = rng.uniform(0.3, 1, n) ** 2
        slant = 0.18 + 0.04 * rng.normal(size=n)
        for i in range(n):
            long = 10 + 38 * near[i] * h / 360
            a, b = (int(x[i] * 16), int(y[i] * 16)), (int((x[i] + slant[i] * long) * 16), int((y[i] + long) * 16))
            cv2.line(mask, a, b, int(30 + 60 * near[i]), 1, cv2.LINE_AA, 4)
        mask = cv2.GaussianBlur(mask, (0, 0), 0.7)
        veil = cv2.addWeighted(picture, 1 - 0.10 * self.script.rain, np.full_like(picture, 140), 0.10 * self.script.rain, 0)
        return np.asarray(cv2.add(veil, cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR)), np.uint8)

    def _tamper(self, picture: Image, tamper: Tamper, time: float) -> Image:
        u = tamper.strength(time, self.script.duration)
        if u == 0 or tamper.kind in ("moved", "frozen"):
            return picture
        if tamper.kind == "defocused":
            sigma = u * 9.0 * self.script.size[0] / 640
            return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma) if sigma > 0.3 else picture, np.uint8)
        if tamper.kind == "dark":
            x = np.arange(256) / 255
            table = np.round(255 * x * (1 - u * 0.965)).astype(np.uint8)
            return np.asarray(cv2.LUT(picture, table), np.uint8)
        h, w = picture.shape[:2]
        seed = int(np.random.default_rng([self.script.seed, int(tamper.begin * 10)]).integers(1 << 30))
        rng = np.random.default_rng(seed)
        cloth = cv2.resize(rng.normal(0, 1, (9, 16)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32) / w
        edge = x + 0.25 * y + 0.04 * cloth  # something is drawn across the lens from the left
        cover = np.clip((u * 1.45 - edge) / 0.16, 0, 1)[..., None]
        leak = cv2.GaussianBlur(picture, (0, 0), 25).astype(np.float32) * 0.05
        paint = np.array([24.0, 26.0, 32.0]) + 4.5 * cloth[..., None] + leak
        return np.asarray(np.clip(picture * (1 - cover) + paint * cover, 0, 255), np.uint8)

    def _write(self, picture: Image, time: float) -> Image:
        """Date, time and title, as the camera's own menu writes them (UTC)."""
        s = self.script.sensor
        told = datetime.fromtimestamp(self.script.epoch_seconds + time, UTC).strftime("%Y-%m-%d %H:%M:%S") if s.clock else ""
        for text, low in ((told, False), (s.title, True)):
            if text:
                where, halo, ink = self._stamp(text, low)
                part = picture[where] * halo
                picture[where] = (part + ink).astype(np.uint8)
        return picture

    def _stamp(self, text: str, low: bool) -> tuple[tuple[slice, slice], Floats, Floats]:
        """Where a text goes (upper left, or lower right), what it leaves of the picture there, and what it adds."""
        if self._stamps.get(low, ("",))[0] != text:
            w, h = self.script.size
            size = h / 360 * 0.46
            wide, tall = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)[0]
            x, y = (w - wide - int(0.016 * w), h - int(0.03 * h)) if low else (int(0.014 * w), int(0.052 * h))
            layer = np.zeros((h, w), np.uint8)
            cv2.putText(layer, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, 255, max(1, round(h / 480)), cv2.LINE_AA)
            edge = max(1, round(h / 360))
            where = (slice(max(y - 2 * tall, 0), min(y + tall, h)), slice(max(x - 4 * edge, 0), min(x + wide + 4 * edge, w)))
            halo = cv2.dilate(layer, np.ones((3, 3), np.uint8), iterations=edge)[where][..., None] / np.float32(255)
            ink = layer[where][..., None] / np.float32(255)
            self._stamps[low] = (text, (where, (1 - 0.75 * halo) * (1 - ink), 245 * ink))
        stamp: tuple[tuple[slice, slice], Floats, Floats] = self._stamps[low][1]
        return stamp
