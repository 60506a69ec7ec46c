"""A film from a real delivery to a signed file, on a miniature model."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from fairframe.core import keys
from fairframe.core.bundle import read_payload, seal
from fairframe.core.dsse import read_envelope
from fairframe.core.errors import Conflict, FairframeError, InputError, IntegrityFailure, MediaError, Refused
from fairframe.core.ids import new_id
from fairframe.core.party import Party, PartyKey
from fairframe.core.time import DAY_MS
from fairframe.core.timecode import Rate
from fairframe.dataset import feeds
from fairframe.flows.opt_out import opt_out
from fairframe.flows.verify import with_credentials
from fairframe.flows.withdrawn import FILM_CODE, with_withdrawn
from fairframe.generation import checks, outputs, placing
from fairframe.library import contributors
from fairframe.media.credentials import read_credentials
from fairframe.media.decode import read_span
from fairframe.media.encode import write_mp4
from fairframe.media.probe import probe
from fairframe.platform import identity
from fairframe.platform.certificates import make_c2pa_ca
from fairframe.platform.objects import sha256_file
from fairframe.platform.settings import Settings
from fairframe.platform.tables import audit_entry, document
from fairframe.verify.registry import verify
from fairframe.verify.trust import Trust

pytestmark = pytest.mark.torch


def trust(studio: Any) -> Trust:
    return Trust.load([studio.library.root / "party.json", studio.lab.root / "party.json"])


def codes(findings: Any) -> set[str]:
    return {finding.code for finding in findings if finding.ok is False}


def test_a_film_and_its_papers(studio: Any, clock: Any) -> None:
    made = studio.film(prompt="a secret idea", seconds=0.5, seed=3)
    found = probe(made.path)
    assert (found.frames, str(found.fps), found.width, found.height) == (12, "24/1", 32, 32)
    data = made.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "faststart"
    # offline, with two party documents only
    report = verify(made.path, trust(studio), clock.now)
    assert report.kind == "film"
    assert report.holds, [f for f in report.findings if not f.ok]
    # inside the workspace, with credentials
    inside = checks.check_film(studio.lab, made.path)
    with studio.lab.read() as tx:
        row = outputs.find_by_hash(tx, sha256_file(made.path))
        assert row is not None
        assert row["public_id"] == made.output
        assert outputs.prompt_of(tx, row) == "a secret idea"
        spoken = [str(body) for body in tx.execute(sa.select(audit_entry.c.body)).scalars()]
        spoken += [str(body) for body in tx.execute(sa.select(document.c.envelope)).scalars()]
    assert not codes(inside), inside
    assert {"c2pa.trusted", "film.known", "c2pa.lineage"} <= {f.code for f in inside}
    assert not any("secret idea" in text for text in spoken)
    assert b"secret idea" not in data + made.sidecar.read_bytes()
    assert not codes(checks.check_film(studio.library, made.path)), "the library has pinned the lab"
    claims = read_credentials(made.path, studio.lab.keys.c2pa().ca_pem).lineage
    assert claims["checkpoint"] == studio.checkpoint
    assert "16x16 and scaled to 32x32" in claims["picture"]


def test_credentials_count_only_from_whoever_signed_the_sidecar(
    studio: Any, clock: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made, lab = studio.film(), party_of(studio.lab)
    private, now = keys.generate(), clock.now
    key = PartyKey(keys.keyid(private.public_key()), private.public_key(), "sign", now - DAY_MS, None)
    authority = make_c2pa_ca("South Lab", now).ca_pem.decode()
    other = Party(new_id("pty"), "South Lab", "lab", now, (key,), authority)
    with studio.library.write() as tx:
        identity.pin(tx, other.seal(private))
    assert not codes(checks.check_film(studio.library, made.path)), "another party's certificate changes nothing"
    assert not codes(checks.check_credentials(Settings(), made.path, [other, lab]))
    # outside of a workspace the same is seen, and what was seen is not said to be unseen
    report = with_credentials(verify(made.path, trust(studio), clock.now), made.path, None, [lab])
    assert report.holds and "c2pa.trusted" in {one.code for one in report.findings}
    assert not any("C2PA" in text for text in report.cannot_show)
    # South Lab takes North Lab's film for its own
    bundle = read_payload(read_envelope(made.sidecar.read_bytes()).payload)
    stolen = seal(replace(bundle, sender=other.id), private)
    made.sidecar.write_bytes(stolen)
    assert "c2pa.untrusted" in codes(checks.check_film(studio.library, made.path))
    assert codes(
        checks.check_film(replace(studio.library, settings=Settings(media_memory_bytes=1 << 20)), made.path)
    ) == {"c2pa.unreadable"}, "nothing but a child with limits looks into a film"
    bare = tmp_path / "python-without-c2pa"
    start = (
        "import runpy, sys; sys.modules['c2pa'] = None; runpy.run_module('fairframe.media.worker', None, '__main__')"
    )
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{start}"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    (unseen,) = checks.check_credentials(Settings(), made.path, [other])
    assert unseen.ok is None and "fairframe[media]" in unseen.text


def party_of(ws: Any) -> Party:
    return Party.from_envelope((ws.root / "party.json").read_bytes())


def test_the_same_seed_makes_the_same_pictures(studio: Any) -> None:
    films = [studio.film(name=f"{n}.mp4", seed=seed) for n, seed in enumerate((1, 1, 2))]
    one, two, three = (read_span(film.path, 0, 12) for film in films)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


def test_guidance_is_the_models_own_or_the_one_asked_for(studio: Any) -> None:
    plain, guided = studio.film(name="plain.mp4"), studio.film(name="guided.mp4", guidance=3.5)
    assert not np.array_equal(read_span(plain.path, 0, 12), read_span(guided.path, 0, 12))
    with studio.lab.read() as tx:
        said = [outputs.find_by_hash(tx, film.bytes_hash)["recipe"]["guidance"] for film in (plain, guided)]
    assert said == ["1", "3.5"]


def test_a_film_from_a_picture_and_from_a_video(studio: Any, tmp_path: Path) -> None:
    import cv2

    picture = tmp_path / "red.png"
    cv2.imwrite(str(picture), np.full((40, 60, 3), (0, 0, 255), np.uint8))
    film = studio.film(image=picture, name="i.mp4")
    first = read_span(film.path, 0, 1)[0]
    assert film.mode == "image"
    assert np.abs(first.astype(int) - [255, 0, 0]).mean() < 12
    video = tmp_path / "given.mp4"
    write_mp4(video, [np.full((48, 64, 3), 250 if n > 40 else 0, np.uint8) for n in range(50)], Rate(30))
    film = studio.film(image=None, extend=video, name="e.mp4")
    start = read_span(film.path, 0, 3)
    assert film.frames == 12
    assert start.mean() > 230, "it begins with the end of the given video"


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"\xff\xd8\xff" + b"x" * 99]
)
@pytest.mark.parametrize("kind", ["image", "extend"])
def test_a_broken_file_is_refused_and_nothing_stays(studio: Any, tmp_path: Path, content: bytes, kind: str) -> None:
    bad = tmp_path / "bad.bin"
    bad.write_bytes(content)
    before = sorted(studio.loop.tmp.iterdir())
    with pytest.raises(MediaError, match=r"bad\.bin"):
        studio.film(**{kind: bad})
    assert sorted(studio.loop.tmp.iterdir()) == before == []
    with studio.lab.read() as tx:
        assert outputs.listing(tx) == []


def test_a_research_model_makes_no_commercial_film(studio: Any) -> None:
    with pytest.raises(Refused) as refused:
        studio.film(purpose="commercial")
    assert refused.value.code == "guard.refused"
    assert [reason.partition(":")[0] for reason in refused.value.reasons] == ["guard.purpose"]
    assert "--upgrade-of" in refused.value.remedy
    assert not list(studio.loop.tmp.glob("*.mp4*"))


def test_an_upgrade_is_granted_and_the_film_shows_it(studio: Any, upgrade: Callable[[], str], clock: Any) -> None:
    from fairframe.flows.upgrade import grant
    from fairframe.generation import grants
    from fairframe.rights import agreements, consent

    research, people = studio.loop.agreement, studio.consumed()
    commercial = upgrade()
    with studio.library.write() as tx:
        for name in people[:-1]:
            consent.set(tx, contributor=contributors.find(tx, name), effect="allow", purpose="commercial")
    with studio.library.write() as tx:
        (blocked,) = grant(tx, commercial)
    assert blocked.envelope is None
    assert "no_consent" in blocked.reasons[0]
    with studio.library.write() as tx:
        consent.set(tx, contributor=contributors.find(tx, people[-1]), effect="allow", purpose="commercial")
        (granted,) = grant(tx, commercial)
    assert granted.checkpoint == studio.checkpoint
    with studio.library.write() as tx:
        assert [one.envelope for one in grant(tx, commercial)] == [granted.envelope], "signed once"
    with pytest.raises(Refused):
        studio.film(purpose="commercial")
    for new in (True, False):
        with studio.lab.write() as tx:
            assert grants.take(tx, granted.envelope).new is new
    film = studio.film(purpose="commercial", name="advert.mp4")
    assert (film.agreement, film.granted is not None) == (commercial, True)
    report = verify(film.path, trust(studio), clock.now)
    assert report.holds, [f for f in report.findings if not f.ok]
    with studio.lab.read() as tx:
        ends = {one: agreements.find(tx, one).ends_ms for one in (research, commercial)}
    assert ends[research] < ends[commercial]
    assert studio.film(name="study.mp4").agreement == commercial, "of two that cover it, the one that ends last"
    assert not codes(checks.check_film(studio.lab, film.path))


def test_changed_weights_and_ended_agreements_are_refused(studio: Any, clock: Any) -> None:
    folder = studio.lab.root / "models" / "harbor"
    window = folder / "window.json"
    kept = window.read_bytes()
    window.write_bytes(kept.replace(b"24", b"25"))
    with pytest.raises(IntegrityFailure, match=r"window\.json"):
        studio.film()
    window.write_bytes(kept)
    studio.film()
    clock.advance(366 * DAY_MS)
    with pytest.raises(Refused, match="expired"):
        studio.film(name="late.mp4")


def test_an_existing_file_is_kept_unless_asked(studio: Any) -> None:
    film = studio.film()
    before = sha256_file(film.path)
    with pytest.raises(Conflict):
        studio.film(seed=9)
    assert sha256_file(film.path) == before
    again = studio.film(seed=9, overwrite=True)
    assert sha256_file(film.path) == again.bytes_hash != before


def test_a_film_that_appeared_meanwhile_is_kept(tmp_path: Path) -> None:
    target, beside, aside = tmp_path / "f.mp4", tmp_path / "f.json", tmp_path / "aside"
    aside.mkdir()
    sources = {beside: aside / "j", target: aside / "m"}
    for path in sources.values():
        path.write_text("mine")
    target.write_text("another's")
    with pytest.raises(Conflict) as caught:
        placing.put(sources, aside, overwrite=False)
    assert caught.value.code == "output.exists"
    assert target.read_text() == "another's" and not beside.exists()
    (aside / "j").write_text("mine")
    placing.put(sources, aside, overwrite=True)
    assert (target.read_text(), beside.read_text()) == ("mine", "mine")


def test_a_failure_at_the_end_leaves_what_was_there(studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit tree cannot be written: the very last step before the commit."""
    film = studio.film()
    kept = {path: path.read_bytes() for path in (film.path, film.sidecar, film.manifest)}
    trigger = "create trigger stop before insert on audit_entry begin select raise(abort, 'disk full'); end"
    with studio.lab.engine.begin() as conn:
        conn.execute(sa.text(trigger))
    from sqlalchemy.exc import DBAPIError

    with pytest.raises(DBAPIError, match="disk full"):
        studio.film(seed=9, overwrite=True)
    assert {path: path.read_bytes() for path in kept} == kept
    with pytest.raises(DBAPIError, match="disk full"):
        studio.film(name="new.mp4")
    assert not list(film.path.parent.glob("new*"))
    assert not list(film.path.parent.glob(".fairframe*"))


