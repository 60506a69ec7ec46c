"""The demo's own footage: 6 contributors, 24 assets of one subject each in several shots, and the hard cases."""

import csv
import io
import math
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairframe.core.canonical import Json
from fairframe.core.time import now_ms
from fairframe.core.timecode import Rate
from fairframe.flows.demo_scenes import CANVAS_H, CANVAS_W, PAINTERS, Color, Image
from fairframe.platform.certificates import make_c2pa_ca
from fairframe.platform.runs import Progress, silent

WIDTH, HEIGHT, FPS = 384, 288, 24
ANCHOR = "contributor-ca.pem"  # what a library puts into DIR/trust to believe the do-not-train manifest
DIGITAL_ART = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalArt"
PAINTING = 2  # processes
SHOT_FRAMES = (51, 58, 54, 52)  # three training windows of 17 frames in each

COLUMNS = [
    "filename",
    "contributor",
    "title",
    "description",
    "keywords",
    "people",
    "model_release",
    "property_release",
    "editorial",
    "source",
    "source_license",
]


@dataclass(frozen=True)
class Subject:
    """One asset. `case` names the hard case that it stands for, if any."""

    file: str
    contributor: str
    painter: str
    seed: int
    hue: Color
    title: str
    description: str
    people: str = "no"
    editorial: str = "no"
    case: str = ""


RED, GOLD, TEAL, VIOLET, WHITE = (205, 60, 45), (235, 170, 50), (40, 165, 160), (150, 90, 200), (240, 238, 228)
PINK, LIME, ORANGE, BLUE, SAND = (235, 120, 150), (170, 205, 70), (240, 125, 40), (70, 110, 215), (215, 180, 130)

ADA, BO, CHIARA, DIEGO, EFUA, FARAH = (
    "Ada Lind",
    "Bo Almgren",
    "Chiara Conti",
    "Diego Ruiz",
    "Efua Mensah",
    "Farah Nasser",
)

SUBJECTS = (
    Subject("sail-red", ADA, "sail", 1, RED, "Red sail", "a boat with a red sail crosses the sea"),
    Subject("sail-gold", ADA, "sail", 2, GOLD, "Gold sail", "a boat with a gold sail crosses the sea"),
    Subject("fish-orange", ADA, "fish", 3, ORANGE, "Orange fish", "orange fish swim over sand", case="rotated"),
    Subject("fish-violet", ADA, "fish", 4, VIOLET, "Violet fish", "violet fish swim over sand"),
    Subject("jelly-pink", ADA, "jellyfish", 5, PINK, "Pink jellyfish", "a pink jellyfish rises in dark water"),
    Subject("mill-white", BO, "windmill", 6, WHITE, "White windmill", "the white arms of a windmill turn"),
    Subject("mill-red", BO, "windmill", 7, RED, "Red windmill", "the red arms of a windmill turn"),
    Subject("balloon-teal", BO, "balloon", 8, TEAL, "Teal balloon", "a teal balloon rises over a meadow"),
    Subject("balloon-red", BO, "balloon", 9, RED, "Red balloon", "a red balloon rises over a meadow"),
    Subject("train-teal", CHIARA, "train", 10, TEAL, "Teal train", "a teal train crosses a field"),
    Subject("train-red", CHIARA, "train", 11, RED, "Red train", "a red train crosses a field", case="variable rate"),
    Subject("city-gold", CHIARA, "city", 12, GOLD, "City by night", "the camera passes a city by night"),
    Subject("city-teal", CHIARA, "city", 13, TEAL, "Teal windows", "the camera passes teal windows by night"),
    Subject("planet-sand", DIEGO, "planet", 14, SAND, "Sand planet", "a sand planet turns among stars"),
    Subject("planet-lime", DIEGO, "planet", 15, LIME, "Green planet", "a green planet turns among stars"),
    Subject("lamp-gold", DIEGO, "lamp", 16, GOLD, "Lava lamp", "golden wax moves in a lava lamp"),
    Subject("lamp-teal", DIEGO, "lamp", 17, TEAL, "Teal lava lamp", "teal wax moves in a lava lamp"),
    Subject("flower-pink", EFUA, "blossom", 18, PINK, "Pink flower", "a pink flower opens before leaves"),
    Subject("flower-white", EFUA, "blossom", 19, WHITE, "White flower", "a white flower opens before leaves"),
    Subject("jelly-lime", EFUA, "jellyfish", 20, LIME, "Green jellyfish", "a green jellyfish rises in dark water"),
    Subject("clock-gold", FARAH, "pendulum", 21, GOLD, "Gold pendulum", "a gold pendulum swings in a clock"),
    Subject(
        "clock-blue", FARAH, "pendulum", 22, BLUE, "At the clock", "a pendulum swings", people="yes", case="people"
    ),
    Subject("news-train", FARAH, "train", 23, BLUE, "Opening day", "a train on its first day", editorial="yes"),
    Subject("kept-flower", FARAH, "blossom", 24, VIOLET, "Kept", "a violet flower opens", case="do not train"),
)


