"""The private side of a workspace: signing keys, the key of its film credentials, the secret of its pseudonyms.

All of it is one file, DIR/keys/keyring.json (folder 0700, file 0600), so that every change, encryption too, is one
atomic rename: a process that is killed at any moment leaves the old file or the new one. Nothing of it enters the
database, a log, an error or an export.
"""

import fcntl
import os
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairframe.core import keys
from fairframe.core.errors import BadDocument, InputError, NotFound
from fairframe.core.fields import Fields
from fairframe.platform import sealing
from fairframe.platform.certificates import C2paIdentity, make_c2pa_ca

FILE, UNFINISHED, LOCK = "keyring.json", "keyring.json.new", "lock"
SEPARATE = {"sign": "sign.pem", "secret": "pseudonyms.bin", "key": "c2pa-key.pem", "chain": "c2pa-chain.pem"}
SEPARATE["ca"] = "c2pa-ca.pem"
"""Files in which earlier workspaces kept what one file holds now; they are read once, and taken into it."""

Ask = Callable[[], str | None]


@dataclass(frozen=True)
class Secrets:
    """What a keyring holds. `signing`: (keyid, PEM), the newest last."""

    signing: tuple[tuple[str, str], ...]
    secret: bytes = field(repr=False)
    c2pa: C2paIdentity = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        ca, chain, key = (pem.decode() for pem in self.c2pa)
        signing = [{"keyid": keyid, "pem": pem} for keyid, pem in self.signing]
        return {"sign": signing, "pseudonyms": self.secret.hex(), "c2pa": {"ca": ca, "chain": chain, "key": key}}

    @classmethod
    def from_json(cls, fields: Fields) -> "Secrets":
        listed = [Fields(one, "keyring.sign") for one in fields.list("sign", max_items=64)]
        signing = tuple((one.hex("keyid"), one.text("pem", max_chars=1_024)) for one in listed)
        c2pa = fields.fields("c2pa")
        ca, chain, key = (c2pa.text(name, max_chars=65_536).encode() for name in ("ca", "chain", "key"))
        return cls(signing, bytes.fromhex(fields.hex("pseudonyms")), C2paIdentity(ca, chain, key))

    def __repr__(self) -> str:
        return f"Secrets({len(self.signing)} signing keys)"


