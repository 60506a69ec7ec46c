"""Private keys at rest: encrypted or not, readable after a kill at any moment, never said aloud."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairframe.core import keys as core_keys
from fairframe.core.errors import FairframeError, InputError, IntegrityFailure, NotFound
from fairframe.platform import keyring, sealing
from fairframe.platform.keyring import FILE, SEPARATE, UNFINISHED, Keys
from fairframe.platform.workspace import Workspace, create_workspace, open_workspace

SECRET, OTHER = "correct horse battery staple", "another passphrase, long enough"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Fewer rounds of scrypt, but where a test is about them."""
    if "rounds" not in request.node.name:
        monkeypatch.setattr(sealing, "N", 2**10)


@pytest.fixture
def ring(tmp_path: Path) -> Keys:
    made = Keys(tmp_path / "keys", lambda: SECRET)
    made.create("Harbor Stock", 1_780_000_000_000, SECRET)
    return made


def again(ring: Keys, passphrase: str | None = SECRET) -> Keys:
    return Keys(ring.folder, lambda: passphrase)


def code_of(act: object) -> str:
    with pytest.raises(FairframeError) as caught:
        act()  # type: ignore[operator]
    assert SECRET not in str(caught.value) and OTHER not in str(caught.value)
    return caught.value.code


def test_the_parameters_are_those_that_the_docs_name_in_full_rounds(ring: Keys) -> None:
    assert (sealing.N, sealing.R, sealing.P) == (2**17, 8, 1)
    cipher = json.loads((ring.folder / FILE).read_bytes())["cipher"]
    assert (cipher["name"], cipher["kdf"], cipher["n"], cipher["r"], cipher["p"]) == (
        "AES-256-GCM",
        "scrypt",
        2**17,
        8,
        1,
    )
    assert again(ring).held() == ring.held()


def test_what_is_encrypted_opens_with_its_passphrase_only(ring: Keys) -> None:
    assert again(ring).signing_key()[0] == ring.signing_key()[0]
    assert again(ring).library_secret() == ring.library_secret() and again(ring).c2pa() == ring.c2pa()
    assert code_of(again(ring, OTHER).library_secret) == "keys.wrong_passphrase"
    assert code_of(again(ring, None).library_secret) == "keys.locked"
    assert again(ring, None).encrypted, "seen without a passphrase"


def test_nothing_of_it_can_be_read_in_the_folder(ring: Keys) -> None:
    data = b"".join(path.read_bytes() for path in ring.folder.iterdir())
    assert b"PRIVATE KEY" not in data
    assert ring.library_secret() not in data and ring.library_secret().hex().encode() not in data
    ring.encrypt(None)
    data = b"".join(path.read_bytes() for path in ring.folder.iterdir())
    assert b"PRIVATE KEY" in data, "else this test could not fail"


def test_encrypt_change_decrypt(ring: Keys) -> None:
    held, secret = ring.held(), ring.library_secret()
    ring.encrypt(OTHER)
    assert again(ring, OTHER).held() == held
    assert code_of(again(ring, SECRET).held) == "keys.wrong_passphrase"
    again(ring, OTHER).encrypt(None)
    plain = again(ring, None)
    assert not plain.encrypted and plain.library_secret() == secret
    plain.encrypt(SECRET)
    assert again(ring).library_secret() == secret
    assert {path.stat().st_mode & 0o777 for path in ring.folder.iterdir()} == {0o600}


def test_another_process_that_changed_it_is_noticed(ring: Keys) -> None:
    other = again(ring)
    other.add(core_keys.generate())
    assert ring.held() == other.held() and len(ring.held()) == 2
    other.keep(other.held()[1:])
    assert ring.held() == other.held() and len(ring.held()) == 1
    ring.keep([])
    assert len(ring.held()) == 1, "one always stays"


@pytest.mark.parametrize("weak", ["", "short", "x" * 2_000])
def test_a_weak_passphrase(ring: Keys, weak: str) -> None:
    with pytest.raises(InputError) as caught:
        ring.encrypt(weak)
    assert caught.value.code == "keys.weak_passphrase"


def test_a_passphrase_is_the_same_however_its_letters_are_composed(ring: Keys) -> None:
    ring.encrypt("caf\u00e9 de la gare")
    assert again(ring, "cafe\u0301 de la gare").held() == ring.held()


def test_damage_is_told_as_damage(ring: Keys) -> None:
    path = ring.folder / FILE
    whole = path.read_bytes()
    value = json.loads(whole)
    value["cipher"]["n"] = 2**30
    for bad in (b"", b"{}", whole[:-20], json.dumps(value).encode()):
        path.write_bytes(bad)
        with pytest.raises(IntegrityFailure) as caught:
            again(ring).held()
        assert caught.value.code == "keys.damaged"
    value["cipher"]["n"] = 2**9
    path.write_bytes(json.dumps(value).encode())
    assert code_of(again(ring).held) == "keys.wrong_passphrase", "the parameters are authenticated"
    path.unlink()
    with pytest.raises(NotFound):
        again(ring).held()