def render(folder: Path, show: Progress = silent) -> Path:
    """Write the films and metadata.csv into `folder`; returns the CSV. Seeded: the same pictures every time.

    Beside the 24 subjects: a smaller re-encode of one (near-duplicate), a truncated file, and a file whose bytes two
    contributors claim.
    """
    from fairframe.media import encode

    folder.mkdir(parents=True, exist_ok=True)
    show(0, len(SUBJECTS) + 1, SUBJECTS[0].title)
    # a started process, not a forked one: OpenCV and x264 keep threads
    with ProcessPoolExecutor(PAINTING, mp_context=get_context("spawn")) as pool:
        films = [pool.submit(_film, folder, subject) for subject in SUBJECTS]
        for n, film in enumerate(films, 1):
            film.result()
            show(n, len(SUBJECTS) + 1, SUBJECTS[n - 1].title)
    rows = [_row(f"{subject.file}.mp4", subject) for subject in SUBJECTS]
    small = SUBJECTS[1]
    encode.write_mp4(folder / "sail-gold-again.mp4", _smaller(pictures(small)), Rate(FPS, 1), crf=26)
    rows.append(_row("sail-gold-again.mp4", small))
    whole = (folder / "balloon-red.mp4").read_bytes()
    (folder / "balloon-cut-off.mp4").write_bytes(whole[: len(whole) // 3])
    rows.append(_row("balloon-cut-off.mp4", SUBJECTS[8]))
    shutil.copyfile(folder / "lamp-teal.mp4", folder / "lamp-claimed-twice.mp4")
    rows.append(_row("lamp-claimed-twice.mp4", SUBJECTS[16]) | {"contributor": EFUA})
    target = folder / "metadata.csv"
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    target.write_text(text.getvalue(), encoding="utf-8", newline="")
    show(len(SUBJECTS) + 1, len(SUBJECTS) + 1, "done")
    return target


def _film(folder: Path, subject: Subject) -> None:
    from fairframe.media import encode

    path = folder / f"{subject.file}.mp4"
    if subject.case == "variable rate":
        _variable_rate(path, subject)
    elif subject.case == "rotated":
        _rotated(path, subject)
    else:
        encode.write_mp4(path, pictures(subject), Rate(FPS, 1))
    if subject.case == "do not train":
        _do_not_train(path, subject)


def pictures(subject: Subject) -> Iterator[Image]:
    """The frames of an asset: uint8 RGB (HEIGHT, WIDTH, 3), shot after shot."""
    import cv2

    painter, tempo = PAINTERS[subject.painter]
    paint = painter(subject.seed, subject.hue)
    canvas = np.zeros((CANVAS_H, CANVAS_W, 3), np.uint8)
    for shot, length in enumerate(SHOT_FRAMES):
        for frame in range(length):
            paint(tempo * (0.4 * shot + frame / FPS), canvas)
            view = cv2.warpAffine(
                canvas,
                _camera(shot, frame / length, subject.seed),
                (WIDTH, HEIGHT),
                flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT,
            )
            yield _graded(view.astype(np.uint8), shot)


def _camera(shot: int, part: float, seed: int) -> NDArray[np.float64]:
    """Output pixel -> canvas pixel: still, pan, push in, and a tilted close shot in the mirror.

    Every second seed is filmed from nearer by, off center and the other way round: siblings are two pictures, not
    near-duplicates that would have to be held out together.
    """
    even = seed % 2 == 0
    zoom = (1.30, 1.12, 1.30 - 0.30 * part, 0.92)[shot] * (0.84 if even else 1)
    dx = (0, -40 + 80 * part, 0, 6)[shot] + (24 if even else 0)
    dy = -14 if even else 0
    turn = (0.0, 0.0, 0.0, 0.07 * math.sin(3 * part))[shot]
    c, s = zoom * math.cos(turn), zoom * math.sin(turn)
    flip = -1 if (shot == 3) != even else 1
    x0 = CANVAS_W / 2 + dx - flip * c * WIDTH / 2 + s * HEIGHT / 2
    y0 = CANVAS_H / 2 + dy - flip * s * WIDTH / 2 - c * HEIGHT / 2
    return np.array([[flip * c, -s, x0], [flip * s, c, y0]], np.float64)


def _graded(image: Image, shot: int) -> Image:
    """Each shot has its own light, as a day's shoot has."""
    gain = ((1.0, 1.0, 1.0), (1.1, 1.0, 0.86), (0.74, 0.8, 0.98), (1.0, 0.9, 0.8))[shot]
    return (image * np.array(gain, np.float32)).clip(0, 255).astype(np.uint8)


def _smaller(frames: Iterator[Image]) -> Iterator[Image]:
    import cv2

    for frame in frames:
        yield cv2.resize(frame, (WIDTH * 11 // 12, HEIGHT * 11 // 12), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _variable_rate(path: Path, subject: Subject) -> None:
    """As a phone records: frames come a little early or late."""
    _mux(path, subject, jitter=True, rotation=0)


def _rotated(path: Path, subject: Subject) -> None:
    """Stored on its side with a display matrix, as a phone does."""
    _mux(path, subject, jitter=False, rotation=90)


def _mux(path: Path, subject: Subject, *, jitter: bool, rotation: int) -> None:
    import av

    rng = np.random.default_rng(subject.seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "16", "preset": "veryfast"})
        stream.width, stream.height = (HEIGHT, WIDTH) if rotation else (WIDTH, HEIGHT)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1200)
        if rotation:
            stream.set_display_rotation(rotation)
        for n, picture in enumerate(pictures(subject)):
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(np.rot90(picture, -1) if rotation else picture), "rgb24"
            )
            frame.pts = n * 50 + (int(rng.integers(-16, 17)) if jitter and n else 0)
            frame.time_base = Fraction(1, 1200)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _do_not_train(path: Path, subject: Subject) -> None:
    """The contributor signed "no training" into the file; the certificate's authority lies beside it (ANCHOR)."""
    from fairframe.media.credentials import TRAINING_USES, sign_mp4

    identity = make_c2pa_ca(subject.contributor, now_ms())
    bare = path.with_suffix(".bare.mp4")
    path.rename(bare)
    created: dict[str, Json] = {"action": "c2pa.created", "digitalSourceType": DIGITAL_ART}
    entries: dict[str, Json] = {use: {"use": "notAllowed"} for use in TRAINING_USES}
    manifest: dict[str, Json] = {
        "title": subject.title,
        "format": "video/mp4",
        "claim_generator_info": [{"name": "a contributor's camera app", "version": "1"}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [created]}, "created": True},
            {"label": "cawg.training-mining", "data": {"entries": entries}, "created": True},
        ],
    }
    sign_mp4(bare, path, manifest, chain_pem=identity.chain_pem, key_pem=identity.key_pem)
    bare.unlink()
    (path.parent / ANCHOR).write_bytes(identity.ca_pem)


def _row(filename: str, subject: Subject) -> dict[str, str]:
    return {
        "filename": filename,
        "contributor": subject.contributor,
        "title": subject.title,
        "description": subject.description,
        "keywords": f"{subject.painter};painted",
        "people": subject.people,
        "model_release": "unknown" if subject.people == "yes" else "not needed",
        "property_release": "not needed",
        "editorial": subject.editorial,
        "source": f"rendered by fairframe, seed {subject.seed}",
        "source_license": "CC0-1.0",
    }