def test_stripped_and_edited_films_are_found(studio: Any, tmp_path: Path, clock: Any) -> None:
    film = studio.film()
    stripped = tmp_path / "elsewhere" / "film.mp4"
    stripped.parent.mkdir()
    frames = read_span(film.path, 0, 12)
    write_mp4(stripped, list(frames), Rate(24))
    stripped.with_name("film.mp4.fairframe.json").write_bytes(film.sidecar.read_bytes())
    stripped.with_name("film.mp4.c2pa").write_bytes(film.manifest.read_bytes())
    found = checks.check_film(studio.lab, stripped)
    assert codes(found) == {"film.hash", "film.changed", "c2pa.absent", "c2pa.kept_tampered"}
    assert "film.traced" in {f.code for f in found}
    assert codes(verify(stripped, trust(studio), clock.now).findings) == {"film.hash"}
    with stripped.open("r+b") as stream:
        stream.truncate(checks.MAX_FILM_BYTES + 1)
    assert codes(checks.check_film(studio.lab, stripped)) == {"film.too_large"}, "nobody waits for a bomb to be hashed"
    data = bytearray(film.path.read_bytes())
    data[-20] ^= 1
    film.path.write_bytes(bytes(data))
    assert "c2pa.tampered" in codes(checks.check_film(studio.lab, film.path))