@dataclass(frozen=True)
class Keys:
    """A workspace's keyring. ask: where the passphrase comes from; it is called when the file turns out encrypted."""

    folder: Path
    ask: Ask = field(default=lambda: None, repr=False)
    _read: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)

    def create(self, name: str, now_ms: int, passphrase: str | None = None) -> None:
        """A new keyring, encrypted where there is a passphrase. Raises InputError (keys.weak_passphrase)."""
        if passphrase is not None:
            sealing.check_passphrase(passphrase)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Secrets((_entry(keys.generate()),), token_bytes(32), make_c2pa_ca(name, now_ms))
        with self._alone():
            self._write(made, passphrase)

    def signing_key(self, keyid: str | None = None) -> tuple[str, Ed25519PrivateKey]:
        """(keyid, private key) of that key, or of the newest. Raises NotFound (keys.missing)."""
        held = self._open().signing
        for known, pem in reversed(held):
            if keyid in (None, known):
                return known, keys.load_private(pem.encode())
        raise _missing(f"the private key {(keyid or '')[:16]} is not in this workspace's keyring")

    def held(self) -> tuple[str, ...]:
        """The ids of the signing keys whose private halves are here."""
        return tuple(keyid for keyid, _ in self._open().signing)

    def library_secret(self) -> bytes:
        """32 bytes under which pseudonyms are HMACs; only its holder can link them to assets and people."""
        return self._open().secret

    def c2pa(self) -> C2paIdentity:
        return self._open().c2pa

    @property
    def encrypted(self) -> bool:
        """Whether the keyring is encrypted at rest; no passphrase is needed to see that."""
        return (self.folder / FILE).exists() and sealing.is_encrypted(self._bytes())

    def add(self, private: Ed25519PrivateKey) -> None:
        """Hold another signing key; it is on the disk when this returns."""
        self._change(lambda held: Secrets((*held.signing, _entry(private)), held.secret, held.c2pa))

    def keep(self, keyids: Collection[str]) -> None:
        """Forget the private halves of all other signing keys, except that one always stays."""
        held = self._open()
        left = tuple(one for one in held.signing if one[0] in keyids)
        if left and left != held.signing:
            self._change(lambda now: Secrets(tuple(k for k in now.signing if k[0] in keyids), now.secret, now.c2pa))

    def encrypt(self, passphrase: str | None) -> None:
        """Encrypt the keyring under a new passphrase; None decrypts it. Raises what reading it raises."""
        if passphrase is not None:
            sealing.check_passphrase(passphrase)
        self._open()  # before the lock: the files of an earlier workspace are taken in under it
        with self._alone():
            self._write(self._open(), passphrase)

    def _change(self, change: Callable[[Secrets], Secrets]) -> None:
        self._open()
        with self._alone():
            held = self._open()
            self._write(change(held), self._read["passphrase"])

    def _open(self) -> Secrets:
        """What the file holds; read again when another process changed it."""
        if not (self.folder / FILE).exists() and (self.folder / SEPARATE["sign"]).exists():
            self._take_in()
        data = self._bytes()
        if self._read.get("data") == data:
            return self._read["held"]
        passphrase: str | None = None
        if sealing.is_encrypted(data):
            passphrase = self._read.get("passphrase") or self.ask()
            if passphrase is None:
                raise InputError(
                    "the keys of this workspace are encrypted, and no passphrase was given",
                    code="keys.locked",
                    remedy="Set FAIRFRAME_PASSPHRASE, or name a file that holds it in FAIRFRAME_PASSPHRASE_FILE",
                )
        try:
            content = sealing.unseal(data, passphrase)
        except InputError:
            self._read.clear()  # the passphrase that was right once is asked for anew
            raise
        held = _secrets(content)
        self._read.update(data=data, passphrase=passphrase, held=held)
        return held

    def _bytes(self) -> bytes:
        try:
            return (self.folder / FILE).read_bytes()
        except OSError as error:
            raise _missing("the keyring of this workspace cannot be read") from error

    def _write(self, held: Secrets, passphrase: str | None) -> None:
        """Under the lock: the whole file, on the disk before it takes the old one's name."""
        data = sealing.seal(held.to_json(), passphrase)
        path = self.folder / UNFINISHED
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        path.replace(self.folder / FILE)
        _sync(self.folder)
        for name in SEPARATE.values():
            (self.folder / name).unlink(missing_ok=True)
        self._read.update(data=data, passphrase=passphrase, held=held)

    def _take_in(self) -> None:
        def read(part: str) -> bytes:
            try:
                return (self.folder / SEPARATE[part]).read_bytes()
            except OSError as error:
                raise _missing(f"the key file {SEPARATE[part]} of this workspace cannot be read") from error

        with self._alone():
            if not (self.folder / FILE).exists():
                signing = _entry(keys.load_private(read("sign")))
                c2pa = C2paIdentity(read("ca"), read("chain"), read("key"))
                self._write(Secrets((signing,), read("secret"), c2pa), None)

    @contextmanager
    def _alone(self) -> Generator[None]:
        """No other process changes the keyring meanwhile; what a killed one left unfinished goes."""
        handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            (self.folder / UNFINISHED).unlink(missing_ok=True)
            yield


def tidy(folder: Path) -> None:
    """Drop what a killed process left beside the keyring: it may hold the keys unencrypted."""
    if not any((folder / name).exists() for name in (UNFINISHED, *SEPARATE.values())) or not (folder / FILE).exists():
        return
    with (folder / LOCK).open("ab") as stream, suppress(BlockingIOError):
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever holds it is at work there
        for name in (UNFINISHED, *SEPARATE.values()):
            (folder / name).unlink(missing_ok=True)


def _secrets(content: Fields) -> Secrets:
    try:
        return Secrets.from_json(content)
    except BadDocument as error:
        raise sealing.damaged() from error


def _entry(private: Ed25519PrivateKey) -> tuple[str, str]:
    return keys.keyid(private.public_key()), keys.dump_private(private).decode()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _missing(text: str) -> NotFound:
    return NotFound(text, code="keys.missing", remedy="Restore DIR/keys from a backup.")
