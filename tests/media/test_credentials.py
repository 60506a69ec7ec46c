from pathlib import Path

import av
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from fairframe.core.errors import InputError, MediaError
from fairframe.core.timecode import FrameSpan, Rate
from fairframe.media import c2pa_reader, sandboxed
from fairframe.media.credentials import GENERATED, film_manifest, read_credentials, sign_mp4
from fairframe.media.decode import read_span
from fairframe.media.encode import cut
from fairframe.media.sandbox import Limits, MediaWorker
from fairframe.media.signals import read_signals
from fairframe.platform.certificates import C2paIdentity, make_c2pa_ca

NOW_MS = 1_790_000_000_000


@pytest.fixture(scope="module")
def lab() -> C2paIdentity:
    return make_c2pa_ca("Example Lab", NOW_MS)


@pytest.fixture
def film(clip: Path, tmp_path: Path, lab: C2paIdentity) -> tuple[Path, bytes]:
    training = {"cawg.ai_generative_training": "notAllowed"}
    manifest = film_manifest("film.mp4", "0.1.0", {"model": "m", "delivery_root": "ab" * 32}, training)
    path = tmp_path / "film.mp4"
    return path, sign_mp4(clip, path, manifest, chain_pem=lab.chain_pem, key_pem=lab.key_pem)


def test_a_signed_film_is_trusted_under_its_makers_anchor_alone(
    film: tuple[Path, bytes], lab: C2paIdentity, clip: Path
) -> None:
    found = read_credentials(film[0], lab.ca_pem)
    assert (found.state, found.trusted, found.reason) == ("trusted", True, "")
    assert found.lineage == {"model": "m", "delivery_root": "ab" * 32}
    report = c2pa_reader.read(film[0], lab.ca_pem)
    stated = {one["label"]: one["data"] for one in report.manifests[report.active]["assertions"]}
    assert stated["c2pa.actions.v2"]["actions"][0]["digitalSourceType"] == GENERATED
    other = read_credentials(film[0], make_c2pa_ca("Other Lab", NOW_MS).ca_pem)
    assert (other.state, other.trusted) == ("untrusted", False)
    assert (read_span(film[0], 0, 48) == read_span(clip, 0, 48)).all()


def kept(folder: Path, store: bytes) -> Path:
    path = folder / "film.c2pa"
    path.write_bytes(store)
    return path


def test_its_own_training_statement_is_read_as_a_signal(film: tuple[Path, bytes], lab: C2paIdentity) -> None:
    signals = read_signals(film[0], lab.ca_pem)
    assert [(s.key, s.value, s.trust) for s in signals] == [("cawg.ai_generative_training", "notAllowed", "trusted")]


def test_an_edit_shows(film: tuple[Path, bytes], lab: C2paIdentity) -> None:
    data = bytearray(film[0].read_bytes())
    data[-100] ^= 1
    film[0].write_bytes(data)
    found = read_credentials(film[0], lab.ca_pem)
    assert (found.state, found.trusted) == ("tampered", False)


def test_a_remux_strips_credentials(film: tuple[Path, bytes], lab: C2paIdentity, tmp_path: Path) -> None:
    bare = tmp_path / "bare.mp4"
    with av.open(str(film[0])) as source, av.open(str(bare), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert read_credentials(bare, lab.ca_pem).state == "absent"
    # the sidecar stands for these bytes only: against others it does not hold
    assert not read_credentials(bare, lab.ca_pem, store=kept(tmp_path, film[1])).trusted


def test_a_sidecar_stands_for_the_film_that_it_was_made_with(
    film: tuple[Path, bytes], lab: C2paIdentity, clip: Path, tmp_path: Path
) -> None:
    assert read_credentials(film[0], lab.ca_pem, store=kept(tmp_path, film[1])).trusted
    assert not read_credentials(clip, lab.ca_pem, store=kept(tmp_path, b"junk")).trusted
    long = read_credentials(film[0], lab.ca_pem, store=kept(tmp_path, bytes(c2pa_reader.MAX_MANIFEST_BYTES + 1)))
    assert (long.state, long.reason) == ("unreadable", "film.c2pa is too long")


def test_a_stranger_s_film_is_read_in_the_child(film: tuple[Path, bytes], lab: C2paIdentity, tmp_path: Path) -> None:
    with MediaWorker() as worker:
        assert sandboxed.credentials(worker, film[0], lab.ca_pem) == read_credentials(film[0], lab.ca_pem)
        store = kept(tmp_path, film[1])
        assert sandboxed.credentials(worker, film[0], lab.ca_pem, store=store).trusted
        assert sandboxed.credentials(worker, film[0], b"").state == "untrusted"
    # a child that fails over a film says nothing good about it
    with MediaWorker(Limits(output_bytes=5)) as worker:
        assert sandboxed.credentials(worker, film[0], lab.ca_pem).state == "unreadable"


def test_a_cut_of_a_signed_film_has_no_credentials(film: tuple[Path, bytes], tmp_path: Path) -> None:
    cut(film[0], tmp_path / "cut.mp4", FrameSpan(0, 5), fps=Rate(24))
    assert read_credentials(tmp_path / "cut.mp4", b"").state == "absent"


def test_a_failed_signature_leaves_nothing(clip: Path, tmp_path: Path, lab: C2paIdentity) -> None:
    manifest = film_manifest("film", "0", {}, {})
    other = make_c2pa_ca("Other", NOW_MS)
    for src, key in ((tmp_path / "missing.mp4", lab.key_pem), (clip, b"no key"), (clip, other.key_pem)):
        with pytest.raises(MediaError) as caught:
            sign_mp4(src, tmp_path / "film.mp4", manifest, chain_pem=lab.chain_pem, key_pem=key)
        assert caught.value.code == "media.sign_failed"
    assert list(tmp_path.iterdir()) == []


def test_the_certificate_meets_the_profile(lab: C2paIdentity) -> None:
    leaf, ca = x509.load_pem_x509_certificate(lab.chain_pem), x509.load_pem_x509_certificate(lab.ca_pem)
    leaf.verify_directly_issued_by(ca)
    usage = leaf.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE)
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign
    for oid in (ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.SUBJECT_KEY_IDENTIFIER):
        assert leaf.extensions.get_extension_for_oid(oid)
    assert leaf.not_valid_before_utc.timestamp() * 1000 <= NOW_MS < leaf.not_valid_after_utc.timestamp() * 1000
    assert b"PRIVATE KEY" not in lab.ca_pem + lab.chain_pem


@pytest.mark.parametrize("name", ["", "  ", "a" * 65, "two\nlines"])
def test_names_that_no_certificate_can_carry(name: str) -> None:
    with pytest.raises(InputError):
        make_c2pa_ca(name, NOW_MS)
