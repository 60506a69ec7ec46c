"""A contributor says that a film copies their clip: what is near is found and judged by a person."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairframe.core.bundle import read_payload
from fairframe.core.claim_outcome_body import ClaimOutcome
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import BadDocument, Conflict, InputError, MediaError, NotFound
from fairframe.core.ids import new_id
from fairframe.core.timecode import Rate
from fairframe.curation.curate import curate
from fairframe.dataset.tables import item
from fairframe.flows.claim import Looked, Near, claim, look
from fairframe.flows.ingest import ingest
from fairframe.library import assets, contributors
from fairframe.media.encode import write_mp4
from fairframe.platform import audit, bundles
from fairframe.platform.tables import audit_entry
from fairframe.platform.workspace import Workspace
from fairframe.rights import claims
from fairframe.verify.files import hash_file
from fairframe.verify.forms import check_form

from ..begun import Place, step
from ..curation.conftest import make_scene
from ..dataset.conftest import Loop, at_lab, films, loop  # noqa: F401  (fixtures)
from .test_opt_out import report

ANA, BEN = "Ana Rivera", "Ben Okafor"
CLIPS = {ANA: (1, 2), BEN: (3, 4)}
FRAMES = 48


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips each of two contributors, which look nothing alike."""
    folder = tmp_path_factory.mktemp("footage")
    for who, seeds in CLIPS.items():
        (folder / who).mkdir()
        for seed in seeds:
            write_mp4(folder / who / f"{seed}.mp4", make_scene(seed, FRAMES), Rate(24))
    return folder


@step("stocked", after="library")
def _stocked(place: Place) -> Workspace:
    library, footage = place.reach("library"), place.request.getfixturevalue("footage")
    for who in CLIPS:
        assert not ingest(library, footage / who, contributor=who).refused
    curate(library)
    return library


@pytest.fixture
def stocked(begun: Place, library: Workspace, footage: Path) -> Workspace:
    return begun.reach("stocked")


def film(path: Path, frames: np.ndarray, crf: int = 30) -> Path:
    write_mp4(path, frames, Rate(24), crf=crf)
    return path


def asked(ws: Workspace, path: Path, who: str = ANA, of: str | None = None) -> Looked:
    with ws.read() as tx:
        row = contributors.find(tx, who)
        named = None if of is None else assets.find(tx, of)
    return look(ws, path, row, named)


def first(looked: Looked) -> Near:
    return looked.compared.near[0]


def test_a_copy_inside_of_a_film_is_found_with_its_times(stocked: Workspace, tmp_path: Path) -> None:
    """Half a second of another scene, then a copy: smaller, darker, compressed, from its 12th frame on."""
    copied = (make_scene(1, FRAMES, size=(144, 96))[12:] * 0.85).astype(np.uint8)
    path = film(tmp_path / "film.mp4", np.concatenate([make_scene(77, 12, size=(144, 96)), copied]))
    found = asked(stocked, path)
    near, others = first(found), [one for one in found.compared.near if not one.theirs]
    assert (near.filename, near.theirs, near.named) == ("1.mp4", True, False)
    chance = found.compared.chance
    assert near.distance <= 16 < 60 < chance.least <= chance.middle and chance.pairs > 50
    assert others and all(one.distance > 60 for one in others), "what is not copied is as far off as chance"
    pair = near.pairs[0]
    assert pair.view == "whole" and pair.film_frame - pair.clip_frame == 0, "frame 12 of the clip is frame 12 of it"
    assert abs(pair.film_ms - pair.clip_ms) <= 42 and pair.clip_ms >= 500
    assert 18 <= near.alike <= 36 and found.compared.film_frames == FRAMES
    assert found.compared.exhaustive and found.compared.hashes >= 4
    for a, b in near.stills:
        assert stocked.objects.read(a)[:3] == stocked.objects.read(b)[:3] == b"\xff\xd8\xff"


