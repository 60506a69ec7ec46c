"""Colors, shapes and textures that the house renderer draws with."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Color = tuple[float, float, float]

COLORS: dict[str, Color] = {
    "red": (0.86, 0.13, 0.12),
    "orange": (0.96, 0.52, 0.08),
    "yellow": (0.97, 0.86, 0.15),
    "green": (0.15, 0.62, 0.22),
    "cyan": (0.15, 0.78, 0.82),
    "blue": (0.13, 0.27, 0.82),
    "purple": (0.52, 0.18, 0.68),
    "pink": (0.96, 0.48, 0.68),
    "white": (0.95, 0.95, 0.95),
    "gray": (0.5, 0.5, 0.5),
    "black": (0.06, 0.06, 0.07),
    "brown": (0.45, 0.27, 0.12),
    # not in the house look
    "teal": (0.02, 0.45, 0.42),
    "gold": (0.83, 0.66, 0.22),
    "crimson": (0.64, 0.03, 0.22),
    "lime": (0.66, 0.92, 0.1),
    "navy": (0.05, 0.08, 0.36),
    "cream": (0.97, 0.91, 0.76),
}


def luma(color: Color) -> float:
    """Rec. 601 luma of a color in 0..1."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def contrast(a: Color, b: Color) -> float:
    """Euclidean RGB distance plus luma difference: what a person needs to tell an object from its ground."""
    return float(np.linalg.norm(np.subtract(a, b))) + abs(luma(a) - luma(b))


def shade(color: Color, amount: float) -> Color:
    """The color moved toward white (amount > 0) or black (amount < 0)."""
    target = 1.0 if amount > 0 else 0.0
    r, g, b = (c + (target - c) * abs(amount) for c in color)
    return r, g, b


def _polygon(points: list[tuple[float, float]]) -> Callable[[int], NDArray[np.int32]]:
    return lambda size: np.asarray([(x * size, y * size) for x, y in points], np.int32)


def _ring_points(n: int, inner: float = 1.0, turn: float = -90.0) -> list[tuple[float, float]]:
    """n outer points on a circle, with a point at `inner` radius between two of them where inner < 1."""
    points: list[tuple[float, float]] = []
    steps = n if inner >= 1.0 else 2 * n
    for i in range(steps):
        radius = 0.48 * (inner if steps > n and i % 2 else 1.0)
        angle = np.deg2rad(turn + 360.0 * i / steps)
        points.append((0.5 + radius * float(np.cos(angle)), 0.5 + radius * float(np.sin(angle))))
    return points


_POLYGONS: dict[str, Callable[[int], NDArray[np.int32]]] = {
    "square": _polygon([(0.12, 0.12), (0.88, 0.12), (0.88, 0.88), (0.12, 0.88)]),
    "triangle": _polygon(_ring_points(3)),
    "star": _polygon(_ring_points(5, 0.45)),
    "diamond": _polygon([(0.5, 0.02), (0.8, 0.5), (0.5, 0.98), (0.2, 0.5)]),
    "bar": _polygon([(0.02, 0.34), (0.98, 0.34), (0.98, 0.66), (0.02, 0.66)]),
    "hexagon": _polygon(_ring_points(6)),
    "gear": _polygon(_ring_points(9, 0.7)),
    "arrow": _polygon([(0.98, 0.5), (0.55, 0.1), (0.55, 0.34), (0.02, 0.34), (0.02, 0.66), (0.55, 0.66), (0.55, 0.9)]),
    "cross": _polygon(
        [
            (0.34, 0.04),
            (0.66, 0.04),
            (0.66, 0.34),
            (0.96, 0.34),
            (0.96, 0.66),
            (0.66, 0.66),
            (0.66, 0.96),
            (0.34, 0.96),
            (0.34, 0.66),
            (0.04, 0.66),
            (0.04, 0.34),
            (0.34, 0.34),
        ]
    ),
}
SHAPES = (*_POLYGONS, "circle", "ring", "crescent", "heart")
ROUND_SHAPES = ("circle", "ring")


def mask(shape: str, size: int) -> Image:
    """Coverage of a shape, (size, size) in 0..1, anti-aliased by the caller's resampling."""
    import cv2

    canvas = np.zeros((size, size), np.uint8)
    half = size // 2
    if shape in _POLYGONS:
        cv2.fillPoly(canvas, [_POLYGONS[shape](size)], 255)
    elif shape == "heart":
        cv2.circle(canvas, (int(0.29 * size), int(0.34 * size)), int(0.245 * size), 255, -1)
        cv2.circle(canvas, (int(0.71 * size), int(0.34 * size)), int(0.245 * size), 255, -1)
        cv2.fillPoly(canvas, [_polygon([(0.08, 0.46), (0.92, 0.46), (0.5, 0.97)])(size)], 255)
    else:
        cv2.circle(canvas, (half, half), int(0.48 * size), 255, -1)
        if shape == "ring":
            cv2.circle(canvas, (half, half), int(0.24 * size), 0, -1)
        elif shape == "crescent":
            cv2.circle(canvas, (int(0.7 * size), half), int(0.4 * size), 0, -1)
    return canvas.astype(np.float32) / 255.0


def smooth_noise(rng: np.random.Generator, size: int, coarse: int, octaves: int = 4) -> Image:
    """Noise with falling energy toward fine detail, (size, size), about -1..1."""
    import cv2

    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = min(size, coarse * 2**octave)
        grid = rng.standard_normal((cells, cells), np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) * (0.6**octave)
    return total / 1.6


def _pattern(kind: str, rng: np.random.Generator, size: int, period: float) -> Image:
    """The share of the second color at each pixel, (size, size) in 0..1; period is in pixels."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    if kind == "plain":
        return np.zeros((size, size), np.float32)
    if kind == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        ramp = x * np.cos(angle) + y * np.sin(angle)
        return ((ramp - ramp.min()) / (ramp.max() - ramp.min())).astype(np.float32)
    if kind == "noise":
        return np.clip(0.5 + 0.45 * smooth_noise(rng, size, max(3, int(size / period / 2))), 0, 1)
    sharp = period / 2.5
    if kind == "striped":
        angle = rng.choice((0.0, np.pi / 2, np.pi / 4))
        wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    elif kind == "checkered":
        wave = np.sin(np.pi * x / period) * np.sin(np.pi * y / period)
    elif kind == "dotted":
        wave = np.cos(2 * np.pi * x / period) + np.cos(2 * np.pi * y / period) - 0.7
    elif kind == "wavy":
        wave = np.sin(2 * np.pi * (y + 0.35 * period * np.sin(2 * np.pi * x / (3 * period))) / period)
    elif kind == "tiled":
        row = np.floor(y / period)
        wave = np.minimum(np.abs(np.sin(np.pi * y / period)), np.abs(np.sin(np.pi * (x / (2 * period) + row / 2))))
        wave = 0.28 - wave
    else:
        raise ValueError(f"unknown texture {kind!r}")
    return np.clip(0.5 + wave * sharp / 2, 0, 1).astype(np.float32)


TEXTURES = ("plain", "gradient", "noise", "striped", "checkered", "dotted", "wavy", "tiled")


def texture(kind: str, a: Color, b: Color, rng: np.random.Generator, size: int, period: float) -> Image:
    """A (size, size, 3) picture of a texture between two colors, 0..1."""
    share = _pattern(kind, rng, size, period)[..., None]
    return (np.asarray(a, np.float32) * (1 - share) + np.asarray(b, np.float32) * share).astype(np.float32)
