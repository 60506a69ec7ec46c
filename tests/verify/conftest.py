"""A library, a lab, a stranger, and a delivery between the first two, all on disk."""

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairframe.core import dsse, keys, merkle
from fairframe.core.beside import Beside, write_lines
from fairframe.core.bundle import AgreementRef, Bundle, seal
from fairframe.core.canonical import canonical, digest, sha256_hex
from fairframe.core.feed_body import FeedEntry, lines_of
from fairframe.core.ids import encode_id
from fairframe.core.party import Party, PartyKey
from fairframe.core.time import DAY_MS, now_ms, to_rfc3339
from fairframe.verify.beside import beside
from fairframe.verify.kind import Report
from fairframe.verify.registry import verify
from fairframe.verify.trust import Trust

NOW_MS = now_ms()


def made_id(prefix: str, seed: int = 0) -> str:
    return encode_id(prefix, bytes([seed] * 16))


@dataclass(frozen=True)
class Someone:
    """A party and its private key."""

    party: Party
    private: Ed25519PrivateKey

    @property
    def id(self) -> str:
        return self.party.id

    def document(self) -> bytes:
        return self.party.seal(self.private)


def someone(name: str, role: str, seed: int) -> Someone:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))
    public = private.public_key()
    start, end = NOW_MS - 100 * DAY_MS, NOW_MS + 100 * DAY_MS
    key = PartyKey(keys.keyid(public), public, "sign", start, end)
    return Someone(Party(made_id("pty", seed), name, role, start, (key,), ""), private)


def b64_payload(data: bytes) -> bytes:
    """The payload of an envelope, if it is one."""
    try:
        return base64.b64decode(json.loads(data)["payload"])
    except (ValueError, KeyError, TypeError):
        return b""


