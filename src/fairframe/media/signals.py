"""What a file says about being used for training: C2PA and CAWG assertions, XMP properties.

The reader fails closed: what cannot be read becomes a signal that says so, never silence. A signal reports; whether
it forbids anything is for the rights stage to decide.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from fairframe.core.canonical import Json
from fairframe.media import c2pa_reader, xmp
from fairframe.media.c2pa_reader import Report

Kind = Literal["c2pa", "xmp", "tdmrep", "aipref", "note"]
Trust = Literal["trusted", "untrusted", "tampered", "unreadable", "none"]

MINING = re.compile(r"(c2pa|cawg)\.training-mining(\.v\d+)?(__\d+)?$")
USES = frozenset({"allowed", "notAllowed", "constrained"})
MAX_ENTRIES = 64
# plus:DataMining is the data-mining property of the IPTC Photo Metadata Standard and of the IPTC Video Metadata Hub;
# its values are those of the PLUS vocabulary
XMP_VALUES = {
    "DMI-ALLOWED": "allowed",
    "DMI-PROHIBITED": "notAllowed",
    "DMI-PROHIBITED-AIMLTRAINING": "notAllowed",
    "DMI-PROHIBITED-GENAIMLTRAINING": "notAllowed",
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": "notAllowed",
    "DMI-PROHIBITED-SEECONSTRAINT": "constrained",
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": "constrained",
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": "constrained",
    "DMI-UNSPECIFIED": "unspecified",
}


@dataclass(frozen=True)
class Signal:
    """One statement found in a file.

    `key` is the entry's own name ("cawg.ai_generative_training", "plus:DataMining"); `value` is allowed, notAllowed,
    constrained, unspecified or unknown, or for key "manifest" or "xmp" what is wrong with it; kind "note" states
    a fact without weight. `raw` is the manifest store as JSON or the XMP packet.
    """

    kind: Kind
    key: str
    value: str
    trust: Trust
    detail: dict[str, Json] = field(default_factory=dict[str, Json])
    raw: bytes = b""


def read_signals(path: Path, anchors_pem: bytes = b"") -> list[Signal]:
    """Every signal of a file, in a fixed order. `anchors_pem` are the certificates whose signatures are trusted.

    Run it in a MediaWorker when the file comes from somebody else. Raises MissingExtra only.
    """
    c2pa_reader.import_c2pa()
    path = Path(path)
    return [
        *_closed("c2pa", lambda: c2pa_signals(c2pa_reader.read(path, anchors_pem))),
        *_closed("xmp", lambda: xmp_signals(path)),
    ]


def c2pa_signals(report: Report) -> list[Signal]:
    """The signals of a manifest store; only the active manifest can be trusted, its ingredients' at most untrusted."""
    detail: dict[str, Json] = {"reason": report.reason}
    if report.state == "absent":
        return []
    if report.state == "unsupported":
        return [Signal("note", "container", "unsupported", "none", detail)]
    if report.state == "unreadable":
        return [Signal("c2pa", "manifest", "unreadable", "unreadable", detail, report.raw)]
    found: list[Signal] = []
    for label, manifest in sorted(report.manifests.items(), key=lambda item: item[0] != report.active):
        trust: Trust = "untrusted" if report.state == "trusted" and label != report.active else report.state  # type: ignore[assignment]
        for assertion in manifest.get("assertions") or []:
            if MINING.match(str(assertion.get("label"))):
                found += _entries(assertion, trust, {**detail, **_signer(manifest), "manifest": label}, report.raw)
    if report.state == "tampered":
        found.append(Signal("c2pa", "manifest", "tampered", "tampered", detail, report.raw))
    if not found:
        detail |= {**_signer(report.manifests[report.active]), "state": report.state}
        return [Signal("note", "manifest", "says nothing on training", "none", detail, report.raw)]
    return found


def xmp_signals(path: Path) -> list[Signal]:
    """The data-mining statements in a file's XMP. Nobody signs XMP, so none of them is trusted."""
    return [replace(signal, raw=packet) for packet in xmp.packets(path) for signal in xmp_packet_signals(packet)]


def xmp_packet_signals(packet: bytes) -> list[Signal]:
    """The data-mining statements of one packet, or of an XMP file, without its raw bytes. Raises MediaError.

    What else it says of them (constraints, a policy, a rights expression) stands in each one's detail.
    """
    statements = xmp.statements(packet)
    context: dict[str, Json] = {one.key: one.value[:500] for one in statements if one.key in xmp.CONTEXT}
    found: list[Signal] = []
    for statement in statements:
        if statement.key in xmp.CONTEXT:
            continue
        word = statement.value.rsplit("/", 1)[-1].upper()
        value = XMP_VALUES.get(word, "unknown")
        if statement.key == "tdm:reservation":
            value = {"1": "notAllowed", "0": "allowed"}.get(word, "unknown")
        detail: dict[str, Json] = {"written": statement.value[:200], **context}
        found.append(Signal("xmp", statement.key, value, "untrusted", detail))
    return found


def _entries(assertion: Mapping[str, Any], trust: Trust, detail: dict[str, Json], raw: bytes) -> list[Signal]:
    label = str(assertion.get("label"))[:100]
    data = assertion.get("data")
    entries = data.get("entries") if isinstance(data, dict) else None
    if not isinstance(entries, dict) or not entries or len(entries) > MAX_ENTRIES:
        return [Signal("c2pa", label, "unreadable", "unreadable", detail, raw)]
    found: list[Signal] = []
    for key, entry in sorted(entries.items()):
        use = entry.get("use") if isinstance(entry, dict) else entry
        more: dict[str, Json] = {**detail, "assertion": label}
        if isinstance(entry, dict) and entry.get("constraint_info"):
            more["constraint"] = str(entry["constraint_info"])[:500]
        value = str(use) if use in USES else "unknown"
        found.append(Signal("c2pa", str(key)[:100], value, trust, more, raw))
    return found


def _signer(manifest: Mapping[str, Any]) -> dict[str, Json]:
    info = manifest.get("signature_info") or {}
    return {"issuer": str(info.get("issuer", ""))[:200], "signer": str(info.get("common_name", ""))[:200]}


def _closed(kind: Kind, read: Callable[[], list[Signal]]) -> list[Signal]:
    """What `read` finds; if it fails in any way, a signal of trust "unreadable"."""
    try:
        return read()
    except Exception as error:  # fail closed
        key = "manifest" if kind == "c2pa" else kind
        return [Signal(kind, key, "unreadable", "unreadable", {"reason": f"{type(error).__name__}: {error}"[:300]})]