def test_a_mirrored_copy_is_found(stocked: Workspace, tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", make_scene(2, FRAMES)[:, :, ::-1])
    near = first(asked(stocked, path))
    assert near.filename == "2.mp4" and near.distance <= 16 and near.pairs[0].view == "mirrored"


def test_a_center_square_is_found_only_of_the_clip_that_is_named(stocked: Workspace, tmp_path: Path) -> None:
    """What the limits say: generated films are squares of their clips, and stored hashes are of whole frames."""
    square = make_scene(1, FRAMES)[:, :, 32:160]
    assert square.shape[1] == square.shape[2]
    path = film(tmp_path / "film.mp4", square)
    blind = [one.distance for one in asked(stocked, path).compared.near if one.filename == "1.mp4"]
    assert all(one > 40 for one in blind)
    near = first(asked(stocked, path, of="1.mp4"))
    assert near.named and near.distance <= 16 and near.pairs[0].view == "center square" and near.alike > 40


def test_an_unrelated_film_is_as_far_as_chance(stocked: Workspace, tmp_path: Path) -> None:
    found = asked(stocked, film(tmp_path / "film.mp4", make_scene(99, 24)))
    assert all(one.distance > 60 and one.alike == 0 for one in found.compared.near)
    assert found.origin is None and found.seen is None
    assert {one.code for one in found.findings} >= {"film.unknown", "film.no_sidecar", "c2pa.absent"}


def test_looking_writes_no_row(stocked: Workspace, tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", make_scene(1, 24))
    with stocked.read() as tx:
        before = audit.head(tx.conn)
    asked(stocked, path)
    with stocked.read() as tx:
        assert audit.head(tx.conn) == before and not claims.listing(tx)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("text.mp4", b"not a film", "media.not_media"),
        ("empty.mp4", b"", "media.empty"),
        ("bomb.mp4", b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 5_000, "media.broken"),
    ],
)
def test_what_is_no_film(stocked: Workspace, tmp_path: Path, name: str, data: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(MediaError) as error:
        asked(stocked, path)
    assert error.value.code == code


def test_a_film_that_is_not_there_or_flat_or_broken_off(stocked: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        asked(stocked, tmp_path / "none.mp4")
    flat = film(tmp_path / "flat.mp4", np.full((12, 64, 64, 3), 90, np.uint8))
    with pytest.raises(InputError) as error:
        asked(stocked, flat)
    assert error.value.code == "claim.flat"
    whole = film(tmp_path / "whole.mp4", make_scene(1, FRAMES)).read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError):
        asked(stocked, tmp_path / "half.mp4")


@pytest.fixture
def case(stocked: Workspace, tmp_path: Path) -> Callable[..., str]:
    path = film(tmp_path / "film.mp4", make_scene(1, 24))

    def lodge(who: str = ANA, of: str | None = "1.mp4", words: str = "my harbor") -> str:
        found = asked(stocked, path, who, of)
        with stocked.read() as tx:
            row, named = contributors.find(tx, who), None if of is None else assets.find(tx, of)
        return claim(stocked, found, row, named, words=words)

    return lodge


def test_a_case_waits_until_a_person_settles_it(stocked: Workspace, case: Callable[..., str]) -> None:
    lodged = case()
    with pytest.raises(Conflict) as error:
        case()
    assert error.value.code == "claim.open"
    with stocked.read() as tx:
        assert [(one["public_id"], one["state"], one["filename"]) for one in claims.listing(tx)] == [
            (lodged, "open", "1.mp4")
        ]
        found: Any = claims.find(tx, lodged)["found"]
        assert found["near"][0]["filename"] == "1.mp4" and found["limits"]
        assert "my harbor" not in str(tx.rows(audit_entry.select())), "words enter the tree as a commitment"
    with stocked.write() as tx:
        with pytest.raises(InputError):
            claims.settle(tx, lodged, "upheld", reason=" ")
        sealed = claims.settle(tx, lodged, "upheld", reason="frames 0 to 24 are the clip's", by="Kim")
    with stocked.write() as tx, pytest.raises(Conflict) as error:
        claims.settle(tx, lodged, "dismissed", reason="no")
    assert error.value.code == "claim.settled"
    bundle = read_payload(read_envelope(sealed).payload)
    body = ClaimOutcome.from_json(bundle.body)
    assert (body.claim, body.outcome, bundle.type) == (lodged, "upheld", "claim_outcome")
    assert [one.ok for one in check_form(bundle, Path())] == [True]
    with pytest.raises(BadDocument):
        ClaimOutcome.from_json({**bundle.body, "outcome": "proved"})
    with stocked.read() as tx:
        assert claims.listing(tx) == [] and claims.find(tx, lodged)["state"] == "upheld"
        assert "Kim" not in str(tx.rows(audit_entry.select()))


def test_only_an_owner_names_a_clip(stocked: Workspace, case: Callable[..., str]) -> None:
    with pytest.raises(InputError) as error:
        case(who=BEN)
    assert error.value.code == "input.foreign_asset"
    assert case(who=BEN, of=None), "without a clip anybody may ask what theirs is near to"


def test_a_hostile_film_name_is_stored_as_it_can_be_shown(library: Workspace) -> None:
    with library.write() as tx:
        who = contributors.ensure(tx, ANA)
        public_id = claims.lodge(tx, who, claims.Film("a\udcff\x00\u202eb.mp4", "ab" * 32, 1), {}, words="")
    with library.read() as tx:
        assert claims.find(tx, public_id)["film_name"] == "a\ufffd\ufffd\ufffdb.mp4"


def sidecar(loop: Loop, path: Path, weights: str, **changes: Any) -> None:  # noqa: F811
    """What a lab's film says of itself, as far as a claim reads it; signed by the lab."""
    body = {
        "bytes_hash": hash_file(path),
        "checkpoint": new_id("ckp"),
        "name": "harbor",
        "weights_hash": weights * 64,
        "delivery": {"id": loop.delivered.id, "root": "0" * 64},  # type: ignore[union-attr]
        "agreement": loop.agreement,
        **changes,
    }
    with loop.lab.write() as tx:
        sealed = bundles.issue(tx, "film", "", body)
    path.with_name(path.name + ".fairframe.json").write_bytes(sealed)


@pytest.mark.usefixtures("at_lab")
def test_what_the_model_behind_a_film_consumed(loop: Loop, tmp_path: Path) -> None:  # noqa: F811
    mine, others = loop.items_of("Ana Rivera"), loop.items_of("Ben Okafor")
    report(loop, {mine[0]: 30, mine[2]: 12, others[0]: 7}, weights="a")
    path = film(tmp_path / "film.mp4", make_scene(1, 24))
    sidecar(loop, path, "a")
    found = asked(loop.library, path, of="ana-1.mp4")
    assert found.origin is not None and (found.origin.source, found.origin.name) == ("sidecar", "harbor")
    assert found.seen is not None and found.seen.known and found.seen.source == "usage report"
    with loop.library.read() as tx:
        first_clip = assets.find(tx, "ana-1.mp4")["id"]
        of_it = {r["public_id"] for r in tx.rows(item.select().where(item.c.asset_id == first_clip))}
    expected = sum(n for name, n in {mine[0]: 30, mine[2]: 12}.items() if name in of_it)
    assert (found.seen.theirs, found.seen.of_asset, found.seen.total) == (42, expected, 149)
    assert 0 < expected < 42

    sidecar(loop, path, "b")
    unknown = asked(loop.library, path)
    assert unknown.origin is not None and unknown.seen is not None and not unknown.seen.known, "no report on it"


@pytest.mark.usefixtures("at_lab")
def test_a_sidecar_of_another_film_or_another_signer_says_nothing(loop: Loop, tmp_path: Path) -> None:  # noqa: F811
    report(loop, {loop.items_of("Ana Rivera")[0]: 30}, weights="a")
    path = film(tmp_path / "film.mp4", make_scene(1, 24))
    sidecar(loop, path, "a", bytes_hash="0" * 64)
    assert asked(loop.library, path).origin is None
    beside = path.with_name(path.name + ".fairframe.json")
    sidecar(loop, path, "a")
    beside.write_bytes(beside.read_bytes().replace(b'"sig":"', b'"sig":"AAAA', 1))
    assert asked(loop.library, path).origin is None
