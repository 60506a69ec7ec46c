"""The keyring on the command line, and that its secrets are said nowhere."""

import base64
import re
from pathlib import Path

import pytest

from fairframe.core import keys as core_keys
from fairframe.platform import sealing
from fairframe.platform.keyring import Keys

from .conftest import Fairframe

SECRET, OTHER = "correct horse battery staple", "another passphrase, long enough"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "N", 2**10)


@pytest.fixture
def parties(fairframe: Fairframe, tmp_path: Path) -> tuple[Path, Path]:
    library, lab = tmp_path / "library", tmp_path / "lab"
    assert fairframe("init", library, "--role", "library", "--name", "Harbor Stock").code == 0
    assert fairframe("init", lab, "--role", "lab", "--name", "North Lab").code == 0
    for one, other in ((library, lab), (lab, library)):
        assert fairframe("--workspace", one, "trust", "add", other / "party.json", "--yes").code == 0
    return library, lab


def test_init_says_whether_the_keys_are_encrypted(
    fairframe: Fairframe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = ("init", tmp_path / "a", "--role", "lab", "--name", "A")
    assert "lie unencrypted" in fairframe(*init).err
    asked = fairframe("init", tmp_path / "b", "--role", "lab", "--name", "B", "--encrypt")
    assert asked.code == 1 and "keys.passphrase" in asked.err and not (tmp_path / "b").exists()
    monkeypatch.setenv("FAIRFRAME_PASSPHRASE", SECRET)
    made = fairframe("init", tmp_path / "b", "--role", "lab", "--name", "B")
    assert made.code == 0 and "are encrypted" in made.err and SECRET not in made.err + made.out
    assert fairframe("-w", tmp_path / "b", "keys", "list", "--json").data["encrypted"] is True


def test_encrypting_changing_decrypting(
    fairframe: Fairframe, parties: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ("-w", parties[1], "keys")
    assert fairframe(*run, "encrypt").err.startswith("error[keys.passphrase]: ")
    monkeypatch.setenv("FAIRFRAME_PASSPHRASE", SECRET)
    assert fairframe(*run, "encrypt").code == 0
    assert fairframe(*run, "encrypt").err.startswith("error[keys.encrypted]: ")
    (tmp_path / "new").write_text(OTHER)
    monkeypatch.setenv("FAIRFRAME_NEW_PASSPHRASE_FILE", str(tmp_path / "new"))
    assert fairframe(*run, "passphrase").code == 0
    wrong = fairframe(*run, "list")
    assert wrong.code == 1 and wrong.err.startswith("error[keys.wrong_passphrase]: ") and wrong.err.count("\n") == 1
    monkeypatch.delenv("FAIRFRAME_PASSPHRASE")
    assert fairframe(*run, "rotate", "--yes").err.startswith("error[keys.locked]: ")
    assert fairframe("-w", parties[1], "trust", "list").code == 0, "what needs no key asks for none"
    monkeypatch.setenv("FAIRFRAME_PASSPHRASE", OTHER)
    assert fairframe(*run, "decrypt").err.startswith("error[input.confirm]: ")
    assert "lie unencrypted" in fairframe(*run, "decrypt", "--yes").err
    assert fairframe(*run, "passphrase").err.startswith("error[keys.not_encrypted]: ")


def test_an_old_private_half_that_a_cut_off_rotation_left_is_told(
    fairframe: Fairframe, parties: tuple[Path, Path]
) -> None:
    ring, run = Keys(parties[1] / "keys"), ("-w", parties[1], "keys")
    old = ring.signing_key()[1]
    assert fairframe(*run, "rotate", "--yes").code == 0
    assert "is still held" not in fairframe(*run, "list").err
    ring.add(old)  # as where the rotation had been killed before it forgot it
    assert "is still held" in fairframe(*run, "list").err
    assert fairframe(*run, "rotate", "--yes").code == 0
    assert "is still held" not in fairframe(*run, "list").err and len(ring.held()) == 1


def test_rotating_and_revoking(fairframe: Fairframe, parties: tuple[Path, Path]) -> None:
    library, lab = parties
    assert fairframe("-w", lab, "keys", "rotate").err.startswith("error[input.confirm]: ")
    assert fairframe("-w", lab, "keys", "rotate", "--yes").code == 0
    listed = fairframe("-w", lab, "keys", "list", "--json").data["keys"]
    assert [(one["role"], one["state"], one["private"]) for one in listed] == [
        ("sign", "ended", False),
        ("sign", "signing", True),
        ("credentials", "in use", True),
        ("pseudonyms", "in use", True),
    ]
    add = ("-w", library, "trust", "add", lab / "party.json")
    taken = fairframe(*add)
    assert taken.code == 0 and taken.out.endswith("its new keys are pinned\n"), "nobody is asked to compare"
    assert fairframe(*add, "--yes").out.endswith("was pinned already\n")
    revoke = ("-w", lab, "keys", "revoke", listed[1]["keyid"][:12], "--reason", "stolen")
    shown = fairframe(*revoke)
    assert "0 documents that it signed" in shown.out and shown.err.startswith("error[input.confirm]: ")
    done = fairframe(*revoke, "--yes")
    assert done.code == 0 and "over another channel" in done.err
    refused = fairframe(*add)
    assert refused.err.startswith("error[input.confirm]: ") and "does not follow from it" in refused.out
    told = re.search(r"fingerprint ([0-9a-f ]+)", done.out)
    assert told is not None
    assert fairframe(*add, "--fingerprint", "00" * 32).code == 1
    assert fairframe(*add, "--fingerprint", told[1]).out.endswith("pinned anew\n")
    pinned = fairframe("-w", library, "trust", "list", "--json").data
    assert [one["version"] for one in pinned] == [1, 3] and pinned[1]["fingerprint"] == told[1].strip()
    states = [one["state"] for one in fairframe("-w", lab, "keys", "list", "--json").data["keys"]]
    assert states[:3] == ["ended", "revoked", "signing"]


def test_secrets_stand_in_no_output_and_in_no_file_but_the_keyring(
    fairframe: Fairframe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A story of two parties: everything that is printed, stored and exported is searched for each secret."""
    library, lab, said = tmp_path / "library", tmp_path / "lab", list[str]()
    secrets: dict[str, bytes] = {}

    def call(*arguments: object, fails: bool = False) -> None:
        done = fairframe(*arguments)
        assert (done.code != 0) == fails, done.err
        said.append(done.out + done.err)
        for root in (library, lab):
            if (root / "keys" / "keyring.json").exists():
                secrets.update(held(root))

    def held(root: Path) -> dict[str, bytes]:
        ring = Keys(root / "keys", lambda: SECRET)
        found = {"secret of pseudonyms": ring.library_secret(), "key of credentials": body(ring.c2pa().key_pem)}
        for keyid in ring.held():
            private = ring.signing_key(keyid)[1]
            found |= {keyid: private.private_bytes_raw(), f"{keyid} as PEM": body(core_keys.dump_private(private))}
        return {f"{root.name}: {name}": value for name, value in found.items()}

    call("init", library, "--role", "library", "--name", "Harbor Stock")
    monkeypatch.setenv("FAIRFRAME_PASSPHRASE", SECRET)
    call("init", lab, "--role", "lab", "--name", "North Lab")
    for one, other in ((library, lab), (lab, library)):
        call("-w", one, "trust", "add", other / "party.json", "--yes")
    offer, signed = tmp_path / "offer.json", tmp_path / "signed.json"
    agree = ("--offer", "research", "--licensee", lab / "party.json", "--fee", "1.00", "--currency", "USD")
    call("-w", library, "rights", "agree", *agree, "-o", offer)
    call("-w", lab, "rights", "sign", offer, "-o", signed, "--yes")
    call("-w", library, "rights", "accept", signed)
    for root in (library, lab):
        call("-w", root, "keys", "rotate", "--yes")
        call("-w", root, "keys", "list")
        call("-w", root, "keys", "list", "--json")
        call("-w", root, "verify", "audit")
    call("-w", library, "keys", "encrypt")
    monkeypatch.setenv("FAIRFRAME_NEW_PASSPHRASE", "short")
    call("-w", library, "keys", "passphrase", fails=True)
    call("-w", library, "trust", "add", lab / "party.json")
    call("-w", lab, "verify", signed, "--trust", library / "party.json")
    monkeypatch.setenv("FAIRFRAME_PASSPHRASE", OTHER)
    call("-w", library, "keys", "list", fails=True)
    (lab / "keys" / "keyring.json").write_bytes(b"{}")
    failed = fairframe("-w", lab, "keys", "rotate", "--yes")
    said.append(failed.out + failed.err)
    assert "keys.damaged" in failed.err

    assert len(secrets) == 12, "two signing keys and the others of each party"
    secrets |= {"passphrase": SECRET.encode(), "other passphrase": OTHER.encode()}
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    places = {str(path.relative_to(tmp_path)): data for path, data in files.items()} | {
        "said": "\n".join(said).encode()
    }
    assert {"library/fairframe.db", "lab/party.json", "offer.json", "library/keys/keyring.json"} <= set(places)
    for name, secret in secrets.items():
        for spelling in (secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret)):
            found = [place for place, data in places.items() if spelling in data]
            assert found == [], name
    assert b"PRIVATE KEY" not in b"".join(places.values())


def body(pem: bytes) -> bytes:
    """The middle of a PEM text, without its line breaks and its first, common bytes."""
    return b"".join(line for line in pem.splitlines() if not line.startswith(b"-"))[24:60]
