"""Where places come on a map: fractions of its width, from its upper left corner."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from reports.documents.words import Words

MARGIN = 0.07
RATIOS = (0.45, 0.8)  # of height to width that a picture may have
LEAST_DEGREES = 2.0
EDGE = 0.96


class Frame:
    """Places on a plane as fractions of a picture's width, from its upper left corner."""

    def __init__(self, bounds: Any) -> None:
        left, low, right, high = (float(one) for one in bounds)
        width, height = max(right - left, 1e-9), max(high - low, 1e-9)
        ratio = min(max(height / width, RATIOS[0]), RATIOS[1])
        # The larger of both, so that all of it fits, and a margin around.
        across = max(width, height / ratio) / (1.0 - 2.0 * MARGIN)
        self.metres, self.ratio = across, round(ratio, 4)
        self.left = (left + right) / 2.0 - across / 2.0
        self.top = (low + high) / 2.0 + across * ratio / 2.0
        self.pixel = across / 2_000.0

    def at(self, x: float, y: float) -> list[float]:
        """A place of the plane."""
        return [round((x - self.left) / self.metres, 4), round((self.top - y) / self.metres, 4)]


def scale(metres: float, words: Words) -> dict[str, Any]:
    """A bar of a round length, about a fifth of the picture."""
    rough = metres / 5.0
    power = 10.0 ** math.floor(math.log10(rough))
    length = max(m * power for m in (1.0, 2.0, 5.0) if m * power <= rough)
    key, shown = ("map.scale", length / 1_000.0) if length >= 1_000.0 else ("map.scale_m", length)
    return {"width": round(length / metres, 4), "label": words.say(key, length=f"{shown:g}")}


class Degrees(Frame):
    """Degrees on a plane on which a degree is as long to the east as to the north."""

    def __init__(self, bounds: Sequence[float], squeeze: float) -> None:
        super().__init__(bounds)
        self.squeeze = squeeze

    def at(self, x: float, y: float) -> list[float]:
        """A place by its longitude and latitude."""
        return super().at(x * self.squeeze, y)

    def graticule(self) -> list[dict[str, Any]]:
        """Meridians and parallels of round degrees."""
        right = self.left + self.metres
        low = self.top - self.metres * self.ratio
        west, east = self.left / self.squeeze, right / self.squeeze
        step = _degree_step(max(east - west, self.top - low))
        return [
            *_meridians(west, east, step, lambda degrees: self.at(degrees, self.top)[0]),
            *_parallels(low, self.top, step, lambda degrees: self.at(0.0, degrees)[1]),
        ]


def _degree_step(across: float) -> int:
    return next((one for one in (1, 2, 5, 10) if across / one <= 9), 20)


def _whole(low: float, high: float, step: int) -> range:
    return range(math.ceil(low / step) * step, math.floor(high) + 1, step)


def _meridians(
    west: float, east: float, step: int, at: Callable[[float], float]
) -> list[dict[str, Any]]:
    # Of one at the right edge the number would be cut.
    lines = [(at(one), one) for one in _whole(west, east, step)]
    return [{"x": x, "label": f"{one}°" if x < EDGE else ""} for x, one in lines]


def _parallels(
    low: float, top: float, step: int, at: Callable[[float], float]
) -> list[dict[str, Any]]:
    return [{"y": at(one), "label": f"{one}°"} for one in _whole(low, top, step)]


def degrees_of(points: Any) -> Degrees:
    """A frame of longitudes and latitudes, shape (places, 2)."""
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    squeeze = math.cos(math.radians((south + north) / 2.0))
    across = max(LEAST_DEGREES - (east - west) * squeeze, 0.0) / 2.0
    bounds = (west * squeeze - across, south, east * squeeze + across, north)
    return Degrees(bounds, squeeze)
