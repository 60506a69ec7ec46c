"""The house renderer: the same seeds give the same pixels, and captions say what is drawn."""

import numpy as np
import pytest

from fairframe.training import palette, scenes


def test_same_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    one, again, other = (scenes.house_clip(5, n, frames=5, size=32) for n in (3, 3, 4))
    assert np.array_equal(one.frames, again.frames)
    assert one.caption == again.caption
    assert not np.array_equal(one.frames, other.frames)
    assert one.item == "house:5:3"
    assert one.source == "house"


@pytest.mark.parametrize("look", [scenes.HOUSE, scenes.NEW])
@pytest.mark.parametrize("size", [32, 160])
def test_clips_are_rgb_frames_that_change(look: scenes.Look, size: int) -> None:
    for n in range(6):
        clip = scenes.house_clip(1, n, frames=9, size=size, look=look)
        assert clip.frames.shape == (9, size, size, 3)
        assert clip.frames.dtype == np.uint8
        assert np.abs(clip.frames[0].astype(int) - clip.frames[-1]).mean() > 0.5, clip.caption


def test_an_object_that_moves_left_moves_left() -> None:
    found = 0
    for n in range(400):
        rng = np.random.default_rng((2, n))
        scene = scenes.sample_scene(rng)
        if scene.motion != "moves left" or scene.camera != "static" or scene.ground != "plain":
            continue
        found += 1
        frames = scenes.render(scene, n, frames=9, size=64).astype(float)
        ground = np.asarray(palette.COLORS[scene.ground_color]) * 255
        centers = []
        for frame in (frames[0], frames[-1]):
            cover = np.abs(frame - ground).sum(-1) > 60
            centers.append(float(np.nonzero(cover)[1].mean()))
        assert centers[1] < centers[0] - 3, scene.caption
    assert found >= 3


def test_captions_name_object_motion_ground_and_camera() -> None:
    for n in range(50):
        scene = scenes.sample_scene(np.random.default_rng(n))
        for word in (scene.shape, scene.color, scene.motion):
            assert word in scene.caption
        if scene.camera != "static":
            assert scene.caption.endswith(f", camera {scene.camera}")
        assert len(scene.caption.encode()) < 96


def test_objects_stand_out_from_their_ground() -> None:
    for n in range(200):
        scene = scenes.sample_scene(np.random.default_rng(n))
        assert palette.contrast(palette.COLORS[scene.color], palette.COLORS[scene.ground_color]) >= 1.0


def test_looks_share_nothing() -> None:
    assert not set(scenes.HOUSE.colors) & set(scenes.NEW.colors)
    assert not set(scenes.HOUSE.shapes) & set(scenes.NEW.shapes)


def test_dead_leaves_are_seeded_and_textured() -> None:
    one, again = scenes.layered_leaves(3, 1), scenes.layered_leaves(3, 1)
    assert np.array_equal(one, again)
    assert one.shape == (9, 64, 64, 3)
    assert one.std() > 10
