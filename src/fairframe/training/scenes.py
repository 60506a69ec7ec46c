"""The house renderer: seeded clips with captions by construction, nobody else's picture.

A scene is one object over a background, an object motion and a camera move. Pans move the background only (the
camera keeps the object in view, as in a tracking shot); zoom and camera rotation move both.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from fairframe.training import palette
from fairframe.training.palette import Image

if TYPE_CHECKING:
    from fairframe.dataset.clip import Clip

FPS = 24
Frames = NDArray[np.uint8]
Split = Literal["train", "heldout"]

MOVES: dict[str, tuple[float, float]] = {
    "moves left": (-1, 0),
    "moves right": (1, 0),
    "moves up": (0, -1),
    "moves down": (0, 1),
}
MOTIONS = (*MOVES, "rotates", "grows", "shrinks", "bounces", "stays still")
PANS: dict[str, tuple[float, float]] = {
    "pans left": (-1, 0),
    "pans right": (1, 0),
    "tilts up": (0, -1),
    "tilts down": (0, 1),
}
CAMERAS = ("static", *PANS, "zooms in", "zooms out", "rotates")


@dataclass(frozen=True)
class Look:
    """What a family of scenes draws from; the demo's looks differ from the house's in all of them."""

    colors: tuple[str, ...]
    shapes: tuple[str, ...]
    textures: tuple[str, ...]
    grounds: tuple[str, ...]


HOUSE = Look(
    colors=("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "white", "gray", "black", "brown"),
    shapes=("circle", "square", "triangle", "star", "cross", "ring", "diamond", "bar"),
    textures=("plain", "plain", "plain", "gradient", "striped", "checkered", "dotted"),
    grounds=(*("plain",) * 4, *("gradient",) * 4, "noise", "noise", "striped", "checkered", "leaves"),
)
NEW = Look(
    colors=("teal", "gold", "crimson", "lime", "navy", "cream"),
    shapes=("heart", "crescent", "hexagon", "gear", "arrow"),
    textures=("wavy", "tiled", "noise", "plain"),
    grounds=("wavy", "tiled", "dotted", "noise"),
)


@dataclass(frozen=True)
class Scene:
    """One clip's content; lengths are shares of the frame's width, speeds per second, angles in degrees."""

    shape: str
    color: str
    texture: str
    ground: str
    ground_color: str
    motion: str
    camera: str
    diameter: float
    center: tuple[float, float]
    speed: float
    camera_speed: float
    turn: float
    spin: float

    @property
    def caption(self) -> str:
        words = [] if self.texture == "plain" else [self.texture]
        ground = "dead leaves" if self.ground == "leaves" else self.ground
        where = f"a {self.ground_color} {ground} background"
        if self.ground == "leaves":
            where = "dead leaves"
        camera = "" if self.camera == "static" else f", camera {self.camera}"
        return f"a {' '.join([self.color, *words, self.shape])} {self.motion} over {where}{camera}"


def sample_scene(rng: np.random.Generator, look: Look = HOUSE) -> Scene:
    """Draw a scene; the object's color is far enough from the ground's for a person to tell them apart."""
    color, ground_color = "", ""
    while not color or palette.contrast(palette.COLORS[color], palette.COLORS[ground_color]) < 1.2:
        color, ground_color = (str(c) for c in rng.choice(look.colors, 2, replace=False))
    shape = str(rng.choice(look.shapes))
    motions = [m for m in MOTIONS if m != "rotates" or shape not in palette.ROUND_SHAPES]
    weights = np.asarray([{"stays still": 0.4, "shrinks": 0.6}.get(m, 1.5 if m in MOVES else 1.0) for m in motions])
    motion = str(rng.choice(motions, p=weights / weights.sum()))
    if motion in ("rotates", "grows", "shrinks"):
        cameras = ["static"] * 6 + [*PANS]
    elif motion == "stays still":
        cameras = [c for c in CAMERAS if c != "static"]
    else:
        cameras = ["static"] * 10 + [c for c in CAMERAS if c != "static"]
    ground = str(rng.choice(look.grounds))
    camera = "static" if ground == "plain" else str(rng.choice(cameras))
    if motion == "stays still" and ground in ("plain", "striped"):
        motion = "grows"  # a camera's move along stripes is not seen
    return Scene(
        shape=shape,
        color=color,
        texture=str(rng.choice(look.textures)),
        ground=ground,
        ground_color=ground_color,
        motion=motion,
        camera=camera,
        diameter=float(rng.uniform(0.5, 0.7)),
        center=(float(rng.uniform(0.36, 0.64)), float(rng.uniform(0.36, 0.64))),
        speed=float(rng.uniform(0.75, 1.15)),
        camera_speed=float(rng.uniform(0.9, 1.4)),
        turn=0.0 if shape in ("bar", "arrow") else float(rng.uniform(-15, 15)),
        spin=float(rng.choice((-1.0, 1.0))),
    )


def leaves(rng: np.random.Generator, size: int, count: int = 90) -> Image:
    """A dead-leaves picture, (size, size, 3) in 0..1: occluding shapes with power-law sizes cover the plane."""
    import cv2

    canvas = np.empty((size, size, 3), np.float32)
    canvas[:] = rng.uniform(0.05, 0.95, 3)
    tint = rng.uniform(0.2, 0.8, 3)
    spread = rng.uniform(0.15, 0.45)
    low, high = 0.02 * size, 0.28 * size
    inverse = rng.uniform(high**-1.6, low**-1.6, count)
    for radius in np.sort(inverse ** (-1 / 1.6))[::-1]:
        color = np.clip(tint + rng.normal(0, spread, 3), 0, 1).tolist()
        at = tuple(int(v) for v in rng.uniform(0, size, 2))
        if rng.random() < 0.6:
            axes = (max(1, int(radius)), max(1, int(radius * rng.uniform(0.4, 1))))
            cv2.ellipse(canvas, at, axes, float(rng.uniform(0, 180)), 0, 360, color, -1, cv2.LINE_AA)
        else:
            corners = int(rng.integers(3, 6))
            angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
            points = np.stack([np.cos(angles), np.sin(angles)], 1) * radius + np.asarray(at)
            cv2.fillPoly(canvas, [points.astype(np.int32)], color, cv2.LINE_AA)
    light = 1 + 0.16 * palette.smooth_noise(rng, size, 3, 5)
    return np.clip(canvas * light[..., None], 0, 1).astype(np.float32)


def _ground(scene: Scene, rng: np.random.Generator, size: int, unit: float) -> Image:
    if scene.ground == "leaves":
        return 0.25 + 0.5 * leaves(rng, size)  # muted, so that the object stands out
    base = palette.COLORS[scene.ground_color]
    other = palette.shade(base, 0.38 if palette.luma(base) < 0.5 else -0.34)
    return palette.texture(scene.ground, base, other, rng, size, unit * float(rng.uniform(0.28, 0.4)))


def _sprite(scene: Scene, rng: np.random.Generator, size: int) -> Image:
    """The object, premultiplied RGBA (size, size, 4)."""
    import cv2

    base = palette.COLORS[scene.color]
    other = palette.shade(base, 0.6 if palette.luma(base) < 0.45 else -0.6)
    skin = palette.texture(scene.texture, base, other, rng, size, size * float(rng.uniform(0.34, 0.46)))
    cover = palette.mask(scene.shape, size)
    inner = cv2.erode(cover, np.ones((3, 3), np.uint8), iterations=max(1, size // 28))
    edge = palette.shade(base, -0.7 if palette.luma(base) > 0.2 else 0.6)
    skin = skin * inner[..., None] + np.asarray(edge, np.float32) * (1 - inner[..., None])
    return np.dstack([skin * cover[..., None], cover]).astype(np.float32)


@dataclass(frozen=True)
class _Pose:
    x: float
    y: float
    scale: float
    angle: float


def _object_pose(scene: Scene, t: float, middle: float) -> _Pose:
    """Where the object is at t seconds; `middle` is when a moving object passes its center."""
    x, y = scene.center
    scale, angle = 1.0, scene.turn
    if scene.motion in MOVES:
        dx, dy = MOVES[scene.motion]
        x, y = x + dx * scene.speed * (t - middle), y + dy * scene.speed * (t - middle)
    elif scene.motion == "bounces":
        phase = (t * 1.5 * scene.speed / 0.6 + scene.camera_speed) % 1.0
        y = 0.74 - 0.46 * 4 * phase * (1 - phase)
    elif scene.motion == "rotates":
        angle += scene.spin * 260 * scene.speed * t
    elif scene.motion in ("grows", "shrinks"):
        way = 1 if scene.motion == "grows" else -1
        scale = float(np.exp(way * 1.5 * scene.speed * (t - middle)))
    return _Pose(x, y, scale, angle)


def _camera_pose(scene: Scene, t: float, middle: float) -> _Pose:
    if scene.camera in PANS:
        dx, dy = PANS[scene.camera]
        return _Pose(dx * 0.5 * scene.camera_speed * t, dy * 0.5 * scene.camera_speed * t, 1.0, 0.0)
    if scene.camera in ("zooms in", "zooms out"):
        way = 1 if scene.camera == "zooms in" else -1
        return _Pose(0, 0, float(np.exp(way * 0.75 * scene.camera_speed * (t - middle))), 0.0)
    if scene.camera == "rotates":
        return _Pose(0, 0, 1.0, scene.spin * 75 * scene.camera_speed * (t - middle))
    return _Pose(0, 0, 1.0, 0.0)


def _affine(scale: float, angle: float, source: tuple[float, float], target: tuple[float, float]) -> Image:
    """The 2x3 map that scales and turns around `source` and puts it on `target` (pixels)."""
    rad = np.deg2rad(angle)
    c, s = scale * np.cos(rad), scale * np.sin(rad)
    return np.asarray(
        [
            [c, -s, target[0] - c * source[0] + s * source[1]],
            [s, c, target[1] - s * source[0] - c * source[1]],
        ],
        np.float32,
    )


def render(scene: Scene, seed: int, frames: int = 17, size: int = 64, fps: float = FPS) -> Frames:
    """Render a scene to uint8 RGB (frames, size, size, 3), anti-aliased by drawing at twice a small size."""
    import cv2

    rng = np.random.default_rng(seed)
    full = size * (2 if size <= 128 else 1)
    canvas = int(full * 1.75)
    ground = _ground(scene, rng, canvas, full)
    side = max(16, int(full * scene.diameter))
    sprite = _sprite(scene, rng, side)
    middle = (frames - 1) / fps / 2
    out = np.empty((frames, size, size, 3), np.uint8)
    half = (full / 2, full / 2)
    for i in range(frames):
        t = i / fps
        cam, obj = _camera_pose(scene, t, middle), _object_pose(scene, t, middle)
        look_at = (canvas / 2 + cam.x * full, canvas / 2 + cam.y * full)
        picture = cv2.warpAffine(
            ground,
            _affine(cam.scale, cam.angle, look_at, half),
            (full, full),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        rad = np.deg2rad(cam.angle)
        ox, oy = (obj.x - 0.5) * full * cam.scale, (obj.y - 0.5) * full * cam.scale
        at = (half[0] + ox * np.cos(rad) - oy * np.sin(rad), half[1] + ox * np.sin(rad) + oy * np.cos(rad))
        placed = cv2.warpAffine(
            sprite, _affine(obj.scale * cam.scale, obj.angle + cam.angle, (side / 2, side / 2), at), (full, full)
        )
        picture = picture * (1 - placed[..., 3:]) + placed[..., :3]
        if full != size:
            picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        out[i] = np.clip(picture * 255 + 0.5, 0, 255)
    return out


def house_clip(
    seed: int, n: int, *, frames: int = 17, size: int = 64, look: Look = HOUSE, split: Split = "train"
) -> "Clip":
    """Clip n of a seed's house footage; the same (seed, n, frames, size, look) gives the same bytes."""
    from fairframe.dataset.clip import Clip

    scene, pixel_seed = _house_scene(seed, n, look)
    pixels = render(scene, pixel_seed, frames, size)
    name = f"house:{seed}:{n}"
    return Clip(name, "house", pixels, scene.caption, name, split)


