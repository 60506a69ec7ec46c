"""Sidecars at ingest: they belong by name, their bytes are kept, a hostile one waits, new words are heard."""

from pathlib import Path

import pytest

from fairframe.flows.ingest import IngestReport, ingest
from fairframe.library.show import show
from fairframe.platform.workspace import Workspace
from fairframe.rights import review
from fairframe.rights.review import Filter

from .conftest import Film

NO = b"train-ai=n\n"


def take(library: Workspace, folder: Path) -> IngestReport:
    return ingest(library, folder, contributor="Ana")


def heard(library: Workspace, name: str) -> list[tuple[str, str, str, str]]:
    with library.read() as tx:
        found = show(tx, name).signals
    for one in found:
        assert one["raw_key"] is None or library.objects.exists(one["raw_key"])
    return [(one["kind"], one["key"], one["value"], one["trust"]) for one in found]


@pytest.fixture
def folder(tmp_path: Path, film: Film) -> Path:
    place = tmp_path / "footage"
    place.mkdir()
    film(place / "a.mp4", seed=1)
    film(place / "b.mp4", seed=2)
    return place


def test_a_sidecar_speaks_for_its_file(library: Workspace, folder: Path) -> None:
    (folder / "A.MP4.content-usage").write_bytes(NO)
    (folder / "b.tdmrep.json").write_bytes(b'[{"location": "/", "tdm-reservation": 1}]')
    (folder / "c.xmp").write_bytes(b"<a/>")
    report = take(library, folder)
    assert report.accepted == 2 and report.ignored == [("c.xmp", "a sidecar of no file here")]
    assert heard(library, "a.mp4") == [("aipref", "train-ai", "notAllowed", "untrusted")]
    assert heard(library, "b.mp4") == [("tdmrep", "tdm-reservation", "notAllowed", "untrusted")]
    with library.read() as tx:
        (one,) = show(tx, "a.mp4").signals
    assert library.objects.path(one["raw_key"]).read_bytes() == NO
    assert one["detail"]["sidecar"] == "A.MP4.content-usage"
    assert review.queue(library, Filter(finding="signal_untrusted")).total == 2


def test_what_sidecars_say_anew_is_heard_once_and_never_unsaid(library: Workspace, folder: Path) -> None:
    assert take(library, folder).accepted == 2
    (folder / "tdmrep.json").write_bytes(b'{"tdm-reservation": 1}')
    assert (take(library, folder).changed, take(library, folder).changed) == (2, 0)
    (folder / "tdmrep.json").write_bytes(b'{"tdm-reservation": 0}')
    assert take(library, folder).changed == 2
    assert [value for _, _, value, _ in heard(library, "a.mp4")] == ["notAllowed", "allowed"]
    (folder / "tdmrep.json").unlink()
    assert take(library, folder).changed == 0 and len(heard(library, "a.mp4")) == 2


def test_a_hostile_sidecar_waits_for_a_person(library: Workspace, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_bytes(b"train-ai=y")
    (folder / "a.content-usage").symlink_to(outside)
    (folder / "a.mp4.tdmrep.json").write_bytes(b"[" * 100_000)
    (folder / "a.mp4.xmp").write_bytes(b" " * (1024 * 1024 + 1))
    (folder / "a.xmp").write_bytes(b"")
    (folder / "b.xmp").mkdir()
    assert take(library, folder).accepted == 2
    assert {(kind, trust) for kind, _, _, trust in heard(library, "a.mp4")} == {
        ("aipref", "unreadable"),
        ("tdmrep", "unreadable"),
        ("xmp", "unreadable"),
    }
    assert heard(library, "b.mp4") == []
    assert take(library, folder).changed == 0
    assert review.queue(library, Filter(finding="signal_unreadable")).total == 1


def test_a_single_file_has_its_sidecars(library: Workspace, folder: Path) -> None:
    (folder / "a.mp4.content-usage").write_bytes(NO)
    assert ingest(library, folder / "a.mp4", contributor="Ana").accepted == 1
    assert len(heard(library, "a.mp4")) == 1
