import json
import os
from collections.abc import Callable
from pathlib import Path

import c2pa
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairframe.media.credentials import sign_mp4
from fairframe.media.signals import Signal, read_signals
from fairframe.platform.certificates import C2paIdentity, make_c2pa_ca

CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
CREATED = {
    "label": "c2pa.actions.v2",
    "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": CAPTURE}]},
}
NOW_MS = 1_790_000_000_000
Make = Callable[..., Path]
Texture = Callable[..., list[np.ndarray]]
XMP_HEAD = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
XMP_TAIL = "</rdf:RDF></x:xmpmeta>"
PLUS = 'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"'
DMI = "http://ns.useplus.org/ldf/vocab/"
XMP_BOX = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")


@pytest.fixture(scope="module")
def identity() -> C2paIdentity:
    return make_c2pa_ca("A contributor", NOW_MS)


@pytest.fixture
def signed(clip: Path, tmp_path: Path, identity: C2paIdentity) -> Callable[..., Path]:
    def make(entries: object, label: str = "cawg.training-mining") -> Path:
        manifest = {
            "title": "clip",
            "format": "video/mp4",
            "claim_generator_info": [{"name": "camera", "version": "1"}],
            "assertions": [
                CREATED,
                {"label": label, "data": entries},
            ],
        }
        path = tmp_path / "signed.mp4"
        sign_mp4(clip, path, manifest, chain_pem=identity.chain_pem, key_pem=identity.key_pem)
        return path

    return make


def said(signals: list[Signal]) -> list[tuple[str, str, str, str]]:
    return [(signal.kind, signal.key, signal.value, signal.trust) for signal in signals]


def with_xmp(clip: Path, path: Path, body: str) -> Path:
    packet = (XMP_HEAD + body + XMP_TAIL).encode()
    box = (24 + len(packet)).to_bytes(4, "big") + b"uuid" + XMP_BOX + packet
    path.write_bytes(clip.read_bytes() + box)
    return path


def test_nothing_said(clip: Path) -> None:
    assert read_signals(clip) == []


@pytest.mark.parametrize("family", ["c2pa", "cawg"])
@pytest.mark.parametrize("use", ["notAllowed", "allowed", "constrained", "whatever"])
def test_an_assertion_counts_as_trusted_only_under_its_anchor(
    family: str, use: str, signed: Callable[..., Path], identity: C2paIdentity
) -> None:
    key = f"{family}.ai_generative_training"
    path = signed({"entries": {key: {"use": use, "constraint_info": "ask me"}}}, f"{family}.training-mining")
    value = "unknown" if use == "whatever" else use
    assert said(read_signals(path, identity.ca_pem)) == [("c2pa", key, value, "trusted")]
    assert said(read_signals(path)) == [("c2pa", key, value, "untrusted")]
    other = make_c2pa_ca("Somebody else", NOW_MS).ca_pem
    found = read_signals(path, other)
    assert said(found) == [("c2pa", key, value, "untrusted")]
    assert found[0].detail["issuer"] == "A contributor" and found[0].detail["constraint"] == "ask me"
    assert b"training-mining" in found[0].raw


def test_an_edited_file_is_tampered(signed: Callable[..., Path], identity: C2paIdentity) -> None:
    path = signed({"entries": {"cawg.data_mining": {"use": "allowed"}}})
    data = bytearray(path.read_bytes())
    data[-2000] ^= 1
    path.write_bytes(data)
    found = read_signals(path, identity.ca_pem)
    assert {signal.trust for signal in found} == {"tampered"}
    assert ("c2pa", "manifest", "tampered", "tampered") in said(found)


@pytest.mark.parametrize("entries", [{}, {"entries": {}}, {"entries": "no"}, {"entry": {"a": {"use": "allowed"}}}])
def test_an_assertion_of_another_shape_is_unreadable(
    entries: object, signed: Callable[..., Path], identity: C2paIdentity
) -> None:
    found = said(read_signals(signed(entries), identity.ca_pem))
    assert found == [("c2pa", "cawg.training-mining", "unreadable", "unreadable")]


def test_credentials_without_a_word_on_training_are_a_note(signed: Callable[..., Path]) -> None:
    found = read_signals(signed({"text": 1}, "org.example.other"))
    assert said(found) == [("note", "manifest", "says nothing on training", "none")]


