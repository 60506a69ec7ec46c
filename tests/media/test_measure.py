from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairframe.core.errors import InputError, MediaError
from fairframe.core.timecode import Rate
from fairframe.media.encode import write_mp4
from fairframe.media.hashing import distance, hash_picture
from fairframe.media.measure import HASH_EVERY, VERSION, Measures, measure

Make = Callable[..., Path]
Texture = Callable[..., list[np.ndarray]]


@pytest.fixture
def measured(tmp_path: Path) -> Callable[[list[np.ndarray]], Measures]:
    def run(pictures: list[np.ndarray]) -> Measures:
        path = tmp_path / "measured.mp4"
        write_mp4(path, pictures, Rate(24))
        return measure(path)

    return run


def two(texture: Texture, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A bright and a darker texture."""
    return [p // 2 + 120 for p in texture(count, seed=1)], [p // 3 + 20 for p in texture(count, seed=2)]


def test_a_hard_cut_is_a_peak_at_the_first_frame_of_the_new_shot(
    texture: Texture, measured: Callable[..., Measures]
) -> None:
    bright, dark = two(texture, 40)
    cut = measured(bright[:37] + dark)
    assert len(cut.frames) == 77
    assert int(cut.frames["cut"].argmax()) == 37
    assert cut.frames["cut"][37] > 0.5 and np.delete(cut.frames["cut"], 37).max() < 0.15


def test_a_dissolve_is_a_plateau_of_drift_without_a_cut(texture: Texture, measured: Callable[..., Measures]) -> None:
    bright, dark = two(texture, 60)
    mixed = [
        np.clip((1 - w) * a.astype(float) + w * b, 0, 255).astype(np.uint8)
        for a, b, w in zip(bright, dark, np.clip((np.arange(60) - 20) / 20, 0, 1), strict=True)
    ]
    found = measured(mixed).frames
    assert (found["drift"][30:40] > 0.3).all() and found["drift"][:18].max() < 0.15


def test_black_frozen_and_exposure(texture: Texture, measured: Callable[..., Measures]) -> None:
    still = texture(1)[0]
    found = measured([np.zeros_like(still)] * 5 + [still] * 10 + [np.full_like(still, 255)] * 5 + texture(10)).frames
    assert found["black"][:5].all() and not found["black"][5:].any()
    assert found["frozen"][6:15].mean() > 0.8 and not found["frozen"][20:].any()
    assert found["dark"][:5].min() > 0.99 and found["bright"][15:20].min() > 0.99
    assert abs(found["luma"][16] - 1) < 0.02 and found["luma"][2] < 0.02


def test_motion_and_sharpness_rank_as_one_would(texture: Texture, measured: Callable[..., Measures]) -> None:
    moving = texture(34)
    still = measured([moving[0]] * 34).frames
    slow = measured(moving).frames
    blurred = measured([cv2.GaussianBlur(picture, (0, 0), 3) for picture in moving]).frames
    assert still["motion"].mean() < 0.02 < slow["motion"].mean()
    assert blurred["sharpness"].mean() < slow["sharpness"].mean() / 4


def test_hashes_survive_scaling_and_compression_and_tell_pictures_apart(tmp_path: Path, texture: Texture) -> None:
    pictures = [cv2.resize(p, (640, 360), interpolation=cv2.INTER_CUBIC) for p in texture(20)]
    small = [cv2.resize(p, (320, 180), interpolation=cv2.INTER_AREA) for p in pictures]
    write_mp4(tmp_path / "large.mp4", pictures, Rate(24))
    write_mp4(tmp_path / "small.mp4", small, Rate(24), crf=28)
    large, less = measure(tmp_path / "large.mp4").hashes, measure(tmp_path / "small.mp4").hashes
    assert list(large.frames) == list(range(0, 20, HASH_EVERY)) and large.informative.all()
    same = [distance(a.tobytes(), b.tobytes()) for a, b in zip(large.bits, less.bits, strict=True)]
    assert max(same) <= 24
    other = hash_picture(cv2.cvtColor(texture(1, seed=9)[0], cv2.COLOR_RGB2GRAY))[0]
    assert distance(large.bits[0].tobytes(), other) > 80


def test_a_flat_picture_has_no_informative_hash(measured: Callable[..., Measures]) -> None:
    assert not measured([np.full((90, 160, 3), 90, np.uint8)] * 3).hashes.informative.any()


def test_a_turned_file_hashes_like_its_upright_twin(make_video: Make, texture: Texture) -> None:
    pictures = texture(9)
    turned = make_video("turned.mp4", [np.ascontiguousarray(np.rot90(p, -1)) for p in pictures], rotation=90)
    upright = make_video("upright.mp4", pictures)
    a, b = measure(turned).hashes.bits, measure(upright).hashes.bits
    assert max(distance(x.tobytes(), y.tobytes()) for x, y in zip(a, b, strict=True)) <= 24


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 65])
def test_blocks_do_not_show(count: int, texture: Texture, measured: Callable[..., Measures]) -> None:
    whole = measured(texture(70)).frames
    part = measured(texture(count)).frames
    assert len(part) == count
    assert list(part["pts_ms"]) == list(whole["pts_ms"][:count])
    if count > 1:
        assert np.allclose(part["luma"], whole["luma"][:count], atol=0.02)
        assert np.allclose(part["difference"], whole["difference"][:count], atol=2)


def test_saved_measures_come_back(tmp_path: Path, clip: Path) -> None:
    found = measure(clip)
    found.save(tmp_path / "m.npz")
    back = Measures.load(tmp_path / "m.npz")
    assert back.version == VERSION and np.array_equal(back.frames, found.frames)
    assert np.array_equal(back.hashes.bits, found.hashes.bits)
    again = measure(clip)
    assert again.frames.tobytes() == found.frames.tobytes()


def test_a_foreign_file_of_measures_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", frames=np.array([object()], dtype=object))
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "old.npz", version="measures-0", frames=np.zeros(1))
    for name in ("objects.npz", "text.npz", "old.npz", "none.npz"):
        with pytest.raises(InputError):
            Measures.load(tmp_path / name)


def test_a_file_that_stops_decoding_is_refused(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    middle = data.find(b"mdat") + (len(data) - data.find(b"mdat")) // 2
    data[middle : middle + 4000] = bytes(4000)
    (tmp_path / "holes.mp4").write_bytes(data)
    with pytest.raises(MediaError) as caught:
        measure(tmp_path / "holes.mp4")
    assert caught.value.code == "media.damaged"