def house_caption(seed: int, n: int, look: Look = HOUSE) -> str:
    """The caption of house_clip(seed, n) without rendering it."""
    return _house_scene(seed, n, look)[0].caption


def _house_scene(seed: int, n: int, look: Look) -> tuple[Scene, int]:
    rng = np.random.default_rng((seed, n, 1))
    return sample_scene(rng, look), int(rng.integers(2**62))


def layered_leaves(seed: int, n: int, *, frames: int = 9, size: int = 64) -> Frames:
    """Dead leaves in two layers that move apart, in uint8 (frames, size, size, 3): what the VAE learns detail from."""
    import cv2

    rng = np.random.default_rng((seed, n, 2))
    full = 2 * size
    canvas = int(full * 1.5)
    back = leaves(rng, canvas, int(rng.integers(40, 160)))
    front = leaves(rng, canvas, int(rng.integers(30, 100)))
    window = np.clip(palette.smooth_noise(rng, canvas, 3, 2) * 14 + rng.uniform(-6, 3), 0, 1)[..., None]
    front = np.dstack([front * window, window]).astype(np.float32)
    if rng.random() < 0.5:
        blur = float(rng.uniform(0.6, 2.5))
        back = cv2.GaussianBlur(back, (0, 0), blur)
    drift = rng.normal(0, 0.02 * size, (2, 2)) * rng.choice((0.2, 1.0))
    turn = rng.normal(0, 1.2, 2)
    zoom = np.exp(rng.normal(0, 0.012, 2))
    gain, gamma = rng.uniform(0.7, 1.1), float(np.exp(rng.normal(0, 0.25)))
    out = np.empty((frames, size, size, 3), np.uint8)
    for i in range(frames):
        planes = [
            cv2.warpAffine(
                plane,
                _affine(
                    float(zoom[k] ** i), float(turn[k] * i), (canvas / 2, canvas / 2),
                    (full / 2 + 2 * drift[k][0] * i, full / 2 + 2 * drift[k][1] * i),
                ),
                (full, full), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101,
            )
            for k, plane in enumerate((back, front))
        ]  # fmt: skip
        picture = planes[0] * (1 - planes[1][..., 3:]) + planes[1][..., :3]
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        out[i] = np.clip(np.clip(picture * gain, 0, 1) ** gamma * 255 + 0.5, 0, 255)
    return out