def test_a_film_is_flagged_once_clips_of_its_model_were_taken_back(studio: Any, clock: Any) -> None:
    film, who = studio.film(), studio.consumed()[0]
    here = with_withdrawn(verify(film.path, trust(studio), clock.now), film.path, studio.lab)
    (told,) = [f for f in here.findings if f.code == FILM_CODE]
    assert told.ok and "none of the" in told.text
    with studio.library.write() as tx:
        opt_out(tx, contributors.find(tx, who), "no more")
        data = feeds.issue(tx, studio.loop.agreement)
    with studio.lab.write() as tx:
        feeds.refresh(tx, data)
    for ws in (studio.lab, studio.library):
        report = with_withdrawn(verify(film.path, trust(studio), clock.now), film.path, ws)
        (told,) = [f for f in report.findings if f.code == FILM_CODE]
        assert report.holds and "of its model harbor: it consumed" in told.text and "were taken back" in told.text


def test_the_model_folder_verifies_offline(studio: Any, clock: Any) -> None:
    folder = studio.lab.root / "models" / "harbor"
    report = verify(folder, trust(studio), clock.now)
    assert report.kind == "model"
    assert report.holds, [f for f in report.findings if not f.ok]
    (folder / "vae" / "more.bin").write_bytes(b"x")
    (weights,) = (folder / "vae").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    (folder / "window.json").unlink()
    assert codes(verify(folder, trust(studio), clock.now).findings) >= {"model.extra", "model.missing"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": ""},
        {"prompt": "x" * 501},
        {"prompt": "a\nb"},
        {"seconds": 0.01},
        {"seconds": 61},
        {"seconds": float("nan")},
        {"seed": -1},
        {"size": 33},
        {"size": 4096},
        {"purpose": "war"},
        {"steps": 0},
        {"name": "no-folder/film.mp4"},
    ],
    ids=str,
)
def test_orders_that_cannot_be_filled(studio: Any, wrong: dict[str, Any]) -> None:
    from fairframe.generation.generate import generate

    wrong = {"prompt": "a square", "name": "film.mp4", **wrong}
    with pytest.raises(FairframeError) as error:
        generate(studio.lab, wrong.pop("prompt"), model="absent", out=studio.loop.tmp / wrong.pop("name"), **wrong)
    assert isinstance(error.value, InputError) or (wrong.get("purpose") and error.value.code == "model.missing")