@pytest.mark.parametrize(
    ("body", "key", "value"),
    [
        (f'<rdf:Description {PLUS} plus:DataMining="{DMI}DMI-PROHIBITED"/>', "plus:DataMining", "notAllowed"),
        (
            f"<rdf:Description {PLUS}><plus:DataMining> {DMI}DMI-ALLOWED </plus:DataMining></rdf:Description>",
            "plus:DataMining",
            "allowed",
        ),
        (
            f'<rdf:Description {PLUS}><plus:DataMining rdf:resource="{DMI}DMI-PROHIBITED-SEECONSTRAINT"/>'
            "</rdf:Description>",
            "plus:DataMining",
            "constrained",
        ),
        (
            f'<rdf:Description {PLUS} plus:DataMining="DMI-PROHIBITED-GENAIMLTRAINING"/>',
            "plus:DataMining",
            "notAllowed",
        ),
        (f'<rdf:Description {PLUS} plus:DataMining=""/>', "plus:DataMining", "unknown"),
        (
            '<rdf:Description xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1"/>',
            "tdm:reservation",
            "notAllowed",
        ),
    ],
)
def test_xmp_in_every_form(body: str, key: str, value: str, clip: Path, tmp_path: Path) -> None:
    found = read_signals(with_xmp(clip, tmp_path / "xmp.mp4", body))
    assert said(found) == [("xmp", key, value, "untrusted")]
    assert found[0].raw.startswith(b"<x:xmpmeta")


def test_xmp_that_bites(clip: Path, tmp_path: Path) -> None:
    for body in ("<rdf:Description", "<a>&lol;</a>"):
        found = read_signals(with_xmp(clip, tmp_path / "broken.mp4", body))
        assert said(found) == [("xmp", "xmp", "unreadable", "unreadable")]
    cut_short = tmp_path / "cut.mp4"
    cut_short.write_bytes(with_xmp(clip, tmp_path / "whole.mp4", "<a/>").read_bytes()[:-30])
    assert ("xmp", "xmp", "unreadable", "unreadable") in said(read_signals(cut_short))


def test_a_container_without_credentials_is_noted_and_scanned(make_video: Make, texture: Texture) -> None:
    path = make_video("film.mkv", texture(3))
    assert said(read_signals(path)) == [("note", "container", "unsupported", "none")]
    body = f'<rdf:Description {PLUS} plus:DataMining="{DMI}DMI-PROHIBITED"/>'
    path.write_bytes(path.read_bytes() + (XMP_HEAD + body + XMP_TAIL).encode())
    assert said(read_signals(path))[1:] == [("xmp", "plus:DataMining", "notAllowed", "untrusted")]


def test_what_cannot_be_read_is_a_signal(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("text")
    assert {signal.trust for signal in read_signals(tmp_path / "text.mp4")} == {"unreadable"}
    assert {signal.trust for signal in read_signals(tmp_path / "missing.mp4")} == {"unreadable"}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_no_never_turns_into_a_trusted_yes(
    signed: Callable[..., Path], identity: C2paIdentity, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(signed({"entries": {"cawg.ai_generative_training": {"use": "notAllowed"}}}).read_bytes())
    start = content.find(b"jumb")
    assert start > 0
    for place in data.draw(st.lists(st.integers(start, start + 4000), min_size=1, max_size=5)):
        content[place] ^= data.draw(st.integers(1, 255))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    found = read_signals(broken, identity.ca_pem)
    assert not [signal for signal in found if signal.trust == "trusted" and signal.value != "notAllowed"]
    assert found


@pytest.mark.skipif(not os.environ.get("FAIRFRAME_C2PA"), reason="FAIRFRAME_C2PA is not set")
def test_files_of_the_c2pa_project() -> None:
    folder = Path(os.environ["FAIRFRAME_C2PA"])
    note = [("note", "manifest", "says nothing on training", "none")]
    for name in ("C.jpg", "CA.jpg", "CACA.jpg", "video1.mp4"):
        assert said(read_signals(folder / name)) == note
    assert said(read_signals(folder / "no_manifest.jpg")) == []
    assert ("c2pa", "manifest", "tampered", "tampered") in said(read_signals(folder / "E-sig-CA.jpg"))
    uses = said(read_signals(folder / "C_with_CAWG_data.jpg"))
    assert ("c2pa", "cawg.ai_generative_training", "notAllowed", "untrusted") in uses


@pytest.mark.skipif(not os.environ.get("FAIRFRAME_C2PA"), reason="FAIRFRAME_C2PA is not set")
def test_the_projects_own_do_not_train_manifest(clip: Path, tmp_path: Path, identity: C2paIdentity) -> None:
    manifest = json.loads((Path(os.environ["FAIRFRAME_C2PA"]) / "do_not_train.json").read_text())
    del manifest["ta_url"]
    manifest["assertions"].insert(0, CREATED)
    path = tmp_path / "signed.mp4"
    sign_mp4(clip, path, manifest, chain_pem=identity.chain_pem, key_pem=identity.key_pem)
    found = said(read_signals(path, identity.ca_pem))
    assert ("c2pa", "c2pa.ai_generative_training", "notAllowed", "trusted") in found and len(found) == 4
    assert c2pa.sdk_version()
