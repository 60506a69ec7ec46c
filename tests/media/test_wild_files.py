"""Files from elsewhere: hostile ones end in words, real ones are read right. Skipped where they are not given."""

import csv
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fairframe.core.errors import MediaError
from fairframe.core.timecode import Rate
from fairframe.media import sandboxed
from fairframe.media.decode import packet_times, read_span
from fairframe.media.sandbox import Limits, MediaWorker

HOSTILE, FOOTAGE = os.environ.get("FAIRFRAME_HOSTILE", ""), os.environ.get("FAIRFRAME_FOOTAGE", "")
needs_hostile = pytest.mark.skipif(not HOSTILE, reason="FAIRFRAME_HOSTILE is not set")
needs_footage = pytest.mark.skipif(not FOOTAGE, reason="FAIRFRAME_FOOTAGE is not set")

EXPECTED = {
    "bad_video_sample.mp4": "",
    "bear-vp9-odd-dimensions.webm": "",
    "chunk_out_of_range.mp4": "media.broken",
    "corrupted.mp4": "media.damaged",
    "empty.mov": "media.empty",
    "hlg10-color-test.mp4": "",
    "invalid-bitstream.webm": "media.undecodable",
    "minimal.mp4": "media.too_short",
    "nested_moov_1000.mp4": "media.broken",
    "no_duration.webm": "",
    "no_timescale.mp4": "media.damaged",
    "playable_but_bad_container.mkv": "",
    "sample_audio_only.mp4": "media.no_video",
    "sample_edit_list_only_preroll_sync_sample.mp4": "",
    "sample_fragmented.mp4": "",
    "sample_fragmented_clearkey.mp4": "media.encrypted",
    "sample_malformed_free_box.mp4": "media.broken",
    "sample_mdat_too_long.mp4": "",
    "sample_rotate_and_reflect.mp4": "",
    "sample_vvc.mp4": "media.unsupported_codec",
    "sample_with_fake_auxiliary_tracks.mp4": "",
    "sample_with_increasing_timestamps_320w_240h_5s.mp4": "",
    "silent-black-10s.mp4": "",
    "test_case_1185230.mp4": "media.undecodable",
    "text_named.mp4": "media.not_media",
    "video_90.mov": "",
}


@pytest.fixture(scope="module")
def worker() -> Iterator[MediaWorker]:
    with MediaWorker(Limits(wall_s=60)) as worker:
        yield worker


@pytest.mark.hostile
@needs_hostile
def test_every_hostile_file_ends_in_a_probe_or_a_named_refusal(worker: MediaWorker, tmp_path: Path) -> None:
    files = [path for path in sorted(Path(HOSTILE).iterdir()) if path.suffix != ".tsv"]
    ends: dict[str, str] = {}
    for path in files:
        began = time.monotonic()
        try:
            found = sandboxed.probe(worker, path)
            assert sandboxed.measure(worker, path, tmp_path / "m.npz").frames.size == found.frames
            ends[path.name] = ""
        except MediaError as error:
            ends[path.name] = error.code
            assert str(path) in str(error) and error.remedy
        assert all(signal.trust != "trusted" for signal in sandboxed.signals(worker, path))
        assert time.monotonic() - began < 60
    assert ends == {name: EXPECTED.get(name, ends[name]) for name in ends}


@pytest.mark.footage
@needs_footage
def test_real_footage_is_read(worker: MediaWorker) -> None:
    with (Path(FOOTAGE) / "metadata.csv").open(newline="", encoding="utf-8") as file:
        names = [row["filename"] for row in csv.DictReader(file)]
    probes = {Path(name).name: sandboxed.probe(worker, Path(FOOTAGE) / name) for name in names}
    assert len(probes) == 48
    assert (probes["with-gps.mov"].width, probes["with-gps.mov"].height) == (320, 568)
    assert probes["with-gps.mov"].location_metadata and probes["with-gps.mp4"].location_metadata
    assert probes["hdr10-av1.mp4"].transfer == "pq" and probes["hdr10-av1.mp4"].bit_depth == 10
    assert probes["mv_with_2_top_shots.mp4"].vfr and probes["mv_with_2_top_shots.mp4"].video_streams == 2
    assert probes["one-by-one-person-detection.mp4"].fps == Rate(10)
    assert probes["small_video.mp4"].frames == 32
    assert {name for name, found in probes.items() if found.vfr} == {"mv_with_2_top_shots.mp4", "FLIR_Thermal.mp4"}


@pytest.mark.footage
@needs_footage
def test_seeking_finds_the_frames_that_decoding_finds() -> None:
    for name in ("world.mp4", "video.mp4", "stream-of-water.mp4", "book.mkv", "small_video.mp4", "100_0306.AVI"):
        path = next(Path(FOOTAGE).rglob(name))
        count = len(packet_times(path))
        start = count * 3 // 4
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("fairframe.media.decode.SEEK_FROM", 10**9)
            decoded = read_span(path, start, start + 4)
            patch.setattr("fairframe.media.decode.SEEK_FROM", 0)
            assert np.array_equal(read_span(path, start, start + 4), decoded), name