def test_the_separate_files_of_an_earlier_workspace_are_taken_in(ring: Keys) -> None:
    ring.encrypt(None)
    c2pa, (_, private) = ring.c2pa(), ring.signing_key()
    was = {
        "sign": core_keys.dump_private(private), "secret": ring.library_secret(),
        "key": c2pa.key_pem, "chain": c2pa.chain_pem, "ca": c2pa.ca_pem,
    }  # fmt: skip
    (ring.folder / FILE).unlink()
    for part, data in was.items():
        (ring.folder / SEPARATE[part]).write_bytes(data)
    taken = again(ring, None)
    assert (taken.held(), taken.library_secret(), taken.c2pa()) == (ring.held(), ring.library_secret(), c2pa)
    assert {path.name for path in ring.folder.iterdir()} == {FILE, "lock"}
    for part, data in was.items():
        (ring.folder / SEPARATE[part]).write_bytes(data)
    keyring.tidy(ring.folder)  # as after a kill between the new file and the end of the old ones
    assert {path.name for path in ring.folder.iterdir()} == {FILE, "lock"}


KILLED = """
import sys
from pathlib import Path
from fairframe.platform import sealing
from fairframe.platform.keyring import Keys
sealing.N = 2**10
folder, (a, b) = Path(sys.argv[1]), sys.argv[2:]
passphrase = a
while True:
    for new in (b, None, a):
        Keys(folder, lambda: passphrase).encrypt(new)
        passphrase = new
        print("changed", flush=True)
"""


@pytest.mark.parametrize("round_", range(6))
def test_a_kill_at_any_moment_leaves_one_readable_set(ring: Keys, round_: int) -> None:
    """A child encrypts anew, decrypts and encrypts in a loop, and is killed somewhere in it."""
    held, secret = ring.held(), ring.library_secret()
    command = [sys.executable, "-c", KILLED, str(ring.folder), SECRET, OTHER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as child:
        assert child.stdout is not None
        for _ in range(3):
            assert child.stdout.readline() == b"changed\n"
        time.sleep(0.003 * round_)
        os.kill(child.pid, signal.SIGKILL)
    found: list[str] = []
    for passphrase in (SECRET, OTHER):
        try:
            one = again(ring, passphrase)
            assert (one.held(), one.library_secret()) == (held, secret)
            found.append(passphrase)
        except InputError as error:
            assert error.code == "keys.wrong_passphrase"
    assert found, "neither passphrase opens it"
    keyring.tidy(ring.folder)
    assert not (ring.folder / UNFINISHED).exists()


@pytest.mark.parametrize("step", ["fsync", "replace", "_sync"])
def test_a_change_that_is_cut_off_at_a_step(ring: Keys, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    class Cut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patch, pytest.raises(Cut):
        target = {"fsync": "os.fsync", "replace": "pathlib.Path.replace", "_sync": "fairframe.platform.keyring._sync"}
        patch.setattr(target[step], cut)
        again(ring).encrypt(None)
    held = again(ring)
    assert held.held() == ring.held()
    assert held.encrypted == (step != "_sync")
    held.encrypt(OTHER)
    assert not (ring.folder / UNFINISHED).exists()


def test_a_workspace_takes_its_passphrase_from_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "passphrase"
    file.write_text(SECRET + "\n")
    monkeypatch.setenv("FAIRFRAME_PASSPHRASE_FILE", str(file))
    made = create_workspace(tmp_path / "w", "lab", "North Lab")
    assert made.keys.encrypted
    again_ = open_workspace(tmp_path / "w")
    assert again_.keys.held() == made.keys.held()
    monkeypatch.setenv("FAIRFRAME_PASSPHRASE", SECRET)
    assert code_of(lambda: create_workspace(tmp_path / "x", "lab", "North Lab")) == "keys.passphrase"
    monkeypatch.delenv("FAIRFRAME_PASSPHRASE_FILE")
    for wrong, code in (("", "keys.passphrase"), ("short", "keys.weak_passphrase")):
        monkeypatch.setenv("FAIRFRAME_PASSPHRASE", wrong)
        assert code_of(lambda: create_workspace(tmp_path / "x", "lab", "North Lab")) == code
        assert not (tmp_path / "x").exists()
    monkeypatch.delenv("FAIRFRAME_PASSPHRASE")
    locked = open_workspace(tmp_path / "w")
    assert code_of(locked.keys.held) == "keys.locked"
    asked = open_workspace(tmp_path / "w", ask=lambda: SECRET)
    assert asked.keys.held() == made.keys.held()
    for ws in (made, again_, locked, asked):
        ws.close()


def test_a_secret_is_in_no_representation(ring: Keys, library: Workspace) -> None:
    text = repr(ring) + repr(ring._open()) + repr(library) + repr(library.keys._open())
    assert SECRET not in text and "PRIVATE" not in text
    for one in (ring, library.keys):
        assert one.library_secret().hex() not in text and repr(one.library_secret()) not in text