@dataclass
class World:
    """Writes documents and one delivery folder; `check` verifies with library and lab trusted."""

    folder: Path
    library: Someone = field(default_factory=lambda: someone("Harbor Stock", "library", 1))
    lab: Someone = field(default_factory=lambda: someone("North Lab", "lab", 2))
    stranger: Someone = field(default_factory=lambda: someone("Nobody", "lab", 3))
    lists: dict[str, bytes] = field(default_factory=dict[str, bytes])
    clips: list[bytes] = field(default_factory=lambda: [b"clip one", b"clip two, longer", b"clip three"])

    @property
    def agreement_ref(self) -> AgreementRef:
        return AgreementRef(made_id("agr"), 1)

    def trust(self) -> Trust:
        return Trust.of([self.library.party, self.lab.party])

    def check(self, path: Path | None = None, trust: Trust | None = None) -> Report:
        return verify(path or self.folder, trust or self.trust(), NOW_MS)

    def bundle(self, kind: str, body: dict[str, Any], **changes: Any) -> Bundle:
        bundle = Bundle(
            type=kind,
            version=1,
            id=made_id("doc", 9),
            sender=self.library.id,
            recipient=self.lab.id,
            seq=1,
            issued_at_ms=NOW_MS,
            agreement=self.agreement_ref,
            audit_head=None,
            body=body,
        )
        return replace(bundle, **changes)

    def sealed(self, kind: str, body: dict[str, Any], **changes: Any) -> bytes:
        return seal(self.bundle(kind, body, **changes), self.library.private)

    def write(self, name: str, data: bytes) -> Path:
        return self.lay(self.folder / name, data)

    def lay(self, path: Path, data: bytes) -> Path:
        """Write a file, and beside a document the list that it signs, if it was made here and is not empty."""
        path.write_bytes(data)
        for digest_, lines in self.lists.items():
            if lines and digest_.encode() in b64_payload(data):
                beside(path).write_bytes(lines)
        return path

    def listed(self, lines: Iterable[bytes]) -> Beside:
        """What a document says of a list; the list is laid beside it."""
        out = io.BytesIO()
        found = write_lines(out, lines)
        self.lists[found.digest] = out.getvalue()
        return found

    def item(self, number: int, **changes: Any) -> dict[str, Any]:
        clip = self.clips[number]
        return {
            "id": made_id("itm", number),
            "asset": f"psn_{number:026d}",
            "contributor": "psn_" + "0" * 26,
            "kind": "video",
            "unit": "frame",
            "start": 10,
            "end": 58,
            "frames": 48,
            "fps": "24/1",
            "duration_ms": 2_000,
            "content_hash": "cd" * 32,
            "bytes_hash": sha256_hex(clip),
            "bytes": len(clip),
            "path": f"clips/{sha256_hex(clip)}.mp4",
            "caption": "a harbor at dusk",
            "split": "train",
            "group": "psn_" + "1" * 26,
            "clearance": {"outcome": "ALLOW", "findings": []},
            **changes,
        }

    def items(self) -> list[dict[str, Any]]:
        return [self.item(number) for number in range(len(self.clips))]

    def clip_path(self, number: int) -> Path:
        return self.folder / "clips" / f"{sha256_hex(self.clips[number])}.mp4"

    def deliver(self, lines: list[bytes] | None = None, **body: Any) -> Path:
        """Write the whole folder, as an honest library would for these lines."""
        (self.folder / "clips").mkdir(exist_ok=True)
        for number, clip in enumerate(self.clips):
            self.clip_path(number).write_bytes(clip)
        lines = lines if lines is not None else [canonical(item) for item in self.items()]
        data = b"".join(line + b"\n" for line in lines)
        self.write("items.jsonl", data)
        self.write("items.parquet", b"PAR1")
        self.write("agreement.json", self.agreement())
        self.write("delivery.json", self.sealed("delivery", self.delivery(lines, **body), id=made_id("dlv")))
        self.write("lease.json", self.lease())
        self.write("feed.json", self.feed())
        return self.folder

    def delivery(self, lines: list[bytes], **changes: Any) -> dict[str, Any]:
        """The body that an honest library signs for these lines."""
        data = b"".join(line + b"\n" for line in lines)
        return {
            "delivery": made_id("dlv"),
            "name": "squares",
            "release": made_id("rel"),
            "family": made_id("agr"),
            "root": merkle.root_of(merkle.leaf_hash(line) for line in lines).hex(),
            "items": len(lines),
            "items_digest": hashlib.sha256(data).hexdigest(),
            "items_bytes": len(data),
            "clips_bytes": sum(len(clip) for clip in self.clips),
            "duration_ms": 2_000 * len(lines),
            "recipe": {"filters": {}},
            "recipe_hash": digest({"filters": {}}),
            "derived": {"items.parquet": sha256_hex(b"PAR1")},
            "snapshot": {"size": 5, "root": "ef" * 32},
            "agreement_digest": sha256_hex(self.agreement()),
            **changes,
        }

    def agreement_body(self, days: int = 365, **changes: Any) -> dict[str, Any]:
        """A first agreement of its family, from yesterday on; its terms as far as others repeat them."""
        purpose = changes.get("purpose", "research")
        starts = NOW_MS - DAY_MS
        return {
            "offer": "research",
            "offer_version": 1,
            "purpose": purpose,
            "terms": {
                "purpose": purpose,
                "term_days": days,
                "share": "1/5",
                "split_basis": "delivered_ms",
                "commercial_output": purpose == "commercial",
            },
            "library": self.library.id,
            "lab": self.lab.id,
            "fee_minor": 1_000_000,
            "currency": "USD",
            "upgrade_of": None,
            "family": made_id("agr"),
            "starts_at": to_rfc3339(starts),
            "ends_at": to_rfc3339(starts + days * DAY_MS),
            **changes,
        }

    def agreement(self, body: dict[str, Any] | None = None, **changes: Any) -> bytes:
        """Signed by both."""
        sealed = self.sealed("agreement", self.agreement_body() if body is None else body,
                             **{"id": made_id("agr"), **changes})  # fmt: skip
        return dsse.add_signature(sealed, self.lab.private)

    def lease(self, **changes: Any) -> bytes:
        ends = {"starts_at": to_rfc3339(NOW_MS), "ends_at": to_rfc3339(NOW_MS + DAY_MS)}
        return self.sealed("lease", {"delivery": made_id("dlv"), **ends, **changes})

    def grant(self) -> bytes:
        family = made_id("agr")
        body = {"checkpoint": made_id("ckp"), "weights_hash": "0" * 64, "agreement": family, "family": family}
        return self.sealed("grant", body)

    def feed(self, *items: int, **changes: Any) -> bytes:
        named = enumerate(items, 1)
        entries = [FeedEntry(seq, made_id("dlv"), made_id("itm", one), "opt-out", NOW_MS) for seq, one in named]
        body = {
            "family": made_id("agr"),
            "deliveries": [made_id("dlv")],
            "entries": len(entries),
            "list": self.listed(lines_of(entries)).to_json(),
            "max_age_ms": 7 * DAY_MS,
            "leases": [base64.b64encode(self.lease()).decode()],
        }
        return self.sealed("feed", {**body, **changes})


def failed(report: Report) -> set[str]:
    return {finding.code for finding in report.findings if finding.ok is False}


@pytest.fixture
def world(tmp_path: Path) -> World:
    folder = tmp_path / "delivery"
    folder.mkdir()
    return World(folder)


@pytest.fixture
def failing() -> Callable[[Report], set[str]]:
    """The codes of the findings that do not hold."""
    return failed


@pytest.fixture
def ids() -> Callable[..., str]:
    return made_id
