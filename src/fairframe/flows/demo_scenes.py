"""Painted subjects for the demo's own footage: a wide still world in which one thing moves, and a camera in it.

A painter is a function (t seconds, canvas) -> canvas: uint8 RGB (CANVAS_H, CANVAS_W, 3). Nothing here is anybody's
picture, and none of it looks like the house base's shapes and dead leaves.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Color = tuple[int, int, int]
Painter = Callable[[float, Image], Image]

CANVAS_W, CANVAS_H = 528, 396
GROUND = 270


@cache
def noise(seed: int, octaves: int = 5, smooth: float = 0.5) -> NDArray[np.float32]:
    """Fractal value noise in 0..1, (CANVAS_H, CANVAS_W), that tiles horizontally."""
    import cv2

    rng = np.random.default_rng(seed)
    total = np.zeros((CANVAS_H, CANVAS_W), np.float32)
    for octave in range(octaves):
        cells = 2 ** (octave + 2)
        grid = rng.random((cells, cells + 1), np.float32)
        grid[:, -1] = grid[:, 0]
        total += smooth**octave * cv2.resize(grid, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_CUBIC)
    total -= total.min()
    return total / total.max()


def gradient(top: Color, bottom: Color) -> Image:
    """A vertical gradient over the whole canvas."""
    ramp = np.linspace(0, 1, CANVAS_H, dtype=np.float32)[:, None, None]
    row = np.array(top, np.float32) * (1 - ramp) + np.array(bottom, np.float32) * ramp
    return np.repeat(row, CANVAS_W, axis=1).astype(np.uint8)


def tinted(field: NDArray[np.float32], dark: Color, light: Color) -> Image:
    """A scalar field in 0..1 as a color between two."""
    low, high = np.array(dark, np.float32), np.array(light, np.float32)
    return (low + field[..., None] * (high - low)).clip(0, 255).astype(np.uint8)


def polygon(image: Image, points: Any, color: Color) -> Image:
    import cv2

    fixed = (np.asarray(points, np.float64) * 16).round().astype(np.int32)
    cv2.fillPoly(image, [fixed], color, cv2.LINE_AA, shift=4)
    return image


def disc(image: Image, x: float, y: float, radius: float, color: Color) -> Image:
    import cv2

    cv2.circle(image, (round(x * 16), round(y * 16)), max(1, round(radius * 16)), color, -1, cv2.LINE_AA, 4)
    return image


def ellipse(image: Image, x: float, y: float, a: float, b: float, turn: float, color: Color) -> Image:
    angle = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    c, s = math.cos(turn), math.sin(turn)
    px, py = a * np.cos(angle), b * np.sin(angle)
    return polygon(image, np.stack([x + c * px - s * py, y + s * px + c * py], 1), color)


def meadow(seed: int, sky: tuple[Color, Color], grass: tuple[Color, Color]) -> Image:
    """Sky with clouds over a field."""
    image = gradient(*sky)
    clouds = np.clip(noise(seed) * 2.2 - 1.1, 0, 1)[..., None] * 0.7
    image = (image * (1 - clouds) + 245 * clouds).astype(np.uint8)
    image[GROUND:] = tinted(noise(seed + 1, 6, 0.8), *grass)[GROUND:]
    return image


def sea(seed: int, t: float, deep: Color, crest: Color, top: int = 150) -> Image:
    """Waves in perspective below `top`, moving toward the shore."""
    import cv2

    # painted at a third of the size: waves are smooth, and sines are what this scene costs
    height, width = (CANVAS_H - top) // 3, CANVAS_W // 3
    depth = 1 / (0.08 + np.arange(height, dtype=np.float32) / height)[:, None]
    columns = (np.arange(width, dtype=np.float32)[None, :] - width / 2) * 3
    phase = depth * 3.1 + t * 2.6
    waves = np.sin(phase * 2 + columns * 0.012 * np.minimum(depth, 6) + seed)
    waves += 0.6 * np.sin(phase * 3.3 - columns * 0.02 + seed * 2)
    small = tinted((0.5 + 0.3 * waves).astype(np.float32), deep, crest)
    return cv2.resize(small, (CANVAS_W, CANVAS_H - top), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def sail(seed: int, hue: Color) -> Painter:
    sky = gradient((90, 150, 220), (230, 225, 205))

    def paint(t: float, image: Image) -> Image:
        image[:] = sky
        image[150:] = sea(seed, t, (10, 60, 95), (70, 150, 175))
        x, y = 62 * t - 10, 210 + 5 * math.sin(2 * t)
        lean = 0.06 * math.sin(1.7 * t)
        polygon(image, [(x - 48, y), (x + 48, y), (x + 30, y + 22), (x - 34, y + 22)], (90, 50, 30))
        polygon(image, [(x + 4, y - 6), (x + 4 + 120 * lean, y - 112), (x + 50, y - 10)], hue)
        polygon(image, [(x - 2, y - 6), (x - 2 + 120 * lean, y - 100), (x - 38, y - 10)], (245, 240, 230))
        return image

    return paint


def windmill(seed: int, hue: Color) -> Painter:
    still = meadow(seed, ((120, 175, 235), (225, 235, 240)), ((50, 95, 35), (135, 165, 70)))
    polygon(still, [(236, 300), (292, 300), (280, 160), (248, 160)], (215, 205, 190))
    polygon(still, [(242, 162), (286, 162), (264, 128)], (120, 45, 35))

    def paint(t: float, image: Image) -> Image:
        image[:] = still
        for k in range(4):
            a = 1.3 * t + k * math.pi / 2
            c, s = math.cos(a), math.sin(a)
            arm = [(264 + c * r - s * w, 160 + s * r + c * w) for r, w in ((8, -3), (105, -3), (105, 17), (20, 17))]
            polygon(image, arm, hue)
        return disc(image, 264, 160, 7, (60, 50, 45))

    return paint


def balloon(seed: int, hue: Color) -> Painter:
    still = meadow(seed, ((70, 130, 220), (205, 225, 245)), ((60, 90, 60), (110, 140, 85)))

    def paint(t: float, image: Image) -> Image:
        image[:] = still
        x, y = 264 + 24 * math.sin(0.7 * t + seed), 300 - 40 * t
        for k in range(5):
            ellipse(image, x + (k - 2) * 1.5, y, 56 - 11 * k, 64, 0, hue if k % 2 == 0 else (250, 245, 225))
        polygon(image, [(x - 13, y + 82), (x + 13, y + 82), (x + 10, y + 100), (x - 10, y + 100)], (110, 70, 40))
        return image

    return paint


def train(seed: int, hue: Color) -> Painter:
    still = meadow(seed, ((150, 190, 225), (235, 225, 205)), ((110, 115, 60), (190, 180, 95)))
    still[262:272] = (95, 85, 80)

    def paint(t: float, image: Image) -> Image:
        image[:] = still
        start = -420 + 230 * t
        for k in range(4):
            x = start + k * 118
            color = hue if k < 3 else (60, 60, 70)
            polygon(image, [(x, 206), (x + 110, 206), (x + 110, 258), (x, 258)], color)
            for w in range(4):
                left = x + 10 + w * 25
                polygon(image, [(left, 216), (left + 17, 216), (left + 17, 234), (left, 234)], (235, 240, 220))
            for w in (22, 88):
                disc(image, x + w, 260, 9, (35, 35, 40))
        return image

    return paint


def fish(seed: int, hue: Color) -> Painter:
    water = tinted(noise(seed, 3), (0, 55, 90), (25, 130, 150))
    water[330:] = tinted(noise(seed + 3, 6, 0.8), (130, 110, 70), (200, 180, 130))[330:]

    def paint(t: float, image: Image) -> Image:
        image[:] = water
        for k in range(3):
            x = (60 + 170 * k + (75 + 12 * k) * t) % (CANVAS_W + 120) - 60
            y = 110 + 75 * k + 12 * math.sin(2.2 * t + k)
            size = 1.25 - 0.2 * k
            wag = 12 * math.sin(9 * t + k)
            tail = [(x - 34, y), (x - 68, y - 24 + wag), (x - 60, y + wag / 2), (x - 68, y + 24 + wag)]
            polygon(image, [(x + (px - x) * size, y + (py - y) * size) for px, py in tail], hue)
            ellipse(image, x, y, 46 * size, 23 * size, 0, hue)
            ellipse(image, x + 4, y, 7 * size, 22 * size, 0, (245, 240, 225))
            disc(image, x + 28 * size, y - 5 * size, 4.5, (20, 20, 25))
        for k in range(9):
            disc(image, 40 + k * 57, (380 - 55 * t - k * 71) % 396, 3 + k % 3, (190, 225, 230))
        return image

    return paint


def planet(seed: int, hue: Color) -> Painter:
    rng = np.random.default_rng(seed)
    stars = np.zeros((CANVAS_H, CANVAS_W, 3), np.uint8)
    for x, y in rng.integers(0, (CANVAS_W, CANVAS_H), (260, 2)):
        stars[y, x] = rng.integers(120, 255)
    yy, xx = np.mgrid[-1:1:260j, -1:1:260j].astype(np.float32)  # type: ignore[misc]
    inside = xx**2 + yy**2 < 1
    depth = np.sqrt(np.clip(1 - xx**2 - yy**2, 0, 1))
    longitude = np.arctan2(xx, depth)
    light = np.clip(0.25 + 0.9 * (depth * 0.7 - xx * 0.6), 0.05, 1.1)
    surface = tinted(noise(seed, 6, 0.65), (15, 45, 110), hue)
    rows = ((yy + 1) / 2 * (CANVAS_H - 1)).astype(np.int32)

    def paint(t: float, image: Image) -> Image:
        image[:] = stars
        columns = ((longitude / (2 * math.pi) + 0.11 * t) * CANVAS_W).astype(np.int32) % CANVAS_W
        ball = (surface[rows, columns] * light[..., None]).clip(0, 255).astype(np.uint8)
        view = image[68:328, 134:394]
        view[inside] = ball[inside]
        return image

    return paint


def blossom(seed: int, hue: Color) -> Painter:
    leaves = tinted(noise(seed, 4), (15, 50, 20), (70, 125, 45))

    def paint(t: float, image: Image) -> Image:
        image[:] = leaves
        sway = 10 * math.sin(1.1 * t)
        polygon(image, [(260, 396), (272, 396), (268 + sway, 190), (262 + sway, 190)], (45, 105, 40))
        opening = 0.45 + 0.5 * min(1, t / 5)
        shade = (int(hue[0] * 0.75), int(hue[1] * 0.75), int(hue[2] * 0.75))
        for ring, color in ((1.0, shade), (0.7, hue)):
            for k in range(8):
                a = k * math.pi / 4 + 0.25 * t + (0.4 if ring < 1 else 0)
                reach = 72 * ring * opening
                x, y = 265 + sway + reach * math.cos(a), 180 + reach * math.sin(a)
                ellipse(image, x, y, 52 * ring * opening + 8, 24 * ring + 5, a, color)
        return disc(image, 265 + sway, 180, 25, (240, 190, 50))

    return paint


def lamp(seed: int, hue: Color) -> Painter:
    import cv2

    yy, xx = np.mgrid[0 : CANVAS_H // 3, 0 : CANVAS_W // 3].astype(np.float32)

    def paint(t: float, image: Image) -> Image:
        field = np.zeros_like(xx)
        for k in range(7):
            x = 88 + 34 * math.sin(0.5 * t + 2.4 * k + seed)
            y = 66 + 56 * math.sin((0.45 + 0.09 * k) * t + 1.3 * k)
            field += (9 + 1.6 * k) ** 2 / ((xx - x) ** 2 + (yy - y) ** 2 + 12)
        glow = np.clip((field - 0.55) * 1.7, 0, 1)
        small = tinted(glow, (45, 15, 70), hue)
        image[:] = cv2.resize(small, (CANVAS_W, CANVAS_H), interpolation=cv2.INTER_CUBIC)
        return image

    return paint


def night_city(seed: int, hue: Color) -> Painter:
    import cv2

    rng = np.random.default_rng(seed)
    layers: list[tuple[float, Image, Image]] = []
    for depth, tone in ((0.35, 42), (0.65, 28), (1.0, 14)):
        strip = np.zeros((CANVAS_H, 1400, 3), np.uint8)
        mask = np.zeros((CANVAS_H, 1400), np.uint8)
        x = 0
        while x < 1400:
            width, height = int(rng.integers(50, 110)), int(rng.integers(90, 150 + int(120 * depth)))
            strip[CANVAS_H - height :, x : x + width - 4] = (tone, tone + 4, tone + 14)
            mask[CANVAS_H - height :, x : x + width - 4] = 255
            for wy in range(CANVAS_H - height + 10, CANVAS_H - 12, 18):
                for wx in range(x + 8, x + width - 14, 15):
                    if rng.random() < 0.55:
                        strip[wy : wy + 9, wx : wx + 7] = [int(c * (0.4 + 0.6 * depth)) for c in hue]
            x += width
        layers.append((depth, np.hstack([strip, strip]), np.hstack([mask, mask])))
    sky = gradient((12, 10, 40), (120, 60, 90))

    def paint(t: float, image: Image) -> Image:
        image[:] = sky
        disc(image, 400, 80, 30, (240, 235, 210))
        for depth, strip, mask in layers:
            left = int(10 + 95 * depth * t) % 1400
            seen = slice(left, left + CANVAS_W)
            cv2.copyTo(np.ascontiguousarray(strip[:, seen]), np.ascontiguousarray(mask[:, seen]), image)
        return image

    return paint


def pendulum(seed: int, hue: Color) -> Painter:
    wall = tinted(noise(seed, 2), (120, 85, 70), (165, 125, 100))
    wall[:, ::44] = (105, 72, 60)

    def paint(t: float, image: Image) -> Image:
        image[:] = wall
        polygon(image, [(174, 30), (354, 30), (354, 370), (174, 370)], (75, 45, 25))
        polygon(image, [(190, 150), (338, 150), (338, 356), (190, 356)], (30, 20, 15))
        disc(image, 264, 92, 50, (240, 235, 220))
        for rate, length in ((0.35, 40), (0.06, 26)):
            a = rate * t * 2 * math.pi + seed
            tip = (264 + length * math.sin(a), 92 - length * math.cos(a))
            polygon(image, [(262, 90), (266, 94), tip], (25, 25, 30))
        swing = 0.42 * math.sin(3.4 * t)
        x, y = 264 + 150 * math.sin(swing), 150 + 150 * math.cos(swing)
        polygon(image, [(262, 150), (266, 150), (x + 2, y), (x - 2, y)], (190, 170, 110))
        return disc(image, x, y, 27, hue)

    return paint


def jellyfish(seed: int, hue: Color) -> Painter:
    deep = tinted(noise(seed, 3), (5, 10, 45), (20, 45, 100))

    def paint(t: float, image: Image) -> Image:
        image[:] = deep
        pulse = 0.5 + 0.5 * math.sin(3 * t)
        x, y = 264 + 30 * math.sin(0.6 * t), 250 - 26 * t
        for k in range(7):
            foot = [(x - 54 + 18 * k + 9 * math.sin(3 * t - j * 0.8 + k), y + 18 + j * 17) for j in range(8)]
            side = [(px + 5, py) for px, py in reversed(foot)]
            polygon(image, foot + side, (int(hue[0] * 0.6), int(hue[1] * 0.6), int(hue[2] * 0.75)))
        ellipse(image, x, y, 78 - 16 * pulse, 46 + 15 * pulse, 0, hue)
        return ellipse(image, x, y + 24, 66 - 14 * pulse, 16, 0, (25, 40, 90))

    return paint


# A painter, and film time per painted second: at 64 pixels a slow motion is none, and an extension of it could not be
# told from a still.
PAINTERS: dict[str, tuple[Callable[[int, Color], Painter], float]] = {
    "sail": (sail, 2.4),
    "windmill": (windmill, 2.6),
    "balloon": (balloon, 2.0),
    "train": (train, 1.15),
    "fish": (fish, 2.0),
    "planet": (planet, 8.0),
    "blossom": (blossom, 3.5),
    "lamp": (lamp, 3.0),
    "city": (night_city, 1.4),
    "pendulum": (pendulum, 2.0),
    "jellyfish": (jellyfish, 2.4),
}
