"""Sidecar files that speak about the use of a media file: XMP (with IPTC's properties), TDMRep, AIPREF.

| sidecar of dir/FILE.mp4                                 | form                                                    |
|---------------------------------------------------------|---------------------------------------------------------|
| FILE.mp4.xmp, FILE.xmp                                  | XMP, ISO 16684-1                                        |
| FILE.mp4.tdmrep.json, FILE.tdmrep.json, dir/tdmrep.json | TDMRep, W3C Community Group Final Report of 2024-05-10  |
| FILE.mp4.content-usage, FILE.content-usage              | AIPREF: the value of Content-Usage                      |

A sidecar belongs to a file by its name, in any case, in the same folder; where two files share a stem, FILE.xmp speaks
for both. Every entry of it counts, whatever `location` it names. Nobody signs a sidecar, so none of it is trusted.
What cannot be read becomes a signal that says so.
"""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from fairframe.core.canonical import Json, parse
from fairframe.core.errors import MediaError
from fairframe.media.signals import MAX_ENTRIES, Signal, xmp_packet_signals

Form = Literal["xmp", "tdmrep", "aipref"]
FORMS: tuple[str, ...] = get_args(Form)
MAX_BYTES = 1024 * 1024
SUFFIXES: dict[str, Form] = {".xmp": "xmp", ".tdmrep.json": "tdmrep", ".content-usage": "aipref"}
FOLDER_WIDE = "tdmrep.json"
NOTHING = "says nothing on training"
RESERVED = {0: "allowed", 1: "notAllowed", "0": "allowed", "1": "notAllowed"}
PREFERRED = {"y": "allowed", "n": "notAllowed"}

# RFC 9651, Structured Field Values: a Dictionary (section 3.2) whose members may carry parameters (section 3.1.2)
_KEY = r"[a-z*][a-z0-9_.*-]*"
_TEXT = r'"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"'
_NUMBER = r"@-?\d{1,15}|-?\d{1,15}(?:\.\d{1,3})?"
_BARE = rf"(?:[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*|%?{_TEXT}|{_NUMBER}|\?[01]|:[A-Za-z0-9+/=]*:)"
_PARAMETERS = rf"(?:; *{_KEY}(?:={_BARE})?)*"
_INNER = rf"\( *(?:{_BARE}{_PARAMETERS}(?: +{_BARE}{_PARAMETERS})*)? *\)"
_MEMBER = re.compile(rf"({_KEY})(?:=({_BARE}|{_INNER}))?{_PARAMETERS}")
_COMMA = re.compile(r"[ \t]*,[ \t]*")


def form_of(name: str) -> Form | None:
    """What a file is by its name; None for what is no sidecar."""
    lower = PurePosixPath(name).name.lower()
    if lower == FOLDER_WIDE:
        return "tdmrep"
    return next((form for suffix, form in SUFFIXES.items() if lower.endswith(suffix) and lower != suffix), None)


def names_for(name: str) -> list[str]:
    """The names, in lower case, of the sidecars that belong to a media file called `name` (a path with "/")."""
    path = PurePosixPath(name.lower())
    bases = dict.fromkeys((path.as_posix(), path.with_suffix("").as_posix()))
    return [*(base + suffix for base in bases for suffix in SUFFIXES), (path.parent / FOLDER_WIDE).as_posix()]


def read_sidecar(path: Path, form: Form) -> list[Signal]:
    """Every signal of a sidecar, without its raw bytes, which the caller holds. Never empty, never raises.

    Run it in a MediaWorker: it comes from somebody else.
    """
    readers: dict[str, Callable[[bytes], list[Signal]]] = {
        "xmp": xmp_packet_signals,
        "tdmrep": tdmrep_signals,
        "aipref": aipref_signals,
    }
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return [unreadable(form, f"longer than {MAX_BYTES} bytes")]
        found = readers[form](data)
    except Exception as error:  # fail closed
        return [unreadable(form, f"{type(error).__name__}: {error}")]
    return found or [Signal("note", form, NOTHING, "none")]


def unreadable(form: Form, reason: str) -> Signal:
    return Signal(form, form, "unreadable", "unreadable", {"reason": reason[:300]})


def tdmrep_signals(data: bytes) -> list[Signal]:
    """tdm-reservation and tdm-policy of a TDMRep file: an array of objects, or one object.

    Raises BadDocument (no strict JSON), MediaError (another shape).
    """
    value = parse(data, max_bytes=MAX_BYTES)
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_ENTRIES:
        raise MediaError(f"more than {MAX_ENTRIES} entries", code="media.sidecar")
    found: list[Signal] = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise MediaError("an entry is no object", code="media.sidecar")
        written = entry.get("tdm-reservation")
        known = isinstance(written, int | str) and not isinstance(written, bool)
        detail: dict[str, Json] = {"written": str(written)[:200]}
        for name in ("location", "tdm-policy"):
            if name in entry:
                detail[name] = str(entry[name])[:500]
        value_said = RESERVED.get(written, "unknown") if known else "unknown"  # type: ignore[arg-type]
        found.append(Signal("tdmrep", "tdm-reservation", value_said, "untrusted", detail))
    return found


def aipref_signals(data: bytes) -> list[Signal]:
    """The preferences of a Content-Usage value (draft-ietf-aipref-attach), a Dictionary of labels to `y` or `n`
    (draft-ietf-aipref-vocab, "Exemplary Serialization Format"): train-ai, ai-use, search.

    A label that the draft does not know counts like the others. Of a label said twice the last counts (RFC 9651). The
    field's name may stand before it. Raises MediaError for what is no Dictionary, UnicodeDecodeError.
    """
    text = re.sub(r"^content-usage:", "", data.decode("ascii").strip(" \t\r\n"), flags=re.IGNORECASE).strip(" \t")
    said: dict[str, str] = {}
    place = 0
    while place < len(text):
        member = _MEMBER.match(text, place)
        if member is None:
            raise MediaError("it is no structured dictionary", code="media.sidecar")
        said[member[1]] = member[2] or "?1"
        place = member.end()
        if place < len(text):
            comma = _COMMA.match(text, place)
            if comma is None or comma.end() == len(text):
                raise MediaError("it is no structured dictionary", code="media.sidecar")
            place = comma.end()
    if len(said) > MAX_ENTRIES:
        raise MediaError(f"more than {MAX_ENTRIES} labels", code="media.sidecar")
    return [
        Signal("aipref", key[:100], PREFERRED.get(value, "unknown"), "untrusted", {"written": value[:200]})
        for key, value in said.items()
    ]
